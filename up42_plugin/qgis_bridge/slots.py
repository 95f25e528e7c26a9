"""Whether the project of a connection has a free slot for another job."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Callable, Dict, List, Optional, Set, Tuple

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from up42_plugin.core.context import JobContext
from up42_plugin.core.jobs import Job
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.slots import Listing, all_taken, read_listing
from up42_plugin.core.tags import split_name
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.runs import RunController

AGAIN_MS = 30_000


class SlotWatch(QObject):
    """Knows which jobs take the slots: those of this session, and others the service listed when it was asked last.

    ``changed`` when that may be another. While others take a slot the service is asked again now and then.
    """

    changed = pyqtSignal()

    def __init__(
        self,
        runner: JobRunner,
        runs: RunController,
        provider_of: Callable[[str], Optional[ServiceProvider]],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._runs, self._provider_of = runner, runs, provider_of
        self._others: Dict[str, Tuple[Job, ...]] = {}
        self._reading: Set[str] = set()
        self._stale: Set[str] = set()
        self._taken: Set[str] = set()
        self._again = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(AGAIN_MS)
        self._timer.timeout.connect(lambda: self.read(self._again))
        runs.changed.connect(self._run_changed)

    def stop(self) -> None:
        """Ask no more."""
        self._timer.stop()
        self._stale.clear()

    def read(self, connection_id: str) -> None:
        """Ask the service which jobs are unfinished; once more where that is being asked just now."""
        provider = self._provider_of(connection_id)
        if provider is None:
            return
        if connection_id in self._reading:
            self._stale.add(connection_id)
            return

        def work(context: JobContext) -> Listing:
            with provider.open(context) as service:
                return read_listing(service, lambda: datetime.now(timezone.utc))

        self._reading.add(connection_id)
        job = self._runner.start("UP42: looking for free slots", work, long_running=True, hidden=True)
        job.succeeded.connect(lambda listing: self._read(connection_id, listing))
        job.ended.connect(lambda: self._over(connection_id))

    def sentence(self, connection_id: str, most: Optional[int]) -> str:
        """Why no other job can begin now, or nothing. Test queries of this session are over soon and not counted."""
        return all_taken(self._names(connection_id), most)

    def _names(self, connection_id: str) -> List[str]:
        ours = [run for run in self._runs.all() if run.connection_id == connection_id]
        known = {run.job.id for run in ours if run.job is not None}
        names = [run.name for run in reversed(ours) if run.live and _takes_slot(run)]
        others = self._others.get(connection_id, ())
        return names + [split_name(job.name)[0] or "another job" for job in others if job.id not in known]

    def _read(self, connection_id: str, listing: Listing) -> None:
        self._others[connection_id] = listing.unfinished
        known = {run.job.id for run in self._runs.all() if run.job is not None}
        if any(job.id not in known for job in listing.unfinished):
            self._again = connection_id
            self._timer.start()
        self.changed.emit()

    def _over(self, connection_id: str) -> None:
        self._reading.discard(connection_id)
        if connection_id in self._stale:
            self._stale.discard(connection_id)
            self.read(connection_id)

    def _run_changed(self, run: Run) -> None:
        takes = run.live and _takes_slot(run)
        if takes != (run.key in self._taken):
            (self._taken.add if takes else self._taken.discard)(run.key)
            self.changed.emit()


def _takes_slot(run: Run) -> bool:
    if run.phase in (Phase.SENDING, Phase.CHECKING):
        return True
    return run.phase is Phase.ON_SERVICE and run.job is not None and not run.job.state.terminal
