"""What can be done with jobs of the list: what is offered, what is grey now and why, what the service lacks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Callable, Dict, Optional, Sequence, Tuple

from up42_plugin.core.job_entry import JobEntry, OnDisk
from up42_plugin.core.service import Capabilities


class JobCommand(str, Enum):
    """A command of the person about jobs."""

    LOAD_OUTPUT = "loadOutput"
    LOAD_TASK = "loadTaskOutput"
    PAUSE = "pauseDownload"
    RESUME = "resumeDownload"
    STOP_LOADING = "stopLoading"
    SHOW_SCENES = "showScenes"
    QUICKLOOKS = "showQuicklooks"
    ZOOM = "zoomToArea"
    LOGS = "showLogs"
    SUBMIT_AGAIN = "submitAgain"
    FORGET = "forgetIt"
    CLONE = "cloneToNewJob"
    RERUN_LIVE = "rerunAsLiveJob"
    RUN_LIVE = "runAsLiveJob"
    TEST_AGAIN = "runTestQueryAgain"
    RENAME = "renameJob"
    COPY_ID = "copyJobId"
    COPY_JSON = "copyJson"
    COPY_CURL = "copyCurl"
    OPEN_FOLDER = "openFolder"
    SUPPORT_REPORT = "supportReport"
    CANCEL = "cancelJob"
    DELETE_FILES = "deleteLocalFiles"


_C = JobCommand
# Both menus in their order; None is a line between groups.
LIVE_MENU: Tuple[Optional[JobCommand], ...] = (
    _C.SUBMIT_AGAIN, _C.FORGET, None,
    _C.LOAD_OUTPUT, _C.PAUSE, _C.RESUME, _C.STOP_LOADING, _C.LOAD_TASK, _C.QUICKLOOKS, _C.ZOOM, _C.LOGS, None,
    _C.CLONE, _C.RERUN_LIVE, _C.RENAME, None,
    _C.COPY_ID, _C.OPEN_FOLDER, _C.SUPPORT_REPORT, None,
    _C.CANCEL, _C.DELETE_FILES,
)  # fmt: skip
TEST_MENU: Tuple[Optional[JobCommand], ...] = (
    _C.SUBMIT_AGAIN, _C.FORGET, None,
    _C.SHOW_SCENES, _C.STOP_LOADING, _C.QUICKLOOKS, _C.ZOOM, _C.LOGS, None,
    _C.RUN_LIVE, _C.TEST_AGAIN, _C.CLONE, _C.RENAME, None,
    _C.COPY_ID, _C.SUPPORT_REPORT, None,
    _C.CANCEL,
)  # fmt: skip
COPYING = (JobCommand.COPY_ID, JobCommand.COPY_JSON, JobCommand.COPY_CURL)
SEVERAL = frozenset({
    _C.LOAD_OUTPUT, _C.PAUSE, _C.RESUME, _C.STOP_LOADING,
    _C.QUICKLOOKS, _C.COPY_ID, _C.CANCEL, _C.DELETE_FILES, _C.FORGET,
})  # fmt: skip
"""What makes sense for several jobs at once."""

_TEXTS = {
    _C.LOAD_OUTPUT: "Load Output",
    _C.LOAD_TASK: "Load Task Output",
    _C.PAUSE: "Pause",
    _C.RESUME: "Resume",
    _C.STOP_LOADING: "Stop Loading",
    _C.SHOW_SCENES: "Show Scenes",
    _C.QUICKLOOKS: "Show Quicklooks",
    _C.ZOOM: "Zoom to Area",
    _C.LOGS: "Logs…",
    _C.SUBMIT_AGAIN: "Submit Again…",
    _C.FORGET: "Forget It",
    _C.CLONE: "Clone to New Job",
    _C.RERUN_LIVE: "Re-run as Live Job…",
    _C.RUN_LIVE: "Run This as Live Job…",
    _C.TEST_AGAIN: "Run Test Query Again",
    _C.RENAME: "Rename…",
    _C.COPY_ID: "Job ID",
    _C.COPY_JSON: "Configuration as JSON",
    _C.COPY_CURL: "Configuration as curl",
    _C.OPEN_FOLDER: "Open Folder",
    _C.SUPPORT_REPORT: "Support Report…",
    _C.CANCEL: "Cancel Job…",
    _C.DELETE_FILES: "Delete Local Files…",
}
ICONS = {
    _C.LOAD_OUTPUT: "/mActionAddRasterLayer.svg",
    _C.LOAD_TASK: "/mActionAddRasterLayer.svg",
    _C.PAUSE: "/temporal_navigation/pause.svg",
    _C.RESUME: "/mActionStart.svg",
    _C.STOP_LOADING: "/mTaskCancel.svg",
    _C.SHOW_SCENES: "/mIconRaster.svg",
    _C.QUICKLOOKS: "/mIconRaster.svg",
    _C.ZOOM: "/mActionZoomToLayer.svg",
    _C.LOGS: "/mMessageLog.svg",
    _C.SUBMIT_AGAIN: "/mActionStart.svg",
    _C.CLONE: "/mActionEditCopy.svg",
    _C.RERUN_LIVE: "/mActionStart.svg",
    _C.RUN_LIVE: "/mActionStart.svg",
    _C.TEST_AGAIN: "/mActionRefresh.svg",
    _C.OPEN_FOLDER: "/mActionFileOpen.svg",
    _C.CANCEL: "/mTaskCancel.svg",
    _C.DELETE_FILES: "/mActionDeleteSelected.svg",
}


def text_of(command: JobCommand, live: bool) -> str:
    """The command's text in the menu of a live job or of a test query."""
    if command is _C.STOP_LOADING and live:
        return "Cancel Download"
    return "Show Quicklooks on Map" if command is _C.QUICKLOOKS and not live else _TEXTS[command]


