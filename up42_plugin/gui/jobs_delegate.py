"""Paints rows of two lines: a name, and below it when and how long."""

from __future__ import annotations

from qgis.PyQt.QtCore import QModelIndex, QRect, QSize, Qt
from qgis.PyQt.QtGui import QPainter, QPalette
from qgis.PyQt.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from up42_plugin.gui.job_cells import KIND_ROLE, SECOND_LINE_ROLE
from up42_plugin.gui.jobs_rows import Kind

_PADDING = 2
_TWO_LINES = (Kind.JOB, Kind.TASK)


class JobDelegate(QStyledItemDelegate):
    """Two lines in the first column of jobs and their blocks; everything else as the style has it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802 - Qt's name
        """The height only, told by the first column: this is asked for every cell with every change of the rows."""
        if index.column():
            return QSize(0, 0)
        lines = 2 if index.data(KIND_ROLE) in _TWO_LINES else 1
        return QSize(0, lines * option.fontMetrics.height() + (4 if lines > 1 else 3) * _PADDING)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Paint the background as the style does, then the lines."""
        if index.column() or index.data(KIND_ROLE) not in _TWO_LINES:
            super().paint(painter, option, index)
            return
        whole = QStyleOptionViewItem(option)
        self.initStyleOption(whole, index)
        name, whole.text = whole.text, ""
        widget = option.widget
        style = widget.style() if widget is not None else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, whole, painter, widget)
        margin = style.pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, whole, widget) + 1
        room = whole.rect.adjusted(margin, _PADDING, -margin, -_PADDING)
        selected = bool(whole.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        painter.save()
        painter.setFont(whole.font)
        painter.setPen(whole.palette.color(_group(whole), role))
        upper = QRect(room.left(), room.top(), room.width(), room.height() // 2)
        lower = QRect(room.left(), upper.bottom() + 1, room.width(), room.height() - upper.height())
        for text, place in ((name, upper), (str(index.data(SECOND_LINE_ROLE) or ""), lower)):
            elided = whole.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter) | int(Qt.AlignmentFlag.AlignLeft), elided)
        painter.restore()


def _group(option: QStyleOptionViewItem) -> QPalette.ColorGroup:
    if not option.state & QStyle.StateFlag.State_Enabled:
        return QPalette.ColorGroup.Disabled
    active = option.state & QStyle.StateFlag.State_Active
    return QPalette.ColorGroup.Active if active else QPalette.ColorGroup.Inactive
