"""Finding and ordering jobs of the list: pure functions, quick enough for ten thousand of them at every key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Optional, Sequence, Tuple

from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.jobs import Mode


@dataclass(frozen=True)
class JobFilter:
    """Which jobs are wanted; whatever is empty or None lets all pass.

    ``text`` are words that all must occur. ``statuses`` are those of :attr:`JobEntry.status`. ``since`` and ``until``
    are days of the person's calendar, both included.
    """

    text: str = ""
    mode: Optional[Mode] = None
    statuses: FrozenSet[str] = field(default_factory=frozenset)
    workflows: FrozenSet[str] = field(default_factory=frozenset)
    since: Optional[date] = None
    until: Optional[date] = None

    @property
    def active(self) -> bool:
        """Whether it may keep anything out."""
        return bool(self.text.split()) or self.narrowed

    @property
    def narrowed(self) -> bool:
        """Whether more than the text is asked for."""
        limits = (self.mode, self.statuses, self.workflows, self.since, self.until)
        return any(limit not in (None, frozenset()) for limit in limits)


def matching(entries: Sequence[JobEntry], wanted: JobFilter) -> List[JobEntry]:
    """Those that pass, in the same order."""
    found = list(entries)
    for passes in _tests(wanted):
        found = [entry for entry in found if passes(entry)]
    return found


def _tests(wanted: JobFilter) -> List[Callable[[JobEntry], bool]]:
    tests: List[Callable[[JobEntry], bool]] = [_says(word) for word in wanted.text.lower().split()]
    if wanted.mode is not None:
        tests.append(lambda entry: entry.mode is wanted.mode)
    if wanted.statuses:
        tests.append(lambda entry: entry.status in wanted.statuses)
    if wanted.workflows:
        tests.append(lambda entry: entry.workflow in wanted.workflows)
    if wanted.since is not None:
        begin = _midnight(wanted.since)
        tests.append(lambda entry: entry.when >= begin)
    if wanted.until is not None:
        end = _midnight(wanted.until + timedelta(days=1))
        tests.append(lambda entry: entry.when < end)
    return tests


def _says(word: str) -> Callable[[JobEntry], bool]:
    return lambda entry: word in entry.search_text


def _midnight(day: date) -> datetime:
    """The beginning of a day where the person is."""
    return datetime.combine(day, time.min).astimezone()


class SortBy(Enum):
    """What jobs can be ordered by."""

    NAME = "name"
    STATE = "state"
    CREDITS = "credits"
    STARTED = "started"
    DURATION = "duration"
    WORKFLOW = "workflow"
    AREA = "area"
    JOB_ID = "job id"


_Key = Callable[[JobEntry, datetime], Any]
_KEYS: Dict[SortBy, _Key] = {
    SortBy.NAME: lambda entry, _now: entry.name.casefold() or None,
    SortBy.STATE: lambda entry, _now: entry.status,
    SortBy.CREDITS: lambda entry, _now: entry.charged if entry.held is None else entry.held,
    SortBy.STARTED: lambda entry, _now: entry.when,
    SortBy.DURATION: lambda entry, now: entry.seconds(now),
    SortBy.WORKFLOW: lambda entry, _now: entry.workflow.casefold() or None,
    SortBy.AREA: lambda entry, _now: entry.area_km2,
    SortBy.JOB_ID: lambda entry, _now: entry.job_id or None,
}


def newest_first(entries: Iterable[JobEntry]) -> List[JobEntry]:
    """The order in which jobs are shown when nothing else is asked for."""
    return sorted(entries, key=lambda entry: entry.when, reverse=True)


def arranged(newest: Sequence[JobEntry], by: SortBy, descending: bool, now: datetime) -> List[JobEntry]:
    """``newest`` (newest first) in another order; equal ones stay newest first, unknown values come last."""
    if by is SortBy.STARTED and descending:
        return list(newest)
    known: List[Tuple[Any, JobEntry]] = []
    unknown: List[JobEntry] = []
    key = _KEYS[by]
    for entry in newest:
        value = key(entry, now)
        if value is None:
            unknown.append(entry)
        else:
            known.append((value, entry))
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [entry for _, entry in known] + unknown
