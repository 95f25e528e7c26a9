"""Small pieces shared by the sections of the dock."""

from __future__ import annotations

from typing import Optional

from qgis.core import QgsApplication
from qgis.gui import QgsCollapsibleGroupBox
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtGui import QFontMetrics, QIcon, QPainter, QPaintEvent
from qgis.PyQt.QtWidgets import (
    QFormLayout,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

SUCCESS, WARNING, INFORMATION = "/mIconSuccess.svg", "/mIconWarning.svg", "/mActionPropertiesWidget.svg"
RUNNING, QUEUED, ON_HOLD, CANCELLED = "/mTaskRunning.svg", "/mTaskQueued.svg", "/mTaskOnHold.svg", "/mTaskCancel.svg"


def theme_icon(name: str) -> QIcon:
    """An icon of QGIS's current theme."""
    return QgsApplication.getThemeIcon(name)


def icon_size(widget: QWidget) -> int:
    """The height of small icons beside text."""
    return int(widget.fontMetrics().height() * 1.1)


def hint_label(text: str = "") -> QLabel:
    """A wrapping line one point smaller than the rest."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setIndent(0)
    font = label.font()
    font.setPointSizeF(max(6.0, font.pointSizeF() - 1))
    label.setFont(font)
    return label


def separator() -> QFrame:
    """A thin line across."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFrameShadow(QFrame.Shadow.Sunken)
    return line


def tool_button(icon: str, text: str, name: str) -> QToolButton:
    """A flat button with a theme icon; its text is tooltip and accessible name."""
    button = QToolButton()
    button.setIcon(theme_icon(icon))
    button.setToolTip(text)
    button.setAccessibleName(text)
    button.setObjectName(name)
    button.setAutoRaise(True)
    return button


def name_collapse_button(group: QGroupBox, title: str) -> None:
    """Tell screen readers what the arrow of a group does; Space on it opens and closes the group."""
    for button in group.findChildren(QToolButton, "collapseButton"):
        button.setAccessibleName(f"{title}: open or close")


def show_row(form: QFormLayout, after: QWidget, label: QLabel, field: QWidget, shown: bool) -> None:
    """Put a row behind that of ``after``, or take it away: one that is merely hidden would leave a gap."""
    there = form.indexOf(field) >= 0
    if shown and not there:
        form.insertRow(form.getWidgetPosition(after)[0] + 1, label, field)
    elif there and not shown:
        form.takeRow(field)
    for widget in (label, field):
        widget.setVisible(shown)


class ArrowButton(QToolButton):
    """A flat button with one arrow that opens a menu; its text is tooltip and accessible name."""

    def __init__(self, text: str, name: str, menu: QMenu) -> None:
        super().__init__()
        self.setArrowType(Qt.ArrowType.DownArrow)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolTip(text)
        self.setAccessibleName(text)
        self.setObjectName(name)
        self.setAutoRaise(True)
        self.setMenu(menu)

    def paintEvent(self, _event: Optional[QPaintEvent]) -> None:  # noqa: N802 - Qt's name
        """Without the second, smaller arrow that a style adds to every button with a menu."""
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.features &= ~QStyleOptionToolButton.ToolButtonFeature.HasMenu
        QStylePainter(self).drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)


class ElidedLabel(QLabel):
    """One line, elided in the middle; the tooltip has it whole."""

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(40, super().minimumSizeHint().height())

    def paintEvent(self, _event: Optional[QPaintEvent]) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        metrics = QFontMetrics(self.font())
        text = metrics.elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width())
        side = (
            Qt.AlignmentFlag.AlignRight
            if self.alignment() & Qt.AlignmentFlag.AlignRight
            else Qt.AlignmentFlag.AlignLeft
        )
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignVCenter) | int(side), text)


class Section(QgsCollapsibleGroupBox):
    """A group of the form that shows its content in its title while it is collapsed."""

    def __init__(self, title: str, name: str, parent: Optional[QWidget] = None) -> None:
        super().__init__(title, parent)
        self.setObjectName(name)
        self._plain_title, self._summary = title, ""
        name_collapse_button(self, title)
        self.setSettingGroup("Up42Dock")  # open or closed is remembered, in the window and out of it
        self.body: Optional[QWidget] = None
        self.collapsedStateChanged.connect(self._show_title)

    def enclose(self) -> None:
        """Put the content, once it is built, into one widget.

        The group shows and hides its own children when it is opened and closed, whether they should be seen or not.
        """
        body = self.body = QWidget()
        layout = self.layout()
        layout.setContentsMargins(0, 0, 0, 0)
        body.setLayout(layout)
        QVBoxLayout(self).addWidget(body)

    def set_summary(self, text: str) -> None:
        """The content in a few words, plain text."""
        self._summary = text
        self._show_title()

    def _show_title(self, *_: object) -> None:
        shown = self.isCollapsed() and self._summary
        text = f"{self._plain_title}: {self._summary}" if shown else self._plain_title
        self.setTitle(text.replace("&", "&&"))  # no letter for Alt


class MessageRow(QWidget):
    """An icon and a wrapping line: the state of something, never told by colour alone."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._icon = QLabel()
        self._icon.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._icon.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignTop)  # beside the icon, also where the row is higher
        self._text.setIndent(0)  # some themes would move the text down
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(self._icon)
        layout.addWidget(self._text, 1)

    def show_message(self, icon: str, text: str) -> None:
        """Show ``text`` with a theme icon; an empty text hides the row."""
        self.setVisible(bool(text))
        size = icon_size(self)
        self._icon.setPixmap(theme_icon(icon).pixmap(QSize(size, size)))
        self._text.setText(text)
        self._text.setAccessibleName(text)

    @property
    def text(self) -> str:
        """What the row says."""
        return self._text.text()