def menu_of(entry: JobEntry) -> Tuple[Optional[JobCommand], ...]:
    """The commands of a row, in their order."""
    return LIVE_MENU if entry.live else TEST_MENU


def first_command(entry: JobEntry) -> JobCommand:
    """What Return does, and the first button does."""
    if entry.not_submitted:
        return _C.SUBMIT_AGAIN
    if entry.live and (entry.paused or entry.fetching):
        return _C.RESUME if entry.paused else _C.PAUSE
    return _C.LOAD_OUTPUT if entry.live else _C.SHOW_SCENES


@dataclass(frozen=True)
class Offer:
    """``shown`` unless the service lacks it or it has no meaning here; ``why_not`` is empty when it can be done now."""

    shown: bool = True
    why_not: str = ""

    @property
    def possible(self) -> bool:
        """Whether it can be done now."""
        return self.shown and not self.why_not


_Rule = Callable[[JobEntry], str]
_NOT_YET = "The service does not have this job yet."
_NEVER = "The service never got this job."
_PAUSED = "Its download is paused: resume or cancel it first."


def offer_of(command: JobCommand, entries: Sequence[JobEntry], capabilities: Capabilities) -> Offer:
    """Whether a command is offered for the selected jobs, and if it is not possible now, why.

    Of several jobs it is possible when it is for one of them: it is done for those.
    """
    if not entries:
        return Offer(why_not="Select a job first.")
    meant = [entry for entry in entries if _means(command, entry) and _served(command, entry, capabilities)]
    if not meant:
        return Offer(shown=False)
    if len(entries) > 1 and command not in SEVERAL:
        return Offer(why_not="Select one job only.")
    reasons = [_RULES.get(command, _always)(entry) for entry in meant]
    return Offer(why_not="" if "" in reasons else reasons[0])


def those_able(command: JobCommand, entries: Sequence[JobEntry], capabilities: Capabilities) -> Tuple[JobEntry, ...]:
    """The selected jobs that a command is done for."""
    return tuple(entry for entry in entries if offer_of(command, (entry,), capabilities).possible)


