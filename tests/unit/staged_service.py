"""A service that ends each attempt as a test has staged it, and a context whose waiting moves the clock."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

from up42_plugin.api.errors import NotFoundError, OutcomeUnknownError, TooManyJobsError
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.jobs import Job, JobState
from up42_plugin.core.ledger_file import LedgerError

TOO_MANY = TooManyJobsError("This project runs as many jobs as it may.", status=429)
LOST = OutcomeUnknownError("No answer.")


class Context(ThreadContext):
    """Sleeps by moving the clock, and notes what the person was told."""

    def __init__(self, clock):
        super().__init__(self._note)
        self.clock = clock
        self.slept = []
        self.told = []
        self.cancel_in = None

    def _note(self, percent, text):
        self.told.append(text)

    def sleep(self, seconds):
        self.check()
        self.slept.append(seconds)
        self.clock.now += timedelta(seconds=seconds)
        if self.cancel_in is not None and len(self.slept) >= self.cancel_in:
            self.cancel()
        self.check()


class StagedService:
    """Takes jobs like the service; ``script`` says how each attempt ends, and when an arrived job shows in the list."""

    def __init__(self, clock, *script, shows_after=0.0, before_find=()):
        self.clock = clock
        self.script = list(script)
        self.shows_after = timedelta(seconds=shows_after)
        self.before_find = list(before_find)
        self.requests = []
        self.reruns = []
        self.asked = []
        self.jobs = {}

    def submit(self, request):
        self.requests.append(request)
        step = self.script.pop(0) if self.script else "accept"
        arrived, error = step if isinstance(step, tuple) else (step == "accept", None if step == "accept" else step)
        job = None
        if arrived:
            job = Job(
                f"job-{len(self.jobs) + 1}",
                request.name,
                JobState.NOT_STARTED,
                "NOT_STARTED",
                request.mode,
                self.clock(),
            )
            self.jobs[request.tag] = (job, self.clock())
        if error is not None:
            raise error
        return job

    def rerun(self, job_id, request):
        self.reruns.append(job_id)
        return self.submit(request)

    def job(self, job_id):
        for job, _ in self.jobs.values():
            if job.id == job_id:
                return job
        raise NotFoundError("No such job.", status=404)

    def find(self, tag, since):
        self.asked.append((tag, since, self.clock()))
        if self.before_find:
            trouble = self.before_find.pop(0)
            if trouble is not None:
                raise trouble
        job, arrived = self.jobs.get(tag, (None, None))
        return job if job is not None and arrived >= since and self.clock() >= arrived + self.shows_after else None


def recorded(ledger):
    (job,) = ledger.jobs("account")
    (submission,) = job.submissions
    return submission


@contextmanager
def failing(ledger, name):
    """The disk is full from now on, for one kind of entry."""

    def fail(*arguments):
        raise LedgerError("The disk is full.")

    setattr(ledger, name, fail)
    yield
    delattr(ledger, name)
