"""Downloads of outputs: how many at once, in which order, and how fast all of them together."""

from __future__ import annotations

from typing import Callable, Dict, Optional, Set

from qgis.PyQt.QtCore import QObject

from up42_plugin.core.transfer import Bandwidth
from up42_plugin.qgis_bridge.jobs import Job

AT_ONCE = 2


def _default() -> int:
    return AT_ONCE


def _no_limit() -> Optional[int]:
    return None


class Downloads(QObject):
    """Begins downloads in the order in which they were asked for. Main thread only.

    ``at_once`` tells how many may run, ``limit`` how many bytes per second they may take together (None: as many as
    come); :meth:`apply` reads both anew, for downloads that run as well. Workers take from :attr:`bandwidth`.
    """

    def __init__(
        self,
        at_once: Callable[[], int] = _default,
        limit: Callable[[], Optional[int]] = _no_limit,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._at_once, self._limit = at_once, limit
        self._waiting: Dict[str, Callable[[], Job]] = {}
        self._running: Set[Job] = set()
        self.bandwidth = Bandwidth()
        self.bandwidth.set_limit(limit())

    @property
    def full(self) -> bool:
        """Whether another download has to wait."""
        return bool(self._waiting) or len(self._running) >= max(1, self._at_once())

    def add(self, key: str, begin: Callable[[], Job]) -> None:
        """Have ``begin`` called, now or when it is its turn: it starts the background job of the download."""
        self._waiting[key] = begin
        self._begin()

    def waits(self, key: str) -> bool:
        """Whether it is not its turn yet."""
        return key in self._waiting

    def withdraw(self, key: str) -> bool:
        """It is not to begin any more; False when it has begun."""
        return self._waiting.pop(key, None) is not None

    def apply(self) -> None:
        """The settings have changed."""
        self.bandwidth.set_limit(self._limit())
        self._begin()

    def _begin(self) -> None:
        while self._waiting and len(self._running) < max(1, self._at_once()):
            key = next(iter(self._waiting))
            job = self._waiting.pop(key)()
            self._running.add(job)
            job.ended.connect(lambda job=job: self._ended(job))

    def _ended(self, job: Job) -> None:
        self._running.discard(job)
        self._begin()
