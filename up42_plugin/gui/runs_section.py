"""Jobs that were confirmed together, or that wait for a slot: how far they are, and what can be done with them."""

from __future__ import annotations

from typing import Dict, Optional, Tuple, Union

from qgis.gui import QgsCollapsibleGroupBox
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QVBoxLayout, QWidget

from up42_plugin.core.run import Run
from up42_plugin.gui.batch_row import BatchRow
from up42_plugin.gui.run_row import RunRow
from up42_plugin.gui.widgets import name_collapse_button

__all__ = ["RunRow", "RunsSection"]

_SHOWN = 6


class RunsSection(QgsCollapsibleGroupBox):
    """The newest batches, newest first, and jobs that wait or waited alone. Other runs are in the list of jobs only."""

    cancel_asked = pyqtSignal(str)
    load_asked = pyqtSignal(str)
    pause_asked = pyqtSignal(str)
    action_asked = pyqtSignal(str, str)
    retry_asked = pyqtSignal(str)
    cancel_batch_asked = pyqtSignal(str)
    load_batch_asked = pyqtSignal(str)
    continue_asked = pyqtSignal(str)
    forget_asked = pyqtSignal(str)

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__("Batches and waiting jobs", parent)
        self.setObjectName("progressSection")
        name_collapse_button(self, "Batches and waiting jobs")
        self._layout = QVBoxLayout(self)
        self._rows: Dict[str, Union[RunRow, BatchRow]] = {}
        self.hide()

    def show_run(self, run: Run) -> None:
        """Show a run that belongs here, new or changed."""
        if run.batch is None:
            return
        if run.batch.places > 1 or run.batch.id in self._rows:
            new = self.batch(run.batch.id, run.batch.name).show_run(run)
            if new is not None:
                self._connect(new)
            return
        row = self._rows.get(run.key)
        if row is None:
            self._replace(run.batch.id)
            row = RunRow(run.key)
            row.setProperty("batch", run.batch.id)
            self._connect(row)
            self._insert(run.key, row)
        if isinstance(row, RunRow):
            row.show_run(run)

    def batch(self, batch_id: str, name: str) -> BatchRow:
        """The row of a batch, made when there is none yet."""
        row = self._rows.get(batch_id)
        if not isinstance(row, BatchRow):
            row = BatchRow(batch_id, name)
            row.cancel_asked.connect(self.cancel_batch_asked)
            row.load_asked.connect(self.load_batch_asked)
            row.continue_asked.connect(self.continue_asked)
            row.forget_asked.connect(self.forget_asked)
            self._insert(batch_id, row)
        return row

    def row(self, key: str) -> RunRow:
        """The row of a run; raises ``KeyError`` for one that is not shown."""
        found = self._rows.get(key)
        if isinstance(found, RunRow):
            return found
        inner = (row.row(key) for row in self._rows.values() if isinstance(row, BatchRow))
        row = next((row for row in inner if row is not None), None)
        if row is None:
            raise KeyError(key)
        return row

    def rows(self) -> Tuple[Tuple[str, RunRow], ...]:
        """Keys and rows of runs outside of batches, oldest first."""
        return tuple((key, row) for key, row in self._rows.items() if isinstance(row, RunRow))

    def batches(self) -> Tuple[Tuple[str, BatchRow], ...]:
        """Ids and rows of batches, oldest first."""
        return tuple((key, row) for key, row in self._rows.items() if isinstance(row, BatchRow))

    def _connect(self, row: RunRow) -> None:
        row.cancel_asked.connect(self.cancel_asked)
        row.load_asked.connect(self.load_asked)
        row.pause_asked.connect(self.pause_asked)
        row.action_asked.connect(self.action_asked)
        row.retry_asked.connect(self.retry_asked)

    def _insert(self, key: str, row: Union[RunRow, BatchRow]) -> None:
        self._rows[key] = row
        self._layout.insertWidget(0, row)
        self.show()
        self._forget_old()

    def _replace(self, batch_id: str) -> None:
        """A job tried again takes the place of the one before."""
        for key in [key for key, row in self._rows.items() if row.property("batch") == batch_id]:
            self.forget(key)

    def forget(self, key: str) -> None:
        """Show a run, or a batch, no longer."""
        row = self._rows.pop(key, None)
        if row is not None:
            self._layout.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.setVisible(bool(self._rows))

    def _forget_old(self) -> None:
        while len(self._rows) > _SHOWN:
            # the newest one has nothing to show yet
            older = list(self._rows.items())[:-1]
            oldest = next((key for key, row in older if row.dispensable), None)
            if oldest is None:
                return
            self.forget(oldest)
