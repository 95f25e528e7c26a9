"""Live submissions over a connection that is lost at every point: one job each on the service, and all ends known.

Everything is real: the service as its own process, the client, the ledger on disk. A proxy between them loses
connections. A worker does what a person would: when the plugin says for certain that a job was not submitted, it is
submitted anew, until it is.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from cutting_proxy import LOSSES, NEVER_ARRIVES, CuttingProxy, Fate, Plan, Plans
from sandbox_process import ROOT, start_sandbox

from up42_plugin.api.exchange import plain_session
from up42_plugin.api.tokens import ProjectKeyGrant, TokenProvider
from up42_plugin.core.aoi import AOI
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.dialects.classic import ClassicProvider
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.submission import Pace, Submitter, Waits
from up42_plugin.core.tags import split_name

SOAK = os.environ.get("UP42_SOAK") == "1"
SUBMISSIONS = 200 if SOAK else 40
AT_ONCE = 50
SEED = int(os.environ.get("UP42_SEED", "20240601"))
#: A block that the sandbox lists but cannot run: its jobs are live, hold credits, fail at once and cost nothing.
CHEAP_BLOCK = "aws-l8-l1"
SQUARE = ((15.2, 37.8), (15.23, 37.8), (15.23, 37.83), (15.2, 37.83), (15.2, 37.8))
PRICE = Range(1, 2)
#: Short for a service on the same machine, and far above what it needs to show a job.
WAITS = Waits(
    slot=Pace(0.3, 2),
    rate=Pace(0.3, 2),
    lookup=Pace(0.5, 2),
    shows_within=timedelta(seconds=8),
    attempt_ends_within=timedelta(seconds=8),
)
ENDS_WITHIN_S = 600 if SOAK else 110

_CREATES_JOB = re.compile(rb"POST /projects/[^/]+/workflows/[^/]+/jobs(/[^/? ]+)?\?")


def creates_a_job(head):
    return _CREATES_JOB.match(head) is not None


def configuration_of(workflow):
    aoi = AOI((SQUARE,), 8.8)
    return JobConfiguration.of(workflow, aoi, GeometricFilter.INTERSECTS).with_search(limit=1)


class Account:
    """A sandbox of one's own with room for jobs, reached past the proxy."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        with self.provider(sandbox.base_url).open(ThreadContext()) as service:
            service.set_limits({"max_concurrent_jobs": 10})
            block = next(block for block in service.blocks() if block.name == CHEAP_BLOCK)
            cheap = service.create_workflow("Cheap", "", (block.id,))
            self.configuration = configuration_of(service.workflow(cheap.id))
            testable = sandbox.workflows["Sentinel-2 analytic"]
            self.testable = configuration_of(service.workflow(testable))

    def provider(self, address):
        tokens = TokenProvider(ProjectKeyGrant(self.sandbox.project_id, self.sandbox.project_api_key))
        return ClassicProvider("account", address, self.sandbox.project_id, tokens, plain_session)

    def jobs(self):
        """Every job on the service."""
        found = []
        with self.provider(self.sandbox.base_url).open(ThreadContext()) as service:
            for number in range(1000):
                page = service.jobs(number)
                found.extend(page.jobs)
                if page.last:
                    return found
        raise AssertionError("the list has no end")


@pytest.fixture
def account(tmp_path):
    with start_sandbox(tmp_path / "data", "--speed", "100", "--faults") as sandbox:
        yield Account(sandbox)


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger.sqlite")


def submit_until_accepted(account, address, ledger, name, *, mode=Mode.LIVE, rerun_of=""):
    """What a person does: submit, and again only when it certainly was not submitted. Returns the job's id."""
    submitter = Submitter(ledger, "account", waits=WAITS)
    context = ThreadContext()
    live = mode is Mode.LIVE
    agreed = PRICE if live else None
    configuration = account.configuration if live else account.testable
    while True:
        with account.provider(address).open(context) as service:
            if rerun_of:
                outcome = submitter.rerun(service, rerun_of, configuration, mode, name, agreed, context)
            else:
                outcome = submitter.submit(service, configuration, mode, name, agreed, context)
            while not outcome.state.settled:
                settled = {found.submission.id: found for found in submitter.settle(service, context, wait=True)}
                # another worker may have settled it meanwhile
                now = ledger.submission(outcome.submission.id)
                outcome = settled.get(outcome.submission.id) or type(outcome)(now)
        if outcome.accepted:
            return outcome.submission.service_job_id
        if outcome.state is SubmissionState.REFUSED:
            raise AssertionError(outcome.submission.reason)


def run_all(work, names):
    """Every name in a thread of its own, no more than so many at once; returns what each came to."""
    results, errors = {}, []
    slots = threading.Semaphore(AT_ONCE)

    def one(name):
        with slots:
            try:
                results[name] = work(name)
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=one, args=(name,), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ENDS_WITHIN_S)
    assert errors == []
    assert sorted(results) == sorted(names)
    return results


def submissions_of(ledger):
    return [submission for job in ledger.jobs("account", limit=10_000) for submission in job.submissions]


