"""An account on a sandbox, and the person who wants a job there: for the tests that lose connections and processes."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from sandbox_process import RunningSandbox

from up42_plugin.api.exchange import plain_session
from up42_plugin.api.tokens import ProjectKeyGrant, TokenProvider
from up42_plugin.core.aoi import AOI
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.dialects.classic import ClassicProvider
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import SubmissionState
from up42_plugin.core.submission import Pace, Submitter, Waits
from up42_plugin.core.tags import split_name

CONNECTION = "account"
WORKFLOW = "Sentinel-2 analytic"
SQUARE = ((15.2, 37.8), (15.23, 37.8), (15.23, 37.83), (15.2, 37.83), (15.2, 37.8))
PRICE = Range(1, 1)
#: Short for a service on the same machine, and far above what it needs to show a job when there is much to do.
PATIENCE_S = 8.0
#: Until then every end is known, however much there is to do.
KNOWN_WITHIN_S = 120


def waits(patience_s=PATIENCE_S):
    """How long an attempt may take, and the service to show a job; and shorter pauses than with people."""
    patience = timedelta(seconds=patience_s)
    quick, slow = Pace(0.3, 2), Pace(0.5, 2)
    return Waits(slot=quick, rate=quick, lookup=slow, shows_within=patience, attempt_ends_within=patience)


@dataclass(frozen=True)
class Entrance:
    """The way into an account; ``address`` is that of the proxy, ``base_url`` leads past it."""

    base_url: str
    project_id: str
    project_api_key: str
    workflow: str
    address: str = ""

    @classmethod
    def of(cls, sandbox: RunningSandbox, address: str = "") -> Entrance:
        key, workflow = sandbox.project_api_key, sandbox.workflows[WORKFLOW]
        return cls(sandbox.base_url, sandbox.project_id, key, workflow, address or sandbox.base_url)


@dataclass(frozen=True)
class Order:
    """What a process of its own is to do: have a job of this name, or die of it."""

    entrance: Entrance
    ledger: str
    name: str
    death: str = ""
    patience_s: float = PATIENCE_S

    def to_json(self):
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text):
        values = json.loads(text)
        return cls(**{**values, "entrance": Entrance(**values["entrance"])})


class Account:
    """An account, and the one configuration of all its jobs: one credit each."""

    def __init__(self, entrance):
        self.entrance = entrance
        with self.open(past_proxy=True) as service:
            workflow = service.workflow(entrance.workflow)
        aoi = AOI((SQUARE,), 8.8)
        self.configuration = JobConfiguration.of(workflow, aoi, GeometricFilter.INTERSECTS).with_search(limit=1)

    def open(self, past_proxy=False):
        address = self.entrance.base_url if past_proxy else self.entrance.address
        tokens = TokenProvider(ProjectKeyGrant(self.entrance.project_id, self.entrance.project_api_key))
        provider = ClassicProvider(CONNECTION, address, self.entrance.project_id, tokens, plain_session)
        return provider.open(ThreadContext())

    def jobs(self):
        """Every job on the service."""
        found = []
        with self.open(past_proxy=True) as service:
            for number in range(1000):
                page = service.jobs(number)
                found.extend(page.jobs)
                if page.last:
                    return found
        raise AssertionError("the list has no end")


def submissions_of(ledger, name=""):
    """The submissions in a ledger, newest first; those of one name only."""
    submissions = [submission for job in ledger.jobs(CONNECTION, limit=10_000) for submission in job.submissions]
    return [one for one in submissions if not name or split_name(one.name)[0] == name]


def settle(account, ledger, submitter, name):
    """Look up what the ledger has of this name until its end is known; the job's id, empty when there is none."""
    until = time.monotonic() + KNOWN_WITHIN_S
    while True:
        submissions = submissions_of(ledger, name)
        if all(submission.state.settled for submission in submissions):
            return next((one.service_job_id for one in submissions if one.service_job_id), "")
        assert time.monotonic() < until, [one for one in submissions if not one.state.settled]
        with account.open() as service:
            submitter.settle(service, ThreadContext(), wait=True)


def submit_until_accepted(account, ledger, name, *, mode=Mode.LIVE, rerun_of="", patience_s=PATIENCE_S):
    """What a person does: submit, and again only when it certainly was not submitted. Returns the job's id."""
    submitter = Submitter(ledger, CONNECTION, waits=waits(patience_s))
    context = ThreadContext()
    agreed = PRICE if mode is Mode.LIVE else None
    found = settle(account, ledger, submitter, name)
    while not found:
        with account.open() as service:
            if rerun_of:
                outcome = submitter.rerun(service, rerun_of, account.configuration, mode, name, agreed, context)
            else:
                outcome = submitter.submit(service, account.configuration, mode, name, agreed, context)
        if outcome.state is SubmissionState.REFUSED:
            raise AssertionError(outcome.submission.reason)
        found = settle(account, ledger, submitter, name)
    return found


#: Where QGIS keeps what is the plugin's, in the profile of :func:`profile_environment`.
_LEDGER = Path("qgis", "profiles", "default", "up42", "ledger.sqlite")


def ledger_path(profile: Path) -> Path:
    """Where the ledger of a profile lies."""
    return profile / _LEDGER


def profile_of(ledger: Path) -> Path:
    """The profile of a ledger."""
    return ledger.parents[len(_LEDGER.parts) - 1]


def profile_environment(profile):
    """The environment of a QGIS that keeps everything in a folder of its own."""
    folders = {
        "HOME": profile,
        "XDG_CONFIG_HOME": profile / "config",
        "XDG_DATA_HOME": profile / "data",
        "XDG_CACHE_HOME": profile / "cache",
        "QGIS_CUSTOM_CONFIG_PATH": profile / "qgis",
        "QGIS_AUTH_DB_DIR_PATH": profile / "auth",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen", **{name: str(folder) for name, folder in folders.items()}}
