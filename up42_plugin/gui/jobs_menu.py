"""The menu of the selected jobs."""

from __future__ import annotations

from typing import Callable, Optional, Sequence

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QAction, QMenu, QWidget

from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.service import Capabilities
from up42_plugin.gui.job_commands import COPYING, ICONS, JobCommand, first_command, menu_of, offer_of, text_of
from up42_plugin.gui.widgets import theme_icon

_KEYS = {JobCommand.RENAME: "F2", JobCommand.COPY_ID: "Ctrl+C"}
_READING = "Reading its blocks…"


class JobMenus(QObject):
    """Makes menus. ``command_asked(JobCommand)``, ``task_asked(key, task id)``, ``blocks_wanted(key)``."""

    command_asked = pyqtSignal(object)
    task_asked = pyqtSignal(str, str)
    blocks_wanted = pyqtSignal(str)

    def __init__(self, entry_of: Callable[[str], Optional[JobEntry]], parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._entry_of = entry_of

    def menu(self, entries: Sequence[JobEntry], capabilities: Capabilities, parent: QWidget) -> QMenu:
        """What can be done with these jobs: what the service lacks is not in it, what is not possible now is grey."""
        menu = QMenu(parent)
        menu.setObjectName("jobsMenu")
        menu.setToolTipsVisible(True)
        self.fill(menu, entries, capabilities)
        return menu

    def fill(self, menu: QMenu, entries: Sequence[JobEntry], capabilities: Capabilities) -> None:
        """The same in a menu that is there already."""
        menu.clear()
        live = any(entry.live for entry in entries)
        main = next((entry for entry in entries if entry.live), entries[0])
        parted = False
        for command in menu_of(main):
            if command is None:
                parted = bool(menu.actions())
                continue
            offer = offer_of(command, entries, capabilities)
            if not offer.shown:
                continue
            if parted:
                menu.addSeparator()
                parted = False
            if command is JobCommand.COPY_ID:
                self._add_copying(menu, entries, capabilities)
                continue
            action = self._add(menu, command, text_of(command, live), offer.why_not)
            if command is JobCommand.LOAD_TASK and offer.possible:
                action.setMenu(self._task_menu(entries[0], menu))
            if len(entries) == 1 and command is first_command(main):
                menu.setDefaultAction(action)
                action.setText(f"{action.text()}\tReturn")

    def _add(self, menu: QMenu, command: JobCommand, text: str, why_not: str) -> QAction:
        key = _KEYS.get(command)
        action = menu.addAction(f"{text}\t{key}" if key else text)
        if command in ICONS:
            action.setIcon(theme_icon(ICONS[command]))
        action.setObjectName(command.value)
        action.setData(command.value)
        action.setEnabled(not why_not)
        action.setToolTip(why_not or text.rstrip("…"))
        action.triggered.connect(self._triggered)
        return action

    def _add_copying(self, menu: QMenu, entries: Sequence[JobEntry], capabilities: Capabilities) -> None:
        copying = menu.addMenu("Copy")
        copying.setObjectName("copyMenu")
        copying.setToolTipsVisible(True)
        for command in COPYING:
            offer = offer_of(command, entries, capabilities)
            self._add(copying, command, text_of(command, True), offer.why_not)

    def _task_menu(self, entry: JobEntry, parent: QMenu) -> QMenu:
        """One row for each block, filled when it is opened: the blocks may have to be read first."""
        tasks = QMenu(parent)
        tasks.setObjectName("taskMenu")
        tasks.setToolTipsVisible(True)
        tasks.setProperty("job", entry.key)
        tasks.aboutToShow.connect(self._fill_tasks)
        return tasks

    def _fill_tasks(self) -> None:
        menu = self.sender()
        key = str(menu.property("job"))
        entry = self._entry_of(key)
        menu.clear()
        if entry is None or entry.tasks is None:
            menu.addAction(_READING).setEnabled(False)
            self.blocks_wanted.emit(key)
            return
        for task in entry.tasks:
            action = menu.addAction(task.title)
            action.setData([key, task.id])
            action.setEnabled(task.has_output)
            action.setToolTip("" if task.has_output else "This block has no output.")
            action.triggered.connect(self._task_triggered)

    def _triggered(self) -> None:
        self.command_asked.emit(JobCommand(self.sender().data()))

    def _task_triggered(self) -> None:
        key, task_id = self.sender().data()
        self.task_asked.emit(key, task_id)
