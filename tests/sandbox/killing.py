"""Processes that submit a job and are killed at it, and the next ones that find out what became of it."""

from __future__ import annotations

import contextlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cutting_proxy import Fate, Plan, Plans
from dying_ledger import NOW, Death
from soak_kit import PATIENCE_S, Account, Entrance, Order, profile_environment, profile_of, submissions_of

from up42_plugin.core.ledger import Ledger
from up42_plugin.core.tags import split_name

#: Deaths at which the proxy has to help, with how far it lets the request or its answer come.
ON_THE_WAY = {
    Death.UNREAD: Fate.CUT_UNREAD,
    Death.IN_REQUEST: Fate.CUT_IN_REQUEST,
    Death.REQUEST_ON_ITS_WAY: Fate.LATE_REQUEST,
    Death.REQUEST_SENT: Fate.CUT_AFTER_REQUEST,
    Death.AT_ANSWER: Fate.LOSE_ANSWER,
    Death.IN_ANSWER: Fate.CUT_IN_ANSWER,
    Death.ANSWER_SENT: Fate.PASS,
}
NEVER_RECORDED = (Death.BEFORE_COMMIT,)
NEVER_ARRIVED = (Death.COMMITTED, Death.UNREAD, Death.IN_REQUEST)
MAY_BE_RECORDED = (Death.IN_COMMIT, Death.ANY_TIME)
#: How long committing takes at most, roughly; and a whole submission of a process that is ready for it.
COMMIT_S, SUBMISSION_S = 0.02, 0.4
DIES_AGAIN = 0.25
CORES_AT_ONCE, DESKTOPS_AT_ONCE = 8, 3
STARTS_WITHIN_S, DIES_WITHIN_S, ENDS_WITHIN_S = 60, 120, 240

_CREATES_JOB = re.compile(rb"POST /projects/[^/]+/workflows/[^/]+/jobs(/[^/? ]+)?\?")


def creates_a_job(head):
    return _CREATES_JOB.match(head) is not None


class DeadlyPlans(Plans):
    """Loses connections, and kills the processes that were doomed when the request of their job comes along."""

    def __init__(self, seed, risk, others):
        super().__init__(seed, creates_a_job, risk, others)
        self._doomed = {}

    def doom(self, name, fate, kill):
        """Kill when the request for a job of this name has come as far as ``fate`` says."""
        self._doomed[name] = (fate, kill)

    def draw(self, head):
        fate, kill = self._doomed.pop(_job_name(head), (None, None)) if self.picks(head) else (None, None)
        if fate is None:
            return super().draw(head)
        with self._lock:
            where = self._random.random()
        return Plan(fate, where, reset=True, reached=kill)


def _job_name(head):
    target = head.split(b" ", 2)[1].decode("ascii")
    return split_name(parse_qs(urlsplit(target).query).get("name", [""])[0])[0]


@dataclass(frozen=True)
class Killed:
    """A submission that its process did not survive: how it died, and in how many ledger rows it was found then."""

    death: Death
    desktop: bool
    rows: int


