"""Jobs that wait for a slot, and batches of them: started, gone on with, tried again, cancelled and loaded."""

from __future__ import annotations

import uuid
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from qgis.core import Qgis
from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QMessageBox, QWidget

from up42_plugin.core.batch import BatchJob, job_name
from up42_plugin.core.estimation import Range
from up42_plugin.core.ledger_queue import WaitingJob
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.tested import TestedQueries
from up42_plugin.gui.live_job import LiveJob
from up42_plugin.gui.retests import Retests
from up42_plugin.gui.run_texts import batch_line
from up42_plugin.gui.runs_section import RunsSection
from up42_plugin.gui.texts import count_text
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.job_queue import JobQueue
from up42_plugin.qgis_bridge.runs import RunController

WAITS = "as soon as a slot is free; until it is sent it costs nothing"


class BatchDesk(QObject):
    """What the person does with queued jobs, in the rows above the list of jobs, comes here."""

    def __init__(
        self,
        *,
        section: RunsSection,
        runs: RunController,
        queue: JobQueue,
        live_job: LiveJob,
        tests: TestedQueries,
        hub: ConnectionHub,
        window: QWidget,
        tell: Callable[[str, Qgis.MessageLevel], None],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._section, self._runs, self._queue, self._live_job = section, runs, queue, live_job
        self._tests, self._hub, self._window, self._tell = tests, hub, window, tell
        self._unsent: Dict[str, List[WaitingJob]] = {}
        self._retests = Retests(runs=runs, hub=hub, live_job=live_job, tests=tests, tell=tell, parent=self)
        self._question: Optional[QMessageBox] = None
        section.cancel_batch_asked.connect(self._ask_to_cancel)
        section.load_batch_asked.connect(self._load)
        section.continue_asked.connect(self._go_on)
        section.forget_asked.connect(self._forget)
        section.retry_asked.connect(self._retry)
        queue.unsent.connect(self._found_unsent)
        queue.recorded.connect(self._decided)
        queue.trouble.connect(lambda sentence: tell(sentence, Qgis.MessageLevel.Warning))

    def close(self) -> None:
        """Close the question, if there is one."""
        if self._question is not None:
            self._question.done(0)

    def begin(self, connection_id: str, jobs: Sequence[BatchJob], name: str, agreed: Sequence[Range]) -> str:
        """Have confirmed jobs sent as slots become free; returns the batch's id."""
        batch_id, now = uuid.uuid4().hex, self._queue.now
        self._queue.add(
            [
                WaitingJob(
                    id=uuid.uuid4().hex,
                    batch_id=batch_id,
                    batch_name=name,
                    place=place,
                    places=len(jobs),
                    label=job.label,
                    connection_id=connection_id,
                    name=job_name(name, job.label),
                    configuration=job.configuration,
                    agreed=cost,
                    priced=now,
                )
                for place, (job, cost) in enumerate(zip(jobs, agreed), 1)
            ]
        )
        return batch_id

    def cancel(self, key: str) -> None:
        """Cancel one job: the queue forgets it, or the service is told."""
        if self._runs.run_of(key).phase is Phase.WAITING:
            self._queue.forget([key])
        else:
            self._runs.cancel(key)

    def ended(self, run: Run) -> bool:
        """Tell the end of a whole batch, and nothing of its parts before; False for a job that is in none."""
        if run.batch is None or run.batch.places == 1:
            return False
        runs = self._runs_of(run.batch.id)
        if not any(other.busy for other in runs):
            good = all(other.succeeded for other in runs)
            level = Qgis.MessageLevel.Success if good else Qgis.MessageLevel.Warning
            self._tell(f"{batch_line(run.batch.name, runs)}.", level)
        return True

    def _runs_of(self, batch_id: str) -> Tuple[Run, ...]:
        row = next((row for key, row in self._section.batches() if key == batch_id), None)
        return row.runs if row is not None else ()

    def _ask_to_cancel(self, batch_id: str) -> None:
        runs = [run for run in self._runs_of(batch_id) if run.busy and run.batch is not None]
        if not runs or self._question is not None or runs[0].batch is None:
            return
        box = self._question = QMessageBox(self._window)
        box.setObjectName("cancelBatchQuestion")
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Cancel Jobs")
        what = count_text(len(runs), "job")
        box.setText(f"Cancel {what} of {runs[0].batch.name}? Blocks that already succeeded stay charged.")
        keep = box.addButton("Keep Running", QMessageBox.ButtonRole.RejectRole)
        cancel = box.addButton("Cancel Jobs", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)

        def answered(*_: object) -> None:
            agreed = box.clickedButton() is cancel
            self._question = None
            box.deleteLater()
            if agreed:
                self._cancel_all(batch_id)

        box.finished.connect(answered)
        box.open()

    def _cancel_all(self, batch_id: str) -> None:
        runs = [run for run in self._runs_of(batch_id) if run.busy and run.phase is not Phase.FETCHING]
        waiting = [run.key for run in runs if run.phase is Phase.WAITING]
        if waiting:
            self._queue.forget(waiting)
        for run in runs:
            if run.phase is not Phase.WAITING:
                self._runs.cancel(run.key)

    def _load(self, batch_id: str) -> None:
        for run in self._runs_of(batch_id):
            if run.loadable and run.phase is not Phase.LOADED:
                self._runs.load(run.key)

    def _found_unsent(self, _connection_id: str, jobs: List[WaitingJob]) -> None:
        by_batch: Dict[str, List[WaitingJob]] = {}
        for job in jobs:
            by_batch.setdefault(job.batch_id, []).append(job)
        for batch_id, members in by_batch.items():
            self._unsent[batch_id] = members
            row = self._section.batch(batch_id, members[0].batch_name)
            row.show_unsent(len(members), members[0].places)

    def _go_on(self, batch_id: str) -> None:
        jobs = self._unsent.get(batch_id, [])
        if not jobs:
            return
        if all(job.price_holds(self._queue.now) for job in jobs):
            self._decided(batch_id)
            self._queue.go_on(jobs)
            return
        provider = self._retests.provider(jobs[0].connection_id)
        if provider is not None:
            self._confirm_again(provider, jobs)

    def _confirm_again(self, provider: ServiceProvider, jobs: Sequence[WaitingJob]) -> None:
        """The agreed prices are too old: read and confirm them anew."""

        def begin(_name: str, each: Tuple[Range, ...]) -> str:
            self._queue.go_on(jobs, {job.id: cost for job, cost in zip(jobs, each)})
            return jobs[0].batch_id

        total = sum((job.agreed for job in jobs), Range(0, 0))
        wanted = [BatchJob(job.label, job.configuration) for job in jobs]
        name = jobs[0].batch_name
        retests = self._retests
        retests.when_fresh(provider, wanted, name, lambda: retests.confirm(provider, wanted, name, begin, total, WAITS))

    def _forget(self, batch_id: str) -> None:
        jobs = self._unsent.get(batch_id, [])
        self._decided(batch_id)
        self._queue.forget([job.id for job in jobs])

    def _decided(self, batch_id: str) -> None:
        """Nothing of this batch waits for a decision any more."""
        jobs = self._unsent.pop(batch_id, [])
        if not jobs:
            return
        row = self._section.batch(batch_id, jobs[0].batch_name)
        row.show_unsent(0, jobs[0].places)
        if not row.runs:
            self._section.forget(batch_id)

    def _retry(self, key: str) -> None:
        """Try one job again, alone: its test query first where that is not fresh, then its present price."""
        run = self._runs.run_of(key)
        provider = self._retests.provider(run.connection_id)
        if provider is not None:
            jobs = [BatchJob("", run.configuration)]
            self._retests.when_fresh(provider, jobs, run.name, lambda: self._ask_retry(provider, run))

    def _ask_retry(self, provider: ServiceProvider, run: Run) -> None:
        place = run.batch
        if place is None:
            return
        waiting = [job for job in self._queue.waiting(run.connection_id) if job.id == run.key]
        if waiting:
            self._confirm_again(provider, waiting)
            return

        def begin(name: str, each: Tuple[Range, ...]) -> str:
            again = WaitingJob(
                id=uuid.uuid4().hex,
                batch_id=place.id,
                batch_name=place.name,
                place=place.place,
                places=place.places,
                label=place.label,
                connection_id=run.connection_id,
                name=name,
                configuration=run.configuration,
                agreed=each[0],
                priced=self._queue.now,
            )
            self._queue.add([again])
            return place.id

        self._retests.confirm(provider, [BatchJob("", run.configuration)], run.name, begin, start=WAITS)
