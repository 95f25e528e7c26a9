"""Live jobs that are asked for once more: behind fresh test queries, run again free, and the same confirmation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Callable, List, Optional, Sequence, Set

from qgis.core import Qgis
from qgis.PyQt.QtCore import QObject

from up42_plugin.core.batch import BatchJob, job_name
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Mode
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.tested import TestedQueries, tested_by
from up42_plugin.gui.live_job import OTHER_CONNECTION, Begin, LiveJob, proposal_of
from up42_plugin.gui.texts import NBSP
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.runs import RunController


@dataclass
class _Round:
    """The jobs called ``name``: their test queries that still run, and what comes when all have found scenes."""

    name: str
    then: Callable[[], None]
    running: Set[str] = field(default_factory=set)


class Retests(QObject):
    """Sees to it that jobs have a fresh test query wherever their data block offers one, before the question is put."""

    def __init__(
        self,
        *,
        runs: RunController,
        hub: ConnectionHub,
        live_job: LiveJob,
        tests: TestedQueries,
        tell: Callable[[str, Qgis.MessageLevel], None],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runs, self._hub, self._live_job = runs, hub, live_job
        self._tests, self._tell = tests, tell
        self._rounds: List[_Round] = []
        runs.ended.connect(self._ended)

    def provider(self, connection_id: str) -> Optional[ServiceProvider]:
        """The open way to a connection's service; the person is told where there is none."""
        provider = self._hub.provider_of(connection_id)
        if provider is None:
            self._tell(f"Not connected to {self._hub.name_of(connection_id)}.", Qgis.MessageLevel.Warning)
        return provider

    def confirm(  # noqa: PLR0917 - what the question is made of
        self,
        provider: ServiceProvider,
        jobs: Sequence[BatchJob],
        name: str,
        begin: Begin,
        shown: Optional[Range] = None,
        start: str = "",
    ) -> None:
        """Put the question for jobs that are fresh; ``shown`` is the price the person knows, ``start`` says when."""
        connection_id = provider.connection_id
        proposal = proposal_of(
            name,
            jobs=jobs,
            tested=self._tests.fresh(connection_id, jobs[0].configuration, datetime.now(timezone.utc)),
            connection=self._hub.name_of(connection_id),
            shown_price=shown,
            start=start,
        )

        def why_not() -> str:
            if self._hub.provider_of(connection_id) is not provider:
                return OTHER_CONNECTION
            if self.all_fresh(connection_id, jobs):
                return ""
            return f"{'The' if len(jobs) == 1 else 'A'} test query is older than 24{NBSP}hours. Cancel, and try again."

        self._live_job.ask(provider, jobs, proposal, why_not, begin)

    def all_fresh(self, connection_id: str, jobs: Sequence[BatchJob]) -> bool:
        """Whether each of the jobs may be confirmed now."""
        return not self._stale(connection_id, jobs)

    def when_fresh(
        self, provider: ServiceProvider, jobs: Sequence[BatchJob], name: str, then: Callable[[], None]
    ) -> None:
        """Call ``then`` once all are fresh: at once, or when the test queries that are missing have found scenes."""
        stale = self._stale(provider.connection_id, jobs)
        if not stale:
            then()
            return
        if any(going.name == name for going in self._rounds):
            return
        going = _Round(name, then)
        self._rounds.append(going)
        for job in stale:
            title = job_name(f"{name}, test query", job.label)
            going.running.add(self._runs.start(provider, job.configuration, Mode.TEST_QUERY, title))

    def _stale(self, connection_id: str, jobs: Sequence[BatchJob]) -> List[BatchJob]:
        now = datetime.now(timezone.utc)
        return [
            job
            for job in jobs
            if job.configuration.workflow.testable and self._tests.fresh(connection_id, job.configuration, now) is None
        ]

    def _ended(self, run: Run) -> None:
        going = next((found for found in self._rounds if run.key in found.running), None)
        if going is None:
            return
        going.running.discard(run.key)
        if run.phase is not Phase.LOADED or not run.scenes:
            self._rounds.remove(going)
            if run.phase is Phase.LOADED:
                self._tell(f"{going.name}: the test query found no scenes.", Qgis.MessageLevel.Warning)
            return
        self._tests.add(tested_by(run))
        if not going.running:
            self._rounds.remove(going)
            going.then()