class Windows:
    """Starts processes on ledgers, kills them, and starts the next ones. Safe to use from many threads.

    Of those that are only the plugin's core and of those with QGIS and the whole plugin, only so many run at once.
    Leaving the context ends them all.
    """

    def __init__(self, entrance: Entrance, plans: DeadlyPlans, folder: Path, patience_s: float = PATIENCE_S):
        self._entrance, self._plans, self._folder, self._patience_s = entrance, plans, folder, patience_s
        self._slots = {False: threading.Semaphore(CORES_AT_ONCE), True: threading.Semaphore(DESKTOPS_AT_ONCE)}
        self.killed = []
        self._running = set()
        self._open = True

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._open = False
        for process in list(self._running):
            _kill(process)

    def submit_and_die(self, name, ledger, death, chance, desktop=False):
        """Have a process killed while it submits; then have the next one get the job. Returns the job's id.

        Now and then the next one is killed too, while it finds out how it stands.
        """
        order = Order(self._entrance, str(ledger.path), name, death.value, self._patience_s)
        with self._slots[desktop]:
            self._die(order, death, chance, desktop)
            assert_whole(ledger)
            rows = len(submissions_of(ledger, name))
            assert rows == 0 or death not in NEVER_RECORDED, death
            assert rows >= 1 or death in (*NEVER_RECORDED, *MAY_BE_RECORDED), death
            self.killed.append(Killed(death, desktop, rows))
            if chance.random() < DIES_AGAIN:
                self._die(replace(order, death=Death.ANY_TIME.value), Death.ANY_TIME, chance, desktop)
                assert_whole(ledger)
            return self._next(replace(order, death=""), desktop)

    def _die(self, order, death, chance, desktop):
        with self._process(order, desktop) as process:
            if death in ON_THE_WAY:
                self._plans.doom(order.name, ON_THE_WAY[death], lambda: _kill(process))
            elif death is Death.ANY_TIME:
                _wait_for_line(process, "ready")
                time.sleep(chance.uniform(0, SUBMISSION_S))
                _kill(process)
            elif death in (Death.IN_COMMIT, Death.IN_ACCEPT):
                _wait_for_line(process, NOW)
                time.sleep(chance.uniform(0, COMMIT_S))
                _kill(process)
            code = process.wait(DIES_WITHIN_S)
        assert code == -signal.SIGKILL, (death, code, self._errors(order))

    def _next(self, order, desktop):
        """A new process on the same ledger; the id of the job it settled or submitted."""
        with self._process(order, desktop) as process:
            output, _ = process.communicate(timeout=ENDS_WITHIN_S)
        assert process.returncode == 0, self._errors(order)
        return output.splitlines()[-1]

    @contextlib.contextmanager
    def _process(self, order, desktop):
        script = Path(__file__).with_name("window_process.py" if desktop else "submitting_process.py")
        with (
            self._error_file(order).open("ab") as errors,
            subprocess.Popen(
                [sys.executable, str(script), order.to_json()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=profile_environment(profile_of(Path(order.ledger))) if desktop else None,
            ) as process,
        ):
            self._running.add(process)
            try:
                assert self._open, "the test is over"
                yield process
            finally:
                _kill(process)
                self._running.discard(process)

    def _error_file(self, order):
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{order.name}.stderr"

    def _errors(self, order):
        return self._error_file(order).read_text(encoding="utf-8")


def assert_whole(ledger: Ledger):
    """The ledger's file is sound, was never set aside, and everything in it belongs together."""
    if ledger.path.exists():  # the process may have died before it made one
        connection = sqlite3.connect(ledger.path, timeout=30)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
    assert not ledger.notice
    assert not list(ledger.path.parent.glob(f"{ledger.path.name}.*-*"))


def deaths(number: int, chance: random.Random):
    """Every way to die in turn, in shuffled rounds."""
    drawn = []
    while len(drawn) < number:
        drawn.extend(chance.sample(list(Death), len(Death)))
    return drawn[:number]


def _wait_for_line(process, wanted):
    timer = threading.Timer(STARTS_WITHIN_S, process.kill)
    timer.start()
    line = next((line for line in process.stdout if line.strip() == wanted), "")
    timer.cancel()
    assert line, f"the process ended before it said {wanted!r}"


def _kill(process):
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
        process.wait(DIES_WITHIN_S)


def assert_one_job_each(account: Account, ledgers, results):
    """One job on the service for each wish; every recorded submission is accepted and has one, or has none."""
    jobs = account.jobs()
    assert Counter(split_name(job.name)[0] for job in jobs) == Counter(results.keys())
    assert {split_name(job.name)[0]: job.id for job in jobs} == results
    submissions = [submission for ledger in ledgers for submission in submissions_of(ledger)]
    by_tag = {split_name(job.name)[1]: job.id for job in jobs}
    assert len(by_tag) == len(jobs)
    assert set(by_tag) <= {submission.tag for submission in submissions}
    for submission in submissions:
        assert submission.state.settled
        assert by_tag.get(submission.tag, "") == submission.service_job_id
        assert (submission.tag in by_tag) is (submission.state.value == "ACCEPTED")
    for ledger in ledgers:
        assert_whole(ledger)
    return submissions
