"""The jobs as a tree: two sections, their jobs, and the blocks of each job."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple

from qgis.PyQt.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt

from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.job_search import JobFilter, SortBy, arranged, matching
from up42_plugin.core.jobs import Mode
from up42_plugin.gui.job_cells import KIND_ROLE, Cells, Column
from up42_plugin.gui.jobs_rows import Kind, Older, removals, runs_of_new
from up42_plugin.gui.texts import whole

STEP = 200  # jobs of a section that are shown at first, and how many more each time

_SECTIONS = (Mode.LIVE, Mode.TEST_QUERY)
_OLDER_ROW = len(_SECTIONS)
_TASKS = len(_SECTIONS) + 1  # internal ids from here on are those of jobs whose blocks are meant
_COLUMNS = len(Column)
_SORTS = {
    Column.JOB: SortBy.NAME,
    Column.STATE: SortBy.STATE,
    Column.CREDITS: SortBy.CREDITS,
    Column.STARTED: SortBy.STARTED,
    Column.DURATION: SortBy.DURATION,
    Column.WORKFLOW: SortBy.WORKFLOW,
    Column.AREA: SortBy.AREA,
    Column.JOB_ID: SortBy.JOB_ID,
}
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)


class JobsModel(QAbstractItemModel):
    """Shows entries, changes only what changed, and so leaves selection and opened rows alone.

    An index's internal id tells its parent: 0 for the top, 1 and 2 for the sections, from 3 on for jobs, by a number
    that a job keeps. ``clock`` gives the time now, aware.
    """

    def __init__(self, clock: Callable[[], datetime], parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._cells = Cells()
        self._entries: Dict[str, JobEntry] = {}
        self._newest: Tuple[JobEntry, ...] = ()
        self._arranged: Dict[Mode, List[JobEntry]] = {mode: [] for mode in _SECTIONS}
        self._matching: Dict[Mode, List[str]] = {mode: [] for mode in _SECTIONS}
        self._rows: Dict[Mode, List[str]] = {mode: [] for mode in _SECTIONS}
        self._row_of: Dict[str, int] = {}
        self._more: Dict[Mode, bool] = dict.fromkeys(_SECTIONS, False)
        self._limits: Dict[Mode, int] = dict.fromkeys(_SECTIONS, STEP)
        self._numbers: Dict[str, int] = {}
        self._by_number: Dict[int, str] = {}
        self._older = Older.NONE
        self._filter = JobFilter()
        self._by, self._descending = SortBy.STARTED, True

    # -- what is shown

    def show_entries(self, newest: Sequence[JobEntry]) -> bool:
        """Show these, given newest first; an entry that is the same object as before has not changed.

        False when nothing has changed, as after most looks at the service.
        """
        newest = tuple(newest)
        if newest == self._newest and self._by is not SortBy.DURATION:  # durations change by themselves
            return False
        before, now = self._entries, {entry.key: entry for entry in newest}
        changed = [entry for key, entry in now.items() if key in before and before[key] is not entry]
        self._newest = newest
        self._entries = {**now, **before}
        for entry in changed:
            self._change(entry)
        self._arrange()
        self._entries = now
        for entry in changed:
            self._tell_changed(entry.key)
        return True

    def set_filter(self, wanted: JobFilter) -> None:
        """Show only those that pass."""
        if wanted != self._filter:
            self._filter = wanted
            self._limits = dict.fromkeys(_SECTIONS, STEP)
            self._match()

    def set_older(self, older: Older) -> None:
        """Whether the last row offers older jobs of the service."""
        if older is self._older:
            return
        had, has = self._older is not Older.NONE, older is not Older.NONE
        if has and not had:
            self.beginInsertRows(QModelIndex(), _OLDER_ROW, _OLDER_ROW)
            self._older = older
            self.endInsertRows()
        elif had and not has:
            self.beginRemoveRows(QModelIndex(), _OLDER_ROW, _OLDER_ROW)
            self._older = older
            self.endRemoveRows()
        else:
            self._older = older
            index = self.index(_OLDER_ROW, 0)
            self.dataChanged.emit(index, index)

    def show_more(self, section: QModelIndex) -> None:
        """Show more of the jobs that are known in a section."""
        mode = _SECTIONS[section.row()]
        self._limits[mode] += STEP
        self._show(mode)

    def tick(self) -> None:
        """Time has passed: what is running has been running for longer."""
        for mode in _SECTIONS:
            for key in self._rows[mode]:
                if self._entries[key].running:
                    self._tell_changed(key)

    def forget_icons(self) -> None:
        """The theme has changed."""
        self._cells = Cells()

    # -- questions of the view

    def section(self, mode: Mode) -> QModelIndex:
        """The row of a section."""
        return self.index(_SECTIONS.index(mode), 0)

    def index_of(self, key: str) -> QModelIndex:
        """The row of a job; invalid when it is not shown."""
        row = self._row_of.get(key)
        if row is None:
            return QModelIndex()
        return self.createIndex(row, 0, _SECTIONS.index(self._entries[key].mode) + 1)

    def reveal(self, key: str) -> QModelIndex:
        """The row of a job, shown now if it was only waiting to be; invalid when it does not pass the filter."""
        entry = self._entries.get(key)
        if entry is not None and key not in self._row_of and key in self._matching[entry.mode]:
            self._limits[entry.mode] = self._matching[entry.mode].index(key) + STEP
            self._show(entry.mode)
        return self.index_of(key)

    def entry(self, index: QModelIndex) -> Optional[JobEntry]:
        """The job of a row, also of a row of one of its blocks."""
        number = int(index.internalId()) if index.isValid() else 0
        if number >= _TASKS:
            return self._entries.get(self._by_number[number])
        if number and index.row() < len(self._rows[_SECTIONS[number - 1]]):
            return self._entries[self._rows[_SECTIONS[number - 1]][index.row()]]
        return None

    def kind(self, index: QModelIndex) -> Kind:
        """What a valid row is."""
        number = int(index.internalId())
        if number == 0:
            return Kind.OLDER if index.row() == _OLDER_ROW else Kind.SECTION
        if number < _TASKS:
            return Kind.JOB if index.row() < len(self._rows[_SECTIONS[number - 1]]) else Kind.MORE
        return Kind.TASK if self._entries[self._by_number[number]].tasks else Kind.READING

    @property
    def matches(self) -> int:
        """How many jobs pass the filter."""
        return sum(len(keys) for keys in self._matching.values())

    @property
    def known(self) -> int:
        """How many jobs there are."""
        return len(self._newest)

    # -- Qt's questions

    def index(self, row: int, column: int, parent: QModelIndex = QModelIndex()) -> QModelIndex:  # noqa: B008
        if row < 0 or not 0 <= column < _COLUMNS or row >= self.rowCount(parent):
            return QModelIndex()
        return self.createIndex(row, column, self._id_below(parent))

    def _id_below(self, parent: QModelIndex) -> int:
        """The internal id of the rows below a row."""
        if not parent.isValid():
            return 0
        if parent.internalId() == 0:
            return parent.row() + 1
        return self._numbers[self._rows[_SECTIONS[int(parent.internalId()) - 1]][parent.row()]]

    def parent(self, child: QModelIndex) -> QModelIndex:  # type: ignore[override]
        number = int(child.internalId()) if child.isValid() else 0
        if number == 0:
            return QModelIndex()
        if number < _TASKS:
            return self.createIndex(number - 1, 0, 0)
        return self.index_of(self._by_number[number])

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name, Qt's default
        if not parent.isValid():
            return len(_SECTIONS) + (self._older is not Older.NONE)
        if parent.column() > 0:
            return 0
        number = int(parent.internalId())
        if number == 0:
            if parent.row() == _OLDER_ROW:
                return 0
            mode = _SECTIONS[parent.row()]
            return len(self._rows[mode]) + self._more[mode]
        if number < _TASKS and self.kind(parent) is Kind.JOB:
            entry = self.entry(parent)
            return 0 if entry is None else _task_rows(entry)
        return 0

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name, Qt's default
        return _COLUMNS

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:  # noqa: N802
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < _COLUMNS:
            return None
        return self._cells.header(Column(section), role)

    def data(self, index: QModelIndex, role: int = _DISPLAY) -> Any:
        if not index.isValid():
            return None
        kind, column = self.kind(index), Column(index.column())
        entry = self.entry(index)
        if role == KIND_ROLE:
            return kind
        if kind is Kind.JOB:
            return self._cells.job(entry, column, role, self._clock) if entry is not None else None
        if kind is Kind.TASK:
            tasks = entry.tasks if entry is not None else None
            return self._cells.task(tasks[index.row()], column, role, self._clock) if tasks else None
        return self._cells.note(self._note(kind, index), kind is Kind.SECTION, column, role)

    def _note(self, kind: Kind, index: QModelIndex) -> str:
        if kind is Kind.OLDER:
            return self._older.value
        if kind is Kind.READING:
            entry = self.entry(index)
            return (entry.tasks_trouble if entry is not None else "") or "Reading its blocks…"
        mode = _SECTIONS[index.row() if kind is Kind.SECTION else int(index.internalId()) - 1]
        found, there = len(self._matching[mode]), len(self._arranged[mode])
        if kind is Kind.MORE:
            return f"Show more of {whole(found - len(self._rows[mode]))}"
        count = whole(found) if found == there else f"{whole(found)} of {whole(there)}"
        return f"{'Live jobs' if mode is Mode.LIVE else 'Test queries'} ({count})"

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the jobs within their sections."""
        self._by, self._descending = _SORTS[Column(column)], order == Qt.SortOrder.DescendingOrder
        self._arrange()

    # -- bringing the rows to where they belong

    def _arrange(self) -> None:
        for mode in _SECTIONS:
            ours = [entry for entry in self._newest if entry.mode is mode]
            self._arranged[mode] = arranged(ours, self._by, self._descending, self._clock())
        self._match()

    def _match(self) -> None:
        for mode in _SECTIONS:
            before = (len(self._matching[mode]), self._note(Kind.SECTION, self.section(mode)))
            self._matching[mode] = [entry.key for entry in matching(self._arranged[mode], self._filter)]
            self._show(mode)
            if before != (len(self._matching[mode]), self._note(Kind.SECTION, self.section(mode))):
                self.dataChanged.emit(self.section(mode), self.section(mode))

    def _show(self, mode: Mode) -> None:
        """Bring a section's rows to those that match, as far as they are shown: remove, reorder, insert."""
        target = self._matching[mode][: self._limits[mode]]
        more = len(target) < len(self._matching[mode])
        if self._more[mode] and not more:
            self._set_more(mode, False)
        wanted = set(target)
        for first, last in removals(self._rows[mode], wanted):
            self._remove(mode, first, last)
        self._reorder(mode, target)
        for first, keys in runs_of_new(self._rows[mode], target):
            self._insert(mode, first, keys)
        if more and not self._more[mode]:
            self._set_more(mode, True)
        elif more:
            index = self.index(len(self._rows[mode]), 0, self.section(mode))
            self.dataChanged.emit(index, index)

    def _set_more(self, mode: Mode, more: bool) -> None:
        parent, row = self.section(mode), len(self._rows[mode])
        if more:
            self.beginInsertRows(parent, row, row)
            self._more[mode] = True
            self.endInsertRows()
        else:
            self.beginRemoveRows(parent, row, row)
            self._more[mode] = False
            self.endRemoveRows()

    def _remove(self, mode: Mode, first: int, last: int) -> None:
        self.beginRemoveRows(self.section(mode), first, last)
        for key in self._rows[mode][first : last + 1]:
            del self._row_of[key]
        del self._rows[mode][first : last + 1]
        self._count(mode, first)
        self.endRemoveRows()

    def _insert(self, mode: Mode, first: int, keys: List[str]) -> None:
        for key in keys:
            if key not in self._numbers:
                number = _TASKS + len(self._numbers)
                self._numbers[key], self._by_number[number] = number, key
        self.beginInsertRows(self.section(mode), first, first + len(keys) - 1)
        self._rows[mode][first:first] = keys
        self._count(mode, first)
        self.endInsertRows()

    def _reorder(self, mode: Mode, target: List[str]) -> None:
        """Put the rows that stay into their new order."""
        rows = self._rows[mode]
        staying: Set[str] = set(rows)
        wanted = [key for key in target if key in staying]
        if wanted == rows:
            return
        self.layoutAboutToBeChanged.emit()
        place = _SECTIONS.index(mode) + 1
        moved = [
            index for index in self.persistentIndexList() if index.internalId() == place and index.row() < len(rows)
        ]
        keys = [rows[index.row()] for index in moved]
        self._rows[mode] = wanted
        self._count(mode, 0)
        now = [self.createIndex(self._row_of[key], index.column(), place) for key, index in zip(keys, moved)]
        self.changePersistentIndexList(moved, now)
        self.layoutChanged.emit()

    def _count(self, mode: Mode, first: int) -> None:
        """Note the rows of the jobs from ``first`` on."""
        for row, key in enumerate(self._rows[mode][first:], first):
            self._row_of[key] = row

    def _change(self, entry: JobEntry) -> None:
        """Take the new entry in the place of the one before, and fit the rows below it."""
        before = self._entries[entry.key]
        old, new = _task_rows(before), _task_rows(entry)
        parent = self.index_of(entry.key)
        other_rows = old != new or (before.tasks is None) != (entry.tasks is None)
        if parent.isValid() and other_rows and old:
            self.beginRemoveRows(parent, 0, old - 1)
            self._entries[entry.key] = replace(entry, tasks=())
            self.endRemoveRows()
        if parent.isValid() and other_rows and new:
            self.beginInsertRows(parent, 0, new - 1)
            self._entries[entry.key] = entry
            self.endInsertRows()
        self._entries[entry.key] = entry

    def _tell_changed(self, key: str) -> None:
        index = self.index_of(key)
        if not index.isValid():
            return
        self.dataChanged.emit(index, index.siblingAtColumn(_COLUMNS - 1))
        rows = self.rowCount(index)
        if rows:
            self.dataChanged.emit(self.index(0, 0, index), self.index(rows - 1, _COLUMNS - 1, index))


def _task_rows(entry: JobEntry) -> int:
    """How many rows stand below a job: its blocks, or one that says that they are being read."""
    if entry.tasks is None:
        return 1 if entry.job_id else 0
    return len(entry.tasks)