def _served(command: JobCommand, entry: JobEntry, capabilities: Capabilities) -> bool:
    """Whether the service can do it; what has not been sent yet is cancelled here."""
    return {
        _C.LOAD_TASK: capabilities.task_outputs,
        _C.LOGS: capabilities.logs,
        _C.RENAME: capabilities.rename_job,
        _C.CANCEL: capabilities.cancel_job or not entry.job_id,
    }.get(command, True)


def _means(command: JobCommand, entry: JobEntry) -> bool:
    """Whether a command is about a job of this kind and in this stage at all."""
    if command in (_C.SUBMIT_AGAIN, _C.FORGET):
        return entry.not_submitted
    if command is _C.STOP_LOADING:
        return entry.fetching or entry.paused
    if command in (_C.LOAD_OUTPUT, _C.PAUSE, _C.RESUME) and entry.live:
        return command is (_C.RESUME if entry.paused else _C.PAUSE if entry.fetching else _C.LOAD_OUTPUT)
    return command in COPYING or command in menu_of(entry)


def _always(_entry: JobEntry) -> str:
    return ""


def _has_job(entry: JobEntry) -> str:
    if entry.job_id:
        return ""
    return _NEVER if entry.not_submitted else _NOT_YET


def _is_over(entry: JobEntry) -> str:
    return _has_job(entry) or ("It has not ended yet." if entry.running else "")


def _output(entry: JobEntry) -> str:
    if entry.fetching:
        return "It is being loaded."
    if entry.failed:
        return "It failed: there is no output."
    return _is_over(entry) or ("" if entry.succeeded else "It left no output.")


def _pause(entry: JobEntry) -> str:
    return "" if entry.downloading else "Only a download can be paused."


def _task_output(entry: JobEntry) -> str:
    if entry.fetching or entry.paused:
        return "It is being loaded." if entry.fetching else _PAUSED
    if entry.tasks is not None and not any(task.has_output for task in entry.tasks):
        return "No block of it has succeeded."
    return _has_job(entry)


def _scenes(entry: JobEntry) -> str:
    return _output(entry) or ("It found no scenes." if entry.scenes == 0 else "")


def _quicklooks(entry: JobEntry) -> str:
    if not entry.live:
        return _scenes(entry)
    return _task_output(entry) or ("" if entry.succeeded or entry.tasks else "It has no output yet.")


def _area(entry: JobEntry) -> str:
    return "" if entry.area_km2 is not None else "Its area is not known."


def _files(entry: JobEntry) -> str:
    if entry.fetching:
        return "It is being loaded."
    unseen = entry.on_disk is OnDisk.UNKNOWN and entry.running
    return "Nothing of it is on disk." if entry.on_disk is OnDisk.NOTHING or unseen or not entry.job_id else ""


def _delete(entry: JobEntry) -> str:
    return _PAUSED if entry.paused else _files(entry)


def _cancel(entry: JobEntry) -> str:
    if entry.not_submitted:
        return _NEVER
    if entry.cancelling:
        return "It is being cancelled."
    return "" if entry.running or entry.queue_position is not None else "It has ended."


_RULES: Dict[JobCommand, _Rule] = {
    _C.LOAD_OUTPUT: _output,
    _C.LOAD_TASK: _task_output,
    _C.PAUSE: _pause,
    _C.SHOW_SCENES: _scenes,
    _C.QUICKLOOKS: _quicklooks,
    _C.ZOOM: _area,
    _C.LOGS: _has_job,
    _C.RERUN_LIVE: _is_over,
    _C.RUN_LIVE: _is_over,
    _C.TEST_AGAIN: _is_over,
    _C.RENAME: _has_job,
    _C.COPY_ID: _has_job,
    _C.OPEN_FOLDER: _files,
    _C.SUPPORT_REPORT: _has_job,
    _C.CANCEL: _cancel,
    _C.DELETE_FILES: _delete,
}
