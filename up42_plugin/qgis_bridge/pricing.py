"""The live estimation: asked again a moment after each change, stale answers dropped."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.context import JobContext
from up42_plugin.core.estimation import Estimation
from up42_plugin.core.service import ServiceProvider
from up42_plugin.qgis_bridge.jobs import Job, JobRunner

DEBOUNCE_MS = 600


class Pricing(QObject):
    """Asks for the price of a configuration; ``asking`` when it begins to, then ``estimated`` or ``failed``.

    ``waiting(sentence)`` while the service is waited for.
    The same configuration at the same connection is asked only once, unless :meth:`forget` was called.
    """

    asking = pyqtSignal()
    estimated = pyqtSignal(object)
    failed = pyqtSignal(object)
    waiting = pyqtSignal(str)

    def __init__(self, runner: JobRunner, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self._ask)
        self._wanted: Optional[JobConfiguration] = None
        self._provider: Optional[ServiceProvider] = None
        self._key: Optional[str] = ""
        self._job: Optional[Job] = None
        self._question = 0

    def want(self, configuration: Optional[JobConfiguration], provider: Optional[ServiceProvider]) -> None:
        """Have the price of this configuration; None stops asking."""
        key = (
            "" if configuration is None or provider is None else f"{provider.connection_id} {configuration.fingerprint}"
        )
        if key == self._key:
            return
        self._key, self._wanted, self._provider = key, configuration, provider
        self._cancel()
        if key:
            self.asking.emit()
            self._timer.start()

    def forget(self) -> None:
        """Ask again at the next wish, even when nothing has changed."""
        self._cancel()
        self._key = None

    def stop(self) -> None:
        """Ask nothing any more."""
        self.want(None, None)

    def _cancel(self) -> None:
        self._timer.stop()
        self._question += 1
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    def _ask(self) -> None:
        configuration, provider, question = self._wanted, self._provider, self._question
        if configuration is None or provider is None:
            return

        def work(context: JobContext) -> Estimation:
            with provider.open(context) as service:
                return service.estimate(configuration)

        job = self._job = self._runner.start("UP42: estimating", work, long_running=True, hidden=True)
        job.progressed.connect(lambda _percent, text: self._waits(question, text))
        job.succeeded.connect(lambda estimation: self._answered(question, estimation))
        job.failed.connect(lambda error: self._refused(question, error))
        job.cancelled.connect(lambda: self._refused(question, Up42Error("Asking for the price was cancelled.")))

    def _waits(self, question: int, text: str) -> None:
        if question == self._question:
            self.waiting.emit(text)

    def _answered(self, question: int, estimation: Estimation) -> None:
        if question == self._question:  # else it is not wanted any more
            self.estimated.emit(estimation)

    def _refused(self, question: int, error: BaseException) -> None:
        if question == self._question:
            self.failed.emit(error)
