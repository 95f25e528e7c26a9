"""Credits: what came in, what was charged, what is held for running jobs.

The balance is the sum of all entries less what is held, so it can never drift from the history.
"""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from up42_plugin.sandbox.clock import stamp
from up42_plugin.sandbox.store import Store, insert

OPENING_BALANCE = 10_000
FLOOR = 1_000
PURCHASE, JOB_TASK = "CREDIT_PURCHASE", "JOB_TASK"


@dataclass(frozen=True)
class Charge:
    """One entry of the history. ``delta`` is below 0 for what was consumed."""

    id: str
    account_id: str
    type: str
    delta: int
    created_at: str
    job_id: Optional[str] = None
    job_task_id: Optional[str] = None
    machine_credits: int = 0
    block_credits: int = 0
    duration_ms: int = 0
    quantity: int = 0
    unit: str = ""


@dataclass(frozen=True)
class TaskPrice:
    """What one succeeded task costs: machine and block, with the amounts behind them."""

    job_task_id: str
    machine_credits: int
    block_credits: int
    duration_ms: int
    quantity: int
    unit: str


@dataclass(frozen=True)
class HistoryPage:
    """A page of ``size`` entries between two stamps."""

    start: str
    end: str
    page: int
    size: int
    newest_first: bool


class Credits:
    """Entries and balances in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add_purchase(self, account_id: str, amount: int) -> None:
        """Credits that came in."""
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO charges (id, account_id, type, delta, created_at) VALUES (?, ?, ?, ?, ?)",
                (str(uuid.uuid4()), account_id, PURCHASE, amount, stamp()),
            )

    def charge(self, account_id: str, job_id: str, price: TaskPrice) -> None:
        """Charge one task."""
        row = {
            "id": str(uuid.uuid4()),
            "account_id": account_id,
            "type": JOB_TASK,
            "delta": -(price.machine_credits + price.block_credits),
            "created_at": stamp(),
            "job_id": job_id,
            "job_task_id": price.job_task_id,
            "machine_credits": price.machine_credits,
            "block_credits": price.block_credits,
            "duration_ms": price.duration_ms,
            "quantity": price.quantity,
            "unit": price.unit,
        }
        with self._store.transaction() as db:
            insert(db, "charges", row)

    def balance(self, account_id: str) -> int:
        """Credits that can be spent now."""
        with self._store.reading() as db:
            entries = db.execute(
                "SELECT COALESCE(SUM(delta), 0) AS total FROM charges WHERE account_id = ?", (account_id,)
            ).fetchone()
            held = db.execute(
                "SELECT COALESCE(SUM(held), 0) AS total FROM jobs"
                " WHERE project_id IN (SELECT id FROM projects WHERE account_id = ?)",
                (account_id,),
            ).fetchone()
        return int(entries["total"]) - int(held["total"])

    def of_job(self, job_id: str) -> List[Charge]:
        """What the tasks of a job were charged."""
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM charges WHERE job_id = ? ORDER BY seq", (job_id,)).fetchall()
        return [_charge(row) for row in rows]

    def of_workflow(self, workflow_id: str) -> int:
        """What all jobs of a workflow were charged."""
        with self._store.reading() as db:
            row = db.execute(
                "SELECT COALESCE(SUM(-delta), 0) AS total FROM charges"
                " WHERE job_id IN (SELECT id FROM jobs WHERE workflow_id = ?)",
                (workflow_id,),
            ).fetchone()
        return int(row["total"])

    def history(self, account_id: str, wanted: HistoryPage) -> Tuple[int, Sequence[Charge]]:
        """How many entries there are in all, and one page of them."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM charges WHERE account_id = ? AND created_at >= ? AND created_at <= ? ORDER BY seq",
                (account_id, wanted.start, wanted.end),
            ).fetchall()
        if wanted.newest_first:
            rows.reverse()
        first = wanted.page * wanted.size
        return len(rows), [_charge(row) for row in rows[first : first + wanted.size]]


def _charge(row: sqlite3.Row) -> Charge:
    values = dict(row)
    del values["seq"]
    return Charge(**values)
