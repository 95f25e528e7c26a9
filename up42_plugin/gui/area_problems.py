"""What is wrong with the area, a row each with the button that mends it; what was mended, and what blocks advise."""

from __future__ import annotations

from typing import List, Optional, Sequence

from qgis.PyQt.QtCore import QLocale, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from up42_plugin.core.mending import Mend, MendKind
from up42_plugin.gui.texts import NBSP
from up42_plugin.gui.widgets import INFORMATION, WARNING, icon_size, separator, theme_icon
from up42_plugin.qgis_bridge.area_material import Offer
from up42_plugin.qgis_bridge.area_state import AreaState

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
    MendKind.DIVIDE: "Split",
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
# Pieces whose sizes differ by less read as one size.
_EVEN = 0.02


def change_text(offer: Offer) -> str:
    """``Joined by a hull: 0.07 → 0.31 km²``, ``Split: 2 jobs, 74.3 km² each``.

    Empty where nothing is known before the person was asked.
    """
    if offer.pieces:
        return f"Split: {len(offer.pieces):,} jobs, {_each(offer.pieces)}{NBSP}km² each"
    what = _CHANGES.get(offer.kind) if offer.kind is not None else None
    if what is None or offer.after_km2 is None:
        return ""
    after = f"{_number(offer.after_km2)}{NBSP}km²"
    return f"{what}: {after}" if offer.before_km2 is None else f"{what}: {_number(offer.before_km2)} → {after}"


def button_text(offer: Offer) -> str:
    """``Join Parts``, ``Split in 2``; plain ``Split`` where several features are split at once."""
    text = _BUTTONS[offer.kind] if offer.kind is not None else ""
    return f"{text} in {len(offer.pieces):,}" if offer.pieces and offer.count == 1 else text


def done_text(mend: Mend, jobs: int = 1, per_feature: bool = False) -> str:
    """``Mended: parts joined``, ``Mended: split in 2``; ``jobs`` is how many areas there are now."""
    if mend.kind is not MendKind.DIVIDE:
        return f"Mended: {_DONE[mend.kind]}"
    return f"Mended: large features split, {jobs:,} jobs" if per_feature else f"Mended: split in {jobs:,}"


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
        self._layout.addWidget(separator())

    def show_rows(self, state: AreaState, warnings: Sequence[str], advice: Sequence[str]) -> None:
        """Problems with their mends first, then what was mended, then what only needs telling."""
        focused = next((row.button.objectName() for row in self._rows if row.button and row.button.hasFocus()), "")
        for row in self._rows:
            self._layout.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = []
        for offer in state.offers:
            self._add_offer(offer)
        for mend in state.mends:
            done = done_text(mend, len(state.job_areas), state.per_feature)
            row = self._add(INFORMATION, done, "Undo", f"undo_{mend.kind.value}")
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
        text = "\n".join(line for line in (offer.problem.message, offer.which, change_text(offer)) if line)
        if offer.kind is None:
            self._add(WARNING, text)
            return
        row = self._add(WARNING, text, button_text(offer), f"mend_{offer.kind.value}")
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
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        label.setIndent(0)
        told = QHBoxLayout()  # icon and first line side by side, both in the middle beside a button
        told.addWidget(picture)
        told.addWidget(label, 1)
        layout.addLayout(told, 1)
        layout.setAlignment(told, Qt.AlignmentFlag.AlignVCenter)
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


def _each(sizes: Sequence[float]) -> str:
    """``74.3``, or ``52.1–74.3`` where they differ."""
    low, high = QLocale().toString(min(sizes), "f", 1), QLocale().toString(max(sizes), "f", 1)
    mean = QLocale().toString(sum(sizes) / len(sizes), "f", 1)
    return mean if max(sizes) - min(sizes) <= _EVEN * max(sizes) else f"{low}–{high}"
