"""What is wrong with the area, a row each with the button that mends it; what was mended, and what blocks advise."""

from __future__ import annotations

from typing import List, Optional, Sequence

from qgis.PyQt.QtCore import QLocale, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from up42_plugin.core.mending import Mend, MendKind
from up42_plugin.gui.texts import NBSP
from up42_plugin.gui.widgets import INFORMATION, WARNING, icon_size, theme_icon
from up42_plugin.qgis_bridge.area_material import Offer

_BUTTONS = {
    MendKind.SET_CRS: "Set CRS…",
    MendKind.BUFFER: "Buffer…",
    MendKind.CUT: "Cut",
    MendKind.REPAIR: "Repair",
    MendKind.SPLIT: "Split There",
    MendKind.JOIN: "Join Parts",
    MendKind.SIMPLIFY: "Simplify",
    MendKind.ENLARGE: "Enlarge",
    MendKind.FILL: "Fill Holes",
}
_CHANGES = {
    MendKind.CUT: "Cut to where the CRS is used",
    MendKind.REPAIR: "Repaired",
    MendKind.SPLIT: "The larger side is kept",
    MendKind.JOIN: "Joined by a hull",
    MendKind.SIMPLIFY: "Simplified",
    MendKind.ENLARGE: "Enlarged evenly",
}
_DONE = {
    MendKind.SET_CRS: "CRS set, for this area only",
    MendKind.BUFFER: "grown by a buffer",
    MendKind.CUT: "cut to where the CRS is used",
    MendKind.REPAIR: "outline repaired",
    MendKind.SPLIT: "split at the 180° meridian, larger side kept",
    MendKind.JOIN: "parts joined",
    MendKind.SIMPLIFY: "outline simplified",
    MendKind.ENLARGE: "enlarged evenly",
    MendKind.FILL: "holes filled",
}


def change_text(offer: Offer) -> str:
    """``Joined by a hull: 0.07 → 0.31 km²``; empty where nothing is known before the person was asked."""
    what = _CHANGES.get(offer.kind) if offer.kind is not None else None
    if what is None or offer.after_km2 is None:
        return ""
    after = f"{_number(offer.after_km2)}{NBSP}km²"
    return f"{what}: {after}" if offer.before_km2 is None else f"{what}: {_number(offer.before_km2)} → {after}"


def done_text(mend: Mend) -> str:
    """``Mended: parts joined``."""
    return f"Mended: {_DONE[mend.kind]}"


class AreaProblems(QWidget):
    """The rows; ``mend_asked`` and ``undo_asked`` bring the :class:`MendKind`."""

    mend_asked = pyqtSignal(object)
    undo_asked = pyqtSignal(object)

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("areaProblem")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._rows: List[_Row] = []
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Sunken)
        self._layout.addWidget(line)

    def show_rows(
        self, offers: Sequence[Offer], mends: Sequence[Mend], warnings: Sequence[str], advice: Sequence[str]
    ) -> None:
        """Problems with their mends first, then what was mended, then what only needs telling."""
        focused = next((row.button.objectName() for row in self._rows if row.button and row.button.hasFocus()), "")
        for row in self._rows:
            self._layout.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = []
        for offer in offers:
            self._add_offer(offer)
        for mend in mends:
            row = self._add(INFORMATION, done_text(mend), "Undo", f"undo_{mend.kind.value}")
            row.clicked.connect(lambda kind=mend.kind: self.undo_asked.emit(kind))
        for text in warnings:
            self._add(WARNING, text)
        for text in advice:
            self._add(INFORMATION, text)
        for row in self._rows:
            if row.button is not None and row.button.objectName() == focused:
                row.button.setFocus()
        self.setVisible(bool(self._rows))

    @property
    def text(self) -> str:
        """What all rows say."""
        return "\n".join(row.text for row in self._rows)

    def button(self, name: str) -> Optional[QPushButton]:
        """The shown button with this text."""
        return next((row.button for row in self._rows if row.button is not None and row.button.text() == name), None)

    def _add_offer(self, offer: Offer) -> None:
        change = change_text(offer)
        text = f"{offer.problem.message}\n{change}" if change else offer.problem.message
        if offer.kind is None:
            self._add(WARNING, text)
            return
        row = self._add(WARNING, text, _BUTTONS[offer.kind], f"mend_{offer.kind.value}")
        row.clicked.connect(lambda kind=offer.kind: self.mend_asked.emit(kind))

    def _add(self, icon: str, text: str, button: str = "", name: str = "") -> _Row:
        row = _Row(icon, text, button, name)
        self._rows.append(row)
        self._layout.addWidget(row)
        return row


class _Row(QWidget):
    """An icon, a wrapping text, and perhaps a button at the right."""

    clicked = pyqtSignal()

    def __init__(self, icon: str, text: str, button: str, name: str) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        picture = QLabel()
        side = icon_size(self)
        picture.setPixmap(theme_icon(icon).pixmap(side, side))
        picture.setAlignment(Qt.AlignmentFlag.AlignTop)
        picture.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        label = QLabel(text)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setAccessibleName(text)
        self.text = text
        layout.addWidget(picture)
        layout.addWidget(label, 1)
        self.button: Optional[QPushButton] = None
        if button:
            self.button = QPushButton(button)
            self.button.setObjectName(name)
            self.button.setAutoDefault(False)
            self.button.setToolTip(text)
            self.button.setAccessibleName(f"{button.rstrip('…')}: {text.splitlines()[0]}")
            self.button.clicked.connect(self.clicked)
            layout.addWidget(self.button)


def _number(km2: float) -> str:
    return QLocale().toString(km2, "f", 2 if km2 >= 0.01 else 4)  # noqa: PLR2004 - never a bare 0.00
