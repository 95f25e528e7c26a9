"""The Jobs tab: everything that was ever asked for, and what can be done with it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Callable, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QEvent, QPoint, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QHideEvent, QKeySequence, QShowEvent
from qgis.PyQt.QtWidgets import QAction, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.job_search import JobFilter
from up42_plugin.core.service import Capabilities
from up42_plugin.gui.job_commands import JobCommand, first_command, offer_of, those_able
from up42_plugin.gui.job_questions import RenameJobDialog, cancel_question, delete_question
from up42_plugin.gui.jobs_filter import JobsFilterPanel
from up42_plugin.gui.jobs_foot import JobsFoot, ListStatus
from up42_plugin.gui.jobs_menu import JobMenus
from up42_plugin.gui.jobs_model import JobsModel
from up42_plugin.gui.jobs_rows import Older
from up42_plugin.gui.jobs_view import JobsView
from up42_plugin.gui.widgets import ArrowButton, tool_button

EMPTY = "No jobs yet. Run a test query in New Job; it is free."
NOTHING_FOUND = "No job matches."
LOADING = "Loading jobs…"
_SECOND_MS = 1000
_SECONDS_A_TICK = 10


def _now() -> datetime:
    return datetime.now(timezone.utc)


class JobsTab(QWidget):
    """Shows the jobs of one connection and sends the person's commands; it calls no service and reads no file.

    Whoever builds it calls :meth:`show_entries` (newest first, from ``core.job_list.JobList.entries``) whenever
    something of a job changed, :meth:`show_status` after every look at the service, :meth:`show_older` when it is
    known whether there are older jobs, and :meth:`show_capabilities` when another connection is chosen. It connects:

    - ``command_asked(JobCommand, keys)``: the person wants this for these jobs (``JobEntry.key``); what needs a
      question (cancel, delete files) has been answered with yes. LOAD_TASK and RENAME come as the next two.
    - ``task_asked(key, task_id)``: load the output of one block. ``rename_asked(key, name)``.
    - ``logs_asked(key, task_id)``: show the logs of a job, of a block when the id is not empty.
    - ``opened(key)``, ``shut(key)``: the job's blocks are shown or no longer: read its tasks while they are, and
      give them to the list (``JobList.put_tasks``). ``blocks_wanted(key)``: read them once.
    - ``refresh_asked`` (F5, Try Again, Check Now), ``older_asked`` (the last row).
    - ``ledger_asked``, ``spent_asked``, ``webhooks_asked``: from the menu beside the search.
    - ``running_changed(number)``: jobs that run, for the tab's title.

    Columns and order are kept over restarts with ``view.header_state()`` and ``view.restore_header(state)``.

    ``clock`` gives the time now, aware.
    """

    command_asked = pyqtSignal(object, object)
    task_asked = pyqtSignal(str, str)
    rename_asked = pyqtSignal(str, str)
    logs_asked = pyqtSignal(str, str)
    opened = pyqtSignal(str)
    shut = pyqtSignal(str)
    blocks_wanted = pyqtSignal(str)
    refresh_asked = pyqtSignal()
    older_asked = pyqtSignal()
    ledger_asked = pyqtSignal()
    spent_asked = pyqtSignal()
    webhooks_asked = pyqtSignal()
    running_changed = pyqtSignal(int)

    def __init__(self, clock: Callable[[], datetime] = _now, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobsTab")
        self._clock = clock
        self._capabilities = Capabilities()
        self._status = ListStatus()
        self._running = 0
        self._loading = True
        self.model = JobsModel(clock, self)
        self.view = JobsView(self.model)
        self.filter = JobsFilterPanel()
        self.foot = JobsFoot()
        self._menus = JobMenus(self._entry_of, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        self._add_tools()
        layout.addWidget(self.filter)
        layout.addWidget(self.view, 1)
        layout.addWidget(self._make_notice(), 1)
        layout.addWidget(self.foot)
        self._make_actions()
        self._seconds = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_SECOND_MS)
        self._timer.timeout.connect(self._second)
        self.filter.changed.connect(self._filter_changed)
        self.view.chosen.connect(self._selection_changed)
        self.view.menu_asked.connect(self._show_menu)
        self.view.opened.connect(self.opened)
        self.view.shut.connect(self.shut)
        self.view.older_asked.connect(self.older_asked)
        self.foot.command_asked.connect(self.run)
        self.foot.again_asked.connect(self.refresh_asked)
        self.foot.menu_wanted.connect(self._fill_more)
        self._menus.command_asked.connect(self.run)
        self._menus.task_asked.connect(self.task_asked)
        self._menus.blocks_wanted.connect(self.blocks_wanted)
        self._show_notice()

    # -- what is shown

    def show_entries(self, newest: Sequence[JobEntry]) -> None:
        """Show the jobs, newest first; what did not change stays as it is."""
        self._loading = False
        changed = self.model.show_entries(newest)
        if changed:
            self.filter.offer(newest)
        self._show_notice()
        self._selection_changed()
        running = sum(entry.running for entry in newest) if changed else self._running
        if running != self._running:
            self._running = running
            self.running_changed.emit(running)

    def show_loading(self) -> None:
        """Another connection: its jobs are not known yet."""
        self.show_entries(())
        self._loading = True
        self._show_notice()

    def show_status(self, status: ListStatus) -> None:
        """Say how new the list is."""
        self._status = status
        self.foot.show_status(status, self._clock())
        self._show_notice()

    def show_older(self, older: Older) -> None:
        """Whether the last row offers older jobs of the service."""
        self.model.set_older(older)

    def show_capabilities(self, capabilities: Capabilities) -> None:
        """What the service of these jobs can do; the rest is hidden."""
        self._capabilities = capabilities
        self.webhooks_action.setVisible(capabilities.webhooks)
        self._selection_changed()

    def select_job(self, key: str) -> bool:
        """Show a job and select it, clearing a filter that hides it; False when it is not in the list."""
        if self.view.select_job(key):
            return True
        self.filter.clear()
        return self.view.select_job(key)

    @property
    def running(self) -> int:
        """How many jobs run."""
        return self._running

    # -- what the person wants

    def run(self, command: JobCommand) -> None:
        """Do something with the selected jobs, after a question where one is due."""
        entries = those_able(command, self.view.selected(), self._capabilities)
        if not entries or not offer_of(command, self.view.selected(), self._capabilities).possible:
            return
        keys = tuple(entry.key for entry in entries)
        if command in (JobCommand.CANCEL, JobCommand.DELETE_FILES):
            ask = cancel_question if command is JobCommand.CANCEL else delete_question
            question = ask(entries, self)
            question.confirmed.connect(lambda: self.command_asked.emit(command, keys))
            question.open()
        elif command is JobCommand.RENAME:
            dialog = RenameJobDialog(entries[0], self)
            dialog.renamed.connect(self.rename_asked)
            dialog.open()
        elif command is JobCommand.LOGS:
            task = self.view.selected_task()
            self.logs_asked.emit(keys[0], task.id if task is not None else "")
        else:
            self.command_asked.emit(command, keys)

    def menu(self) -> Optional[QMenu]:
        """The menu of the selected jobs; None when nothing is selected."""
        entries = self.view.selected()
        return self._menus.menu(entries, self._capabilities, self) if entries else None

    def _run_first(self) -> None:
        """Return: what the row offers first."""
        if self.view.act_on_current():
            return
        entries = self.view.selected()
        task = self.view.selected_task()
        if task is not None and task.has_output and self._capabilities.task_outputs:
            self.task_asked.emit(entries[0].key, task.id)
        elif entries:
            self.run(first_command(entries[0]))

    def _show_menu(self, place: QPoint) -> None:
        menu = self.menu()
        if menu is not None:
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(place)

    def _fill_more(self) -> None:
        self._menus.fill(self.foot.more_menu, self.view.selected(), self._capabilities)

    # -- parts

    def _add_tools(self) -> None:
        refresh = tool_button("/mActionRefresh.svg", "Refresh jobs (F5)", "refreshJobs")
        refresh.clicked.connect(self.refresh_asked)
        menu = QMenu(self)
        self.menu_button = ArrowButton("More about jobs", "jobsTools", menu)
        self.ledger_action = menu.addAction("Open Ledger as Layer")
        self.spent_action = menu.addAction("Credits Spent…")
        self.webhooks_action = menu.addAction("Webhooks…")
        for action, name, asked in (
            (self.ledger_action, "Up42OpenLedger", self.ledger_asked),
            (self.spent_action, "Up42CreditsSpent", self.spent_asked),
            (self.webhooks_action, "Up42Webhooks", self.webhooks_asked),
        ):
            action.setObjectName(name)
            action.triggered.connect(lambda _checked=False, asked=asked: asked.emit())
        self.filter.row.addWidget(refresh)
        self.filter.row.addWidget(self.menu_button)

    def _make_actions(self) -> None:
        """Keys; as actions, so that others can be assigned."""
        self._action("Refresh Jobs", "Up42RefreshJobs", "F5", self.refresh_asked.emit, self)
        self._action("Search Jobs", "Up42SearchJobs", "Ctrl+F", self._search, self)
        self._action("First Command of the Job", "Up42FirstJobCommand", "Return", self._run_first, self.view)
        self._action("Rename Job", "Up42RenameJob", "F2", lambda: self.run(JobCommand.RENAME), self.view)
        self._action("Copy Job ID", "Up42CopyJobId", "Ctrl+C", lambda: self.run(JobCommand.COPY_ID), self.view)

    def _action(self, text: str, name: str, key: str, call: Callable[[], None], owner: QWidget) -> None:
        action = QAction(text, owner)
        action.setObjectName(name)
        keys = [QKeySequence(key)] + ([QKeySequence("Enter")] if key == "Return" else [])
        action.setShortcuts(keys)
        own = owner is self.view
        contexts = Qt.ShortcutContext
        action.setShortcutContext(contexts.WidgetShortcut if own else contexts.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda _checked=False: call())
        owner.addAction(action)

    def _make_notice(self) -> QWidget:
        """What stands in the place of the list when there is nothing to list."""
        self.notice = QWidget()
        self.notice.setObjectName("jobsNotice")
        layout = QVBoxLayout(self.notice)
        self.notice_text = QLabel()
        self.notice_text.setObjectName("jobsNoticeText")
        self.notice_text.setWordWrap(True)
        self.notice_text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.notice_button = QPushButton()
        self.notice_button.setObjectName("jobsNoticeButton")
        self.notice_button.clicked.connect(self._notice_clicked)
        layout.addStretch(1)
        layout.addWidget(self.notice_text)
        layout.addWidget(self.notice_button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)
        return self.notice

    def _show_notice(self) -> None:
        text, button = self._notice()
        self.notice.setVisible(bool(text))
        self.view.setVisible(not text)
        self.notice_text.setText(text)
        self.notice_button.setText(button)
        self.notice_button.setVisible(bool(button))

    def _notice(self) -> Tuple[str, str]:
        """Text and button that stand for the list, or nothing."""
        if self.model.known:
            return ("", "") if self.model.matches else (NOTHING_FOUND, "Clear Search")
        if self._status.error and not self._status.looking:
            return self._status.error, "Try Again"
        if self._loading:
            return LOADING, ""
        return EMPTY, ""

    def _notice_clicked(self) -> None:
        if self.model.known:
            self.filter.clear()
            self.filter.search.setFocus()
        else:
            self.refresh_asked.emit()

    # -- what happens

    def _filter_changed(self, wanted: JobFilter) -> None:
        self.model.set_filter(wanted)
        self._show_notice()

    def _selection_changed(self) -> None:
        self.foot.show_selected(self.view.selected(), self._capabilities)

    def _entry_of(self, key: str) -> Optional[JobEntry]:
        return self.model.entry(self.model.index_of(key))

    def _search(self) -> None:
        self.filter.search.setFocus()
        self.filter.search.selectAll()

    def _second(self) -> None:
        """The countdown goes on; running times are told now and then."""
        self.foot.show_status(self._status, self._clock())
        self._seconds += 1
        if self._seconds % _SECONDS_A_TICK == 0:
            self.model.tick()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Count only while somebody looks."""
        super().showEvent(event)
        self._second()
        self.model.tick()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        super().hideEvent(event)
        self._timer.stop()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Another theme has other icons."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "foot"):
            self._selection_changed()
