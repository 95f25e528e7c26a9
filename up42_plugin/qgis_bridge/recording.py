"""Writes into the ledger what becomes of jobs, as the workers see it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from up42_plugin.core.context import ThreadContext
from up42_plugin.core.disk_use import size_of
from up42_plugin.core.jobs import Job
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.ledger_life import LedgerLife
from up42_plugin.core.ledger_outputs import LedgerOutputs, StoredOutput
from up42_plugin.core.monitoring import Look
from up42_plugin.core.service import Output
from up42_plugin.core.storage import QUICKLOOKS
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.sending import FORGOTTEN

_WRITING = "Recording what became of a job"


class JobRecords:
    """For workers only. A ledger that cannot be used is logged: jobs are followed and loaded without it too."""

    def __init__(self, ledger: Ledger, log: PanelLog) -> None:
        self._ledger, self._log = ledger, log
        self._life, self._outputs = LedgerLife(ledger), LedgerOutputs(ledger)

    def saw(self, connection_id: str, found: Look) -> None:
        """What one look at the service showed, of our jobs."""
        with self._without_failing():
            jobs = {job.id: job for job in (*found.listed, *found.jobs)}
            self._life.saw_all(connection_id, jobs.values())
            for job_id, tasks in found.tasks.items():
                self._life.saw_tasks(connection_id, job_id, tasks)
            for job_id in found.gone:
                self._life.gone(connection_id, job_id, FORGOTTEN)

    def ended(self, connection_id: str, job: Job) -> bool:
        """A job has ended: True when the caller is the one, of all windows, to tell the person of it.

        Of a job that is not ours, or while the ledger cannot be used, everybody tells: better twice than never.
        """
        with self._without_failing():
            self._life.saw(connection_id, job)
            return self._claim(connection_id, job.id)
        return True

    def found_scenes(self, connection_id: str, job_id: str, count: int) -> None:
        """A test query found so many scenes; nobody has to be told of its end later."""
        with self._without_failing():
            self._life.found_scenes(connection_id, job_id, count)
            self._claim(connection_id, job_id)

    def stored(self, connection_id: str, output: Output, folder: Path) -> None:
        """An output is in a folder; of the same job's others, those that are gone are noted as deleted."""
        with self._without_failing():
            self._outputs.note_gone(connection_id, output.job_id)
            known = self._outputs.outputs(connection_id, output.job_id)
            there = {(other.task_id, other.folder) for other in known if other.complete and other.deleted is None}
            if (output.task_id, folder) not in there:
                self._outputs.stored_output(
                    StoredOutput(
                        connection_id=connection_id,
                        service_job_id=output.job_id,
                        folder=folder,
                        size_bytes=size_of(folder, ThreadContext()),
                        stored=self._ledger.now(),
                        task_id=output.task_id,
                        task_name=output.task_name,
                    )
                )

    def stored_quicklooks(self, connection_id: str, job_id: str, folder: Path) -> None:
        """A job's quicklooks and footprints are in a folder."""
        self.stored(connection_id, Output(job_id, QUICKLOOKS, QUICKLOOKS), folder)

    def _claim(self, connection_id: str, job_id: str) -> bool:
        record = self._ledger.job_on_service(connection_id, job_id)
        return record is None or self._life.claim_announcement(record.id)

    @contextmanager
    def _without_failing(self) -> Iterator[None]:
        try:
            yield
        except (LedgerError, OSError) as error:
            self._log.exception(_WRITING, error)
