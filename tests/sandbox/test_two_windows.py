"""Two QGIS processes on one profile and one account: twenty jobs, no lost update, and each end announced once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from killing import assert_one_job_each
from sandbox_process import start_sandbox
from soak_kit import CONNECTION, Account, Entrance, Order, ledger_path, profile_environment, submissions_of

from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.ledger_life import LedgerLife

EACH = 10
STARTS_WITHIN_S, ENDS_WITHIN_S, KNOWN_WITHIN_S = 60, 150, 30


class Window:
    """A QGIS on a profile, told what to do line by line."""

    def __init__(self, order, names, profile):
        self.names = names
        script = Path(__file__).with_name("window_process.py")
        self._log = profile / f"{order.name}.stderr"
        self._errors = self._log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, str(script), order.to_json(), *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=profile_environment(profile),
        )

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
        self._errors.close()

    def go_on(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def line(self, seconds):
        """What it says next."""
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        line = self._process.stdout.readline().strip()
        timer.cancel()
        assert line, self._log.read_text(encoding="utf-8")
        return line

    def closed(self):
        return self._process.wait(STARTS_WITHIN_S)


@pytest.fixture
def entrance(tmp_path):
    """A service whose jobs take a second or so."""
    module = "tests.sandbox.quick_sandbox"
    with start_sandbox(tmp_path / "data", "--speed", "50", "--faults", module=module) as sandbox:
        yield Entrance.of(sandbox)


@pytest.mark.timeout(STARTS_WITHIN_S * 2 + ENDS_WITHIN_S + KNOWN_WITHIN_S)
def test_two_windows_on_one_profile_share_the_ledger_and_announce_each_job_once(entrance, tmp_path):
    profile = tmp_path / "profile"
    ledger = Ledger(ledger_path(profile))
    wanted = {title: [f"{title}-{number:02d}" for number in range(EACH)] for title in ("First", "Second")}
    names = [name for named in wanted.values() for name in named]
    profile.mkdir()
    with ExitStack() as stack:
        windows = [
            stack.enter_context(Window(Order(entrance, str(ledger.path), title), named, profile))
            for title, named in wanted.items()
        ]
        for window in windows:
            assert window.line(STARTS_WITHIN_S) == "ready"
        for window in windows:
            window.go_on()
        for window in windows:
            assert window.line(ENDS_WITHIN_S) == "ended"
        wait_for_charges(ledger, len(names))
        told, ended = [], []
        for window in windows:
            window.go_on()
        for window in windows:
            account = json.loads(window.line(STARTS_WITHIN_S))
            told.extend(account["told"])
            ended.extend(account["ended"])
            assert window.closed() == 0
    assert Counter(ended) == Counter(names)
    assert Counter(text.split()[0] for text in told if " finished" in text) == Counter(names), told
    account = Account(entrance)
    results = {name: submissions_of(ledger, name)[0].service_job_id for name in names}
    submissions = assert_one_job_each(account, [ledger], results)
    assert [submission.state for submission in submissions] == [SubmissionState.ACCEPTED] * len(names)
    assert [submission.charged_credits for submission in submissions] == [1] * len(names)
    assert len(ledger.jobs(CONNECTION)) == len(names)
    life = LedgerLife(ledger)
    assert (life.unfinished(CONNECTION), life.finished_unannounced(CONNECTION)) == ((), ())
    with account.open() as service:
        assert service.balance().credits == 10_000 - len(names)


def wait_for_charges(ledger, number):
    """What a job cost is written a moment after its end was told."""
    until = time.monotonic() + KNOWN_WITHIN_S
    while len([one for one in submissions_of(ledger) if one.charged_credits is not None]) < number:
        assert time.monotonic() < until, [(one.name, one.charged_credits) for one in submissions_of(ledger)]
        time.sleep(0.1)
