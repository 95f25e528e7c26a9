"""Rows of two lines: a name, and below it when and how long; a state that is long takes two as well."""

from __future__ import annotations

from typing import Callable

from qgis.PyQt.QtCore import QModelIndex, QSize, Qt
from qgis.PyQt.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from up42_plugin.gui.job_cells import KIND_ROLE, SECOND_LINE_ROLE, Column
from up42_plugin.gui.jobs_rows import Kind

_PADDING = 2
_TWO_LINES = (Kind.JOB, Kind.TASK)
_MARGINS = 9
_TELLS_APART = ", "  # before what the jobs of one batch differ in
_LINE_SEPARATOR = "\u2028"  # what Qt breaks the text of a cell at; it elides each line by itself


def broken(text: str, fits: Callable[[str], bool]) -> str:
    """``text`` on two lines where it does not fit on one; numbers stay beside their units."""
    places = [place for place, letter in enumerate(text) if letter == " "]
    if fits(text) or not places:
        return text
    last = max((place for place in places if fits(text[:place])), default=places[0])
    return f"{text[:last]}{_LINE_SEPARATOR}{text[last + 1 :]}"


class JobDelegate(QStyledItemDelegate):
    """Two lines in the first column of jobs and their blocks. The style paints them, in the theme's own colours."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:  # noqa: N802 - Qt's name
        super().initStyleOption(option, index)
        if index.data(KIND_ROLE) not in _TWO_LINES:
            return
        if not index.column():
            name = option.text
            if _TELLS_APART in name:
                room = option.rect.width() - _MARGINS
                name = option.fontMetrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room)
            option.text = f"{name}{_LINE_SEPARATOR}{index.data(SECOND_LINE_ROLE) or ''}"
        elif index.column() == Column.STATE:
            room = option.rect.width() - option.decorationSize.width() - _MARGINS
            option.text = broken(option.text, lambda part: option.fontMetrics.horizontalAdvance(part) <= room)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802 - Qt's name
        """The height only, told by the first column: this is asked for every cell with every change of the rows."""
        if index.column():
            return QSize(0, 0)
        lines = 2 if index.data(KIND_ROLE) in _TWO_LINES else 1
        return QSize(0, lines * option.fontMetrics.height() + (2 if lines > 1 else 3) * _PADDING)
