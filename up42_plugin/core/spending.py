"""The person's own limits on what live jobs may cost, and what was spent already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Optional, Protocol, Sequence

from up42_plugin.core.estimation import Range

_UNKNOWN = "What was spent already could not be read, so your limits cannot be checked."


@dataclass(frozen=True)
class SpendingLimits:
    """Whole credits, None for no limit. Above ``typed_above`` the price has to be typed to confirm a job.

    Each connection counts by itself. Days and months are those of the person's own time zone.
    """

    per_job: Optional[int] = None
    per_day: Optional[int] = None
    per_month: Optional[int] = None
    typed_above: Optional[int] = None

    def problem(self, cost: Range, spent: Optional[Spent], each: Sequence[Range] = ()) -> str:
        """Why a job that may cost up to ``cost.maximum`` must not run, or nothing. ``spent`` None: not known.

        Of several jobs ``cost`` is the total and ``each`` what they cost one by one.
        """
        dearest = max((job.maximum for job in each), default=cost.maximum)
        if self.per_job is not None and dearest > self.per_job:
            return _over(self.per_job, "job")
        if self.per_day is None and self.per_month is None:
            return ""
        if spent is None:
            return _UNKNOWN
        if self.per_day is not None and spent.today + cost.maximum > self.per_day:
            return _over(self.per_day, "day")
        if self.per_month is not None and spent.this_month + cost.maximum > self.per_month:
            return _over(self.per_month, "month")
        return ""

    def to_type(self, cost: Range) -> Optional[int]:
        """The number to be typed to confirm a job of this price, the least it costs; None where a click is enough."""
        if self.typed_above is None or cost.maximum <= self.typed_above:
            return None
        return round(cost.minimum)


@dataclass(frozen=True)
class Spent:
    """Credits of a connection's live jobs, today and this month."""

    today: float = 0.0
    this_month: float = 0.0


@dataclass(frozen=True)
class Spending:
    """The limits, and what was spent: None where that could not be read."""

    limits: SpendingLimits = SpendingLimits()
    spent: Optional[Spent] = None


class SpendingRecord(Protocol):
    """Whoever knows what live jobs cost: the ledger."""

    def spent(self, connection_id: str, since: datetime) -> float:
        """Credits of a connection's live jobs since then."""


def read_spent(record: SpendingRecord, connection_id: str, now: datetime) -> Spent:
    """What a connection's jobs cost today and this month, by the local calendar. Reads a file: for workers only."""
    midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    # Midnight and the first of the month may have another offset from UTC than now: each is asked for its own
    today, month = midnight.astimezone(), midnight.replace(day=1).astimezone()
    return Spent(record.spent(connection_id, today), record.spent(connection_id, month))


def _over(limit: int, period: str) -> str:
    return f"Over your limit of {limit:,}\u00a0credits per {period}."
