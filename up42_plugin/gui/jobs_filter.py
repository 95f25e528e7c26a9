"""What jobs are looked for: words, and below them a panel of states, workflows and dates."""

from __future__ import annotations

from datetime import date
from typing import Iterable, List, Optional, Tuple

from qgis.gui import QgsCheckableComboBox, QgsDateEdit, QgsFilterLineEdit
from qgis.PyQt.QtCore import QDate, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.job_search import JobFilter
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.gui.job_texts import MODES, status_text
from up42_plugin.gui.widgets import tool_button

_ORDER = [state.value for state in JobState]


class JobsFilterPanel(QWidget):
    """The search line with its filter button, and the panel that it opens. ``changed(JobFilter)`` for every change."""

    changed = pyqtSignal(object)

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._statuses: Tuple[str, ...] = ()
        self._workflows: Tuple[str, ...] = ()
        self._quiet = False
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.search = QgsFilterLineEdit()
        self.search.setObjectName("searchJobs")
        self.search.setPlaceholderText("Search jobs")
        self.search.setAccessibleName("Search jobs")
        self.search.setShowSearchIcon(True)
        self.button = tool_button("/mActionFilter2.svg", "Filter by kind, state, workflow and date", "filterJobs")
        self.button.setCheckable(True)
        self.row = QHBoxLayout()
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.addWidget(self.search, 1)
        self.row.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self.row)
        layout.addWidget(self._make_panel())
        self.search.textChanged.connect(self._tell)
        self.button.toggled.connect(self._panel.setVisible)

    def _make_panel(self) -> QWidget:
        self._panel = QWidget()
        form = QFormLayout(self._panel)
        form.setContentsMargins(0, 0, 0, 0)
        self.mode = QComboBox()
        self.mode.setObjectName("filterMode")
        for text, mode in (("All", None), *((text, mode) for mode, text in MODES.items())):
            self.mode.addItem(text, None if mode is None else mode.value)
        self.states = _checkable("filterStates", "Any State")
        self.workflows = _checkable("filterWorkflows", "Any Workflow")
        self.since, self.until = _day("filterSince"), _day("filterUntil")
        days = QHBoxLayout()
        days.addWidget(self.since, 1)
        days.addWidget(QLabel("to"))
        days.addWidget(self.until, 1)
        clear = QToolButton()
        clear.setText("Clear Filter")
        clear.setObjectName("clearFilter")
        clear.clicked.connect(self.clear_panel)
        for text, field in (("Kind", self.mode), ("State", self.states), ("Workflow", self.workflows)):
            field.setAccessibleName(text)
            form.addRow(text, field)
        form.addRow("Date", days)
        form.addRow("", clear)
        self.mode.currentIndexChanged.connect(self._tell)
        for combo in (self.states, self.workflows):
            combo.checkedItemsChanged.connect(self._tell)
        for edit in (self.since, self.until):
            edit.dateChanged.connect(self._tell)
        self._panel.hide()
        return self._panel

    @property
    def wanted(self) -> JobFilter:
        """What is asked for now."""
        mode = self.mode.currentData()
        return JobFilter(
            text=self.search.text(),
            mode=None if mode is None else Mode(mode),
            statuses=frozenset(_checked(self.states, self._statuses)),
            workflows=frozenset(_checked(self.workflows, self._workflows)),
            since=_date_of(self.since),
            until=_date_of(self.until),
        )

    def offer(self, entries: Iterable[JobEntry]) -> None:
        """Offer the states and workflows that occur; what is ticked stays ticked, and offered."""
        entries = tuple(entries)
        ticked = self.wanted
        statuses = {entry.status for entry in entries} | ticked.statuses
        workflows = {entry.workflow for entry in entries if entry.workflow} | ticked.workflows
        order = sorted(statuses, key=lambda word: (_ORDER.index(word) if word in _ORDER else len(_ORDER), word))
        self._quiet = True
        if tuple(order) != self._statuses:
            self._statuses = tuple(order)
            _fill(self.states, [status_text(word) for word in order], [word in ticked.statuses for word in order])
        names = tuple(sorted(workflows, key=str.casefold))
        if names != self._workflows:
            self._workflows = names
            _fill(self.workflows, names, [name in ticked.workflows for name in names])
        self._quiet = False

    def clear(self) -> None:
        """Let all pass."""
        self._quiet = True
        self.search.clear()
        self._quiet = False
        self.clear_panel()

    def clear_panel(self) -> None:
        """Ask for the words of the search only."""
        self._quiet = True
        self.mode.setCurrentIndex(0)
        self.states.deselectAllOptions()
        self.workflows.deselectAllOptions()
        for edit in (self.since, self.until):
            edit.clear()
        self._quiet = False
        self._tell()

    def _tell(self, *_: object) -> None:
        if self._quiet:
            return
        wanted = self.wanted
        text = "Filter by kind, state, workflow and date"
        # The icon alone does not tell that jobs are kept out while the panel is shut
        self.button.setText("On" if wanted.narrowed else "")
        styles = Qt.ToolButtonStyle
        style = styles.ToolButtonTextBesideIcon if wanted.narrowed else styles.ToolButtonIconOnly
        self.button.setToolButtonStyle(style)
        self.button.setAccessibleName(f"{text}, filter is on" if wanted.narrowed else text)
        self.changed.emit(wanted)


def _checkable(name: str, default: str) -> QgsCheckableComboBox:
    combo = QgsCheckableComboBox()
    combo.setObjectName(name)
    combo.setDefaultText(default)
    combo.setMinimumContentsLength(8)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return combo


def _day(name: str) -> QgsDateEdit:
    edit = QgsDateEdit()
    edit.setObjectName(name)
    edit.setAllowNull(True)
    edit.setNullRepresentation("Any day")
    edit.setDisplayFormat("yyyy-MM-dd")
    edit.setCalendarPopup(True)
    edit.clear()
    return edit


def _date_of(edit: QgsDateEdit) -> Optional[date]:
    day: QDate = edit.date()
    if edit.isNull() or not day.isValid():
        return None
    return date(day.year(), day.month(), day.day())


def _fill(combo: QgsCheckableComboBox, texts: Iterable[str], ticks: List[bool]) -> None:
    combo.clear()
    for text, ticked in zip(texts, ticks):
        combo.addItemWithCheckState(text, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)


def _checked(combo: QgsCheckableComboBox, values: Tuple[str, ...]) -> List[str]:
    """The values whose rows are ticked; the texts of two values may be the same."""
    ticked = Qt.CheckState.Checked
    return [value for row, value in enumerate(values) if Qt.CheckState(combo.itemCheckState(row)) == ticked]
