"""Test queries that are run again, free, before a live job of theirs may be confirmed once more."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Callable, List, Optional, Sequence, Set

from qgis.core import Qgis
from qgis.PyQt.QtCore import QObject

from up42_plugin.core.batch import BatchJob, job_name
from up42_plugin.core.freshness import TestedQuery
from up42_plugin.core.jobs import Mode
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.tested import TestedQueries
from up42_plugin.qgis_bridge.runs import RunController


@dataclass
class _Round:
    """The jobs called ``name``: their test queries that still run, and what comes when all have found scenes."""

    name: str
    then: Callable[[], None]
    running: Set[str] = field(default_factory=set)


class Retests(QObject):
    """Sees to it that jobs have a fresh test query wherever their data block offers one."""

    def __init__(
        self,
        runs: RunController,
        tests: TestedQueries,
        tell: Callable[[str, Qgis.MessageLevel], None],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runs, self._tests, self._tell = runs, tests, tell
        self._rounds: List[_Round] = []
        runs.ended.connect(self._ended)

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
            if job.configuration.workflow.data_step.block.test_query is not False
            and self._tests.fresh(connection_id, job.configuration, now) is None
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
        finished = run.job.finished if run.job is not None else None
        moment = finished or datetime.now(timezone.utc)
        self._tests.add(TestedQuery(run.configuration, run.connection_id, moment, len(run.scenes)))
        if not going.running:
            self._rounds.remove(going)
            going.then()
