"""Below the list of jobs: how the selected job's output comes down, or what stands in its way, with one button."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QHBoxLayout, QPushButton, QWidget

from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.output_errors import NO_LAYER
from up42_plugin.gui.job_commands import JobCommand, text_of
from up42_plugin.gui.job_texts import icon_of, paused_text
from up42_plugin.gui.message_actions import CHANGE_FOLDER, DOWNLOAD_AGAIN, OPEN_FOLDER, split_action
from up42_plugin.gui.widgets import WARNING, MessageRow

_HELPS = (CHANGE_FOLDER, DOWNLOAD_AGAIN, OPEN_FOLDER)
_CANCEL = text_of(JobCommand.STOP_LOADING, live=True)


@dataclass(frozen=True)
class Notice:
    """A theme icon, a sentence, and the text of the button beside it."""

    icon: str
    text: str
    action: str


def notice_of(entry: JobEntry) -> Optional[Notice]:
    """What there is to say of a job's output; None where the row says it all."""
    if entry.downloading or entry.paused:
        text = paused_text(entry.percent) if entry.paused else entry.message
        trouble = split_action(entry.message)[0] if entry.paused else ""
        return Notice(icon_of(entry), f"{text}. {trouble}" if trouble else text, _CANCEL)
    text, action = split_action(entry.message)
    if entry.message == NO_LAYER:
        action = OPEN_FOLDER
    helps = action in _HELPS and bool(entry.run_key) and not entry.fetching
    return Notice(WARNING, text, action) if helps else None


class JobNotice(QWidget):
    """``action_asked(run's key, text of the button)``, or ``cancel_asked``. Hidden while there is nothing to say."""

    action_asked = pyqtSignal(str, str)
    cancel_asked = pyqtSignal()

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobNotice")
        self._run_key = ""
        self._shown: Optional[Notice] = None
        self.row = MessageRow()
        self.button = QPushButton()
        self.button.setObjectName("jobNoticeAction")
        self.button.clicked.connect(self._clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.row, 1)
        layout.addWidget(self.button)
        self.hide()

    def show_selected(self, entries: Sequence[JobEntry]) -> None:
        """Fit it to the selected jobs."""
        notice = notice_of(entries[0]) if len(entries) == 1 else None
        self._run_key = entries[0].run_key if notice is not None else ""
        if notice == self._shown:
            return
        self._shown = notice
        self.setVisible(notice is not None)
        if notice is not None:
            self.row.show_message(notice.icon, notice.text)
            self.button.setText(notice.action)
            self.button.setToolTip(f"{notice.action.rstrip('…')}: {entries[0].name}")

    def _clicked(self) -> None:
        if self.button.text() == _CANCEL:
            self.cancel_asked.emit()
        else:
            self.action_asked.emit(self._run_key, self.button.text())
