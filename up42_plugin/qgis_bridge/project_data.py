"""What the dock needs to know of the connection's project: its limits, balance and workflows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.context import JobContext
from up42_plugin.core.service import Balance, Limits, Project, ServiceProvider
from up42_plugin.core.workflow import Workflow
from up42_plugin.qgis_bridge.jobs import Job, JobRunner


@dataclass(frozen=True)
class ProjectData:
    """A snapshot; ``workflows`` come with their steps."""

    connection_id: str
    project: Project
    limits: Limits
    workflows: Tuple[Workflow, ...]


class ProjectReader(QObject):
    """Reads the project in the background; a newer wish makes an older one stale.

    ``project_read(ProjectData)`` or ``failed(connection id, error)``; ``balance_read(connection id, Balance)`` or
    ``balance_failed(connection id, error)``. ``waiting(connection id, sentence)`` while the service is waited for.
    """

    project_read = pyqtSignal(object)
    balance_read = pyqtSignal(str, object)
    failed = pyqtSignal(str, object)
    balance_failed = pyqtSignal(str, object)
    waiting = pyqtSignal(str, str)

    def __init__(self, runner: JobRunner, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._project: Optional[Job] = None
        self._balance: Optional[Job] = None
        self._project_wish = self._balance_wish = 0

    def read(self, provider: ServiceProvider) -> None:
        """Read project, limits and workflows, and the balance beside them."""

        def work(context: JobContext) -> ProjectData:
            with provider.open(context) as service:
                project, limits = service.project(), service.limits()
                workflows = tuple(service.workflow(found.id) for found in service.workflows())
            return ProjectData(provider.connection_id, project, limits, workflows)

        before, connection_id = self._project, provider.connection_id
        self._project_wish += 1
        wish = self._project_wish
        job = self._project = self._runner.start("UP42: reading the project", work, long_running=True, hidden=True)
        if before is not None:
            before.cancel()
        job.progressed.connect(lambda _percent, text: self._project_waits(wish, connection_id, text))
        job.succeeded.connect(self.project_read)
        job.failed.connect(lambda error: self.failed.emit(connection_id, error))
        job.cancelled.connect(lambda: self._project_cancelled(wish, connection_id))
        self.read_balance(provider)

    def read_balance(self, provider: ServiceProvider) -> None:
        """Read the credits left."""
        connection_id = provider.connection_id

        def work(context: JobContext) -> Tuple[str, Balance]:
            with provider.open(context) as service:
                return connection_id, service.balance()

        before = self._balance
        self._balance_wish += 1
        wish = self._balance_wish
        job = self._balance = self._runner.start("UP42: reading the balance", work, long_running=True, hidden=True)
        if before is not None:
            before.cancel()
        job.succeeded.connect(self._tell_balance)
        job.failed.connect(lambda error: self.balance_failed.emit(connection_id, error))
        job.cancelled.connect(lambda: self._balance_cancelled(wish, connection_id))

    def stop(self) -> None:
        """Drop what is being read: another connection was chosen."""
        reading, self._project, self._balance = (self._project, self._balance), None, None
        self._project_wish += 1
        self._balance_wish += 1
        for job in reading:
            if job is not None:
                job.cancel()

    def _project_waits(self, wish: int, connection_id: str, text: str) -> None:
        if wish == self._project_wish:
            self.waiting.emit(connection_id, text)

    def _project_cancelled(self, wish: int, connection_id: str) -> None:
        if wish == self._project_wish:  # by the person, in the task manager
            self.failed.emit(connection_id, Up42Error("Reading the project was cancelled."))

    def _balance_cancelled(self, wish: int, connection_id: str) -> None:
        if wish == self._balance_wish:
            self.balance_failed.emit(connection_id, Up42Error("Reading the balance was cancelled."))

    def _tell_balance(self, answer: Tuple[str, Balance]) -> None:
        self.balance_read.emit(*answer)
