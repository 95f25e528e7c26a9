"""The logs of a job's blocks: they grow while the job runs, can be followed, and searched."""

from __future__ import annotations

from datetime import datetime
from typing import Dict, List, Optional, Sequence

from qgis.gui import QgsCodeEditor, QgsFilterLineEdit
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtGui import QKeySequence, QTextCharFormat, QTextCursor, QTextDocument
from qgis.PyQt.QtWidgets import (
    QAction,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.job_entry import TaskEntry
from up42_plugin.gui.job_texts import task_icon
from up42_plugin.gui.texts import state_text, whole
from up42_plugin.gui.widgets import WARNING, MessageRow, hint_label, theme_icon, tool_button

_READING = "Reading the log…"
_NO_LOG = "This block has written nothing."
_NOT_YET = "This block has written nothing yet."
_MOST_MARKED = 2000


class LogsDialog(QDialog):
    """Shows logs that it is given; one dialog for one job.

    ``task_wanted(task_id)`` when another block is chosen: read its log, and read it again every few seconds while
    :attr:`following` is true; give what came to :meth:`show_log`. ``shut`` when nobody looks any more.
    """

    task_wanted = pyqtSignal(str)
    shut = pyqtSignal()

    def __init__(self, job_name: str, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobLogs")
        self.setWindowTitle(f"Logs, {job_name}")
        self._tasks: Dict[str, TaskEntry] = {}
        self._logs: Dict[str, str] = {}
        self._shown = ""
        layout = QVBoxLayout(self)
        top = QHBoxLayout()
        self.blocks = QComboBox()
        self.blocks.setObjectName("logBlocks")
        label = QLabel("&Block")
        label.setBuddy(self.blocks)
        self.follow = QCheckBox("&Follow")
        self.follow.setObjectName("followLog")
        self.follow.setChecked(True)
        self.follow.setToolTip("Stay at the end as the log grows")
        top.addWidget(label)
        top.addWidget(self.blocks, 1)
        top.addWidget(self.follow)
        layout.addLayout(top)
        self.text = QPlainTextEdit()
        self.text.setObjectName("logText")
        self.text.setAccessibleName("Log")
        self.text.setReadOnly(True)
        self.text.setUndoRedoEnabled(False)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QgsCodeEditor.getMonospaceFont())
        self.text.setPlaceholderText(_READING)
        layout.addWidget(self.text, 1)
        layout.addLayout(self._make_search())
        self.message = MessageRow()
        self.message.setVisible(False)
        layout.addWidget(self.message)
        self.status = hint_label()
        self.status.setObjectName("logStatus")
        layout.addWidget(self.status)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = box.addButton("&Copy All", QDialogButtonBox.ButtonRole.ActionRole)
        copy.setObjectName("copyLog")
        copy.clicked.connect(self._copy)
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        self.resize(760, 520)
        self.blocks.currentIndexChanged.connect(self._block_chosen)
        self.follow.toggled.connect(self._follow_toggled)
        self.text.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.finished.connect(self.shut)

    def _make_search(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.search = QgsFilterLineEdit()
        self.search.setObjectName("searchLog")
        self.search.setPlaceholderText("Search this log")
        self.search.setAccessibleName("Search this log")
        self.search.setShowSearchIcon(True)
        self.found = QLabel()
        self.found.setObjectName("logMatches")
        previous = tool_button("/mActionArrowUp.svg", "Previous match (Shift+F3)", "previousMatch")
        following = tool_button("/mActionArrowDown.svg", "Next match (F3)", "nextMatch")
        previous.clicked.connect(self.find_previous)
        following.clicked.connect(self.find_next)
        row.addWidget(self.search, 1)
        row.addWidget(self.found)
        row.addWidget(previous)
        row.addWidget(following)
        self.search.textChanged.connect(self._search_changed)
        self.search.returnPressed.connect(self.find_next)
        for text, keys, call in (
            ("Find", "Ctrl+F", self._focus_search),
            ("Next Match", "F3", self.find_next),
            ("Previous Match", "Shift+F3", self.find_previous),
        ):
            action = QAction(text, self)
            action.setShortcut(QKeySequence(keys))
            action.triggered.connect(call)
            self.addAction(action)
        return row

    # -- what is shown

    def show_tasks(self, tasks: Sequence[TaskEntry], chosen: str = "") -> None:
        """Show the job's blocks; ``chosen`` is the id of the one whose log is wanted, else the last that has begun."""
        first = not self._tasks
        self._tasks = {task.id: task for task in tasks}
        if not first and [self.blocks.itemData(row) for row in range(self.blocks.count())] == list(self._tasks):
            for row, task in enumerate(tasks):
                self._label(row, task)
            return
        before = chosen or self.task_id or _latest(tasks)
        self.blocks.blockSignals(True)
        self.blocks.clear()
        for row, task in enumerate(tasks):
            self.blocks.addItem("", task.id)
            self._label(row, task)
        self.blocks.setCurrentIndex(max(0, self.blocks.findData(before)) if tasks else -1)
        self.blocks.blockSignals(False)
        self._block_chosen()

    def _label(self, row: int, task: TaskEntry) -> None:
        self.blocks.setItemText(row, f"{row + 1}  {task.title}: {state_text(task.state, task.word)}")
        self.blocks.setItemIcon(row, theme_icon(task_icon(task)))

    def choose(self, task_id: str) -> None:
        """Show the log of another block."""
        self.blocks.setCurrentIndex(max(0, self.blocks.findData(task_id)))

    def show_log(self, task_id: str, log: str, read_at: datetime) -> None:
        """A block's log as it is now; what was shown of it stays where it is, and only what is new is added."""
        self._logs[task_id] = log
        if task_id != self.task_id:
            return
        self.message.setVisible(False)
        self._put(log)
        self._show_status(read_at)

    def show_failure(self, task_id: str, sentence: str) -> None:
        """The log could not be read; what was read before stays."""
        if task_id == self.task_id:
            self.text.setPlaceholderText("")
            self.message.show_message(WARNING, sentence)

    @property
    def task_id(self) -> str:
        """The block whose log is shown; empty before the blocks are known."""
        return str(self.blocks.currentData() or "")

    @property
    def following(self) -> bool:
        """Whether the log should be read again: the block may write more, and the person follows it."""
        task = self._tasks.get(self.task_id)
        return self.isVisible() and self.follow.isChecked() and task is not None and not task.state.terminal

    def _put(self, log: str) -> None:
        bar = self.text.verticalScrollBar()
        if log.startswith(self._shown) and self._shown:
            added = log[len(self._shown) :]
            if added:
                cursor = QTextCursor(self.text.document())
                cursor.movePosition(QTextCursor.MoveOperation.End)
                cursor.insertText(added)
        elif log != self._shown:
            place = bar.value()
            self.text.setPlainText(log)
            bar.setValue(place)
        self._shown = log
        task = self._tasks.get(self.task_id)
        over = task is not None and task.state.terminal
        self.text.setPlaceholderText(_NO_LOG if over else _NOT_YET)
        if self.follow.isChecked():
            self._to_end()
        self._mark()

    def _to_end(self) -> None:
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _show_status(self, read_at: datetime) -> None:
        lines = whole(len(self._shown.splitlines()))
        self.status.setText(f"{lines} lines, read {read_at.astimezone():%H:%M:%S}.")

    # -- searching

    def _search_changed(self) -> None:
        self._mark()
        if self.search.text():
            self.text.moveCursor(QTextCursor.MoveOperation.Start)
            self.find_next()

    def _focus_search(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def find_next(self) -> None:
        """Select the next match, after the last one the first."""
        self._find(backward=False)

    def find_previous(self) -> None:
        """Select the match before, before the first one the last."""
        self._find(backward=True)

    def _find(self, backward: bool) -> None:
        if not self.search.text():
            return
        self.follow.setChecked(False)  # whoever looks at a match wants it to stay
        if not self._found(backward):
            moves = QTextCursor.MoveOperation
            self.text.moveCursor(moves.End if backward else moves.Start)
            self._found(backward)

    def _found(self, backward: bool) -> bool:
        words = self.search.text()
        found = self.text.find(words, QTextDocument.FindFlag.FindBackward) if backward else self.text.find(words)
        return bool(found)

    def _mark(self) -> None:
        """Mark every match, by the colour of selections, and say how many there are."""
        words = self.search.text()
        marks: List[QTextEdit.ExtraSelection] = []
        cursor = self.text.document().find(words) if words else QTextCursor()
        while not cursor.isNull() and len(marks) < _MOST_MARKED:
            mark = QTextEdit.ExtraSelection()
            mark.cursor = cursor
            mark.format = self._mark_format()
            marks.append(mark)
            cursor = self.text.document().find(words, cursor)
        self.text.setExtraSelections(marks)
        many = f"{whole(len(marks))}+" if len(marks) == _MOST_MARKED else whole(len(marks))
        self.found.setText("" if not words else "No match" if not marks else f"{many} found")

    def _mark_format(self) -> QTextCharFormat:
        style = QTextCharFormat()
        style.setFontUnderline(True)
        style.setBackground(self.palette().alternateBase())
        return style

    # -- what happens

    def _block_chosen(self, *_: int) -> None:
        self._shown = ""
        self.text.clear()
        self.status.setText("")
        self.message.setVisible(False)
        self.text.setPlaceholderText(_READING)
        if not self.task_id:
            return
        if self.task_id in self._logs:
            self._put(self._logs[self.task_id])
        self.task_wanted.emit(self.task_id)

    def _follow_toggled(self, on: bool) -> None:
        if on:
            self._to_end()
            if self.task_id:
                self.task_wanted.emit(self.task_id)

    def _scrolled(self, value: int) -> None:
        """Who scrolls up while the log grows wants to read there."""
        if self.follow.isChecked() and self.text.verticalScrollBar().isSliderDown():
            self.follow.setChecked(value == self.text.verticalScrollBar().maximum())

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.text.toPlainText())


def _latest(tasks: Sequence[TaskEntry]) -> str:
    """The block that is at work, or the last that was."""
    begun = [task for task in tasks if task.started is not None]
    return (begun[-1] if begun else tasks[0]).id if tasks else ""
