"""Somebody who types: every field that can be reached, key by key, inside the event loop."""

from __future__ import annotations

from collections import deque
from typing import Callable, Deque, List, Optional, Tuple, Union

from qgis.PyQt.Qsci import QsciScintilla
from qgis.PyQt.QtCore import QEventLoop, QObject, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDateTimeEdit,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QWidget,
)

Key = Union[str, Qt.Key]
Keys = Tuple[Key, ...]

#: 30 keys a second, twice what a fast typist does; then a moment of thought, in which what waits for it begins.
BETWEEN_KEYS_MS = 33
AFTER_A_FIELD_MS = 900
_FIELDS = (QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit, QCheckBox, QsciScintilla, QAbstractItemView)
_DOWN, _UP, _BACK = Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Backspace


def fields_of(root: QWidget) -> List[QWidget]:
    """The fields inside ``root`` that a person can reach now, in no particular order; parts of fields are left out."""
    found: List[QWidget] = []
    for widget in root.findChildren(QWidget):
        if not isinstance(widget, _FIELDS) or not widget.isVisibleTo(root) or not widget.isEnabled():
            continue
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not _is_part(widget, root):
            found.append(widget)
    return found


def _is_part(widget: QWidget, root: QWidget) -> bool:
    """Whether it belongs to another field, as the line of a spin box does."""
    parent = widget.parentWidget()
    while parent is not None and parent is not root:
        if isinstance(parent, _FIELDS):
            return True
        parent = parent.parentWidget()
    return False


def keys_for(field: QWidget) -> Keys:
    """Something sensible to type there, some of it wrong and taken back."""
    if isinstance(field, QDateTimeEdit):
        return (*"20210501", _UP, _UP, _DOWN)
    if isinstance(field, QAbstractSpinBox):
        return (*"37", _BACK, *"4", _UP, _UP, _DOWN)
    if isinstance(field, QComboBox) and field.isEditable():
        return (*"medium", _BACK, _BACK, *"an")
    if isinstance(field, (QComboBox, QAbstractItemView)):
        return (_DOWN, _DOWN, _UP, _DOWN, _UP, _UP)
    if isinstance(field, QCheckBox):
        return (" ", " ", " ", " ")
    return (*"S2A_20210501, S2B", _BACK, _BACK, *"2B_7")


class Typist(QObject):
    """Types what it is given, one key in each turn of a timer; ``named`` hears before each key what comes."""

    def __init__(self, named: Callable[[str], None], parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._named = named
        self._waiting: Deque[Key] = deque()
        self._field: Optional[QWidget] = None
        self._name = ""
        self.sent = 0
        self._loop = QEventLoop(self)
        self._timer = QTimer(self)
        self._timer.setInterval(BETWEEN_KEYS_MS)
        self._timer.timeout.connect(self._next)

    def type(self, field: QWidget, keys: Keys, name: str) -> None:
        """Go into a field and type, as a person who tabs there does; returns a moment after the last key."""
        self._field, self._name = field, name
        self._named(f"entering {name}")
        _show(field)
        field.setFocus(Qt.FocusReason.TabFocusReason)
        self.rest(BETWEEN_KEYS_MS)
        self._waiting.extend(keys)
        self._timer.start()
        self._loop.exec()
        self._named(f"after {name}")
        self.rest(AFTER_A_FIELD_MS)

    def rest(self, milliseconds: int) -> None:
        """Let the loop run on without keys."""
        QTimer.singleShot(milliseconds, self._loop.quit)
        self._loop.exec()

    def _next(self) -> None:
        if not self._waiting or self._field is None:
            self._timer.stop()
            self._loop.quit()
            return
        key = self._waiting.popleft()
        self._named(f"{self._name}, key {key!r}")
        self.sent += 1
        QTest.keyClick(self._field, key)


def _show(field: QWidget) -> None:
    """Scroll to a field, so that it is painted."""
    parent = field.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(field)
        parent = parent.parentWidget()
