"""A job once more: its test query again, free, and a live job only behind a fresh one and the same confirmation."""

from __future__ import annotations

from typing import Callable, Dict, Optional, Tuple

from qgis.core import Qgis
from qgis.PyQt.QtCore import QObject

from up42_plugin.core.batch import BatchJob
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.estimation import Range
from up42_plugin.core.job_recall import is_stand_in
from up42_plugin.core.jobs import Mode
from up42_plugin.core.service import Limits, ServiceProvider
from up42_plugin.core.tested import TestedQueries
from up42_plugin.core.validation import validate
from up42_plugin.gui.live_job import LiveJob
from up42_plugin.gui.retests import Retests
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.runs import RunController

NO_WORKFLOW = "This workflow no longer exists."


def _nothing() -> None:
    """Nothing is to be done."""


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
        self._runs, self._limits, self._tell = runs, limits, tell
        self._retests = Retests(runs=runs, hub=hub, live_job=live_job, tests=tests, tell=tell, parent=self)
        self._begun: Dict[str, Callable[[], None]] = {}
        runs.recorded.connect(self._recorded)

    def test(
        self,
        connection_id: str,
        name: str,
        configuration: JobConfiguration,
        recorded: Callable[[], None] = _nothing,
    ) -> None:
        """Run the test query. ``recorded`` is called when it is in the ledger, and about to be sent."""
        provider = self._retests.provider(connection_id)
        if provider is not None and self._possible(name, configuration, Mode.TEST_QUERY):
            self._begun[self._runs.start(provider, configuration, Mode.TEST_QUERY, name)] = recorded

    def ask(
        self,
        connection_id: str,
        name: str,
        configuration: JobConfiguration,
        recorded: Callable[[], None] = _nothing,
    ) -> None:
        """Ask for the live job, after its test query where there is no fresh one; ``recorded`` as for :meth:`test`."""
        provider = self._retests.provider(connection_id)
        if provider is None or not self._possible(name, configuration, Mode.LIVE):
            return
        present, jobs = provider, (BatchJob("", configuration),)
        if not self._retests.all_fresh(connection_id, jobs):
            self._tell(f"{name}: testing again first, free.", Qgis.MessageLevel.Info)
        self._retests.when_fresh(present, jobs, name, lambda: self._confirm(present, name, configuration, recorded))

    def _possible(self, name: str, configuration: JobConfiguration, mode: Mode) -> bool:
        if is_stand_in(configuration.workflow):
            self._warn(f"{name} cannot be run again. {NO_WORKFLOW}")
            return False
        problems = validate(configuration, self._limits(), mode)
        if problems:
            self._warn(f"{name} cannot be run again. {problems[0].message}")
        return not problems

    def _confirm(
        self, provider: ServiceProvider, name: str, configuration: JobConfiguration, recorded: Callable[[], None]
    ) -> None:
        def begin(called: str, agreed: Tuple[Range, ...]) -> str:
            key = self._runs.start(provider, configuration, Mode.LIVE, called, agreed[0])
            self._begun[key] = recorded
            return key

        self._retests.confirm(provider, (BatchJob("", configuration),), name, begin)

    def _recorded(self, key: str) -> None:
        self._begun.pop(key, _nothing)()

    def _warn(self, text: str) -> None:
        self._tell(text, Qgis.MessageLevel.Warning)
