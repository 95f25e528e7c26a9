"""How numbers, prices, times and states read, in the user's locale."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from qgis.PyQt.QtCore import QDate, QLocale

from up42_plugin.core.estimation import Estimation, Range
from up42_plugin.core.jobs import JobState

NBSP = "\u00a0"
_MINUTE = 60
_TWO_HOURS = 7200
NOT_AVAILABLE = "Not available"


def whole(number: float) -> str:
    """A whole number with the locale's thousands separator, which QGIS leaves out elsewhere unless told otherwise."""
    return grouping_locale().toString(round(number))


def grouping_locale() -> QLocale:
    """The locale with its thousands separator, for fields that show numbers by themselves."""
    locale = QLocale()
    locale.setNumberOptions(locale.numberOptions() & ~QLocale.NumberOption.OmitGroupSeparator)
    return locale


def span(numbers: Range) -> str:
    """``13–25``, or ``13`` when both ends are equal."""
    low, high = whole(numbers.minimum), whole(numbers.maximum)
    return low if low == high else f"{low}–{high}"


def credits_text(numbers: Range) -> str:
    """``13–25 credits``."""
    unit = "credit" if span(numbers) == whole(1) else "credits"
    return f"{span(numbers)}{NBSP}{unit}"


def credits_of(number: float) -> str:
    """``13 credits``."""
    return credits_text(Range(number, number))


def minutes_text(seconds: Range) -> str:
    """``2–10 min``; under a minute ``under 1 min``, above two hours in hours."""
    if seconds.maximum < _MINUTE:
        return f"under{NBSP}1{NBSP}min"
    if seconds.minimum >= _TWO_HOURS:
        return f"{span(Range(seconds.minimum / 3600, seconds.maximum / 3600))}{NBSP}h"
    low = max(1.0, seconds.minimum / 60)
    return f"{span(Range(low, max(low, seconds.maximum / 60)))}{NBSP}min"


def estimation_text(estimation: Estimation, jobs: int = 1) -> str:
    """``13–25 credits, 2–10 min`` with the price in bold, as rich text; ``39–75 credits for 3 jobs, 6–30 min``."""
    what = f" for {count_text(jobs, 'job')}" if jobs > 1 else ""
    return f"<b>{credits_text(estimation.credits)}</b>{what}, {minutes_text(estimation.seconds)}"


def balance_after(balance: int, cost: Range) -> Range:
    """What is left after the job: least when it costs most."""
    return Range(balance - cost.maximum, balance - cost.minimum)


def area_text(km2: float) -> str:
    """``2.01 km²``, ``148.6 km²``; three decimals where two would say too little, or hide that it is below a tenth."""
    short = km2 < 0.01 or 0.095 <= km2 < 0.1  # noqa: PLR2004 - a tenth is the least a job takes
    decimals = 1 if km2 >= 10 else 3 if short else 2  # noqa: PLR2004
    return f"{QLocale().toString(float(km2), 'f', decimals)}{NBSP}km²"


def count_text(number: int, noun: str) -> str:
    """``1 scene``, ``7 scenes``, ``no scenes``."""
    if number == 0:
        return f"no {noun}s"
    return f"{whole(number)}{NBSP}{noun}" + ("" if number == 1 else "s")


def duration_text(seconds: float) -> str:
    """``4 s``, ``3 min``, ``2 h``."""
    if seconds < _MINUTE:
        return f"{max(0, int(seconds))}{NBSP}s"
    if seconds < _TWO_HOURS:
        return f"{int(seconds // 60)}{NBSP}min"
    return f"{int(seconds // 3600)}{NBSP}h"


def moment_text(moment: datetime, now: Optional[datetime] = None) -> str:
    """``today 10:42`` or ``2026-10-03 10:42``, in local time."""
    local = moment.astimezone()
    now = (now or datetime.now().astimezone()).astimezone()
    clock = local.strftime("%H:%M")
    return f"today {clock}" if local.date() == now.date() else f"{local:%Y-%m-%d} {clock}"


def day_text(moment: datetime) -> str:
    """``3 Oct 2026``, in local time and the locale's words."""
    local = moment.astimezone()
    return QLocale().toString(QDate(local.year, local.month, local.day), "d MMM yyyy")


def date_text(date: QDate) -> str:
    """``2021-09-18``."""
    return date.toString("yyyy-MM-dd")


_STATES = {
    JobState.NOT_STARTED: "Not started",
    JobState.WAITING: "Waiting",
    JobState.NEEDS_ACTION: "Needs you",
    JobState.RUNNING: "Running",
    JobState.SUCCEEDED: "Succeeded",
    JobState.FAILED: "Failed",
    JobState.ERROR: "Error",
    JobState.CANCELLING: "Cancelling",
    JobState.CANCELLED: "Cancelled",
}


def state_text(state: JobState, word: str) -> str:
    """The state in words; a word we do not know, as it came."""
    return _STATES.get(state, word)
