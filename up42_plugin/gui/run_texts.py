"""How a run reads: its icon, and its state in one line."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import List, Optional, Sequence, Tuple

from up42_plugin.core.jobs import JobState
from up42_plugin.core.output_errors import NO_LAYER
from up42_plugin.core.run import WAITING_TO_DOWNLOAD, Phase, Run
from up42_plugin.gui.message_actions import FORGET, OPEN_FOLDER, SHOW_LOGS, SUBMIT_AGAIN, split_action
from up42_plugin.gui.texts import NBSP, count_text, credits_of, duration_text, state_text
from up42_plugin.gui.widgets import CANCELLED, ON_HOLD, QUEUED, RUNNING, SUCCESS, WARNING
from up42_plugin.qgis_bridge.sending import NOT_SUBMITTED

STATE_ICONS = {
    JobState.NOT_STARTED: ON_HOLD,
    JobState.WAITING: QUEUED,
    JobState.RUNNING: RUNNING,
    JobState.SUCCEEDED: SUCCESS,
    JobState.CANCELLING: CANCELLED,
    JobState.CANCELLED: CANCELLED,
    JobState.UNKNOWN: QUEUED,
}
WHILE_CLOSED = "finished while QGIS was closed"
_CHECKING = "No answer. Checking whether the job was sent; it is not sent twice."
_CHECKING_TO_CANCEL = "Checking whether the job was sent; if it was, it is cancelled."


def icon_of(run: Run) -> str:
    """The theme icon of the run's state."""
    if run.phase in (Phase.WAITING, Phase.SENDING, Phase.CHECKING):
        return QUEUED
    if run.phase is Phase.NOT_SUBMITTED:
        return CANCELLED if run.unwanted else WARNING
    if run.phase is Phase.FETCHING:
        return QUEUED if run.message == WAITING_TO_DOWNLOAD else RUNNING
    if run.paused:
        return ON_HOLD
    if run.message and run.succeeded:
        return WARNING
    return STATE_ICONS.get(run.state or JobState.UNKNOWN, WARNING)


def paused_text(percent: float) -> str:
    """``Paused at 62 %``; less while it is not known how much has come."""
    return "Paused" if percent < 0 else f"Paused at {int(percent)}{NBSP}%"


def line_of(run: Run, now: Optional[datetime] = None) -> str:
    """``Running, block 2/2, 3 min`` and the like."""
    if run.phase is Phase.CHECKING:
        return _CHECKING_TO_CANCEL if run.unwanted else _CHECKING
    if run.message:
        return split_action(run.message)[0]
    if run.phase is Phase.WAITING:
        return "Waiting for a free slot"
    if run.phase in (Phase.LOADED, Phase.PAUSED):
        return _loaded(run) if run.phase is Phase.LOADED else paused_text(run.percent)
    if run.phase is Phase.FETCHING:
        return "Downloading" if run.live else "Reading scenes"
    line = _on_service(run, now or datetime.now(timezone.utc))
    return f"{line}. {run.trouble} Trying again." if run.trouble else line


def actions_of(run: Run) -> Tuple[str, ...]:
    """What can be done about a run that did not go well, as the texts of its buttons."""
    if run.busy or not run.message:
        return ()
    if run.phase is Phase.NOT_SUBMITTED and run.message == NOT_SUBMITTED:
        return (SUBMIT_AGAIN, FORGET)
    if run.message == NO_LAYER:
        return (OPEN_FOLDER,)
    if run.state in (JobState.FAILED, JobState.ERROR) and run.message.startswith("Failed in "):
        return (SHOW_LOGS,)
    action = split_action(run.message)[1]
    return (action,) if action else ()


def batch_icon(runs: Sequence[Run]) -> str:
    """The theme icon of several jobs together."""
    busy = [run for run in runs if run.busy]
    if busy:
        return QUEUED if all(run.phase is Phase.WAITING for run in busy) else RUNNING
    return WARNING if any(run.failed and not run.unwanted for run in runs) else SUCCESS


def batch_line(name: str, runs: Sequence[Run]) -> str:
    """``Taormina: 2 of 3 jobs done, 1 running``."""
    done = sum(run.succeeded for run in runs)
    waiting = sum(run.phase is Phase.WAITING for run in runs)
    cancelled = sum(run.unwanted or run.state is JobState.CANCELLED for run in runs if run.failed)
    failed = sum(run.failed for run in runs) - cancelled
    parts: List[str] = [f"{name}: {done} of {len(runs)} jobs done"]
    counts = ((len(runs) - done - waiting - cancelled - failed, "running"), (waiting, "waiting"))
    for number, word in (*counts, (failed, "failed"), (cancelled, "cancelled")):
        if number:
            parts.append(f"{number} {word}")
    return ", ".join(parts)


def unsent_line(name: str, number: int, places: int) -> str:
    """``Taormina: 2 of 3 jobs not sent yet.``."""
    return f"{name}: not sent yet." if places == 1 else f"{name}: {number} of {places} jobs not sent yet."


def _loaded(run: Run) -> str:
    if not run.live:
        return count_text(len(run.scenes), "scene").capitalize() + " found"
    charged = f", {credits_of(run.credits_charged)} charged" if run.credits_charged is not None else ""
    return f"Succeeded{charged}, {count_text(run.layers, 'layer')} loaded"


def _on_service(run: Run, now: datetime) -> str:
    if run.job is None:
        return "Sending…"
    parts = [state_text(run.job.state, run.job.word)]
    if run.job.state is JobState.RUNNING and len(run.tasks) > 1:
        done = sum(task.state is JobState.SUCCEEDED for task in run.tasks)
        parts.append(f"block {min(done + 1, len(run.tasks))}/{len(run.tasks)}")
    failed = next((task for task in run.tasks if task.state in (JobState.FAILED, JobState.ERROR)), None)
    if failed is not None:
        parts = [f"Failed in {_title_of(run, failed.name)}"]
    if run.credits_charged is not None and run.live:
        parts.append(f"{credits_of(run.credits_charged)} charged")
    end = run.job.finished or now
    if run.job.started is not None:
        parts.append(duration_text((end - run.job.started).total_seconds()))
    if run.ended_while_closed:
        parts.append(WHILE_CLOSED)
    return ", ".join(parts)


def _title_of(run: Run, task_name: str) -> str:
    for step in run.configuration.workflow.steps:
        if step.name == task_name:
            return step.block.title
    return task_name
