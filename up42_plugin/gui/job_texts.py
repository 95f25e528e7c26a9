"""How a job of the list reads: its state, its second line, its credits, and everything in its tooltip."""

from __future__ import annotations

from datetime import datetime
from typing import List, Optional, Tuple

from qgis.PyQt.QtCore import QDate, QLocale

from up42_plugin.core.job_entry import NOT_CHECKED, JobEntry, OnDisk, TaskEntry
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.run import WAITING_TO_DOWNLOAD, Phase
from up42_plugin.gui.message_actions import sentence_of
from up42_plugin.gui.run_texts import STATE_ICONS, WHILE_CLOSED, paused_text
from up42_plugin.gui.texts import (
    NBSP,
    area_text,
    count_text,
    credits_of,
    credits_text,
    duration_text,
    state_text,
    whole,
)
from up42_plugin.gui.widgets import CANCELLED, ON_HOLD, QUEUED, RUNNING, WARNING

CHECKING = "Checking whether it was sent"
_CHECKING_TIP = "No answer. Checking whether the job was sent; it is not sent twice."
_CHECKING_TO_CANCEL = "Checking whether the job was sent; if it was, it is cancelled."
# By the phase's value: what is so before the service has a job
_PHASES = {"WAITING": "Waiting", "SENDING": "Sending…", "CHECKING": CHECKING, "NOT_SUBMITTED": "Not submitted"}
_FAILED = "Failed: "
_DOWNLOADING = "Downloading"
# By how the worker's progress begins
_STAGES = (("Unpack", "Unpacking"), ("Prepar", "Preparing"), (WAITING_TO_DOWNLOAD, WAITING_TO_DOWNLOAD))
MODES = {Mode.LIVE: "Live jobs", Mode.TEST_QUERY: "Test queries"}


def state_of(entry: JobEntry) -> str:
    """``Running``, ``Downloading 62 %``, ``7 scenes`` and the like; words we do not know, as they came."""
    if entry.queue_position is not None and not entry.job_id:
        return state_text(JobState.WAITING, "")
    if entry.phase.value in _PHASES:
        return _PHASES[entry.phase.value]
    if entry.fetching or entry.paused:
        return _fetching(entry)
    if entry.succeeded and not entry.live and entry.scenes is not None:
        return count_text(entry.scenes, "scene").capitalize()
    if entry.state is None:
        return "Not checked"
    return state_text(JobState.CANCELLING if entry.cancelling else entry.state, entry.word)


def _fetching(entry: JobEntry) -> str:
    if not entry.live:
        return "Reading scenes"
    if entry.paused:
        return paused_text(entry.percent)
    for begins, text in _STAGES:
        if entry.message.startswith(begins):
            return text
    return _DOWNLOADING if entry.percent < 0 else f"{_DOWNLOADING} {int(entry.percent)}{NBSP}%"


def status_text(status: str) -> str:
    """The words of one of :attr:`JobEntry.status`, for the filter."""
    if status == NOT_CHECKED:
        return "Not checked"
    if status in _PHASES:
        return _PHASES[status].rstrip("…")
    return state_text(JobState(status), status) if status in JobState.__members__ else status


def icon_of(entry: JobEntry) -> str:
    """The theme icon of the state."""
    if entry.before_service or (entry.queue_position is not None and not entry.job_id):
        return QUEUED
    if entry.not_submitted:
        return CANCELLED if entry.unwanted else WARNING
    if entry.fetching:
        return QUEUED if entry.message == WAITING_TO_DOWNLOAD else RUNNING
    return ON_HOLD if entry.paused else _service_icon(entry)


def _service_icon(entry: JobEntry) -> str:
    if entry.state is None:
        return ON_HOLD
    if entry.cancelling:
        return CANCELLED
    return WARNING if entry.succeeded and entry.message else STATE_ICONS.get(entry.state, WARNING)


def task_icon(task: TaskEntry) -> str:
    """The theme icon of a block's state."""
    return STATE_ICONS.get(task.state, WARNING)


def moment(when: datetime, now: datetime) -> str:
    """``10:44`` today, ``20 Nov`` this year, else ``20 Nov 2025``: local time, the locale's names."""
    local, today = when.astimezone(), now.astimezone().date()
    if local.date() == today:
        return f"{local:%H:%M}"
    date = QDate(local.year, local.month, local.day)
    return QLocale().toString(date, "d MMM" if local.year == today.year else "d MMM yyyy").replace(" ", NBSP)


def second_line(entry: JobEntry, now: datetime) -> str:
    """``10:44, 3 min, block 2/2``; of a failed job the reason in few words; of a download ``62 %, 6 s left``."""
    if entry.downloading:
        return ", ".join(_coming(entry))
    return ", ".join([moment(entry.when, now), *_what(entry, now)])


def _coming(entry: JobEntry) -> List[str]:
    """How much of a download has come, and when it will be there; the state's column may be too narrow for it."""
    if entry.message == WAITING_TO_DOWNLOAD:
        return ["waiting for other downloads"]
    parts = entry.message.split(", ")
    if parts[0] != _DOWNLOADING:  # interrupted, continued or begun anew
        return [entry.message]
    come = parts[1] if len(parts) > 1 else ""
    percent = f"{int(entry.percent)}{NBSP}%" if entry.percent >= 0 else come
    left = parts[-1] if parts[-1].endswith(" left") else ""
    return [part for part in (percent, left) if part]


