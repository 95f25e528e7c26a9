"""Background jobs: plain callables run in QGIS tasks, their results delivered on the main thread.

There is one task class, because an exception that leaves ``QgsTask.run()`` or ``finished()`` aborts QGIS. Workers see
nothing but their :class:`~up42_plugin.core.context.JobContext`; the interface sees nothing but a :class:`Job`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import Any, Callable, Deque, Dict, Generic, Iterator, List, Optional, Set, Tuple, TypeVar

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QObject, Qt, QThread, QThreadPool, QTimer, pyqtSignal

from up42_plugin.api.errors import Cancelled
from up42_plugin.core.context import JobContext, ThreadContext
from up42_plugin.qgis_bridge.log import PanelLog

T = TypeVar("T")
Work = Callable[[JobContext], T]

PROGRESS_INTERVAL_MS = 100
LONG_RUNNING_LIMIT = 16
#: A task that QGIS has not begun after two looks, while threads are free, was lost on the way.
LOOK_FOR_LOST_MS = 1000


class Job(QObject, Generic[T]):
    """The handle of one background job. All signals come on the main thread, ``ended`` once and last.

    ``failed`` brings the exception that ended the work. After :meth:`JobRunner.shutdown` no signal comes any more.
    ``progressed`` brings percent (negative: unknown) and a short text, at most ten times a second, the last one always.
    """

    succeeded = pyqtSignal(object)
    failed = pyqtSignal(object)
    cancelled = pyqtSignal()
    ended = pyqtSignal()
    progressed = pyqtSignal(float, str)
    _posted = pyqtSignal()

    def __init__(self, title: str, cancel: Callable[[Job], None], log: PanelLog) -> None:
        super().__init__()
        self.title = title
        self._cancel = cancel
        self._log = log
        self._lock = threading.Lock()
        self._latest: Optional[Tuple[float, str]] = None
        self._scheduled = False
        self._active = True
        self._posted.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def active(self) -> bool:
        """Whether the job is still waiting or running."""
        return self._active

    def cancel(self) -> None:
        """Ask the job to stop; harmless when it has ended."""
        if self._active:
            self._cancel(self)

    def post(self, percent: float, text: str) -> None:
        """Take a report from the worker's thread."""
        with self._lock:  # held while emitting: the handle cannot be closed in between
            if not self._active:
                return
            self._latest = (percent, text)
            if not self._scheduled:
                self._scheduled = True
                self._posted.emit()

    def close(self) -> None:
        """Stop taking reports."""
        with self._lock:
            self._active = False
            self._latest = None

    def _deliver(self) -> None:
        with self._lock:
            latest, self._latest = self._latest, None
            if latest is None:
                self._scheduled = False
                return
        QTimer.singleShot(PROGRESS_INTERVAL_MS, self._deliver)
        with guarded_slots(self._log, self.title):
            self.progressed.emit(*latest)


