"""The list of jobs as a person sees and uses it: for tests and pictures alike."""

from __future__ import annotations

from typing import Any, Callable, List, Optional

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAbstractButton, QAction, QMessageBox, QPushButton, QStackedWidget, QTabWidget

from up42_plugin.core.run import Run
from up42_plugin.gui.job_commands import JobCommand
from up42_plugin.gui.job_questions import Question
from up42_plugin.gui.job_texts import second_line, state_of


class JobRow:
    """The row of a run, or of any job by its key in the list."""

    def __init__(self, desk: Any, run: Optional[Run] = None, key: str = "") -> None:
        self._desk, self._tab = desk, desk.dock.jobs
        desk.dashboard.jobs.show_now()  # not a moment later, with other changes
        entry = desk.dashboard.jobs.list.entry_of_run(run.connection_id, run.key) if run is not None else None
        self.key = key or (entry.key if entry is not None else "")

    @property
    def entry(self) -> Any:
        """What the row shows; None while it is not there."""
        return self._tab.model.entry(self._tab.model.index_of(self.key))

    @property
    def line(self) -> str:
        """The reason in its tooltip, else its state and second line."""
        index = self._tab.model.index_of(self.key)
        tip = str(index.data(Qt.ItemDataRole.ToolTipRole) or "") if index.isValid() else ""
        told = [line[8:] for line in tip.splitlines() if line.startswith("Reason: ")]
        entry = self.entry
        if told or entry is None:
            return told[0] if told else ""
        return f"{state_of(entry)}, {second_line(entry, self._desk.dashboard.jobs.now())}"

    def select(self) -> bool:
        """Bring the tab to the front and select the row alone."""
        self._desk.dock.tabs.setCurrentWidget(self._desk.dock.jobs_page)
        return bool(self._tab.select_job(self.key))

    @property
    def first(self) -> QPushButton:
        """The first button below the list, with this row selected."""
        self.select()
        return self._tab.foot.first

    def action(self, command: JobCommand) -> QAction:
        """An entry of the row's menu."""
        return next(action for action in self._offered() if action.objectName() == command.value)

    def _offered(self) -> List[QAction]:
        """The menu's entries; none while the row is not there."""
        menu = self._tab.menu() if self.select() else None
        if menu is None:
            return []
        inner = [action for found in menu.actions() if found.menu() for action in found.menu().actions()]
        return [*menu.actions(), *inner]

    def can(self, command: JobCommand) -> bool:
        """Whether the menu offers it now."""
        return any(action.objectName() == command.value and action.isEnabled() for action in self._offered())

    def do(self, command: JobCommand) -> None:
        """Choose it in the menu."""
        action = self.action(command)
        assert action.isEnabled(), action.toolTip()
        action.trigger()

    def cancel(self, wait: Callable[[Callable[[], Any]], Any]) -> None:
        """Cancel it, and answer the question with yes."""
        wait(lambda: self.can(JobCommand.CANCEL))
        self.do(JobCommand.CANCEL)
        answer(self._tab, "really", wait)


def answer(parent: Any, button: str, wait: Callable[[Callable[[], Any]], Any]) -> None:
    """Answer the question that is open."""

    def question() -> Optional[QMessageBox]:
        return next((found for found in parent.findChildren(Question) if found.isVisible()), None)

    wait(lambda: question() is not None)
    box = question()
    assert box is not None
    QTest.mouseClick(box.findChild(QPushButton, button), Qt.MouseButton.LeftButton)


def show_page(button: QAbstractButton) -> None:
    """Bring the tab that a button is in to the front."""
    page, tabs = button, button.parentWidget()
    while tabs is not None:
        if isinstance(tabs, QTabWidget) and tabs.indexOf(page) >= 0:
            tabs.setCurrentWidget(page)
            return
        above = tabs.parentWidget()
        page, tabs = (page, above) if isinstance(tabs, QStackedWidget) else (tabs, above)
