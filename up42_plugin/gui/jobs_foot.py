"""Below the list of jobs: how new it is, and what can be done with the selected row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Dict, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QSize, pyqtSignal
from qgis.PyQt.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.service import Capabilities
from up42_plugin.gui.job_commands import ICONS, JobCommand, first_command, offer_of, text_of
from up42_plugin.gui.job_notice import JobNotice
from up42_plugin.gui.texts import NBSP, count_text
from up42_plugin.gui.widgets import hint_label, icon_size, theme_icon


@dataclass(frozen=True)
class ListStatus:
    """How new the list is. Times are aware; ``next_look`` is None when nothing is asked for by itself.

    ``error`` is a sentence: why the last look failed. ``offline_since`` when there is no network, ``to_check`` the
    number of jobs that cannot be looked at before the person unlocks the stored key.
    """

    updated: Optional[datetime] = None
    next_look: Optional[datetime] = None
    looking: bool = False
    error: str = ""
    offline_since: Optional[datetime] = None
    to_check: int = 0


def status_line(status: ListStatus, now: datetime) -> str:
    """``Updated 10:47. Next update in 10 s.`` and the like."""
    if status.to_check:
        return f"{count_text(status.to_check, 'job')} to check."
    if status.offline_since is not None:
        return f"Offline since {_clock(status.offline_since)}, showing what is known."
    told = [f"Updated {_clock(status.updated)}."] if status.updated is not None else []
    if status.error:
        told.append(status.error)
    if status.looking:
        told.append("Updating…")
    elif status.next_look is not None:
        seconds = max(1, math.ceil((status.next_look - now).total_seconds()))
        told.append(f"Next update in {seconds}{NBSP}s.")
    return " ".join(told)


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M}"


class JobsFoot(QWidget):
    """``command_asked(JobCommand)`` for the selected jobs, ``again_asked`` to look at once.

    ``menu_wanted`` when ``more_menu`` is about to be shown and should be filled.
    """

    command_asked = pyqtSignal(object)
    again_asked = pyqtSignal()
    menu_wanted = pyqtSignal()

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.line = hint_label()
        self.line.setObjectName("jobsUpdated")
        self.again_button = QPushButton()
        self.again_button.setObjectName("jobsAgain")
        self.again_button.hide()
        self.again_button.clicked.connect(self.again_asked)
        self.notice = JobNotice()
        self.notice.cancel_asked.connect(lambda: self.command_asked.emit(JobCommand.STOP_LOADING))
        layout.addWidget(self.notice)
        row = QHBoxLayout()
        row.addWidget(self.line, 1)
        row.addWidget(self.again_button)
        layout.addLayout(row)
        self._commands: Dict[str, JobCommand] = {}
        self.first = self._button("firstCommand")
        self.logs = self._button("logs")
        self.zoom = self._button("zoom")
        self.more = QPushButton("More")
        self.more.setObjectName("moreCommands")
        self.more_menu = QMenu(self.more)  # filled each time it is opened
        self.more_menu.setToolTipsVisible(True)
        self.more_menu.aboutToShow.connect(self.menu_wanted)
        self.more.setMenu(self.more_menu)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)  # four buttons in the narrowest dock, whatever the first one says
        buttons.addWidget(self.first)
        buttons.addWidget(self.logs)
        buttons.addWidget(self.zoom)
        buttons.addStretch(1)
        buttons.addWidget(self.more)
        layout.addLayout(buttons)
        self.show_selected((), Capabilities())

    def _button(self, name: str) -> QPushButton:
        button = QPushButton()
        button.setObjectName(name)
        side = icon_size(self)
        button.setIconSize(QSize(side, side))
        button.clicked.connect(self._clicked)
        return button

    def _clicked(self) -> None:
        self.command_asked.emit(self._commands[self.sender().objectName()])

    def show_status(self, status: ListStatus, now: datetime) -> None:
        """Say how new the list is, and offer to look again where that would not happen by itself."""
        self.line.setText(status_line(status, now))
        self.again_button.setText("Check Now" if status.to_check else "Try Again")
        self.again_button.setVisible(bool(status.to_check or status.error) and not status.looking)

    def show_selected(self, entries: Sequence[JobEntry], capabilities: Capabilities) -> None:
        """Fit the buttons to the selected jobs."""
        self.notice.show_selected(entries)
        first = first_command(entries[0]) if entries else JobCommand.LOAD_OUTPUT
        live = not entries or entries[0].live
        shown: Tuple[Tuple[QPushButton, JobCommand, str], ...] = (
            (self.first, first, text_of(first, live)),
            (self.logs, JobCommand.LOGS, text_of(JobCommand.LOGS, live)),
            (self.zoom, JobCommand.ZOOM, "Zoom"),
        )
        for button, command, text in shown:
            offer = offer_of(command, entries, capabilities)
            self._commands[button.objectName()] = command
            button.setText(text)
            button.setIcon(theme_icon(ICONS[command]))
            button.setVisible(offer.shown)
            button.setEnabled(offer.possible)
            button.setToolTip(offer.why_not or text_of(command, live).rstrip("…"))
        self.more.setEnabled(bool(entries))
        self.more.setToolTip("More that can be done with it" if entries else "Select a job first.")
