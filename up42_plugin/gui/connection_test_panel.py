"""Test Connection: the button, its verdict, and the six steps with what was found."""

from __future__ import annotations

from typing import Callable, Dict, Optional, Tuple

from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtGui import QHideEvent
from qgis.PyQt.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.connection_check import CheckStep, StepName, StepState, Subject, not_checked
from up42_plugin.gui.widgets import ON_HOLD, RUNNING, SUCCESS, WARNING, icon_size, theme_icon
from up42_plugin.qgis_bridge.connection_test import ConnectionTest
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.network import SessionFactory

#: Name of what is tested, and what the test needs; may raise ``Up42Error`` or ``ValueError``.
Wanted = Callable[[], Tuple[str, Subject, SessionFactory]]

_ICONS = {StepState.PASSED: SUCCESS, StepState.FAILED: WARNING, StepState.NOT_CHECKED: ON_HOLD}


class ConnectionTestPanel(QWidget):
    """Tests what ``wanted`` gives at the click. The steps are hidden until the first test."""

    def __init__(self, runner: JobRunner, wanted: Wanted, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._wanted = wanted
        self._name = ""
        self._failed: Optional[CheckStep] = None
        self._test = ConnectionTest(runner, self)
        self._test.stepped.connect(self._stepped)
        self._test.finished.connect(self._finished)
        self._test.broken.connect(self._broken)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        self.button = QPushButton("&Test Connection")
        self.button.setObjectName("testConnection")
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self._begin)
        self.verdict = QLabel()
        self.verdict.setObjectName("testVerdict")
        self.verdict.setWordWrap(True)
        row.addWidget(self.button)
        row.addWidget(self.verdict, 1)
        layout.addLayout(row)
        self._rows: Dict[StepName, Tuple[QLabel, QLabel]] = {}
        self._steps = self._step_rows()
        layout.addWidget(self._steps)

    def _step_rows(self) -> QWidget:
        steps = QWidget()
        grid = QGridLayout(steps)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(2, 1)
        grid.setVerticalSpacing(3)
        for number, name in enumerate(StepName):
            icon, text = QLabel(), QLabel()
            text.setWordWrap(True)
            text.setTextFormat(Qt.TextFormat.PlainText)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            text.setObjectName(f"step-{name.value}")
            top = Qt.AlignmentFlag.AlignTop
            grid.addWidget(icon, number, 0, top)
            grid.addWidget(QLabel(name.value), number, 1, top)
            grid.addWidget(text, number, 2)
            self._rows[name] = (icon, text)
        steps.hide()
        return steps

    def text_of(self, name: StepName) -> str:
        """What a step's row says."""
        return self._rows[name][1].text()

    def set_possible(self, possible: bool, why_not: str = "") -> None:
        """Open or close the button; a closed one says why in its tooltip."""
        self.button.setEnabled(possible)
        self.button.setToolTip("" if possible else why_not)

    def clear(self) -> None:
        """Forget the last test: what it was about has changed."""
        self._test.stop()
        self.verdict.setText("")
        self._steps.hide()

    def hideEvent(self, event: Optional[QHideEvent]) -> None:  # noqa: N802 - Qt's name
        """Nobody waits for the test any more."""
        if not self.isVisibleTo(self.parentWidget()) or not self.window().isVisible():
            self._test.stop()
        super().hideEvent(event)

    def _begin(self) -> None:
        try:
            self._name, subject, sessions = self._wanted()
        except (Up42Error, ValueError) as error:
            self._steps.hide()
            self.verdict.setText(str(error))
            return
        self._failed = None
        self.verdict.setText("Testing…")
        for name in StepName:
            self._show(not_checked(name))
        self._expect(StepName.ADDRESS)
        self._steps.show()
        self._test.start(subject, sessions)

    def _expect(self, name: StepName) -> None:
        self._set_row(name, RUNNING, "…")

    def _stepped(self, step: CheckStep) -> None:
        self._show(step)
        if step.state is StepState.FAILED:
            self._failed = step
        following = list(StepName)[list(StepName).index(step.name) + 1 :]
        if step.state is StepState.PASSED and following:
            self._expect(following[0])

    def _show(self, step: CheckStep) -> None:
        self._set_row(step.name, _ICONS[step.state], step.text)

    def _set_row(self, name: StepName, icon: str, text: str) -> None:
        side = icon_size(self)
        self._rows[name][0].setPixmap(theme_icon(icon).pixmap(QSize(side, side)))
        self._rows[name][1].setText(text)

    def _finished(self) -> None:
        if self._failed is None:
            name = self._name.replace("&", "&amp;").replace("<", "&lt;")
            self.verdict.setText(f"<b>{name} works.</b> Tested just now.")
        elif self._failed.name is StepName.ADDRESS:
            self.verdict.setText("Failed at address.")
        else:
            self.verdict.setText(f"Failed at {self._failed.name.value.lower()}, everything before it works.")

    def _broken(self, sentence: str) -> None:
        for name, (_icon, text) in self._rows.items():
            if text.text() == "…":
                self._show(not_checked(name))
        self.verdict.setText(sentence)
