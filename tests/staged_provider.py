"""A service behind the seam that does what a test has staged: answers, refuses, or waits until it is let go on."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone

from tests.job_samples import SENTINEL, SUPER_RESOLUTION, workflow_of
from up42_plugin.api.errors import NotFoundError
from up42_plugin.core.estimation import Estimation, Range, TaskEstimate
from up42_plugin.core.jobs import Job, JobCredits, JobPage, JobState, JobTask, Mode
from up42_plugin.core.scenes import Scene
from up42_plugin.core.service import Balance, Capabilities, Limits, Project

NOW = datetime(2026, 11, 20, 10, 42, tzinfo=timezone.utc)


def estimation(low=13, high=25, seconds=(120, 600)):
    nothing = Range(0, 0)
    return Estimation((TaskEstimate("all", Range(low, high), nothing, Range(*seconds), nothing, "SQUARE_KM"),))


def scene(number=1, job_id="job-1", **changes):
    west = 15.2 + number / 100
    ring = [[west, 37.8], [west + 0.1, 37.8], [west + 0.1, 37.9], [west, 37.9], [west, 37.8]]
    values = {
        "feature_id": f"feature-{number}",
        "scene_id": f"S2B_MSIL2A_{number}",
        "job_id": job_id,
        "footprint": {"type": "Polygon", "coordinates": [ring]},
        "bbox": (west, 37.8, west + 0.1, 37.9),
        "acquired": datetime(2026, 11, number, 9, 40, tzinfo=timezone.utc),
        "cloud_cover": 3.4,
    }
    return Scene(**{**values, **changes})


class StagedProvider:
    """One connection. ``answers[call]`` is a value, an exception, a function, or a list of these taken in turn.

    ``hold(call)`` makes workers wait in a call until ``let_go(call)``; cancelling wakes them. ``calls`` notes
    ``(call, arguments)`` in their order.
    """

    def __init__(self, connection_id="one"):
        self.connection_id = connection_id
        self.capabilities = Capabilities()
        self.jobs = {}
        self.calls = []
        self._gates = {}
        self._raised = []
        self.answers = {
            "project": Project("p-1", "Coastal study"),
            "limits": Limits(1, 500, 100.0),
            "balance": Balance(10_000, 1_000),
            "workflows": (workflow_of(SENTINEL, SUPER_RESOLUTION),),
            "workflow": lambda workflow_id: workflow_of(SENTINEL, SUPER_RESOLUTION, workflow_id=workflow_id),
            "estimate": lambda _configuration: estimation(),
            "submit": self._take,
            "find": self._find,
            "jobs": lambda _page=0: JobPage(tuple(reversed(list(self.jobs.values()))), 0, True),
            "job": self._job,
            "tasks": lambda _job_id: (),
            "logs": "",
            "credits": JobCredits(19),
            "cancel": lambda job_id: self.set(job_id, "CANCELLED"),
            "scenes": lambda job_id: (scene(1, job_id),),
            "quicklook": None,
        }

    @contextmanager
    def open(self, context):
        yield _Opened(self, context)

    def hold(self, call):
        self._gates[call] = threading.Event()

    def let_go(self, call):
        self._gates.pop(call).set()

    def forget(self):
        """Let go of what errors hold on to: everything on the way from here to where they were caught."""
        for error in self._raised:
            error.with_traceback(None)
            error.__context__ = None

    def called(self, call):
        """The arguments of each time it was called."""
        return [arguments for name, arguments in list(self.calls) if name == call]

    def set(self, job_id, word, **changes):
        """Bring a job into another state, by the service's word."""
        state = JobState[word] if word in JobState.__members__ else JobState.UNKNOWN
        job = replace(self.jobs[job_id], state=state, word=word, **changes)
        if state.terminal:
            job = replace(job, started=job.created, finished=_now())
        self.jobs[job_id] = job

    def answer(self, context, call, arguments):
        self.calls.append((call, arguments))
        gate = self._gates.get(call)
        while gate is not None and not gate.is_set():
            context.sleep(0.005)
        staged = self.answers[call]
        if isinstance(staged, list):
            staged = staged.pop(0) if len(staged) > 1 else staged[0]
        if isinstance(staged, BaseException):
            self._raised.append(staged)
            raise staged
        return staged(*arguments) if callable(staged) else staged

    def _take(self, request):
        number = len(self.jobs) + 1
        job = Job(f"job-{number}", request.name, JobState.NOT_STARTED, "NOT_STARTED", request.mode, _now())
        self.jobs[job.id] = job
        return job

    def take_slot(self, name):
        """A job of somebody else, unfinished."""
        now = datetime.now(timezone.utc)
        self.jobs[name] = Job(f"job of {name}", name, JobState.RUNNING, "RUNNING", Mode.LIVE, now)

    def _find(self, tag, _since):
        return next((job for job in self.jobs.values() if tag in job.name), None)

    def _job(self, job_id):
        if job_id not in self.jobs:
            raise NotFoundError("This job no longer exists.", status=404)
        return self.jobs[job_id]


class _Opened:
    """The service bound to one worker."""

    def __init__(self, provider, context):
        self._provider = provider
        self._context = context
        self.capabilities = provider.capabilities

    def __getattr__(self, call):
        return lambda *arguments: self._provider.answer(self._context, call, arguments)


def _now():
    """The jobs of a staged service are of today: what was tested on a fixed day would grow too old to buy."""
    return datetime.now(timezone.utc)


def task(word, name="s2-superresolution:1", task_id="task-2"):
    return JobTask(task_id, name, JobState[word], word)


def job(word="RUNNING", job_id="job-1", mode=Mode.LIVE, **changes):
    state = JobState[word] if word in JobState.__members__ else JobState.UNKNOWN
    return Job(job_id, "Taormina", state, word, mode, NOW, **changes)
