"""One run in the dock: how far it is, and what can be done with it."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import QSize, pyqtSignal
from qgis.PyQt.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from up42_plugin.core.run import WAITING_TO_DOWNLOAD, Phase, Run
from up42_plugin.gui.message_actions import DOWNLOAD_AGAIN, FORGET, SUBMIT_AGAIN, TRY_AGAIN
from up42_plugin.gui.run_texts import actions_of, icon_of, line_of
from up42_plugin.gui.widgets import ElidedLabel, hint_label, icon_size, theme_icon, tool_button

PAUSE_ICON = "/temporal_navigation/pause.svg"
_LOADS = (DOWNLOAD_AGAIN, TRY_AGAIN)
#: What Retry does for a job of a batch, or one that waited.
_RETRIES = (SUBMIT_AGAIN, TRY_AGAIN, FORGET)


class RunRow(QWidget):
    """One run: icon, name, one line of state, a bar while it works, and its buttons."""

    cancel_asked = pyqtSignal(str)
    load_asked = pyqtSignal(str)
    pause_asked = pyqtSignal(str)
    action_asked = pyqtSignal(str, str)
    retry_asked = pyqtSignal(str)

    def __init__(self, key: str, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"run-{key}")
        self._key = key
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 2, 0, 2)
        grid.setVerticalSpacing(1)
        self._icon = QLabel()
        self._name = ElidedLabel()
        self.line = hint_label()
        self.line.setObjectName("runLine")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setMaximumHeight(max(6, self.fontMetrics().height() // 2))
        self.load_button = _text_button("Load", "Load the output as layers", "loadOutput")
        self.load_button.clicked.connect(self._load)
        self.retry_button = _text_button("Retry", "Try this job again, after its price was confirmed", "retryRun")
        self.retry_button.clicked.connect(lambda: self.retry_asked.emit(self._key))
        self.pause_button = tool_button(PAUSE_ICON, "Pause the download", "pauseRun")
        self.pause_button.clicked.connect(lambda: self.pause_asked.emit(self._key))
        self.cancel_button = tool_button("/mTaskCancel.svg", "Cancel", "cancelRun")
        self.cancel_button.clicked.connect(self._cancel)
        grid.addWidget(self._icon, 0, 0)
        grid.addWidget(self._name, 0, 1)
        grid.addWidget(self.line, 1, 1)
        grid.addWidget(self._bar, 2, 1)
        grid.addWidget(self._action_row(), 3, 1)
        grid.addWidget(self.load_button, 0, 2, 2, 1)
        grid.addWidget(self.retry_button, 0, 3, 2, 1)
        grid.addWidget(self.pause_button, 0, 4, 2, 1)
        grid.addWidget(self.cancel_button, 0, 5, 2, 1)
        grid.setColumnStretch(1, 1)

    def _action_row(self) -> QWidget:
        self._actions = QWidget()
        row = QHBoxLayout(self._actions)
        row.setContentsMargins(0, 0, 0, 0)
        self.action_buttons = [_text_button("", "", name) for name in ("runAction", "runOtherAction")]
        for button in self.action_buttons:
            button.clicked.connect(self._act)
            row.addWidget(button)
        row.addStretch(1)
        return self._actions

    def action(self, text: str) -> Optional[QToolButton]:
        """The shown button with this text."""
        shown = [button for button in self.action_buttons if not button.isHidden() and button.text() == text]
        return shown[0] if shown and not self._actions.isHidden() else None

    def _show_actions(self, run: Run) -> None:
        elsewhere = (*(_LOADS if run.loadable else ()), *(_RETRIES if can_retry(run) else ()))
        actions = tuple(action for action in actions_of(run) if action not in elsewhere)
        self._actions.setVisible(bool(actions))
        for number, button in enumerate(self.action_buttons):
            action = actions[number] if number < len(actions) else ""
            button.setVisible(bool(action))
            button.setProperty("action", action)
            # a live job's price is confirmed first
            button.setText(f"{action}…" if action == SUBMIT_AGAIN and run.live else action)
            button.setToolTip(line_of(run))
            button.setAccessibleName(f"{button.text()}, {run.name}")

    def _act(self) -> None:
        self.action_asked.emit(self._key, str(self.sender().property("action")))

    def show_run(self, run: Run) -> None:
        """Show the present state of the run."""
        side = icon_size(self)
        self._icon.setPixmap(theme_icon(icon_of(run)).pixmap(QSize(side, side)))
        self._name.setText(run.name)
        self.line.setText(line_of(run))
        self.line.setAccessibleName(f"{run.name}: {line_of(run)}")
        waits = run.phase is Phase.WAITING or run.message == WAITING_TO_DOWNLOAD
        self._bar.setVisible((run.busy and not waits) or (run.paused and run.percent >= 0))
        self._bar.setRange(0, 0 if run.percent < 0 else 100)
        self._bar.setValue(max(0, int(run.percent)))
        self.load_button.setVisible(run.loadable)
        self.load_button.setText(_load_text(run))
        self._show_actions(run)
        self.pause_button.setVisible(run.live and run.phase is Phase.FETCHING)
        self.pause_button.setEnabled(run.pausable)
        self.pause_button.setToolTip("Pause the download" if run.pausable else "Only a download can be paused.")
        self.pause_button.setAccessibleName(f"Pause the download of {run.name}")
        self.cancel_button.setVisible(run.busy or run.paused)
        self.retry_button.setVisible(can_retry(run))
        self.retry_button.setAccessibleName(f"Try {run.name} again")
        what = _cancels(run)
        self.cancel_button.setToolTip(what)
        self.cancel_button.setAccessibleName(f"{what}, {run.name}")
        self.load_button.setAccessibleName(
            f"{'Resume the download' if run.paused else 'Load the output'} of {run.name}"
        )

    @property
    def dispensable(self) -> bool:
        """Whether nothing is going on and there is nothing to be loaded."""
        return self.cancel_button.isHidden() and self.load_button.isHidden() and self._actions.isHidden()

    def _cancel(self) -> None:
        self.cancel_asked.emit(self._key)

    def _load(self) -> None:
        self.load_asked.emit(self._key)


def can_retry(run: Run) -> bool:
    """Whether a job of a batch, or one that waited, came to nothing, or waits for its price to be confirmed again."""
    if run.batch is None:
        return False
    return run.failed or (run.phase is Phase.WAITING and bool(run.message))


def _load_text(run: Run) -> str:
    """The button that loads does what a message about loading asks for."""
    if run.paused:
        return "Resume"
    asked = [action for action in actions_of(run) if action in _LOADS]
    return asked[0] if asked else "Load" if run.layers == 0 else "Load Again"


def _cancels(run: Run) -> str:
    if run.pausable or run.paused:
        return "Cancel the download"
    if run.phase is Phase.FETCHING and run.live:
        return "Stop loading the output"
    return "Cancel the job" if run.live else "Cancel the test query"


def _text_button(text: str, tip: str, name: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setObjectName(name)
    return button
