"""The live estimation: asked again a moment after each change, stale answers dropped."""

from __future__ import annotations

from typing import Optional, Tuple, Union

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.batch import Batch, BatchJob, estimate_each
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.context import JobContext
from up42_plugin.core.estimation import Estimation, Range, combined
from up42_plugin.core.service import ServiceProvider
from up42_plugin.qgis_bridge.jobs import Job, JobRunner

DEBOUNCE_MS = 600

#: What has a price: one job, or several together.
Asked = Union[JobConfiguration, Batch]


class Pricing(QObject):
    """Asks for the price of a configuration; ``asking`` when it begins to, then ``estimated`` or ``failed``.

    ``waiting(sentence)`` while the service is waited for.
    Of a batch the price is the total, ``each`` what its jobs cost one by one; one job without a price, and there is
    none. The same configuration at the same connection is asked only once, unless :meth:`forget` was called.
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
        self._wanted: Optional[Asked] = None
        self._provider: Optional[ServiceProvider] = None
        self._key: Optional[str] = ""
        self._job: Optional[Job] = None
        self._question = 0
        self.each: Tuple[Range, ...] = ()

    def want(self, configuration: Optional[Asked], provider: Optional[ServiceProvider]) -> None:
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

        jobs = configuration.jobs if isinstance(configuration, Batch) else (BatchJob("", configuration),)

        def work(context: JobContext) -> Tuple[Estimation, ...]:
            return estimate_each(provider, jobs, context)

        job = self._job = self._runner.start("UP42: estimating", work, long_running=True, hidden=True)
        job.progressed.connect(lambda _percent, text: self._waits(question, text))
        job.succeeded.connect(lambda estimations: self._answered(question, estimations))
        job.failed.connect(lambda error: self._refused(question, error))
        job.cancelled.connect(lambda: self._refused(question, Up42Error("Asking for the price was cancelled.")))

    def _waits(self, question: int, text: str) -> None:
        if question == self._question:
            self.waiting.emit(text)

    def _answered(self, question: int, estimations: Tuple[Estimation, ...]) -> None:
        if question == self._question:  # else it is not wanted any more
            self.each = tuple(estimation.credits for estimation in estimations)
            self.estimated.emit(combined(estimations))

    def _refused(self, question: int, error: BaseException) -> None:
        if question == self._question:
            self.failed.emit(error)
