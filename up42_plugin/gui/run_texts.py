"""How a run reads: its icon, and its state in one line."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Optional

from up42_plugin.core.jobs import JobState
from up42_plugin.core.run import Phase, Run
from up42_plugin.gui.texts import count_text, credits_of, duration_text, state_text
from up42_plugin.gui.widgets import CANCELLED, ON_HOLD, QUEUED, RUNNING, SUCCESS, WARNING

STATE_ICONS = {
    JobState.NOT_STARTED: ON_HOLD,
    JobState.WAITING: QUEUED,
    JobState.RUNNING: RUNNING,
    JobState.SUCCEEDED: SUCCESS,
    JobState.CANCELLING: CANCELLED,
    JobState.CANCELLED: CANCELLED,
    JobState.UNKNOWN: QUEUED,
}
_CHECKING = "No answer. Checking whether the job was sent; it is not sent twice."
_CHECKING_TO_CANCEL = "Checking whether the job was sent; if it was, it is cancelled."


def icon_of(run: Run) -> str:
    """The theme icon of the run's state."""
    if run.phase in (Phase.SENDING, Phase.CHECKING):
        return QUEUED
    if run.phase is Phase.NOT_SUBMITTED:
        return CANCELLED if run.unwanted else WARNING
    if run.phase is Phase.FETCHING:
        return RUNNING
    if run.message and run.succeeded:
        return WARNING
    return STATE_ICONS.get(run.state or JobState.UNKNOWN, WARNING)


def line_of(run: Run, now: Optional[datetime] = None) -> str:
    """``Running, block 2/2, 3 min`` and the like."""
    if run.phase is Phase.CHECKING:
        return _CHECKING_TO_CANCEL if run.unwanted else _CHECKING
    if run.message:
        return run.message
    if run.phase is Phase.LOADED:
        return _loaded(run)
    if run.phase is Phase.FETCHING:
        return "Downloading" if run.live else "Reading scenes"
    line = _on_service(run, now or datetime.now(timezone.utc))
    return f"{line}. {run.trouble} Trying again." if run.trouble else line


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
    return ", ".join(parts)


def _title_of(run: Run, task_name: str) -> str:
    for step in run.configuration.workflow.steps:
        if step.name == task_name:
            return step.block.title
    return task_name
