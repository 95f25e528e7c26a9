"""Takes up again what earlier sessions of QGIS left: jobs that run, and jobs that ended while nobody looked."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Callable, Dict, FrozenSet, List, Mapping, Optional, Set, Tuple

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.context import JobContext
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_file import utc_now
from up42_plugin.core.ledger_life import LedgerEntry, LedgerLife
from up42_plugin.core.resumed import resumed_run
from up42_plugin.core.run import Run
from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.submission import Outcome
from up42_plugin.core.workflow import Workflow
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.settling import Settler

_READING = "UP42: reading the record of jobs"

#: Runs with the ledger's ids of their submissions.
Found = Tuple[Tuple[Run, int], ...]


class JobResumer(QObject):
    """Has jobs of earlier sessions followed as soon as the way to their service is open.

    It opens that way by itself only where that asks nothing of the person. Else it stays silent:
    ``to_check_changed(connection id, number)`` tells how many jobs wait for the person to sign in, 0 when none does.
    """

    to_check_changed = pyqtSignal(str, int)

    def __init__(
        self,
        runner: JobRunner,
        ledger: Ledger,
        *,
        hub: ConnectionHub,
        runs: RunController,
        settler: Settler,
        log: PanelLog,
        clock: Callable[[], datetime] = utc_now,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._ledger, self._hub, self._runs = runner, ledger, hub, runs
        self._settler, self._log = settler, log
        self._life = LedgerLife(ledger)
        self._began = clock()
        self._to_check: Dict[str, int] = {}
        self._reading: Set[str] = set()
        self._again: Set[str] = set()
        self._settled = False
        self._unlocked = QTimer(self)
        self._unlocked.setSingleShot(True)
        self._unlocked.setInterval(0)
        self._unlocked.timeout.connect(self._try_again)
        hub.opened.connect(self._opened)
        runs.settled_earlier.connect(self._settled_earlier)
        settler.ended.connect(self._settling_ended)

    def begin(self) -> None:
        """At the start of QGIS: open the connections that have something to look after."""
        connection_ids = [connection.id for connection in self._hub.connections]

        def work(context: JobContext) -> Mapping[str, int]:
            if not self._ledger.path.exists():
                return {}
            counts = {}
            for connection_id in connection_ids:
                context.check()
                entries = _left(self._life, connection_id)
                counts[connection_id] = len(entries) + len(self._ledger.unsettled(connection_id))
            return counts

        job = self._runner.start(_READING, work, hidden=True)
        job.succeeded.connect(self._counted)
        job.failed.connect(lambda error: self._log.exception(_READING, error))

    def stop(self) -> None:
        """Try nothing any more."""
        self._unlocked.stop()

    def to_check(self, connection_id: str) -> int:
        """How many jobs of a connection are not looked after, because the person would have to sign in."""
        return self._to_check.get(connection_id, 0)

    def unlocked(self, *_: object) -> None:
        """QGIS's authentication database was opened, whoever asked for it: keys can be read now."""
        self._unlocked.start()  # later: it may be in the middle of being read

    def resume(self, connection_id: str) -> None:
        """Take up the jobs of a connection that is open."""
        provider = self._hub.provider_of(connection_id)
        if provider is None:
            return
        if connection_id in self._reading:
            self._again.add(connection_id)
            return
        known = frozenset(run.job.id for run in self._runs.all() if run.job is not None)
        began = self._began

        def work(context: JobContext) -> Found:
            return _read(self._ledger, self._life, provider, known, began, context)

        self._reading.add(connection_id)
        job = self._runner.start(_READING, work, long_running=True, hidden=True)
        job.succeeded.connect(self._found)
        job.failed.connect(lambda error: self._log.exception(_READING, error))
        job.ended.connect(lambda: self._read(connection_id))

    def _counted(self, counts: Mapping[str, int]) -> None:
        for connection_id, count in counts.items():
            if count and self._hub.provider_of(connection_id) is None:
                self._put(connection_id, count)
        self._try_again()

    def _try_again(self) -> None:
        for connection_id in [connection_id for connection_id, count in self._to_check.items() if count]:
            self._hub.open_quietly(connection_id)

    def _opened(self, connection_id: str) -> None:
        self._put(connection_id, 0)
        if connection_id != self._hub.current.id:  # of the current one whoever opened it has that done
            self._settler.settle(connection_id)
        self.resume(connection_id)

    def _put(self, connection_id: str, count: int) -> None:
        if self._to_check.get(connection_id, 0) != count:
            self._to_check[connection_id] = count
            self.to_check_changed.emit(connection_id, count)

    def _settled_earlier(self, outcome: Outcome) -> None:
        self._settled = self._settled or outcome.accepted

    def _settling_ended(self, connection_id: str) -> None:
        """What was found on the service is followed from now on."""
        if self._settled:
            self._settled = False
            self.resume(connection_id)

    def _found(self, found: Found) -> None:
        for run, submission_id in found:
            self._runs.resume(run, submission_id)

    def _read(self, connection_id: str) -> None:
        self._reading.discard(connection_id)
        if connection_id in self._again:
            self._again.discard(connection_id)
            self.resume(connection_id)


def _left(life: LedgerLife, connection_id: str) -> Tuple[LedgerEntry, ...]:
    """What is to be looked after. Nobody is told of a test query that ended: it is free, and brought nothing."""
    ended: List[LedgerEntry] = []
    for entry in life.finished_unannounced(connection_id):
        if entry.mode is Mode.LIVE:
            ended.append(entry)
        else:
            life.claim_announcement(entry.id)
    return (*ended, *reversed(life.unfinished(connection_id)))


def _read(  # noqa: PLR0917 - a worker's whole world
    ledger: Ledger,
    life: LedgerLife,
    provider: ServiceProvider,
    known: FrozenSet[str],
    now: datetime,
    context: JobContext,
) -> Found:
    entries = [
        entry
        for entry in _left(life, provider.connection_id)
        if entry.submission.service_job_id and entry.submission.service_job_id not in known
    ]
    workflows = _workflows(provider, {entry.workflow_id for entry in entries}, context) if entries else {}
    found = []
    for entry in entries:
        context.check()
        record = ledger.job(entry.id)
        if record is not None:
            with suppress(ValueError):  # a record without inputs: there is nothing to be loaded or run again
                run = resumed_run(entry, record, workflows.get(entry.workflow_id), now)
                found.append((run, entry.submission.id))
    return tuple(found)


def _workflows(provider: ServiceProvider, ids: Set[str], context: JobContext) -> Dict[str, Workflow]:
    """The workflows as they are now; what cannot be read is left out."""
    found: Dict[str, Workflow] = {}
    with suppress(Up42Error), provider.open(context) as service:
        for workflow_id in sorted(ids):
            with suppress(Up42Error):
                found[workflow_id] = service.workflow(workflow_id)
    context.check()
    return found
