"""The tree that shows the jobs: its columns, its header menu, its keys, and what is selected."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from qgis.PyQt.QtCore import QByteArray, QEvent, QModelIndex, QPoint, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QMouseEvent, QResizeEvent
from qgis.PyQt.QtWidgets import QAbstractItemView, QAction, QHeaderView, QMenu, QTreeView, QWidget

from up42_plugin.core.job_entry import JobEntry, TaskEntry
from up42_plugin.core.jobs import Mode
from up42_plugin.gui.job_cells import KIND_ROLE, TASK_ROLE, TITLES, Column
from up42_plugin.gui.jobs_delegate import JobDelegate
from up42_plugin.gui.jobs_model import JobsModel
from up42_plugin.gui.jobs_rows import Kind
from up42_plugin.gui.widgets import icon_size

_ALWAYS = (Column.JOB, Column.STATE, Column.CREDITS)
_WIDEST = {
    Column.STATE: "Downloading",
    Column.CREDITS: "130 held",
    Column.STARTED: "2026-11-20 10:44",
    Column.DURATION: "Duration 0",
    Column.WORKFLOW: "Sentinel-2 super-resolution",
    Column.AREA: "1,480.25 km²",
    Column.JOB_ID: "00000000-0000-4000-8000-000000000000",
}
_NARROWEST_JOB = 18  # characters
_INDENTATION = 14
_MARGIN = 11


class JobsView(QTreeView):
    """Shows a :class:`JobsModel`.

    ``chosen`` when other jobs are selected, ``menu_asked(place on the screen)``, ``opened(key)`` and ``shut(key)`` when
    a job shows its blocks or hides them, ``older_asked`` for the last row.
    """

    chosen = pyqtSignal()
    menu_asked = pyqtSignal(QPoint)
    opened = pyqtSignal(str)
    shut = pyqtSignal(str)
    older_asked = pyqtSignal()

    def __init__(self, model: JobsModel, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobsView")
        self.setAccessibleName("Jobs")
        self._model = model
        self.setModel(model)
        self.setItemDelegate(JobDelegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAllColumnsShowFocus(True)
        self.setTabKeyNavigation(False)
        self.setIndentation(_INDENTATION)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._ask_menu)
        self._prepare_header()
        for mode in Mode:
            self.expand(model.section(mode))
            self.setFirstColumnSpanned(model.section(mode).row(), QModelIndex(), True)
        self._growing = QTimer(self)
        self._growing.setSingleShot(True)
        self._growing.setInterval(0)
        self._growing.timeout.connect(self._grow)
        self.verticalScrollBar().valueChanged.connect(self._grow_soon)
        self.verticalScrollBar().rangeChanged.connect(self._grow_soon)
        self.selectionModel().selectionChanged.connect(self._selection_changed)
        self.expanded.connect(self._was_opened)
        self.collapsed.connect(self._was_shut)

    # -- columns

    def _prepare_header(self) -> None:
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        header.setMinimumSectionSize(30)
        for column in Column:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            header.setSectionHidden(column, column not in _ALWAYS)
        for column, text in _WIDEST.items():
            room = icon_size(self) + _MARGIN if column is Column.STATE else _MARGIN // 2
            header.resizeSection(column, self.fontMetrics().horizontalAdvance(text) + room)
        self.setSortingEnabled(True)
        self.sortByColumn(Column.STARTED, Qt.SortOrder.DescendingOrder)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._ask_header_menu)
        header.sectionResized.connect(self._fit)

    def header_menu(self) -> QMenu:
        """Columns to be shown, and orders, also by columns that are not shown."""
        menu = QMenu(self)
        for column in Column:
            if column not in _ALWAYS:
                self._add_choice(menu, TITLES[column], column, not self.isColumnHidden(column), "column")
        menu.addSeparator()
        order = menu.addMenu("Sort By")
        for column in Column:
            self._add_choice(order, TITLES[column], column, self.header().sortIndicatorSection() == column, "sort")
        return menu

    def _add_choice(self, menu: QMenu, text: str, column: Column, checked: bool, kind: str) -> None:
        action = menu.addAction(text)
        action.setObjectName(f"{kind}{column.name.title().replace('_', '')}")
        action.setCheckable(True)
        action.setChecked(checked)
        action.setData(int(column))
        action.triggered.connect(self._column_toggled if kind == "column" else self._sort_chosen)

    def _column_toggled(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.setColumnHidden(action.data(), not action.isChecked())
            self._fit()

    def _sort_chosen(self) -> None:
        """Numbers and times begin with the greatest, words with A; the same once more turns it round."""
        column = self.sender().data()
        header = self.header()
        up, down = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
        if header.sortIndicatorSection() == column:
            self.sortByColumn(column, up if header.sortIndicatorOrder() == down else down)
        else:
            words = (Column.JOB, Column.STATE, Column.WORKFLOW, Column.JOB_ID)
            self.sortByColumn(column, up if column in words else down)

    def header_state(self) -> bytes:
        """Columns, widths and order, to be kept over restarts."""
        return bytes(self.header().saveState())

    def restore_header(self, state: bytes) -> None:
        """As it was; what cannot be read changes nothing."""
        if state and self.header().restoreState(QByteArray(state)):
            self.sortByColumn(self.header().sortIndicatorSection(), self.header().sortIndicatorOrder())
            for column in _ALWAYS:
                self.setColumnHidden(column, False)
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self._fit()

    def _fit(self, resized: int = -1, *_: int) -> None:
        """The first column takes what the others leave; below a readable width the view scrolls sideways."""
        if resized == Column.JOB:
            return
        others = sum(self.columnWidth(column) for column in Column if column is not Column.JOB)
        least = self.fontMetrics().averageCharWidth() * _NARROWEST_JOB
        self.header().resizeSection(Column.JOB, max(least, self.viewport().width() - others))

    def sizeHintForColumn(self, column: int) -> int:  # noqa: N802 - Qt's name
        """What a double click on the edge of a title makes of its column: wide enough for the rows that are seen."""
        widest, metrics = 0, self.fontMetrics()
        index = self.indexAt(self.viewport().rect().topLeft())
        while index.isValid() and self.visualRect(index).intersects(self.viewport().rect()):
            text = str(index.siblingAtColumn(column).data() or "") if index.data(KIND_ROLE) is not Kind.SECTION else ""
            widest = max(widest, metrics.horizontalAdvance(text))
            index = self.indexBelow(index)
        return widest + _MARGIN + (icon_size(self) if column == Column.STATE else 0)

    # -- what is selected

    def selected(self) -> Tuple[JobEntry, ...]:
        """The selected jobs from top to bottom; a selected block stands for its job."""
        found: Dict[str, JobEntry] = {}
        for index in sorted(self.selectionModel().selectedRows(), key=self._height):
            entry = self._model.entry(index)
            if entry is not None:
                found[entry.key] = entry
        return tuple(found.values())

    def selected_task(self) -> Optional[TaskEntry]:
        """The block, when a single one is selected."""
        rows = self.selectionModel().selectedRows()
        task = rows[0].data(TASK_ROLE) if len(rows) == 1 else None
        return task if isinstance(task, TaskEntry) else None

    def _height(self, index: QModelIndex) -> int:
        return self.visualRect(index).top()

    def select_job(self, key: str) -> bool:
        """Show a job, and select it alone; False when it does not pass the filter."""
        index = self._model.reveal(key)
        if not index.isValid():
            return False
        self.expand(index.parent())
        self.setCurrentIndex(index)
        self.scrollTo(index)
        return True

    def _selection_changed(self) -> None:
        self.chosen.emit()

    # -- what was asked for

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self._act(self.indexAt(event.pos()))

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Another theme has other icons."""
        super().changeEvent(event)
        model = getattr(self, "_model", None)  # Qt may tell before this is built
        if model is not None and event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            model.forget_icons()
            self.viewport().update()

    def act_on_current(self) -> bool:
        """Show more, if that is what the current row offers."""
        return self._act(self.currentIndex())

    def _act(self, index: QModelIndex) -> bool:
        kind = index.data(KIND_ROLE) if index.isValid() else None
        if kind is Kind.OLDER:
            self.older_asked.emit()
        elif kind is Kind.MORE:
            self._model.show_more(index.parent())
        return kind in (Kind.OLDER, Kind.MORE)

    def _grow_soon(self, *_: int) -> None:
        self._growing.start()

    def _grow(self) -> None:
        """Whoever scrolls to the end of what is shown of a section sees more of it."""
        for index in self._last_rows():
            if index.data(KIND_ROLE) is Kind.MORE and self.visualRect(index).intersects(self.viewport().rect()):
                self._model.show_more(index.parent())
                return

    def _last_rows(self) -> List[QModelIndex]:
        sections = [self._model.section(mode) for mode in Mode]
        return [self._model.index(self._model.rowCount(index) - 1, 0, index) for index in sections]

    def _ask_menu(self, place: QPoint) -> None:
        if self._model.entry(self.indexAt(place)) is not None:
            self.menu_asked.emit(self.viewport().mapToGlobal(place))

    def _ask_header_menu(self, place: QPoint) -> None:
        menu = self.header_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.header().mapToGlobal(place))

    def _was_opened(self, index: QModelIndex) -> None:
        entry = self._model.entry(index)
        if entry is not None:
            self.opened.emit(entry.key)

    def _was_shut(self, index: QModelIndex) -> None:
        entry = self._model.entry(index)
        if entry is not None:
            self.shut.emit(entry.key)
