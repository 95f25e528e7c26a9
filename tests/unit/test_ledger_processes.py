"""Two windows, each a process of its own, on one ledger: no lost update, one announcement each, also when one dies."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from ledger_kit import Clock, new_job, rows

from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_life import LedgerLife

JOBS, ROUNDS = 20, 30


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite", Clock())
    for number in range(JOBS):
        ledger.accept(ledger.add(new_job(f"shared-{number:03d}")), f"shared-{number}")
    return ledger


def window(ledger, name, rounds=ROUNDS):
    script = Path(__file__).with_name("ledger_window.py")
    return subprocess.Popen(
        [sys.executable, str(script), str(ledger.path), name, str(JOBS), str(rounds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(output, word):
    return [line.split()[1] for line in output.splitlines() if line.startswith(f"{word} ") and len(line.split()) == 2]


def test_two_processes_lose_no_update_and_announce_every_end_once(ledger):
    windows = [window(ledger, name) for name in ("one", "two")]
    outputs = []
    for process in windows:
        output, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")
        outputs.append(output)
    announced = Counter(job for output in outputs for job in said(output, "announced"))
    assert announced == dict.fromkeys((f"shared-{number}" for number in range(JOBS)), 1)
    tags = [tag for output in outputs for tag in said(output, "added")]
    kept = {submission.tag for job in ledger.jobs("account", 10_000) for submission in job.submissions}
    assert len(tags) == 2 * ROUNDS
    assert kept >= set(tags)
    life = LedgerLife(ledger)
    assert len(life.tasks("account", "shared-0")) == 2 * ROUNDS
    assert {entry.submission.service_job_id[:3] for entry in life.unfinished("account")} == {"own"}
    assert rows(ledger.path, "PRAGMA integrity_check") == [("ok",)]


def test_processes_killed_in_the_middle_of_writing_leave_the_ledger_whole(ledger):
    added, announced = set(), Counter()
    survivor = window(ledger, "survivor", rounds=100_000)
    for number in range(8):
        victim = window(ledger, f"victim{number}", rounds=100_000)
        assert victim.stdout.readline() == "ready\n"
        time.sleep(random.uniform(0.01, 0.15))  # noqa: S311 - no secret
        os.kill(victim.pid, signal.SIGKILL)
        output, _ = victim.communicate()
        added.update(said(output, "added"))
        announced.update(said(output, "announced"))
        assert rows(ledger.path, "PRAGMA integrity_check") == [("ok",)]
    os.kill(survivor.pid, signal.SIGKILL)
    output, errors = survivor.communicate()
    assert errors == ""
    added.update(said(output, "added"))
    announced.update(said(output, "announced"))
    again = Ledger(ledger.path, Clock())
    kept = {submission.tag for job in again.jobs("account", 10_000) for submission in job.submissions}
    assert again.notice == ""
    assert kept >= added
    assert len(added) > len(announced) > 0
    assert max(announced.values()) == 1
    # Each job was written whole: with its submission, and its configuration
    assert rows(ledger.path, "SELECT count(*) FROM jobs WHERE id NOT IN (SELECT job_id FROM submissions)") == [(0,)]
    assert rows(ledger.path, "PRAGMA foreign_key_check") == []
