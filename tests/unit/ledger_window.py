"""A window of its own process: sees, renames and announces jobs of a shared ledger as fast as it can.

usage: ledger_window.py LEDGER NAME JOBS ROUNDS
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from ledger_kit import NOON, new_job  # noqa: E402 - found by the line above

from up42_plugin.core.jobs import Job, JobState, JobTask, Mode  # noqa: E402
from up42_plugin.core.ledger import Ledger  # noqa: E402
from up42_plugin.core.ledger_life import LedgerLife  # noqa: E402

STATES = (JobState.RUNNING, JobState.SUCCEEDED)


def main(path, name, jobs, rounds):
    ledger = Ledger(Path(path))
    life = LedgerLife(ledger)
    say("ready")
    for number in range(rounds):
        submission = ledger.accept(ledger.add(new_job(f"{name}-{number:05d}")), f"own-{name}-{number}")
        say("added", submission.tag)
        states = [random.choice(STATES) for _ in range(jobs)]  # noqa: S311 - no secret
        life.saw_all("account", [_job(index, state) for index, state in enumerate(states)])
        life.saw_tasks("account", "shared-0", [JobTask(f"t-{name}-{number}", "t", JobState.RUNNING, "RUNNING")])
        for entry in life.finished_unannounced("account"):
            if life.claim_announcement(entry.id):
                say("announced", entry.submission.service_job_id)


def say(*words):
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def _job(index, state):
    return Job(f"shared-{index}", "n", state, state.value, Mode.LIVE, NOON)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
