"""Rows of two lines: a name, and below it when and how long."""

from __future__ import annotations

from qgis.PyQt.QtCore import QModelIndex, QSize
from qgis.PyQt.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from up42_plugin.gui.job_cells import KIND_ROLE, SECOND_LINE_ROLE
from up42_plugin.gui.jobs_rows import Kind

_PADDING = 2
_TWO_LINES = (Kind.JOB, Kind.TASK)
_LINE_SEPARATOR = "\u2028"  # what Qt breaks the text of a cell at; it elides each line by itself


class JobDelegate(QStyledItemDelegate):
    """Two lines in the first column of jobs and their blocks. The style paints them, in the theme's own colours."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:  # noqa: N802 - Qt's name
        super().initStyleOption(option, index)
        if not index.column() and index.data(KIND_ROLE) in _TWO_LINES:
            option.text = f"{option.text}{_LINE_SEPARATOR}{index.data(SECOND_LINE_ROLE) or ''}"

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802 - Qt's name
        """The height only, told by the first column: this is asked for every cell with every change of the rows."""
        if index.column():
            return QSize(0, 0)
        lines = 2 if index.data(KIND_ROLE) in _TWO_LINES else 1
        return QSize(0, lines * option.fontMetrics.height() + (2 if lines > 1 else 3) * _PADDING)
