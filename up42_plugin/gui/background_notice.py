"""A notification of the desktop while QGIS is in the background."""

from __future__ import annotations

from typing import Any, Callable, Optional

from qgis.PyQt.QtCore import QObject, QTimer
from qgis.PyQt.QtWidgets import QApplication, QSystemTrayIcon

_SHOWN_MS = 10_000


class BackgroundNotice(QObject):
    """Tells an event by the desktop's own means, when QGIS is not the window that somebody works in.

    ``wanted`` says whether the person wants that; ``in_front`` whether QGIS is in front.
    """

    def __init__(
        self,
        window: Any,
        wanted: Callable[[], bool],
        in_front: Optional[Callable[[], bool]] = None,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._window, self._wanted = window, wanted
        self._in_front = in_front or (lambda: QApplication.activeWindow() is not None)
        self._icon: Optional[QSystemTrayIcon] = None
        self._hide = QTimer(self)
        self._hide.setSingleShot(True)
        self._hide.setInterval(_SHOWN_MS)
        self._hide.timeout.connect(self.close)

    def tell(self, text: str) -> bool:
        """Tell it; False when nobody has to be called, or the desktop has no place for it."""
        if self._in_front() or not self._wanted():
            return False
        QApplication.alert(self._window)  # the task bar's own sign
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return False
        if self._icon is None:
            self._icon = QSystemTrayIcon(self._window.windowIcon(), self)
            self._icon.messageClicked.connect(self._clicked)
        self._icon.show()
        self._icon.showMessage("UP42", text, self._window.windowIcon())
        self._hide.start()
        return True

    def close(self) -> None:
        """Take the icon away."""
        self._hide.stop()
        if self._icon is not None:
            self._icon.hide()
            self._icon.deleteLater()
            self._icon = None

    def _clicked(self) -> None:
        self._window.raise_()
        self._window.activateWindow()