def assert_one_job_each(account, ledger, results):
    jobs = account.jobs()
    by_name = Counter(split_name(job.name)[0] for job in jobs)
    assert by_name == Counter(results.keys())
    assert {split_name(job.name)[0]: job.id for job in jobs} == results
    assert ledger.unsettled("account") == ()
    submissions = submissions_of(ledger)
    by_tag = {split_name(job.name)[1]: job.id for job in jobs}
    for submission in submissions:
        assert by_tag.get(submission.tag, "") == submission.service_job_id
    assert len([one for one in submissions if one.state is SubmissionState.ACCEPTED]) == len(results)
    connection = sqlite3.connect(ledger.path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    return submissions


@pytest.mark.soak
@pytest.mark.timeout(ENDS_WITHIN_S + 60)
def test_submissions_through_lost_connections_are_one_job_each(account, ledger):
    template = submit_until_accepted(account, account.sandbox.base_url, ledger, "Template")
    live = [f"Job {number:03d}" for number in range(SUBMISSIONS)]
    queries = [f"Query {number:02d}" for number in range(SUBMISSIONS // 8)]
    reruns = [f"Rerun {number:02d}" for number in range(SUBMISSIONS // 8)]
    names = [*live, *queries, *reruns]

    def work(name):
        mode = Mode.TEST_QUERY if name in queries else Mode.LIVE
        rerun_of = template if name in reruns else ""
        return submit_until_accepted(account, proxy.address, ledger, name, mode=mode, rerun_of=rerun_of)

    plans = Plans(SEED, creates_a_job, risk=0.6, others=0.1)
    with CuttingProxy(account.sandbox.base_url, plans) as proxy:
        results = run_all(work, names)
        submissions = assert_one_job_each(account, ledger, {**results, "Template": template})
    # the run was worth something: every loss happened, and left every kind of end behind
    assert all(proxy.fates[fate] for fate in LOSSES), proxy.fates
    assert any(proxy.other_fates[fate] for fate in LOSSES), proxy.other_fates
    states = Counter(submission.state for submission in submissions)
    assert states[SubmissionState.NOT_SUBMITTED], states
    slots_waited_for = sum(submission.attempts - 1 for submission in submissions)
    told_at_once = proxy.fates[Fate.PASS] - slots_waited_for
    assert told_at_once < len(names), "no job whose answer was lost was found again"


CHILD = """
    import sys
    sys.path[:0] = [{root!r}, {tests!r}, {here!r}]
    from test_never_pay_twice import *
    class Sandbox:
        base_url, project_id, project_api_key = {base_url!r}, {project_id!r}, {project_api_key!r}
    class Known(Account):
        def __init__(self):
            self.sandbox = Sandbox()
            with self.provider(Sandbox.base_url).open(ThreadContext()) as service:
                self.configuration = configuration_of(service.workflow({workflow!r}))
    account = Known()
    print("ready", flush=True)
    print(submit_until_accepted(account, {proxy!r}, Ledger(Path({ledger!r})), {name!r}), flush=True)
"""


class DeadlyPlans(Plans):
    """Tells when a job's request is at a certain point, and holds the connection until the client is gone."""

    def __init__(self, fate):
        super().__init__(SEED, creates_a_job, risk=0, others=0)
        self.fate = fate
        self.reached = threading.Event()

    def draw(self, head):
        if not self.picks(head):
            return Plan(Fate.PASS)
        self.reached.set()
        return Plan(self.fate, 0.5, reset=True)


@pytest.mark.parametrize("fate", [Fate.PASS, Fate.CUT_UNREAD, Fate.LOSE_ANSWER])
def test_a_process_killed_while_submitting_leaves_a_job_that_the_next_one_settles(account, ledger, fate):
    plans = DeadlyPlans(fate)
    with CuttingProxy(account.sandbox.base_url, plans) as proxy:
        code = CHILD.format(
            root=str(ROOT),
            tests=str(ROOT / "tests"),
            here=str(Path(__file__).parent),
            base_url=account.sandbox.base_url,
            project_id=account.sandbox.project_id,
            project_api_key=account.sandbox.project_api_key,
            workflow=account.configuration.workflow.id,
            proxy=proxy.address,
            ledger=str(ledger.path),
            name="Killed",
        )
        with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as child:
            assert plans.reached.wait(60)
            os.kill(child.pid, signal.SIGKILL)
    left = submissions_of(ledger)
    assert [submission.tag for submission in left]  # committed before the request left
    short = timedelta(seconds=2)
    submitter = Submitter(ledger, "account", waits=replace(WAITS, shows_within=short, attempt_ends_within=short))
    with account.provider(account.sandbox.base_url).open(ThreadContext()) as service:
        submitter.settle(service, ThreadContext(), wait=True)
    (submission,) = submissions_of(ledger)
    jobs = account.jobs()
    if fate in NEVER_ARRIVES:
        assert submission.state is SubmissionState.NOT_SUBMITTED
        assert jobs == []
    else:
        assert submission.state is SubmissionState.ACCEPTED
        assert [job.id for job in jobs] == [submission.service_job_id]


def test_the_same_connection_makes_a_careless_client_pay_twice(account):
    """The proxy is worth its trouble: sending again until there is an answer makes jobs nobody wanted."""
    wanted = 10
    with CuttingProxy(account.sandbox.base_url, Plans(SEED, creates_a_job, risk=0.6, others=0)) as proxy:
        token = requests.post(
            f"{proxy.address}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(account.sandbox.project_id, account.sandbox.project_api_key),
            timeout=30,
        ).json()["access_token"]
        project, workflow = account.sandbox.project_id, account.configuration.workflow.id
        url = f"{proxy.address}/projects/{project}/workflows/{workflow}/jobs?name=careless"
        for _ in range(wanted):
            accepted = False
            while not accepted:
                try:
                    answer = requests.post(
                        url,
                        json=account.configuration.inputs(Mode.LIVE),
                        headers={"Authorization": f"Bearer {token}"},
                        timeout=30,
                    )
                    accepted = answer.status_code == 200
                except requests.RequestException:
                    continue
    assert len(account.jobs()) > wanted
