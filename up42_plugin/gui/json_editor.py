"""The JSON of a job in QGIS's code editor, with marks and notes where something is wrong."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional

from qgis.gui import QgsCodeEditor, QgsCodeEditorColorScheme, QgsFilterLineEdit
from qgis.PyQt.Qsci import QsciLexerJSON, QsciScintilla
from qgis.PyQt.QtCore import QEvent, QMimeData, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent, QKeySequence
from qgis.PyQt.QtWidgets import QMessageBox, QShortcut, QVBoxLayout, QWidget

_CHECK_AFTER_MS = 300
_LEAST_HEIGHT = 320
_ROLE = QgsCodeEditorColorScheme.ColorRole


class _CodeEditor(QgsCodeEditor):
    """QGIS's editor with JSON colours of the theme in use. ``leave_asked(forward)`` on Ctrl+Tab: Tab itself indents."""

    leave_asked = pyqtSignal(bool)

    def __init__(self) -> None:
        super().__init__(None, "JSON", True)
        self.initializeLexer()

    def initializeLexer(self) -> None:  # noqa: N802 - QGIS's name
        """Colours, line numbers and the like; QGIS sets all of it back after each OK in its options, and calls this."""
        lexer = QsciLexerJSON(self)
        lexer.setFoldCompact(False)
        font = self.lexerFont()
        lexer.setDefaultFont(font)
        lexer.setFont(font, -1)
        lexer.setDefaultPaper(self.lexerColor(_ROLE.Background))  # of the room beside and below the text
        lexer.setPaper(self.lexerColor(_ROLE.Background), -1)
        lexer.setColor(self.lexerColor(_ROLE.Default), -1)
        for style, role in (
            (QsciLexerJSON.Number, _ROLE.Number),
            (QsciLexerJSON.String, _ROLE.DoubleQuote),
            (QsciLexerJSON.Property, _ROLE.Tag),
            (QsciLexerJSON.Keyword, _ROLE.Keyword),
            (QsciLexerJSON.Operator, _ROLE.Operator),
        ):
            lexer.setColor(self.lexerColor(role), style)
        self.setLexer(lexer)
        self.runPostLexerConfigurationTasks()
        self.setLineNumbersVisible(True)
        self.setFoldingVisible(True)
        self.setTabWidth(2)
        self.setIndentationWidth(2)
        self.setIndentationsUseTabs(False)
        self.setAutoIndent(True)
        self.setBraceMatching(QsciScintilla.BraceMatch.SloppyBraceMatch)
        self.setEolMode(QsciScintilla.EolMode.EolUnix)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:  # noqa: N802 - Qt's name
        """Files and layers are for the dock, not for the text."""
        return not source.hasUrls() and bool(super().canInsertFromMimeData(source))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            if control and event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
                self.leave_asked.emit(event.key() == Qt.Key.Key_Tab)
                return True
        return bool(super().event(event))


class JsonEditor(QWidget):
    """An editor with a search line; ``beside`` another one it is a second view of that one's text, undo included.

    ``touched`` at once when a person changes the text, ``settled`` a moment after the last change, ``marked`` with
    other marks.
    """

    touched = pyqtSignal()
    settled = pyqtSignal()
    marked = pyqtSignal()

    def __init__(self, parent: Optional[QWidget] = None, beside: Optional[JsonEditor] = None) -> None:
        super().__init__(parent)
        self.setObjectName("jsonPage")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.find_line = QgsFilterLineEdit()
        self.find_line.setObjectName("jsonFind")
        self.find_line.setPlaceholderText("Find in the text")
        self.find_line.setAccessibleName("Find in the text")
        self.find_line.setShowClearButton(True)
        self.find_line.returnPressed.connect(self.find_next)
        self.find_line.hide()
        layout.addWidget(self.find_line)
        self.editor = _CodeEditor()
        self.editor.setObjectName("json")
        self.editor.setAccessibleName("Job as JSON")
        self.editor.setMinimumHeight(_LEAST_HEIGHT)
        self.editor.leave_asked.connect(self._leave)
        if beside is not None:
            self.editor.setDocument(beside.editor.document())
        layout.addWidget(self.editor, 1)
        self._marks: Dict[int, str] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_CHECK_AFTER_MS)
        self._timer.timeout.connect(self.settled)
        self._showing = False
        self.editor.textChanged.connect(self._edited)
        for keys, slot in (("Ctrl+F", self._find), ("F8", self.next_mark)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    @property
    def text(self) -> str:
        """The text as it is."""
        return str(self.editor.text())

    @property
    def marks(self) -> Mapping[int, str]:
        """The notes shown, by line (from 1)."""
        return dict(self._marks)

    def show_text(self, text: str) -> None:
        """Show another text, without telling of a change; the place in it is kept as far as possible."""
        self._timer.stop()
        if text == self.text:
            return
        line, column = self.editor.getCursorPosition()
        self._showing = True
        self.editor.setText(text)
        self._showing = False
        self.editor.setCursorPosition(min(line, self.editor.lines() - 1), column)

    def type_text(self, text: str) -> None:
        """Replace the text as a person does who types: it is told and checked."""
        self.editor.setText(text)

    def show_marks(self, marks: Mapping[int, str], anew: bool = False) -> None:
        """Mark lines (from 1), each with its note below; ``anew`` also when they are marked already."""
        if marks == self._marks and not anew:
            return
        self._marks = dict(marks)
        self.editor.clearWarnings()
        for line, note in sorted(marks.items()):
            self.editor.addWarning(line - 1, note)
        self.marked.emit()

    def go_to(self, line: int) -> None:
        """Put the cursor into a line (from 1)."""
        self.editor.setCursorPosition(line - 1, 0)
        self.editor.ensureLineVisible(line - 1)
        self.editor.setFocus()

    def next_mark(self) -> None:
        """Go to the next marked line, after the last one to the first."""
        lines: List[int] = sorted(self._marks)
        if lines:
            here = self.editor.getCursorPosition()[0] + 1
            self.go_to(next((line for line in lines if line > here), lines[0]))

    def find_next(self) -> None:
        """Select the next place of what is looked for."""
        words = self.find_line.text()
        if words:
            self.editor.findFirst(words, False, False, False, True)

    def _leave(self, forward: bool) -> None:
        """Qt's own way on is closed: the editor keeps Tab for its indents."""
        self.focusNextPrevChild(forward)

    def _find(self) -> None:
        self.find_line.show()
        self.find_line.setFocus()
        self.find_line.selectAll()

    def _edited(self) -> None:
        if not self._showing:
            self._timer.start()
            self.touched.emit()


def broken_json_question(problem: object, window: QWidget) -> QMessageBox:
    """Ask whether text that cannot be read is kept (the default, and Escape) or given up."""
    box = QMessageBox(window)
    box.setObjectName("brokenJson")
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("JSON")
    box.setText(f"The JSON cannot be read. {problem}")
    keep = box.addButton("Keep Editing", QMessageBox.ButtonRole.RejectRole)
    box.addButton("Discard Changes Since the Last Valid Text", QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    return box
