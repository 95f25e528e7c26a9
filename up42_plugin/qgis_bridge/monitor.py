"""One timer that follows every running job of ours."""

from __future__ import annotations

import time
from typing import Callable, Dict, Optional, Set

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from up42_plugin.core.context import JobContext
from up42_plugin.core.monitoring import Look, Pace, look
from up42_plugin.core.service import ServiceProvider
from up42_plugin.qgis_bridge.jobs import Job as BackgroundJob
from up42_plugin.qgis_bridge.jobs import JobRunner

#: Keeps in the worker what a look showed; it must not raise.
Keep = Callable[[str, Look], None]

#: While somebody looks, this share of the longest interval is the longest.
_SEEN_SHARE = 0.25


class JobMonitor(QObject):
    """Follows jobs by short background looks; asks less and less often while nothing changes.

    ``job_seen(connection id, Job)``, ``tasks_seen(connection id, job id, tasks)`` and ``gone(connection id, job id)``
    are emitted for each look, ``trouble(connection id, error)`` when one failed: it goes on by itself, more slowly.
    ``listed(connection id, jobs)`` are all jobs that a look came by; ``waiting(connection id, seconds)`` tells when the
    next look is due.
    """

    job_seen = pyqtSignal(str, object)
    tasks_seen = pyqtSignal(str, str, object)
    gone = pyqtSignal(str, str)
    trouble = pyqtSignal(str, object)
    listed = pyqtSignal(str, object)
    waiting = pyqtSignal(str, float)

    def __init__(
        self,
        runner: JobRunner,
        provider_of: Callable[[str], Optional[ServiceProvider]],
        pace_of: Callable[[str], Pace],
        keep: Optional[Keep] = None,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._provider_of, self._pace_of, self._keep = runner, provider_of, pace_of, keep
        self._watched: Dict[str, Dict[str, str]] = {}
        self._opened: Set[str] = set()
        self._looking: Dict[str, BackgroundJob] = {}
        self._hurried: Set[str] = set()
        self._troubled: Set[str] = set()
        self._intervals: Dict[str, float] = {}
        self._due: Dict[str, float] = {}
        self._visible = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look_at_due)

    def watch(self, connection_id: str, job_id: str, opened: bool = False) -> None:
        """Follow a job until it ends; ``opened`` also asks for its tasks."""
        self._watched.setdefault(connection_id, {})[job_id] = ""
        if opened:
            self._opened.add(job_id)
        self.hurry(connection_id)

    def watches(self, connection_id: str, job_id: str = "") -> bool:
        """Whether this job is followed; without an id, whether any job of the connection is."""
        watched = self._watched.get(connection_id, {})
        return job_id in watched if job_id else bool(watched)

    def set_opened(self, job_id: str, opened: bool) -> None:
        """Whether the tasks of a job are looked at too."""
        (self._opened.add if opened else self._opened.discard)(job_id)

    def set_visible(self, visible: bool) -> None:
        """Whether somebody looks: then the intervals stay shorter."""
        self._visible = visible
        if not visible:
            return
        now = time.monotonic()
        for connection_id, due in self._due.items():
            longest = self._limited(connection_id, self._intervals[connection_id])
            if due - now > longest:
                self._put_due(connection_id, longest)
        self._arm()

    def unwatch(self, connection_id: str, job_id: str) -> None:
        """Stop following a job."""
        self._watched.get(connection_id, {}).pop(job_id, None)
        self._opened.discard(job_id)

    def hurry(self, connection_id: str) -> None:
        """Look again soon: something was just changed by the person, or is about to be shown."""
        self._intervals[connection_id] = self._pace_of(connection_id).fastest
        if connection_id in self._looking:
            self._hurried.add(connection_id)
        self._wait(connection_id)

    def answered(self, connection_id: str) -> None:
        """The service answered somebody else: if the last look failed, there is no reason to wait any longer."""
        if connection_id in self._troubled:
            self._troubled.discard(connection_id)
            self.hurry(connection_id)

    def stop(self) -> None:
        """Stop the timer; looks under way end with the runner."""
        self._timer.stop()
        self._watched.clear()
        self._due.clear()

    def _wait(self, connection_id: str) -> None:
        """Have a connection looked at after its interval."""
        if connection_id in self._looking or not self._watched.get(connection_id):
            return
        self._put_due(connection_id, self._limited(connection_id, self._intervals[connection_id]))
        self._arm()

    def _put_due(self, connection_id: str, seconds: float) -> None:
        self._due[connection_id] = time.monotonic() + seconds
        self.waiting.emit(connection_id, seconds)

    def _limited(self, connection_id: str, interval: float) -> float:
        """Only hidden, and in trouble, an interval grows to the longest of its pace."""
        if not self._visible or connection_id in self._troubled:
            return interval
        pace = self._pace_of(connection_id)
        return min(interval, max(pace.fastest, pace.slowest * _SEEN_SHARE))

    def _arm(self) -> None:
        """The one timer waits for the connection that is due first."""
        if self._due:
            first = min(self._due.values()) - time.monotonic()
            self._timer.start(max(0, int(first * 1000) + 1))

    def _look_at_due(self) -> None:
        now = time.monotonic()
        for connection_id in [name for name, due in self._due.items() if due <= now]:
            del self._due[connection_id]
            self._look(connection_id)
        self._arm()

    def _look(self, connection_id: str) -> None:
        wanted = frozenset(self._watched.get(connection_id, ()))
        provider = self._provider_of(connection_id)
        if not wanted or connection_id in self._looking:
            return
        if provider is None:  # the way to the service may be opened again
            self._intervals[connection_id] = self._pace_of(connection_id).slowest
            self._wait(connection_id)
            return
        opened, keep = frozenset(self._opened), self._keep

        def work(context: JobContext) -> Look:
            with provider.open(context) as service:
                found = look(service, wanted, opened)
            if keep is not None:
                keep(connection_id, found)
            return found

        job = self._runner.start("UP42: looking after running jobs", work, long_running=True, hidden=True)
        self._looking[connection_id] = job
        job.succeeded.connect(lambda result: self._looked(connection_id, result))
        job.failed.connect(lambda error: self._failed(connection_id, error))
        job.ended.connect(lambda: self._again(connection_id))

    def _looked(self, connection_id: str, result: Look) -> None:
        watched = self._watched.get(connection_id, {})
        changed = False
        self._troubled.discard(connection_id)
        self.listed.emit(connection_id, result.listed)
        for job in result.jobs:
            changed = changed or watched.get(job.id) != job.word
            if job.id in watched:
                watched[job.id] = job.word
            if job.id in result.tasks:
                self.tasks_seen.emit(connection_id, job.id, result.tasks[job.id])
            self.job_seen.emit(connection_id, job)
            if job.state.terminal:
                self.unwatch(connection_id, job.id)
        for job_id in result.gone:
            self.unwatch(connection_id, job_id)
            self.gone.emit(connection_id, job_id)
        pace = self._pace_of(connection_id)
        interval = self._limited(connection_id, self._intervals.get(connection_id, pace.fastest))
        self._intervals[connection_id] = pace.fastest if changed else pace.slower(interval)

    def _failed(self, connection_id: str, error: BaseException) -> None:
        pace = self._pace_of(connection_id)
        self._troubled.add(connection_id)
        self._intervals[connection_id] = min(self._intervals.get(connection_id, pace.fastest) * 2, pace.slowest)
        self.trouble.emit(connection_id, error)

    def _again(self, connection_id: str) -> None:
        self._looking.pop(connection_id, None)
        if connection_id in self._hurried:
            self._hurried.discard(connection_id)
            self._intervals[connection_id] = self._pace_of(connection_id).fastest
        self._wait(connection_id)
