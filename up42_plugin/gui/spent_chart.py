"""A small bar chart of credits, painted with the palette's colours: charged full, held hatched."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QEvent, QRect, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QBrush, QHelpEvent, QPainter, QPaintEvent, QPalette, QPen
from qgis.PyQt.QtWidgets import QLabel, QToolTip, QWidget

from up42_plugin.core.credit_report import Sum
from up42_plugin.gui.texts import credits_of, whole

_MARGIN = 4
_WIDEST_BAR = 48
_MOST_BARS = 31
_TICKS = 2


class SpentChart(QLabel):
    """One bar for each sum, oldest left: charged below, held above it. What was returned is no cost and not drawn.

    A label, because QGIS's themes give labels their colours and plain widgets none.
    """

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("spentChart")
        self._sums: Tuple[Sum, ...] = ()
        self.setMouseTracking(True)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(self.fontMetrics().averageCharWidth() * 70, self.fontMetrics().height() * 11)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(200, self.fontMetrics().height() * 6)

    def show_sums(self, left_to_right: Sequence[Sum]) -> None:
        """Show these; of very many the last ones."""
        self._sums = tuple(left_to_right)[-_MOST_BARS:]
        told = "; ".join(f"{item.label}: {_told(item)}" for item in self._sums)
        self.setAccessibleName(f"Credits spent. {told}" if told else "Credits spent: nothing")
        self.update()

    @property
    def shown(self) -> Tuple[Sum, ...]:
        """The sums that have a bar, from left to right."""
        return self._sums

    def bars(self) -> List[Tuple[Sum, QRectF, QRectF]]:
        """Each sum with the place of its charged and of its held credits."""
        frame, top = self._frame(), self._top()
        if not self._sums or top <= 0:
            return []
        slot = frame.width() / len(self._sums)
        width = min(_WIDEST_BAR, slot * 0.7)
        found = []
        for number, item in enumerate(self._sums):
            left = frame.left() + slot * number + (slot - width) / 2
            charged, held = (frame.height() * part / top for part in (item.charged, item.held))
            lower = QRectF(left, frame.bottom() - charged, width, charged)
            found.append((item, lower, QRectF(left, lower.top() - held, width, held)))
        return found

    def _top(self) -> float:
        """The scale's end: the next round number."""
        most = max((item.charged + item.held for item in self._sums), default=0.0)
        step = 10.0 ** max(0, len(str(int(most))) - 1)
        return max(1.0, step * -(-most // step))

    def _frame(self) -> QRect:
        metrics = self.fontMetrics()
        left = metrics.horizontalAdvance(whole(self._top())) + 2 * _MARGIN
        above, below = metrics.height() // 2 + _MARGIN, metrics.height() + 2 * _MARGIN
        return self.rect().adjusted(left, above, -_MARGIN, -below)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        text = self.palette().color(self.foregroundRole())
        if not self._sums:
            painter.setPen(text)
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), "No live jobs yet.")
            return
        self._paint_scale(painter, QPen(text))
        fill = self.palette().color(QPalette.ColorRole.Highlight)
        painter.setPen(fill)
        for _, charged, held in self.bars():
            painter.fillRect(charged, fill)
            if held.height() > 0:
                painter.fillRect(held, QBrush(fill, Qt.BrushStyle.BDiagPattern))
                painter.drawRect(held)
        self._paint_labels(painter, QPen(text))

    def _paint_scale(self, painter: QPainter, text: QPen) -> None:
        frame, top = self._frame(), self._top()
        faint = self.palette().color(QPalette.ColorRole.Mid)
        height = self.fontMetrics().height()
        right = int(Qt.AlignmentFlag.AlignRight) | int(Qt.AlignmentFlag.AlignVCenter)
        for tick in range(_TICKS + 1):
            y = frame.bottom() - frame.height() * tick // _TICKS
            painter.setPen(faint)
            painter.drawLine(frame.left(), y, frame.right(), y)
            painter.setPen(text)
            place = QRect(0, y - height // 2, frame.left() - _MARGIN, height)
            painter.drawText(place, right, whole(top * tick / _TICKS) if top >= _TICKS or tick != 1 else "")

    def _paint_labels(self, painter: QPainter, text: QPen) -> None:
        """Below the bars, as many as there is room for."""
        frame, metrics = self._frame(), self.fontMetrics()
        painter.setPen(text)
        slot = frame.width() / len(self._sums)
        widest = max(metrics.horizontalAdvance(item.label) for item in self._sums) + _MARGIN
        every = max(1, int(-(-min(widest, frame.width() // 3) // max(1.0, slot))))
        middle = int(Qt.AlignmentFlag.AlignHCenter) | int(Qt.AlignmentFlag.AlignTop)
        for number in range(len(self._sums) - 1, -1, -every):
            room = int(slot * every)
            centre = int(frame.left() + slot * (number + 0.5))
            left = max(0, min(centre - room // 2, self.width() - room))
            label = metrics.elidedText(self._sums[number].label, Qt.TextElideMode.ElideRight, room - _MARGIN)
            painter.drawText(QRect(left, frame.bottom() + _MARGIN, room, metrics.height()), middle, label)

    def event(self, event: QEvent) -> bool:
        """A bar's tooltip has its numbers."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            frame = self._frame()
            for item, charged, _held in self.bars():
                column = QRectF(charged.left(), frame.top(), charged.width(), frame.height())
                if column.contains(event.pos().x(), event.pos().y()):
                    QToolTip.showText(self.mapToGlobal(event.pos()), f"{item.label}: {_told(item)}", self)
                    return True
            QToolTip.hideText()
            return True
        return super().event(event)


def _told(item: Sum) -> str:
    parts = [f"{credits_of(item.charged)} charged"]
    if item.held:
        parts.append(f"{whole(item.held)} held")
    if item.returned:
        parts.append(f"{whole(item.returned)} returned")
    return ", ".join(parts)
