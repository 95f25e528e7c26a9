"""Runs jobs: one thread for each, through real states, on a clock that a speed factor drives."""

from __future__ import annotations

import logging
import threading
import time
from typing import Callable, Dict, List, Mapping, Sequence

from up42_plugin.sandbox.records import jobs as states
from up42_plugin.sandbox.records.jobs import Job, JobTask
from up42_plugin.sandbox.taskrun import Cancelled, Parts, Stopped, TaskFailed, TaskRun

logger = logging.getLogger(__name__)

ACCEPTED_S, QUEUE_S, CANCEL_S = 2.0, 6.0, 3.0
_KEEP_EVERY_REAL_S = 1.0
_WORKING_AT_ONCE = 2
_BEFORE_END = (states.NOT_STARTED, states.PENDING, states.RUNNING)


# For each mode, who may compute: a test query does not wait for live jobs.
Turns = Mapping[str, threading.Semaphore]


class Engine:
    """Starts, cancels and resumes jobs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._lives: Dict[str, _JobLife] = {}
        self._turns = {mode: threading.Semaphore(_WORKING_AT_ONCE) for mode in (states.LIVE, states.TEST_QUERY)}
        self._closing = False

    def resume(self) -> int:
        """Go on with every job that is not over; returns how many."""
        unfinished = self._parts.jobs.unfinished()
        for job_id in unfinished:
            self.start(job_id)
        return len(unfinished)

    def start(self, job_id: str) -> None:
        """Begin (or go on with) a job."""
        with self._lock:
            if self._closing:
                return
            life = _JobLife(job_id, self._parts, self._turns, self._forget)
            self._lives[job_id] = life
        life.start()

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop. Nothing happens to one that is over."""
        if self._parts.jobs.move(job_id, _BEFORE_END, states.CANCELLING):
            job = self._parts.jobs.get(job_id)
            if job is not None:
                self._parts.on_status(job, None)
        with self._lock:
            life = self._lives.get(job_id)
        if life is not None:
            life.cancel()

    def close(self, wait_s: float = 1.0) -> None:
        """Stop working; unfinished jobs go on at the next start, from where their clock stands."""
        with self._lock:
            self._closing = True
            lives: List[_JobLife] = list(self._lives.values())
        for life in lives:
            life.close()
        deadline = time.monotonic() + wait_s
        for life in lives:
            life.join(max(0.0, deadline - time.monotonic()))

    def _forget(self, job_id: str) -> None:
        with self._lock:
            self._lives.pop(job_id, None)


