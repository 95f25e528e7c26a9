"""What the cells of the tree of jobs hold."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Any, Callable, Dict, Optional

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QFont, QIcon

from up42_plugin.core.job_entry import JobEntry, TaskEntry
from up42_plugin.gui.job_texts import (
    area_column,
    credits_column,
    duration_column,
    icon_of,
    moment,
    second_line,
    spoken,
    state_of,
    task_credits,
    task_icon,
    task_line,
    tooltip,
)
from up42_plugin.gui.texts import duration_text, state_text
from up42_plugin.gui.widgets import theme_icon


class Column(IntEnum):
    """The columns; those from STARTED on are not shown unless asked for."""

    JOB = 0
    STATE = 1
    CREDITS = 2
    STARTED = 3
    DURATION = 4
    WORKFLOW = 5
    AREA = 6
    JOB_ID = 7


TITLES = ("Job", "State", "Credits", "Started", "Duration", "Workflow", "Area", "Job ID")
_NUMBERS = (Column.CREDITS, Column.DURATION, Column.AREA)
_RIGHT = int(Qt.AlignmentFlag.AlignRight) | int(Qt.AlignmentFlag.AlignVCenter)
_DISPLAY, _ICON = int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.DecorationRole)
_ALIGNMENT, _FONT = int(Qt.ItemDataRole.TextAlignmentRole), int(Qt.ItemDataRole.FontRole)
_TOOLTIP, _SPOKEN = int(Qt.ItemDataRole.ToolTipRole), int(Qt.ItemDataRole.AccessibleTextRole)

KIND_ROLE = int(Qt.ItemDataRole.UserRole)
ENTRY_ROLE, TASK_ROLE, SECOND_LINE_ROLE = KIND_ROLE + 1, KIND_ROLE + 2, KIND_ROLE + 3

Clock = Callable[[], datetime]


class Cells:
    """Answers for single cells; looks every icon up once only."""

    def __init__(self) -> None:
        self._icons: Dict[str, QIcon] = {}

    def header(self, column: Column, role: int) -> Any:
        """The title of a column."""
        if role == _DISPLAY:
            return TITLES[column]
        return _RIGHT if role == _ALIGNMENT and column in _NUMBERS else None

    def job(self, entry: JobEntry, column: Column, role: int, clock: Clock) -> Any:
        """A cell of a job's row."""
        if role >= KIND_ROLE:
            return {ENTRY_ROLE: entry, SECOND_LINE_ROLE: second_line(entry, clock())}.get(role)
        if role == _DISPLAY:
            return _job_text(entry, column, clock)
        if role == _ICON and column is Column.STATE:
            return self._icon(icon_of(entry))
        if role == _TOOLTIP:
            return tooltip(entry, clock())
        if role == _SPOKEN:
            return spoken(entry, clock()) if column is Column.JOB else _job_text(entry, column, clock)
        return _RIGHT if role == _ALIGNMENT and column in _NUMBERS else None

    def task(self, task: TaskEntry, column: Column, role: int, clock: Clock) -> Any:
        """A cell of a block's row."""
        if role >= KIND_ROLE:
            return {TASK_ROLE: task, SECOND_LINE_ROLE: task_line(task, clock())}.get(role)
        if role == _DISPLAY:
            return _task_text(task, column, clock)
        if role == _ICON and column is Column.STATE:
            return self._icon(task_icon(task))
        if role == _TOOLTIP:
            return f"{task.title}\n{task.name}"
        if role == _SPOKEN and column is Column.JOB:
            parts = (task.title, state_text(task.state, task.word), task_line(task, clock()))
            return ", ".join(filter(None, parts))
        return _RIGHT if role == _ALIGNMENT and column in _NUMBERS else None

    def note(self, text: str, bold: bool, column: Column, role: int) -> Any:
        """A row that is no job: a section's title, or that there is more."""
        if column is not Column.JOB:
            return None
        if role in (_DISPLAY, _SPOKEN):
            return text
        return _bold() if bold and role == _FONT else None

    def _icon(self, name: str) -> QIcon:
        icon = self._icons.get(name)
        if icon is None:
            icon = self._icons[name] = theme_icon(name)
        return icon


def _job_text(entry: JobEntry, column: Column, clock: Clock) -> str:
    if column is Column.DURATION:
        return duration_column(entry, clock())
    return _TEXTS[column](entry)


def _started(entry: JobEntry) -> str:
    return f"{entry.started.astimezone():%Y-%m-%d %H:%M}" if entry.started is not None else ""


_TEXTS: Dict[Column, Callable[[JobEntry], str]] = {
    Column.JOB: lambda entry: entry.name,
    Column.STATE: state_of,
    Column.CREDITS: credits_column,
    Column.STARTED: _started,
    Column.WORKFLOW: lambda entry: entry.workflow,
    Column.AREA: area_column,
    Column.JOB_ID: lambda entry: entry.job_id,
}


def _task_text(task: TaskEntry, column: Column, clock: Clock) -> Optional[str]:
    if column is Column.JOB:
        return task.title
    if column is Column.STATE:
        return state_text(task.state, task.word)
    if column is Column.CREDITS:
        return task_credits(task)
    if column is Column.STARTED and task.started is not None:
        return moment(task.started, clock())
    if column is Column.DURATION and task.started is not None and task.finished is not None:
        return duration_text((task.finished - task.started).total_seconds())
    return None


def _bold() -> QFont:
    font = QFont(QgsApplication.font())
    font.setBold(True)
    return font
