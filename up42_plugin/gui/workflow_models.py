"""The builder's two lists: blocks that can be added, and the chain as it stands."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt
from qgis.PyQt.QtGui import QFont, QIcon
from qgis.PyQt.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from up42_plugin.core.capability_check import output_of_chain
from up42_plugin.core.capability_words import produces_text, why_not_short
from up42_plugin.core.chain_verdict import Offer
from up42_plugin.core.workflow import Block, BlockType
from up42_plugin.gui.block_details import price_text
from up42_plugin.gui.widgets import theme_icon

OFFER_ROLE = int(Qt.ItemDataRole.UserRole)
_GREY_ROLE = OFFER_ROLE + 1
_DISPLAY = Qt.ItemDataRole.DisplayRole
_HEADERS = Qt.Orientation.Horizontal


class GreyRows(QStyledItemDelegate):
    """Draws what does not fit as something disabled, which every theme has a look for; it can be selected."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:  # noqa: N802 - Qt's name
        super().initStyleOption(option, index)
        if index.data(_GREY_ROLE) and not option.state & QStyle.StateFlag.State_Selected:
            option.state &= ~QStyle.StateFlag.State_Enabled


class _TwoColumns(QAbstractTableModel):
    """A table of two titled columns."""

    titles: Tuple[str, str] = ("", "")

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name, Qt's default
        return 0 if parent.isValid() else len(self.titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = int(_DISPLAY)) -> Any:  # noqa: N802
        if orientation == _HEADERS and role == _DISPLAY and 0 <= section < len(self.titles):
            return self.titles[section]
        return None


class OfferModel(_TwoColumns):
    """Blocks that can be added, and those that do not fit: grey, with the reason in the place of the price."""

    titles = ("Block", "Price")

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._offers: Tuple[Offer, ...] = ()
        self._short: Dict[str, str] = {}

    def show_offers(self, offers: Sequence[Offer], chain: Sequence[Block]) -> None:
        """Show these behind a chain: those that fit first, then those with a reason that can be told."""
        output = output_of_chain(chain)
        self.beginResetModel()
        self._short = {offer.block.id: why_not_short(offer.block, output) for offer in offers if not offer.fits}
        self._offers = tuple(sorted(offers, key=self._rank))
        self.endResetModel()

    def _rank(self, offer: Offer) -> int:
        return 0 if offer.fits else 1 if self._short[offer.block.id] else 2

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name, Qt's default
        return 0 if parent.isValid() else len(self._offers)

    def data(self, index: QModelIndex, role: int = int(_DISPLAY)) -> Any:
        if not index.isValid():
            return None
        offer, first = self._offers[index.row()], index.column() == 0
        if role == _DISPLAY:
            return offer.block.title if first else self._price(offer)
        if role == Qt.ItemDataRole.DecorationRole:
            return block_icon(offer.block) if first else None
        if role == _GREY_ROLE:
            return not offer.fits
        if role == Qt.ItemDataRole.ToolTipRole:
            return offer.reason or f"{offer.block.title}, {offer.block.provider}"
        return offer if role == OFFER_ROLE else None

    def _price(self, offer: Offer) -> str:
        if offer.fits:
            return price_text(offer.block)
        return self._short[offer.block.id] or "Not accepted by the service"


class OfferFilter(QSortFilterProxyModel):
    """Finds blocks by words of their title, name or description, and hides those that do not fit."""

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._words: List[str] = []
        self._all = False

    def set_text(self, text: str) -> None:
        """Show only blocks that have all these words."""
        self._words = text.lower().split()
        self.invalidateFilter()

    def set_all(self, show: bool) -> None:
        """Whether blocks that do not fit are shown."""
        self._all = show
        self.invalidateFilter()

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:  # noqa: N802 - Qt's name
        source = self.sourceModel()
        offer = source.data(source.index(row, 0, parent), OFFER_ROLE)
        if not offer.fits and not self._all:
            return False
        block = offer.block
        text = f"{block.title} {block.name} {block.provider} {block.description}".lower()
        return all(word in text for word in self._words)


class ChainModel(_TwoColumns):
    """The chain, and below it in italics the block that would be added."""

    titles = ("Block", "Produces")

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._blocks: Tuple[Block, ...] = ()
        self._candidate: Optional[Offer] = None

    def show_chain(self, blocks: Sequence[Block], candidate: Optional[Offer] = None) -> None:
        """Show a chain and what may come next."""
        self.beginResetModel()
        self._blocks, self._candidate = tuple(blocks), candidate
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name, Qt's default
        return 0 if parent.isValid() else len(self._blocks) + (self._candidate is not None)

    def flags(self, index: QModelIndex) -> Any:
        """The candidate is looked at, not selected."""
        if index.isValid() and index.row() >= len(self._blocks):
            return Qt.ItemFlag.ItemIsEnabled
        return super().flags(index)

    def data(self, index: QModelIndex, role: int = int(_DISPLAY)) -> Any:
        if not index.isValid():
            return None
        row = index.row()
        coming = row >= len(self._blocks)
        block = self._candidate.block if coming and self._candidate is not None else self._blocks[row]
        if role == _DISPLAY:
            return f"{row + 1}  {block.title}" if index.column() == 0 else self._produces(row, block, coming)
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return block_icon(block)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._candidate.reason or block.title if coming and self._candidate is not None else block.title
        return _coming_look(role) if coming else None

    def _produces(self, row: int, block: Block, coming: bool) -> str:
        if coming and self._candidate is not None and not self._candidate.fits:
            return "does not fit"
        text = produces_text(output_of_chain((*self._blocks[:row], block)))
        return f"if added: {text}" if coming and text else text


def block_icon(block: Block) -> QIcon:
    """A picture for data, a gear for processing."""
    return theme_icon("/mIconRaster.svg" if block.type is BlockType.DATA else "/processingAlgorithm.svg")


def _coming_look(role: int) -> Any:
    if role == Qt.ItemDataRole.FontRole:
        font = QFont(QgsApplication.font())
        font.setItalic(True)
        return font
    return True if role == _GREY_ROLE else None
