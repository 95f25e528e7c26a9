"""What live jobs cost: credits charged, held and returned, by day, month or workflow, and as a table for others."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from up42_plugin.core.job_entry import JobEntry

_COLUMNS = (
    "date", "time", "job", "workflow", "connection", "job_id", "state",
    "estimated_minimum", "estimated_maximum", "held", "charged", "returned",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class CreditRecord:
    """One live job. ``when`` is aware. ``blocked`` are the credits held at its start, None when that is not known.

    ``charged`` is None until the service told. ``ended`` when the job will not change any more.
    """

    when: datetime
    job: str
    workflow: str
    job_id: str = ""
    connection: str = ""
    state: str = ""
    estimated_minimum: Optional[float] = None
    estimated_maximum: Optional[float] = None
    blocked: Optional[float] = None
    charged: Optional[float] = None
    ended: bool = True

    @property
    def held(self) -> float:
        """Credits held now: until it has ended."""
        return 0.0 if self.ended or self.blocked is None else self.blocked

    @property
    def returned(self) -> float:
        """Credits that were held and not charged, once both are known."""
        if not self.ended or self.blocked is None or self.charged is None:
            return 0.0
        return max(0.0, self.blocked - self.charged)

    @property
    def unknown(self) -> bool:
        """Whether it has ended and nobody knows what it cost."""
        return self.ended and self.charged is None


def credit_records(entries: Iterable[JobEntry], connection: str) -> Tuple[CreditRecord, ...]:
    """The records of the live jobs among these that the service got; ``connection`` is its name, for people."""
    return tuple(
        CreditRecord(
            when=entry.when,
            job=entry.name,
            workflow=entry.workflow,
            job_id=entry.job_id,
            connection=connection,
            state=entry.word,
            estimated_minimum=entry.estimated.minimum if entry.estimated is not None else None,
            estimated_maximum=entry.estimated.maximum if entry.estimated is not None else None,
            blocked=entry.blocked,
            charged=entry.charged,
            ended=entry.state is not None and entry.state.terminal,
        )
        for entry in entries
        if entry.live and entry.job_id
    )


class Per(Enum):
    """What credits are added up by."""

    DAY = "Day"
    MONTH = "Month"
    WORKFLOW = "Workflow"


@dataclass(frozen=True)
class Sum:
    """The credits of one day, month or workflow. ``unknown`` jobs have ended at a price that is not known."""

    label: str
    charged: float = 0.0
    held: float = 0.0
    returned: float = 0.0
    jobs: int = 0
    unknown: int = 0

    def with_record(self, record: CreditRecord) -> Sum:
        """The sum with one job more."""
        return Sum(
            self.label,
            self.charged + (record.charged or 0.0),
            self.held + record.held,
            self.returned + record.returned,
            self.jobs + 1,
            self.unknown + record.unknown,
        )


def sums(records: Iterable[CreditRecord], per: Per) -> Tuple[Sum, ...]:
    """Credits per day or month of the person's calendar, newest first, or per workflow, the dearest first."""
    found: Dict[str, Sum] = {}
    for record in records:
        label = _label(record, per)
        found[label] = found.get(label, Sum(label)).with_record(record)
    if per is Per.WORKFLOW:
        return tuple(sorted(found.values(), key=lambda item: (-item.charged - item.held, item.label.casefold())))
    return tuple(sorted(found.values(), key=lambda item: item.label, reverse=True))


def total(records: Iterable[CreditRecord]) -> Sum:
    """All of them together."""
    whole = Sum("")
    for record in records:
        whole = whole.with_record(record)
    return whole


def _label(record: CreditRecord, per: Per) -> str:
    if per is Per.WORKFLOW:
        return record.workflow or "Unknown workflow"
    return f"{record.when.astimezone():%Y-%m-%d}" if per is Per.DAY else f"{record.when.astimezone():%Y-%m}"


def csv_text(records: Sequence[CreditRecord]) -> str:
    """One line per job, newest first, times of the person's clock; what is not known is empty.

    Names are other people's too: one that a spreadsheet would run as a formula begins with an apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for record in sorted(records, key=lambda item: item.when, reverse=True):
        writer.writerow(_line(record))
    return text.getvalue()


def _line(record: CreditRecord) -> List[str]:
    local = record.when.astimezone()
    known = record.blocked is not None
    return [
        f"{local:%Y-%m-%d}",
        f"{local:%H:%M:%S}",
        *map(_harmless, (record.job, record.workflow, record.connection, record.job_id, record.state)),
        _number(record.estimated_minimum),
        _number(record.estimated_maximum),
        _number(record.held if known else None),
        _number(record.charged),
        _number(record.returned if known and record.ended and record.charged is not None else None),
    ]


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _number(value: Optional[float]) -> str:
    return "" if value is None else f"{value:g}" if value < 1e6 else f"{value:.0f}"  # noqa: PLR2004 - no exponents
