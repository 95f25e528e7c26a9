"""Live submissions over a connection that is lost at every point, from processes that are killed at every point.

Everything is real: the service as its own process, the client, the ledgers on disk. A proxy between them loses
connections. A worker does what a person would: when the plugin says for certain that a job was not submitted, it is
submitted anew, until it is. In the end there is one job each on the service, and all ends are known.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace

import pytest
import requests
from cutting_proxy import LOSSES, CuttingProxy, Plans
from dying_ledger import Death
from killing import (
    MAY_BE_RECORDED,
    NEVER_ARRIVED,
    DeadlyPlans,
    Windows,
    assert_one_job_each,
    creates_a_job,
    deaths,
)
from sandbox_process import start_sandbox
from soak_kit import Account, Entrance, ledger_path, submissions_of, submit_until_accepted

from tests.seeds import SEED, chance_of
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger, SubmissionState

SOAK = os.environ.get("UP42_SOAK") == "1"
SUBMISSIONS = 200 if SOAK else 20
#: Of the submissions those whose process is killed, and of these the ones with QGIS and the whole plugin.
KILLED = SUBMISSIONS // 4
DESKTOPS = KILLED // 2
AT_ONCE = 50
ENDS_WITHIN_S = 900 if SOAK else 240
OPENING_BALANCE = 10_000


@pytest.fixture
def entrance(tmp_path):
    """A sandbox of one's own with room for jobs, that compute nothing."""
    module = "tests.sandbox.quick_sandbox"
    with start_sandbox(tmp_path / "data", "--speed", "2000", "--faults", module=module) as sandbox:
        entrance = Entrance.of(sandbox)
        with Account(entrance).open() as service:
            service.set_limits({"max_concurrent_jobs": 10})
        yield entrance


def run_all(work, names):
    """Every name in a thread of its own, no more than so many at once; returns what each came to."""
    results, errors = {}, []
    slots = threading.Semaphore(AT_ONCE)

    def one(name):
        with slots:
            try:
                results[name] = work(name)
            except Exception:
                errors.append(f"{name}: {traceback.format_exc()}")

    threads = [threading.Thread(target=one, args=(name,), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    until = time.monotonic() + ENDS_WITHIN_S
    while any(thread.is_alive() for thread in threads) and not errors and time.monotonic() < until:
        time.sleep(0.05)
    assert not errors, errors[0]
    assert sorted(results) == sorted(names)
    return results


class Run:
    """One run's wishes: live jobs, some of them in processes that die, and with them test queries and re-runs."""

    def __init__(self, entrance, folder, chance):
        self.account = Account(entrance)
        self.ledger = Ledger(ledger_path(folder))
        live = [f"Job-{number:03d}" for number in range(SUBMISSIONS)]
        self.deaths = dict(zip(chance.sample(live, KILLED), deaths(KILLED, chance)))
        # Half of the processes have the ledger with all the others, half have one of their own.
        self.own = {name: Ledger(ledger_path(folder / name)) for name in list(self.deaths)[::2]}
        self.desktops = set(chance.sample(sorted(self.deaths), DESKTOPS))
        self.chances = {name: chance_of(chance.random()) for name in self.deaths}
        self.queries = [f"Query-{number:02d}" for number in range(SUBMISSIONS // 8)]
        self.reruns = [f"Rerun-{number:02d}" for number in range(SUBMISSIONS // 8)]
        self.names = [*live, *self.queries, *self.reruns]
        # Those that take a second process begin first.
        self.names.sort(key=lambda name: (name not in self.desktops, name not in self.deaths))

    @property
    def ledgers(self):
        return [self.ledger, *self.own.values()]


@pytest.mark.soak
@pytest.mark.timeout(ENDS_WITHIN_S + 60)
def test_submissions_through_lost_connections_and_killed_processes_are_one_job_each(entrance, tmp_path):
    run = Run(entrance, tmp_path / "profile", chance_of(SEED))
    template = submit_until_accepted(run.account, run.ledger, "Template")
    plans = DeadlyPlans(SEED, risk=0.6, others=0.1)
    with ExitStack() as stack:
        proxy = stack.enter_context(CuttingProxy(entrance.base_url, plans))
        lossy = replace(entrance, address=proxy.address)
        windows = stack.enter_context(Windows(lossy, plans, tmp_path / "windows"))
        account = Account(lossy)

        def work(name):
            if name in run.deaths:
                ledger = run.own.get(name, run.ledger)
                death, chance = run.deaths[name], run.chances[name]
                return windows.submit_and_die(name, ledger, death, chance, desktop=name in run.desktops)
            mode = Mode.TEST_QUERY if name in run.queries else Mode.LIVE
            rerun_of = template if name in run.reruns else ""
            return submit_until_accepted(account, run.ledger, name, mode=mode, rerun_of=rerun_of)

        results = run_all(work, run.names)
    submissions = assert_one_job_each(run.account, run.ledgers, {**results, "Template": template})
    live = 1 + SUBMISSIONS + len(run.reruns)
    with run.account.open() as service:
        assert service.balance().credits == OPENING_BALANCE - live  # each costs one
    assert len(windows.killed) == KILLED
    # the run was worth something: every loss happened, and left every kind of end behind
    assert all(proxy.fates[fate] for fate in LOSSES), proxy.fates
    assert any(proxy.other_fates[fate] for fate in LOSSES), proxy.other_fates
    states = Counter(submission.state for submission in submissions)
    assert states[SubmissionState.NOT_SUBMITTED], states
    found_again = [killed for killed in windows.killed if killed.rows]
    assert found_again, windows.killed
    if SOAK:
        assert {killed.death for killed in windows.killed} == set(Death)


@pytest.mark.timeout(ENDS_WITHIN_S + 60)
def test_a_process_killed_at_each_moment_leaves_a_job_that_the_next_one_settles(entrance, tmp_path):
    plans = DeadlyPlans(SEED, risk=0, others=0)
    moments = {death.name.replace("_", "-"): death for death in Death}
    ledgers = {name: Ledger(ledger_path(tmp_path / name)) for name in moments}
    with ExitStack() as stack:
        proxy = stack.enter_context(CuttingProxy(entrance.base_url, plans))
        lossy = replace(entrance, address=proxy.address)
        windows = stack.enter_context(Windows(lossy, plans, tmp_path / "windows", patience_s=4))

        def work(name):
            desktop = list(moments).index(name) % 2 == 0
            return windows.submit_and_die(name, ledgers[name], moments[name], chance_of(SEED), desktop)

        results = run_all(work, list(moments))
    assert_one_job_each(Account(entrance), ledgers.values(), results)
    for name, death in moments.items():
        states = [submission.state for submission in submissions_of(ledgers[name])]
        if death in MAY_BE_RECORDED:
            assert states[0] is SubmissionState.ACCEPTED
        elif death in NEVER_ARRIVED:
            assert states == [SubmissionState.ACCEPTED, SubmissionState.NOT_SUBMITTED], death
        else:
            assert states == [SubmissionState.ACCEPTED], death


def test_the_same_connection_makes_a_careless_client_pay_twice(entrance):
    """The proxy is worth its trouble: sending again until there is an answer makes jobs nobody wanted."""
    wanted, account = 10, Account(entrance)
    with CuttingProxy(entrance.base_url, Plans(SEED, creates_a_job, risk=0.6, others=0)) as proxy:
        token = requests.post(
            f"{proxy.address}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(entrance.project_id, entrance.project_api_key),
            timeout=30,
        ).json()["access_token"]
        url = f"{proxy.address}/projects/{entrance.project_id}/workflows/{entrance.workflow}/jobs?name=careless"
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
