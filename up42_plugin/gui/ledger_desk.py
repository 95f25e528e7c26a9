"""What the ledger tells beyond the list: Credits Spent…, and everything ever asked for as a layer."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Optional, Tuple

from qgis.core import Qgis, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QObject

from up42_plugin.core.context import JobContext
from up42_plugin.core.credit_report import CreditRecord
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_snapshot import LAYER, snapshot
from up42_plugin.core.ledger_spending import JobSpending, spending
from up42_plugin.core.storage import OutputFolders
from up42_plugin.gui.jobs_tab import JobsTab
from up42_plugin.gui.spent_dialog import SpentDialog
from up42_plugin.gui.texts import count_text
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.sending import message_of

TITLE = "UP42 jobs"


class LedgerDesk(QObject):
    """Reads the ledger in workers only; QGIS never opens the ledger itself, only copies."""

    def __init__(
        self,
        tab: JobsTab,
        *,
        ledger: Ledger,
        hub: ConnectionHub,
        runner: JobRunner,
        folders: Callable[[], OutputFolders],
        window: Any,
        tell: Callable[[str, Qgis.MessageLevel], None],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._ledger, self._hub, self._runner = ledger, hub, runner
        self._folders, self._window, self._tell = folders, window, tell
        self.dialog: Optional[SpentDialog] = None
        tab.spent_asked.connect(self.show_spent)
        tab.ledger_asked.connect(self.open_as_layer)

    def close(self) -> None:
        """Close what is open."""
        if self.dialog is not None:
            self.dialog.reject()

    def show_spent(self) -> None:
        """Open Credits Spent… of the current connection, and fill it when the ledger was read."""
        if self.dialog is not None:
            self.dialog.raise_()
            return
        connection = self._hub.current
        dialog = self.dialog = SpentDialog(connection.name, self._window)
        dialog.finished.connect(self._closed)
        dialog.export_asked.connect(self._export)

        def work(context: JobContext) -> Tuple[CreditRecord, ...]:
            context.check()
            return tuple(record_of(job, connection.name) for job in spending(self._ledger, connection.id))

        def here(records: Tuple[CreditRecord, ...]) -> None:
            if dialog is self.dialog:
                dialog.show_records(records)

        def failed(error: BaseException) -> None:
            if dialog is self.dialog:
                dialog.show_failure(message_of(error))

        job = self._runner.start("UP42: reading what was spent", work, hidden=True)
        job.succeeded.connect(here)
        job.failed.connect(failed)
        dialog.show()

    def open_as_layer(self) -> None:
        """Write a copy of the ledger beside the outputs, and add it to the project."""
        root = self._folders().root
        path = root / f"up42-jobs-{datetime.now():%Y%m%d-%H%M%S}.gpkg"

        def work(context: JobContext) -> int:
            context.check()
            return snapshot(self._ledger, path)

        def failed(error: BaseException) -> None:
            self._tell(message_of(error), Qgis.MessageLevel.Warning)

        job = self._runner.start("UP42: copying the record of jobs", work, long_running=True)
        job.succeeded.connect(lambda number: self._add(path, number))
        job.failed.connect(failed)

    def _add(self, path: Path, number: int) -> None:
        layer = QgsVectorLayer(f"{path}|layername={LAYER}", TITLE, "ogr")
        if not layer.isValid():
            self._tell(f"{path} cannot be opened.", Qgis.MessageLevel.Warning)
            return
        QgsProject.instance().addMapLayer(layer)
        what = count_text(number, "job").capitalize()
        self._tell(f"{what} as a layer: a copy of this moment.", Qgis.MessageLevel.Success)

    def _export(self, path: str, text: str) -> None:
        dialog = self.dialog

        def work(context: JobContext) -> None:
            context.check()
            with Path(path).open("w", encoding="utf-8", newline="") as file:
                file.write(text)

        job = self._runner.start("UP42: writing credits", work)
        if dialog is not None:
            job.succeeded.connect(lambda _none: dialog is self.dialog and dialog.show_exported(path))
            job.failed.connect(lambda error: dialog is self.dialog and dialog.show_failure(f"{path}: {error}"))

    def _closed(self, *_: object) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()


def record_of(job: JobSpending, connection: str) -> CreditRecord:
    """A line of Credits Spent."""
    return CreditRecord(
        when=job.created,
        job=job.name,
        workflow=job.workflow_name,
        job_id=job.service_job_id,
        connection=connection,
        state=job.word,
        estimated_minimum=job.agreed.minimum if job.agreed is not None else None,
        estimated_maximum=job.agreed.maximum if job.agreed is not None else None,
        blocked=job.credits.blocked,
        charged=job.credits.charged,
        ended=job.ended,
    )
