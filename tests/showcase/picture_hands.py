"""The hands of the photographer: they press the dock's own buttons, wait for what comes of it, and take the picture."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, List, Mapping, Type, TypeVar

from qgis.core import QgsApplication, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QPoint, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAbstractButton, QApplication, QComboBox, QDockWidget, QScrollArea, QWidget

#: The width the dock is designed for, in logical pixels.
DOCK_WIDTH = 380
_MAP_WIDTH = 900
_SETTLING_S = 0.5
_TAGS = ("UP42", "Python warning")

W = TypeVar("W", bound=QWidget)


class UnreachableError(Exception):
    """A state cannot be reached; the text says what is in the way."""


@dataclass(frozen=True)
class Wait:
    """What is waited for, in words and as a condition, and for how many seconds at most."""

    what: str
    until: Callable[[], bool]
    within_s: float = 30.0


Steps = Iterator[Wait]


@dataclass(frozen=True)
class State:
    """A state with the name of its picture, and the way there."""

    name: str
    steps: Callable[[Any], Steps]


class Hands:
    """Everything the states do, they do with these. ``service`` is how to get into the sandbox beside QGIS."""

    def __init__(self, iface: Any, desk: Any, service: Mapping[str, Any], folder: Path) -> None:
        if desk is None:
            raise UnreachableError("QGIS has not loaded the plugin.")
        self.iface, self.desk, self.service, self._folder = iface, desk, service, folder
        self.log: List[str] = []
        QgsApplication.messageLog().messageReceived.connect(self._logged)

    def _logged(self, text: str, tag: str, _level: int) -> None:
        if tag in _TAGS:
            self.log.append(text)

    @property
    def dock(self) -> Any:
        """The plugin's dock."""
        return self.desk.dock

    @property
    def situation(self) -> str:
        """How things stand, for an error."""
        dock = self.dock
        return (
            f"the dock is {dock.width()} × {dock.height()}, its reason line says {dock.foot.reason.text!r}, "
            f"the area {dock.area.size_text!r}, {dock.area.problem.text!r}, the log: {self.log[-3:]}"
        )

    # -- pressing

    def click(self, button: QAbstractButton, at: QPoint = QPoint()) -> None:  # noqa: B008 - Qt's own null point
        """Press a button that a person could press."""
        if not (button.isVisible() and button.isEnabled()):
            grey = "grey" if button.isVisible() else "not there"
            raise UnreachableError(f"The button {button.text() or button.objectName()!r} is {grey}: {button.toolTip()}")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=at)

    def click_later(self, button: QAbstractButton) -> None:
        """Press a button that opens a dialog with an event loop of its own."""
        QTimer.singleShot(0, lambda: self.click(button))

    def button(self, inside: QWidget, text: str) -> QAbstractButton:
        """The shown button with this text."""
        for button in inside.findChildren(QAbstractButton):
            if button.isVisible() and button.text().replace("&", "") == text:
                return button
        raise UnreachableError(f"There is no button {text!r}.")

    def choose(self, combo: QComboBox, text: str) -> None:
        """Choose an entry as a person does."""
        index = combo.findText(text)
        if index < 0:
            raise UnreachableError(f"{combo.accessibleName()} does not offer {text!r}.")
        combo.setCurrentIndex(index)
        combo.activated.emit(index)

    def shown(self, kind: Type[W]) -> List[W]:
        """The open dialogs of a class."""
        return [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, kind) and widget.isVisible()]

    def opened(self, name: str) -> List[QWidget]:
        """The open dialogs with this object name."""
        return [widget for widget in self.shown(QWidget) if widget.objectName() == name]

    # -- waiting

    def settled(self) -> Wait:
        """A moment for layouts and drawing."""
        end = time.monotonic() + _SETTLING_S
        return Wait("the layout", lambda: time.monotonic() > end)

    def reason(self, begins: str) -> Wait:
        """The line above the buttons begins with these words."""
        return Wait(f"the reason {begins!r}", lambda: self.dock.foot.reason.text.startswith(begins))

    def priced(self) -> Wait:
        """The price of the form as it is now."""
        told = self.dock.foot.estimation

        def known() -> bool:
            return "credits" in told.text() and "updating" not in told.text() and not self.desk.new_job.price.updating

        return Wait("the price", known)

    def area(self, size: str) -> Wait:
        """The size line of the area says this."""
        return Wait(f"the area {size!r}", lambda: size in self.dock.area.size_text.replace("\u00a0", " "))

    # -- the map

    def select(self, layer: QgsVectorLayer, *names: str) -> None:
        """Select the features with these names, and nothing else; the map shows them."""
        wanted = [feature.id() for feature in layer.getFeatures() if feature["name"] in names]
        if len(wanted) != len(names):
            raise UnreachableError(f"The layer has no features {names}.")
        for other in QgsProject.instance().mapLayers().values():
            if isinstance(other, QgsVectorLayer) and other is not layer:
                other.removeSelection()
        layer.selectByIds(wanted)

    # -- the picture

    def shoot(self, name: str, widget: QWidget) -> None:
        """Take the picture."""
        if not widget.isVisible():
            raise UnreachableError(f"{name}: {widget.objectName()} is not shown.")
        if not widget.grab().save(str(self._folder / f"{name}.png")):
            raise UnreachableError(f"{name}.png could not be written.")

    def shoot_window(self, name: str) -> None:
        """Take the picture of the window with the menus that are open over it."""
        frame = self.iface.mainWindow().geometry()
        screen = QApplication.primaryScreen()
        picture = screen.grabWindow(0, frame.x(), frame.y(), frame.width(), frame.height())
        if not picture.save(str(self._folder / f"{name}.png")):
            raise UnreachableError(f"{name}.png could not be written.")

    def size_dock(self, height: int) -> Steps:
        """Give the dock this height, and the width it is designed for."""
        dock, window = self.dock, self.iface.mainWindow()

        def fits() -> bool:
            if (dock.width(), dock.height()) == (DOCK_WIDTH, height):
                return True
            window.resize(_MAP_WIDTH + DOCK_WIDTH, window.height() + height - dock.height())
            window.resizeDocks([dock], [DOCK_WIDTH], Qt.Orientation.Horizontal)
            return False

        yield Wait(f"the dock at {DOCK_WIDTH} × {height}", fits)
        for scroll in dock.findChildren(QScrollArea):
            scroll.verticalScrollBar().setValue(0)
        yield self.settled()
        yield Wait("the dock's size to stay", fits)

    def shoot_dock(self, name: str, height: int) -> Steps:
        """Take the picture of the dock."""
        yield from self.size_dock(height)
        self.shoot(name, self.dock)

    def tidy_window(self) -> None:
        """Only the dock and the map."""
        window = self.iface.mainWindow()
        for dock in window.findChildren(QDockWidget):
            if dock is not self.dock:
                dock.close()
        window.setGeometry(0, 0, _MAP_WIDTH + DOCK_WIDTH, 900)
        window.activateWindow()
