"""Two windows, each a process of its own, on one ledger: no lost update, one announcement each, also when one dies."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from ledger_kit import SQUARE, Clock, new_job, rows

from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_life import LedgerLife
from up42_plugin.core.ledger_schema import migrate

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


def test_a_process_killed_while_it_migrates_leaves_the_old_ledger_or_the_new_one(tmp_path):
    path = tmp_path / "ledger.sqlite"
    old = sqlite3.connect(path, isolation_level=None)
    migrate(old, 3)
    aoi = json.dumps({"type": "Polygon", "coordinates": [SQUARE]})
    old.execute("BEGIN")
    old.executemany(
        "INSERT INTO configurations (fingerprint, workflow_id, workflow_name, geometric_filter, inputs, aoi, created)"
        " VALUES (?, 'w', 'W', 'bbox', '{}', ?, 'then')",
        [(str(number), aoi) for number in range(20_000)],
    )
    old.execute("COMMIT")
    old.close()
    versions = set()
    for _ in range(5):
        victim = window(Ledger(path), "victim")
        assert victim.stdout.readline() == "ready\n"
        time.sleep(random.uniform(0.0, 0.3))  # noqa: S311 - no secret
        os.kill(victim.pid, signal.SIGKILL)
        victim.communicate()
        assert rows(path, "PRAGMA integrity_check") == [("ok",)]
        versions.add(rows(path, "PRAGMA user_version")[0][0])
        assert rows(path, "SELECT count(*) FROM configurations WHERE created = 'then'") == [(20_000,)]
    assert versions <= {3, 10200}
    ledger = Ledger(path, Clock())
    ledger.add(new_job("fresh-one"))
    assert ledger.notice == ""
    assert rows(path, "SELECT count(*) FROM configurations WHERE created = 'then' AND geom IS NOT NULL") == [(20_000,)]