class _JobLife:
    """One job from its present state to its end."""

    def __init__(self, job_id: str, parts: Parts, turns: Turns, forget: Callable[[str], None]) -> None:
        self._job_id = job_id
        self._parts = parts
        self._turns = turns
        self._forget = forget
        self._wake = threading.Event()
        self._closing = False
        self._cancelling = False
        self._thread = threading.Thread(target=self._run, name=f"job-{job_id[:8]}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        self._cancelling = True
        self._wake.set()

    def close(self) -> None:
        self._closing = True
        self._wake.set()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._live_or_cancel()
        except Stopped:
            return
        except Exception:
            if not self._closing:
                logger.exception("job %s broke the engine", self._job_id)
                self._break()
        finally:
            self._forget(self._job_id)

    def _live_or_cancel(self) -> None:
        try:
            self._live()
        except Cancelled:
            self._let_pass(CANCEL_S)
            self._finish((states.CANCELLING,), states.CANCELLED)

    def _live(self) -> None:
        status = self._job().status
        if status == states.CANCELLING:
            raise Cancelled
        if status == states.NOT_STARTED:
            self._wait(ACCEPTED_S)
            self._move(states.NOT_STARTED, states.PENDING)
        if status in (states.NOT_STARTED, states.PENDING):
            self._wait(QUEUE_S)
            self._move(states.PENDING, states.RUNNING)
        self._finish((states.RUNNING,), self._run_tasks())

    def _run_tasks(self) -> str:
        """Work through the tasks that are left; the state the job ends in."""
        for task in self._parts.jobs.tasks(self._job_id):
            if task.status != states.SUCCEEDED and not self._run_task(task):
                return states.FAILED
        return states.SUCCEEDED

    def _run_task(self, task: JobTask) -> bool:
        began = self._parts.clock.reading() - task.elapsed
        if task.status != states.RUNNING:
            self._parts.jobs.move_task(task.id, states.RUNNING)
        try:
            if task.usage is None:
                job = self._job()
                with _Turn(self._turns[job.mode], self._check):
                    TaskRun(job, task, self._parts, self._check).work()
            self._wait_until(
                lambda: self._parts.clock.reading() - began,
                task.planned,
                lambda elapsed: self._parts.jobs.keep_task_clock(task.id, elapsed),
            )
        except TaskFailed:
            self._parts.jobs.move_task(task.id, states.FAILED)
            return False
        except Cancelled:
            self._parts.jobs.move_task(task.id, states.CANCELLED)
            raise
        self._parts.jobs.move_task(task.id, states.SUCCEEDED)
        return True

    def _break(self) -> None:
        """The platform's own error: the running task and the job end in ERROR, nothing of either is charged."""
        try:
            for task in self._parts.jobs.tasks(self._job_id):
                if task.status == states.RUNNING:
                    self._parts.jobs.move_task(task.id, states.ERROR)
            self._finish((*_BEFORE_END, states.CANCELLING), states.ERROR)
        except Exception:
            logger.exception("job %s cannot be ended", self._job_id)

    def _job(self) -> Job:
        job = self._parts.jobs.get(self._job_id)
        if job is None:
            raise LookupError(self._job_id)
        return job

    def _move(self, before: str, after: str) -> None:
        if not self._parts.jobs.move(self._job_id, (before,), after):
            raise Cancelled
        self._parts.on_status(self._job(), None)

    def _finish(self, before: Sequence[str], end: str) -> None:
        """The end, with the bill, at one stroke."""
        if not self._parts.billing.settle(self._job_id, before, end):
            raise Cancelled
        tasks = self._parts.jobs.tasks(self._job_id)
        for task in tasks:
            self._parts.workspace.task(self._job_id, task.id).drop_output()
        reached = [task.id for task in tasks if task.status != states.NOT_STARTED]
        self._parts.on_status(self._job(), reached[-1] if reached else None)

    def _check(self) -> None:
        """Raise when the process is closing or the job is being cancelled."""
        if self._closing:
            raise Stopped
        if self._cancelling:
            raise Cancelled

    def _wait(self, planned: float) -> None:
        """Let the job's clock run to ``planned`` in its present state."""
        began = self._parts.clock.reading() - self._job().elapsed
        self._wait_until(
            lambda: self._parts.clock.reading() - began,
            planned,
            lambda elapsed: self._parts.jobs.keep_clock(self._job_id, elapsed),
        )

    def _wait_until(self, elapsed: Callable[[], float], planned: float, keep: Callable[[float], None]) -> None:
        while True:
            self._check()
            left = self._parts.clock.real(planned - elapsed())
            if left <= 0:
                return
            self._wake.wait(min(left, _KEEP_EVERY_REAL_S))
            keep(elapsed())

    def _let_pass(self, planned: float) -> None:
        """Wait on after the wish to cancel was granted; only the end of the process cuts it short."""
        until = time.monotonic() + self._parts.clock.real(planned)
        while time.monotonic() < until:
            if self._closing:
                raise Stopped
            time.sleep(min(0.1, max(0.0, until - time.monotonic())))


class _Turn:
    """A turn to compute: only so many blocks work at once, so that the machine stays usable."""

    def __init__(self, working: threading.Semaphore, check: Callable[[], None]) -> None:
        self._working = working
        self._check = check

    def __enter__(self) -> None:
        while not self._working.acquire(timeout=0.2):
            self._check()

    def __exit__(self, *_exception: object) -> None:
        self._working.release()
