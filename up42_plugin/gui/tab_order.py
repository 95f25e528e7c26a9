"""Where Tab goes: through the fields as the eye does, however late a field was made."""

from __future__ import annotations

from typing import Iterator, List

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QApplication,
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QLayout,
    QScrollArea,
    QTabWidget,
    QToolButton,
    QWidget,
)


def stops(widget: QWidget) -> List[QWidget]:
    """The widgets that Tab reaches in ``widget`` now, in the order of their layouts."""
    return [found for found in _inside(widget) if _takes_tab(found)]


def go_on(frame: QWidget, forward: bool) -> bool:
    """Give the focus to the next widget in ``frame``, or to the first behind it; False when there is none."""
    focused = QApplication.focusWidget()
    order = stops(frame)
    places = [number for number, stop in enumerate(order) if _holds(stop, focused)]
    if not places:
        return False
    following = places[-1] + (1 if forward else -1)
    reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
    if 0 <= following < len(order):
        order[following].setFocus(reason)
        return True
    if frame.isWindow():
        order[0 if forward else -1].setFocus(reason)
        return True
    return _leave(frame, forward, reason)


def _leave(frame: QWidget, forward: bool, reason: Qt.FocusReason) -> bool:
    widget: QWidget = frame
    while True:
        widget = widget.nextInFocusChain() if forward else widget.previousInFocusChain()
        if widget is frame or widget is None:
            return False
        if not frame.isAncestorOf(widget) and widget.window() is frame.window() and _takes_tab(widget):
            widget.setFocus(reason)
            return True


def _inside(widget: QWidget) -> Iterator[QWidget]:
    if isinstance(widget, QTabWidget):
        yield widget.tabBar()
        if widget.currentWidget() is not None:
            yield from _inside(widget.currentWidget())
        return
    if isinstance(widget, QScrollArea):
        yield from _inside(widget.widget())
        return
    arrows = _arrows(widget)
    yield from arrows or [widget]  # of a group its arrow is enough: Space on it opens the group
    if widget.layout() is not None:
        yield from _in_layout(widget.layout())


def _arrows(widget: QWidget) -> List[QToolButton]:
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    return widget.findChildren(QToolButton, "collapseButton", direct) if isinstance(widget, QGroupBox) else []


def _in_layout(layout: QLayout) -> Iterator[QWidget]:
    for index in _order(layout):
        item = layout.itemAt(index)
        if item.widget() is not None:
            yield from _inside(item.widget())
        elif item.layout() is not None:
            yield from _in_layout(item.layout())


def _order(layout: QLayout) -> List[int]:
    """The places of a layout's items, row by row where it has rows."""
    indices = list(range(layout.count()))
    if isinstance(layout, QGridLayout):
        return sorted(indices, key=lambda index: layout.getItemPosition(index)[:2])
    if isinstance(layout, QFormLayout):
        places = {index: layout.getItemPosition(index) for index in indices}
        label = QFormLayout.ItemRole.LabelRole
        return sorted(indices, key=lambda index: (places[index][0], places[index][1] != label))
    return indices


def _takes_tab(widget: QWidget) -> bool:
    by_tab = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    return by_tab and widget.isVisible() and widget.isEnabled() and widget.focusProxy() is None


def _holds(stop: QWidget, focused: object) -> bool:
    return focused is stop or (isinstance(focused, QWidget) and stop.isAncestorOf(focused))
