"""A job once more: its test query again, free, and a live job only behind a fresh one and the same confirmation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Callable, Dict, Optional, Tuple

from qgis.core import Qgis
from qgis.PyQt.QtCore import QObject

from up42_plugin.core.batch import BatchJob
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.estimation import Range
from up42_plugin.core.freshness import TestedQuery
from up42_plugin.core.job_recall import is_stand_in
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.service import Limits, ServiceProvider
from up42_plugin.core.tested import TestedQueries
from up42_plugin.core.validation import validate
from up42_plugin.gui.live_job import LiveJob, proposal_of
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.runs import RunController

NO_WORKFLOW = "This workflow no longer exists."
OTHER_CONNECTION = "The connection changed meanwhile. Cancel, and try again."
_TOO_OLD = "The test query is older than 24\u00a0hours. Cancel, and try again."
_DONE: Callable[[], None] = lambda: None  # noqa: E731 - nothing to be done


@dataclass(frozen=True)
class _Wish:
    """What is to be run live once its test query has ended well."""

    connection_id: str
    name: str
    configuration: JobConfiguration
    recorded: Callable[[], None]


class RerunDesk(QObject):
    """Runs configurations of earlier jobs again. Nothing costs without the question."""

    def __init__(
        self,
        *,
        runs: RunController,
        hub: ConnectionHub,
        live_job: LiveJob,
        tests: TestedQueries,
        limits: Callable[[], Limits],
        tell: Callable[[str, Qgis.MessageLevel], None],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runs, self._hub, self._live_job, self._tests = runs, hub, live_job, tests
        self._limits, self._tell = limits, tell
        self._testing: Dict[str, _Wish] = {}
        self._begun: Dict[str, Callable[[], None]] = {}
        runs.ended.connect(self._ended)
        runs.recorded.connect(self._recorded)

    def test(
        self,
        connection_id: str,
        name: str,
        configuration: JobConfiguration,
        recorded: Callable[[], None] = _DONE,
    ) -> str:
        """Run the test query; returns its run's key, or nothing when it is not possible.

        ``recorded`` is called when it is in the ledger, and about to be sent.
        """
        provider = self._provider(connection_id)
        if provider is None or not self._possible(name, configuration, Mode.TEST_QUERY):
            return ""
        key = self._runs.start(provider, configuration, Mode.TEST_QUERY, name)
        self._begun[key] = recorded
        return key

    def ask(
        self,
        connection_id: str,
        name: str,
        configuration: JobConfiguration,
        recorded: Callable[[], None] = _DONE,
    ) -> None:
        """Ask for the live job, after its test query where there is no fresh one. ``recorded`` when it is sent."""
        provider = self._provider(connection_id)
        if provider is None or not self._possible(name, configuration, Mode.LIVE):
            return
        wish = _Wish(connection_id, name, configuration, recorded)
        tested = self._fresh(wish)
        if tested is not None or not _testable(configuration):
            self._confirm(provider, wish, tested)
            return
        if any(other.configuration.fingerprint == configuration.fingerprint for other in self._testing.values()):
            return
        key = self.test(connection_id, f"{name}, test query", configuration)
        if key:
            self._testing[key] = wish
            self._tell(f"{name}: testing again first, free.", Qgis.MessageLevel.Info)

    def _provider(self, connection_id: str) -> Optional[ServiceProvider]:
        provider = self._hub.provider_of(connection_id)
        if provider is None:
            self._warn(f"Not connected to {self._hub.name_of(connection_id)}.")
        return provider

    def _possible(self, name: str, configuration: JobConfiguration, mode: Mode) -> bool:
        if is_stand_in(configuration.workflow):
            self._warn(f"{name} cannot be run again. {NO_WORKFLOW}")
            return False
        problems = validate(configuration, self._limits(), mode)
        if problems:
            self._warn(f"{name} cannot be run again. {problems[0].message}")
        return not problems

    def _fresh(self, wish: _Wish) -> Optional[TestedQuery]:
        return self._tests.fresh(wish.connection_id, wish.configuration, datetime.now(timezone.utc))

    def _ended(self, run: Run) -> None:
        wish = self._testing.pop(run.key, None)
        provider = self._hub.provider_of(run.connection_id) if wish is not None else None
        if wish is None or provider is None or run.unwanted or run.state is JobState.CANCELLED:
            return
        if run.phase is not Phase.LOADED:
            return  # its failure is told like that of any test query
        if not run.scenes:
            self._warn(f"{wish.name}: the test query found no scenes.")
            return
        finished = run.job.finished if run.job is not None and run.job.finished else datetime.now(timezone.utc)
        self._confirm(provider, wish, TestedQuery(run.configuration, run.connection_id, finished, len(run.scenes)))

    def _confirm(self, provider: ServiceProvider, wish: _Wish, tested: Optional[TestedQuery]) -> None:
        jobs = (BatchJob("", wish.configuration),)
        proposal = proposal_of(wish.name, jobs=jobs, tested=tested, connection=self._hub.name_of(wish.connection_id))

        def why_not() -> str:
            if self._hub.provider_of(wish.connection_id) is not provider:
                return OTHER_CONNECTION
            return _TOO_OLD if _testable(wish.configuration) and self._fresh(wish) is None else ""

        def begin(name: str, agreed: Tuple[Range, ...]) -> str:
            key = self._runs.start(provider, wish.configuration, Mode.LIVE, name, agreed[0])
            self._begun[key] = wish.recorded
            return key

        self._live_job.ask(provider, jobs, proposal, why_not, begin)

    def _recorded(self, key: str) -> None:
        self._begun.pop(key, _DONE)()

    def _warn(self, text: str) -> None:
        self._tell(text, Qgis.MessageLevel.Warning)


def _testable(configuration: JobConfiguration) -> bool:
    return configuration.workflow.data_step.block.test_query is not False