def _what(entry: JobEntry, now: datetime) -> List[str]:
    if entry.queue_position is not None and not entry.job_id:
        return [f"number {entry.queue_position} in the queue"]
    seconds = entry.seconds(now)
    lasted = [] if seconds is None else [duration_text(seconds)]
    return _ended_badly(entry, lasted) or _going_on(entry, lasted) or [*lasted, *_whereabouts(entry)]


def _ended_badly(entry: JobEntry, lasted: List[str]) -> List[str]:
    if entry.failed:
        return [short_reason(entry.message)] if short_reason(entry.message) else lasted
    if entry.state is JobState.CANCELLED:
        return [f"after {text}" for text in lasted]
    return []


def _going_on(entry: JobEntry, lasted: List[str]) -> List[str]:
    if entry.paused and entry.percent >= 0:
        return [f"{int(entry.percent)}{NBSP}%"]
    if entry.cancelling:
        return lasted
    if entry.trouble and entry.running:
        return [*lasted, f"{entry.trouble.rstrip('.')}, trying again"]
    if entry.running and entry.state is JobState.RUNNING and entry.block[1] > 1:
        return [*lasted, "block {}/{}".format(*entry.block)]
    if entry.message and not entry.fetching and not entry.failed and entry.message != _PHASES.get(entry.phase.value):
        return [sentence_of(entry.message).rstrip(".")]
    return []


def _whereabouts(entry: JobEntry) -> List[str]:
    if not entry.live or not entry.succeeded:
        return []
    if entry.layers:
        return ["loaded"]
    if entry.while_closed:
        return [WHILE_CLOSED]
    return ["on disk"] if entry.on_disk is OnDisk.SOMETHING else []


def short_reason(message: str) -> str:
    """``no images found`` of ``Failed: no images found.``; nothing where there is no more than that it failed."""
    text = message[len(_FAILED) :] if message.startswith(_FAILED) else message
    text = sentence_of(text).strip().rstrip(".")
    return "" if text == "Failed" else text


def credits_column(entry: JobEntry) -> str:
    """``13 held`` while it runs, then the number charged; 0 for test queries, nothing while it is not known."""
    if not entry.live:
        return whole(0)
    if entry.held is not None:
        return f"{whole(entry.held)}{NBSP}held"
    return whole(entry.charged) if entry.charged is not None else ""


def task_line(task: TaskEntry, now: datetime) -> str:
    """``10:44, 1 min``; ``10:45, 2 min so far``; ``waits for block 1``."""
    if task.waits_for:
        return f"waits for block {task.waits_for}"
    if task.started is None:
        return ""
    running = task.finished is None and not task.state.terminal
    if task.finished is None and not running:
        return moment(task.started, now)
    seconds = ((task.finished or now) - task.started).total_seconds()
    return f"{moment(task.started, now)}, {duration_text(seconds)}" + (" so far" if running else "")


def task_credits(task: TaskEntry) -> str:
    """What a block was charged, where that is told."""
    return whole(task.charged) if task.charged is not None else ""


def duration_column(entry: JobEntry, now: datetime) -> str:
    """``3 min``."""
    seconds = entry.seconds(now)
    return "" if seconds is None else duration_text(seconds)


def area_column(entry: JobEntry) -> str:
    """``2.01 km²``."""
    return "" if entry.area_km2 is None else area_text(entry.area_km2)


def facts(entry: JobEntry, now: datetime) -> Tuple[Tuple[str, str], ...]:
    """Everything that is known, as names and values."""
    rows: List[Tuple[str, Optional[str]]] = [
        ("State", state_of(entry)),
        ("Progress" if entry.fetching else "Reason", _reason(entry)),
        ("Workflow", entry.workflow),
        ("Area", area_column(entry)),
        ("Started", f"{entry.started.astimezone():%Y-%m-%d %H:%M}" if entry.started else None),
        ("Duration", duration_column(entry, now)),
        ("Estimation", _estimation(entry)),
        ("Held now", credits_of(entry.held) if entry.held is not None else None),
        ("Charged", credits_of(entry.charged) if entry.charged is not None and entry.live else None),
        ("Returned", credits_of(entry.returned) if entry.returned else None),
        ("Usage", entry.usage),
        ("Job ID", entry.job_id),
    ]
    return tuple((name, value) for name, value in rows if value)


def _reason(entry: JobEntry) -> str:
    """Why it stands as it does, without what the buttons are for."""
    if entry.phase is Phase.CHECKING:
        return _CHECKING_TO_CANCEL if entry.unwanted else _CHECKING_TIP
    if entry.trouble and entry.running:
        return f"{entry.trouble} Trying again."
    return sentence_of(entry.message)


def _estimation(entry: JobEntry) -> Optional[str]:
    """The price that was agreed to; a job without estimation was agreed to up to a limit."""
    if entry.estimated is None:
        return None
    if entry.blocked is None:
        return f"Not available, at most {credits_of(entry.estimated.maximum)}"
    return credits_text(entry.estimated)


def tooltip(entry: JobEntry, now: datetime) -> str:
    """The name, and a line for each fact. Plain text."""
    return "\n".join([entry.name, *(f"{name}: {value}" for name, value in facts(entry, now))])


def spoken(entry: JobEntry, now: datetime) -> str:
    """The whole row for a screen reader."""
    parts = [entry.name, state_of(entry), second_line(entry, now)]
    held = credits_column(entry)
    return ", ".join([*parts, f"{held} credits"] if held else parts)
