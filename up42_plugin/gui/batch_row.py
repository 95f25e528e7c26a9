"""The jobs of a batch as one line that opens to their rows."""

from __future__ import annotations

from typing import Dict, Optional, Tuple

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from up42_plugin.core.run import Phase, Run
from up42_plugin.gui.run_row import RunRow
from up42_plugin.gui.run_texts import batch_icon, batch_line, unsent_line
from up42_plugin.gui.widgets import ON_HOLD, hint_label, icon_size, theme_icon, tool_button


class BatchRow(QWidget):
    """One line for the whole, ``Cancel`` and ``Load`` for all of it, and the rows of its jobs below."""

    cancel_asked = pyqtSignal(str)
    load_asked = pyqtSignal(str)
    continue_asked = pyqtSignal(str)
    forget_asked = pyqtSignal(str)

    def __init__(self, batch_id: str, name: str, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"batch-{batch_id}")
        self._id, self._name = batch_id, name
        self._runs: Dict[str, Run] = {}
        self._rows: Dict[str, RunRow] = {}
        self._unsent = ""
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 2, 0, 2)
        outer.setSpacing(1)
        outer.addLayout(self._header())
        outer.addWidget(self._unsent_buttons())
        self._body = QWidget()
        self._body.setObjectName("batchJobs")
        self._list = QVBoxLayout(self._body)
        self._list.setContentsMargins(icon_size(self), 0, 0, 0)
        self._body.hide()
        outer.addWidget(self._body)

    def _header(self) -> QGridLayout:
        grid = QGridLayout()
        self.open_button = tool_button("", f"Show the jobs of {self._name}", "batchOpen")
        self.open_button.setArrowType(Qt.ArrowType.RightArrow)
        self.open_button.setCheckable(True)
        self.open_button.toggled.connect(self._open)
        self._icon = QLabel()
        self.line = hint_label()
        self.line.setObjectName("batchLine")
        self.load_button = tool_button("", f"Load all outputs of {self._name} as layers", "loadBatch")
        self.load_button.setText("Load")
        self.load_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.load_button.setAutoRaise(False)
        self.load_button.clicked.connect(lambda: self.load_asked.emit(self._id))
        self.cancel_button = tool_button("/mTaskCancel.svg", f"Cancel the jobs of {self._name}", "cancelBatch")
        self.cancel_button.clicked.connect(lambda: self.cancel_asked.emit(self._id))
        for column, widget in enumerate(
            (self.open_button, self._icon, self.line, self.load_button, self.cancel_button)
        ):
            grid.addWidget(widget, 0, column)
        grid.setColumnStretch(2, 1)
        return grid

    def _unsent_buttons(self) -> QWidget:
        self._choice = QWidget()
        row = QHBoxLayout(self._choice)
        row.setContentsMargins(0, 0, 0, 0)
        self.continue_button = QPushButton("Continue")
        self.continue_button.setObjectName("continueBatch")
        self.continue_button.setToolTip("Send them as slots become free, for the credits that were agreed to")
        self.continue_button.clicked.connect(lambda: self.continue_asked.emit(self._id))
        self.forget_button = QPushButton("Forget Them")
        self.forget_button.setObjectName("forgetBatch")
        self.forget_button.setToolTip("Never send them; nothing was charged for them")
        self.forget_button.clicked.connect(lambda: self.forget_asked.emit(self._id))
        for button in (self.continue_button, self.forget_button):
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addStretch(1)
        self._choice.hide()
        return self._choice

    @property
    def runs(self) -> Tuple[Run, ...]:
        """Its jobs of this session, in their order."""
        return tuple(sorted(self._runs.values(), key=lambda run: run.batch.place if run.batch else 0))

    @property
    def dispensable(self) -> bool:
        """Whether nothing is going on and there is nothing to be loaded or decided."""
        return not self._unsent and all(row.dispensable for row in self._rows.values())

    def row(self, key: str) -> Optional[RunRow]:
        """The row of one of its jobs."""
        return self._rows.get(key)

    def show_unsent(self, number: int, places: int) -> None:
        """Jobs of an earlier session that wait for a decision; 0 when there are none any more."""
        self._unsent = unsent_line(self._name, number, places) if number else ""
        self.forget_button.setText("Forget It" if places == 1 else "Forget Them")
        self._show()

    def show_run(self, run: Run) -> Optional[RunRow]:
        """Show one of its jobs; a new row is returned. A job tried again takes the place of the one before."""
        row, new = self._rows.get(run.key), None
        if row is None:
            self._replace(run)
            row = new = RunRow(run.key)
            self._rows[run.key] = row
            self._runs[run.key] = run
            self._list.insertWidget(self.runs.index(run), row)
        self._runs[run.key] = run
        row.show_run(run)
        self._show()
        return new

    def _replace(self, run: Run) -> None:
        place = run.batch.place if run.batch is not None else 0
        for key in [key for key, old in self._runs.items() if old.batch is not None and old.batch.place == place]:
            del self._runs[key]
            old_row = self._rows.pop(key)
            self._list.removeWidget(old_row)
            old_row.deleteLater()

    def _open(self, opened: bool) -> None:
        self._body.setVisible(opened)
        self.open_button.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        what = f"{'Hide' if opened else 'Show'} the jobs of {self._name}"
        self.open_button.setToolTip(what)
        self.open_button.setAccessibleName(what)

    def _show(self) -> None:
        runs = self.runs
        text = self._unsent or batch_line(self._name, runs)
        self.line.setText(text)
        self.line.setAccessibleName(text)
        side = icon_size(self)
        icon = ON_HOLD if self._unsent else batch_icon(runs)
        self._icon.setPixmap(theme_icon(icon).pixmap(QSize(side, side)))
        self._choice.setVisible(bool(self._unsent))
        self.open_button.setVisible(bool(runs))
        self.load_button.setVisible(any(run.loadable and run.phase is not Phase.LOADED for run in runs))
        self.cancel_button.setVisible(any(run.busy and run.phase is not Phase.FETCHING for run in runs))
