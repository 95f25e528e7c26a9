"""The list of what is in storage, and how it is searched."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QAbstractTableModel, QLocale, QModelIndex, QObject, QSortFilterProxyModel, Qt

from up42_plugin.core.service import StorageAsset
from up42_plugin.core.stored_data import misfit, product_text, search_words
from up42_plugin.core.workflow import Block
from up42_plugin.gui.texts import NBSP

ASSET_ROLE = int(Qt.ItemDataRole.UserRole)
SORT_ROLE = ASSET_ROLE + 1
_DISPLAY = Qt.ItemDataRole.DisplayRole
_SIZE = 3


class AssetModel(QAbstractTableModel):
    """Assets as the service lists them. Those the block cannot work on are grey, and their tooltips say why."""

    titles = ("Name", "Product", "Acquired", "Size")

    def __init__(self, block: Block, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._block = block
        self._assets: Tuple[StorageAsset, ...] = ()
        self._misfits: Dict[str, str] = {}

    def show_assets(self, assets: Sequence[StorageAsset]) -> None:
        """Show these."""
        self.beginResetModel()
        self._assets = tuple(assets)
        self._misfits = {asset.id: misfit(self._block, asset) for asset in assets}
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name, Qt's default
        return 0 if parent.isValid() else len(self._assets)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name, Qt's default
        return 0 if parent.isValid() else len(self.titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = int(_DISPLAY)) -> Any:  # noqa: N802
        if orientation == Qt.Orientation.Horizontal and role == _DISPLAY and 0 <= section < len(self.titles):
            return self.titles[section]
        return None

    def flags(self, index: QModelIndex) -> Any:
        """What does not fit cannot be selected."""
        if index.isValid() and self._misfits[self._assets[index.row()].id]:
            return Qt.ItemFlag.NoItemFlags
        return super().flags(index)

    def data(self, index: QModelIndex, role: int = int(_DISPLAY)) -> Any:
        if not index.isValid():
            return None
        asset, column = self._assets[index.row()], index.column()
        if role == _DISPLAY:
            return _texts(asset)[column]
        if role == SORT_ROLE:
            return _sort_keys(asset)[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._misfits[asset.id] or _tooltip(asset)
        if role == Qt.ItemDataRole.TextAlignmentRole and column == _SIZE:
            return int(Qt.AlignmentFlag.AlignRight) | int(Qt.AlignmentFlag.AlignVCenter)
        return asset if role == ASSET_ROLE else None


class AssetFilter(QSortFilterProxyModel):
    """Finds assets by words of their names, products, dates and ids."""

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._words: List[str] = []
        self.setSortRole(SORT_ROLE)

    def set_text(self, text: str) -> None:
        """Show only assets that have all these words."""
        self._words = text.lower().split()
        self.invalidateFilter()

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:  # noqa: N802 - Qt's name
        source = self.sourceModel()
        known = search_words(source.data(source.index(row, 0, parent), ASSET_ROLE))
        return all(word in known for word in self._words)


def _texts(asset: StorageAsset) -> Tuple[str, str, str, str]:
    acquired = f"{asset.acquired:%Y-%m-%d}" if asset.acquired is not None else "–"
    size = QLocale().formattedDataSize(asset.size, 1).replace(" ", NBSP) if asset.size is not None else "–"
    return asset.title or asset.name, product_text(asset) or "–", acquired, size


def _sort_keys(asset: StorageAsset) -> Tuple[str, str, str, float]:
    acquired = asset.acquired.isoformat() if asset.acquired is not None else ""
    return (asset.title or asset.name).lower(), product_text(asset), acquired, float(asset.size or -1)


def _tooltip(asset: StorageAsset) -> str:
    lines = [asset.name, f"Asset {asset.id}"]
    if asset.order_id:
        lines.append(f"Order {asset.order_id}")
    if asset.producer:
        lines.append(f"Producer {asset.producer}")
    if asset.created is not None:
        lines.append(f"In storage since {asset.created.astimezone():%Y-%m-%d}")
    return "\n".join(lines)