class JobRunner(QObject):
    """Starts jobs, limits how many run at once, and ends them all when the plugin goes.

    Short jobs hold a thread of the pool that QGIS 3.22 draws the map with, so they leave at least one to it. Long ones
    give theirs back while they run and have a limit of their own. Whatever is beyond a limit waits on hold, visible in
    QGIS's task manager.

    QGIS loses a waiting task now and then: when an earlier one changes its state, the manager takes back from the pool
    what it still holds to be that task's runnable, and by then a new task's may have its address. Such a task would
    wait for ever, and all behind it, so it is begun again.
    """

    def __init__(self, log: PanelLog, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._log = log
        self._live: Dict[Job, _Task] = {}
        self._closed = False
        self._short = _Lane(max(1, _pool().maxThreadCount() - 1))
        self._long = _Lane(LONG_RUNNING_LIMIT)
        self._suspects: Set[Job] = set()
        self._lost_timer = QTimer(self)
        self._lost_timer.setInterval(LOOK_FOR_LOST_MS)
        self._lost_timer.timeout.connect(self._look_for_lost)

    @property
    def active(self) -> int:
        """How many jobs wait or run."""
        return len(self._live)

    def start(
        self, title: str, work: Work[T], *, long_running: bool = False, hidden: bool = False, resumable: bool = False
    ) -> Job[T]:
        """Run ``work(context)`` in the background; call this on the main thread.

        ``long_running`` is for everything that may wait or transfer for more than a second or two. ``hidden`` jobs do
        not show in the task manager where QGIS can hide them (3.26 and later). ``resumable`` ones go on another time
        where they were: QGIS closes without asking about them. Raises ``RuntimeError`` off the main thread and after
        :meth:`shutdown`.
        """
        if QThread.currentThread() != self.thread():
            raise RuntimeError("Background jobs are started on the main thread.")
        if self._closed:
            raise RuntimeError("The plugin is being unloaded.")
        job: Job[T] = Job(title, self.cancel, self._log)
        lane = self._long if long_running else self._short
        pool = _pool() if long_running else None
        task = _Task(title, work, flags=_flags(hidden, resumable), pool=pool, post=job.post, log=self._log)
        self._follow(job, task)
        lane.add(task)
        QgsApplication.taskManager().addTask(task)
        if not self._lost_timer.isActive():
            self._lost_timer.start()
        return job

    def _follow(self, job: Job, task: _Task) -> None:
        def done(outcome: _Outcome) -> None:
            self._finish(job, task, outcome)

        task.deliver = done
        self._live[job] = task

    def _look_for_lost(self) -> None:
        pool = _pool()
        if not self._live:
            self._lost_timer.stop()
        queued = {job for job, task in self._live.items() if task.status() == QgsTask.TaskStatus.Queued}
        if pool.activeThreadCount() >= pool.maxThreadCount():
            queued.clear()  # they have good reason to wait
        lost, self._suspects = queued & self._suspects, queued - self._suspects
        for job in lost:
            self._begin_again(job, self._live[job])

    def _begin_again(self, job: Job, lost: _Task) -> None:
        task = lost.again()
        if task is None:
            return
        lost.deliver = None
        self._follow(job, task)
        for lane in (self._short, self._long):
            lane.replace(lost, task)
        lost.cancel()
        QgsApplication.taskManager().addTask(task)

    def cancel(self, job: Job) -> None:
        """Ask a job to stop; blocked reads and sleeps of its worker wake at once."""
        task = self._live.get(job)
        if task is not None:
            task.cancel()

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """Cancel everything and wait for it; no signal is emitted any more. False when a worker did not end in time."""
        self._closed = True
        self._lost_timer.stop()
        tasks = list(self._live.values())
        for job in self._live:
            job.close()
        self._live.clear()
        for lane in (self._short, self._long):
            lane.clear()
        for task in tasks:
            task.deliver = None
        for task in tasks:
            task.cancel()
        deadline = time.monotonic() + timeout_ms / 1000
        ended = [task.over.wait(max(0.0, deadline - time.monotonic())) for task in tasks]
        _let_manager_forget([task for task, over in zip(tasks, ended) if over], deadline)
        return all(ended)

    def _finish(self, job: Job, task: _Task, outcome: _Outcome) -> None:
        self._live.pop(job, None)
        self._suspects.discard(job)
        job.close()
        for lane in (self._short, self._long):
            lane.remove(task)
        with guarded_slots(self._log, job.title):
            if outcome.cancelled:
                job.cancelled.emit()
            elif outcome.error is not None:
                self._log.exception(job.title, outcome.error)
                job.failed.emit(outcome.error.with_traceback(None))
            else:
                job.succeeded.emit(outcome.result)
            job.ended.emit()


class _Outcome:
    """How a task ended."""

    def __init__(self, cancelled: bool, result: Any, error: Optional[BaseException]) -> None:
        self.cancelled = cancelled
        self.result = result
        self.error = error


class _Task(QgsTask):
    """The one task class: nothing that the work or a handler raises ever reaches QGIS."""

    def __init__(
        self,
        title: str,
        work: Work[Any],
        *,
        flags: Any,
        pool: Optional[QThreadPool],
        post: Callable[[float, str], None],
        log: PanelLog,
    ) -> None:
        super().__init__(title, flags)
        self.deliver: Optional[Callable[[_Outcome], None]] = None
        self.over = threading.Event()
        self._context = ThreadContext(self._report)
        self._work: List[Work[Any]] = [work]  # whoever takes it out, a thread or again(), is the only one to have it
        self._flags, self._pool = flags, pool
        self._post = post
        self._log = log
        self._result: Any = None
        self._error: Optional[BaseException] = None

    def run(self) -> bool:
        if self._pool is not None:
            self._pool.releaseThread()
        try:
            return self._run()
        finally:
            if self._pool is not None:
                self._pool.reserveThread()
            self.over.set()

    def again(self) -> Optional[_Task]:
        """A fresh task for the same work, None when this one has begun after all; this one has nothing to do then."""
        try:
            work = self._work.pop()
        except IndexError:
            return None
        return _Task(self.description(), work, flags=self._flags, pool=self._pool, post=self._post, log=self._log)

    def _run(self) -> bool:
        try:
            work = self._work.pop()
        except IndexError:
            return False
        try:
            self._context.check()
            self._result = work(self._context)
        except Cancelled:
            return False
        except BaseException as error:
            self._error = error
            return False
        return True

    def cancel(self) -> None:
        # QGIS first: once woken, the worker may end while QGIS still works on the cancelling
        super().cancel()
        try:
            self._context.cancel()
        except Exception as error:
            self._log.exception("Waking a cancelled job", error)

    def finished(self, result: bool) -> None:
        self.over.set()
        deliver, self.deliver = self.deliver, None
        if deliver is None:
            return
        cancelled = self.isCanceled() or (not result and self._error is None)
        try:
            deliver(_Outcome(cancelled, self._result, self._error))
        except BaseException as error:
            self._log.exception("Delivering a job's result", error)

    def _report(self, percent: float, text: str) -> None:
        if percent >= 0:
            self.setProgress(min(percent, 100.0))
        self._post(percent, text)


class _Lane:
    """Lets at most ``limit`` of its tasks go; the others are on hold, first come, first served."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running: List[_Task] = []
        self._waiting: Deque[_Task] = deque()

    def add(self, task: _Task) -> None:
        if len(self._running) < self._limit:
            self._running.append(task)
        else:
            task.hold()
            self._waiting.append(task)

    def remove(self, task: _Task) -> None:
        if task in self._running:
            self._running.remove(task)
        elif task in self._waiting:
            self._waiting.remove(task)
        while self._waiting and len(self._running) < self._limit:
            following = self._waiting.popleft()
            self._running.append(following)
            following.unhold()

    def replace(self, task: _Task, other: _Task) -> None:
        self._running = [other if running is task else running for running in self._running]

    def clear(self) -> None:
        self._running.clear()
        self._waiting.clear()


@contextmanager
def guarded_slots(log: PanelLog, what: str) -> Iterator[None]:
    """Log what slots raise while a signal is emitted, where nothing else looks after it.

    PyQt aborts the process when a slot raises and ``sys.excepthook`` is Python's own. QGIS Desktop has a hook that
    shows the error to the person; a script or a test without one must survive too.
    """

    def hook(kind: Any, error: Optional[BaseException], trace: Any) -> None:
        log.exception(what, error if error is not None else kind())

    mine = sys.excepthook is sys.__excepthook__
    if mine:
        sys.excepthook = hook
    try:
        yield
    finally:
        if mine and sys.excepthook is hook:
            sys.excepthook = sys.__excepthook__


def _pool() -> QThreadPool:
    """The pool that QGIS's tasks run in: their own where the task manager has one, else everybody's."""
    own = getattr(QgsApplication.taskManager(), "threadPool", None)
    return own() if callable(own) else QThreadPool.globalInstance()


def _flags(hidden: bool, resumable: bool) -> Any:
    """What we want and this QGIS knows. Silent: the plugin announces results itself."""
    flags = QgsTask.Flag.CanCancel
    for name in ("Silent", *(("Hidden",) if hidden else ()), *(("CancelWithoutPrompt",) if resumable else ())):
        flag = getattr(QgsTask.Flag, name, None)
        if flag is not None:
            flags = flags | flag
    return flags


def _let_manager_forget(tasks: List[_Task], deadline: float) -> None:
    """Have the task manager take note of ended tasks now, not at some time after the plugin is gone."""
    remaining = list(tasks)
    while remaining and time.monotonic() < deadline:
        # The worker posts its end to the task, the task tells the manager, and the manager posts the deletion.
        for kind in (QEvent.Type.MetaCall, QEvent.Type.DeferredDelete):
            for task in remaining:
                if not sip.isdeleted(task):
                    QCoreApplication.sendPostedEvents(task, kind)
        remaining = [task for task in remaining if not sip.isdeleted(task)]
        if remaining:
            time.sleep(0.002)
