"""Choose Assets: which of the images in storage a job works on."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from qgis.gui import QgsFilterLineEdit
from qgis.PyQt.QtCore import QItemSelectionModel, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.service import StorageAsset
from up42_plugin.core.stored_data import several
from up42_plugin.core.workflow import Block
from up42_plugin.gui.asset_models import ASSET_ROLE, AssetFilter, AssetModel
from up42_plugin.gui.widgets import INFORMATION, RUNNING, WARNING, MessageRow

_SIZE = (720, 400)


class AssetPicker(QDialog):
    """A list to select in. ``selected`` carries the assets that are selected now; accepted, they are ``chosen``."""

    selected = pyqtSignal(object)
    again_asked = pyqtSignal()

    def __init__(self, block: Block, before: Sequence[str], parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("chooseAssetsDialog")
        self.setWindowTitle("Choose Assets")
        self._before = tuple(before)
        self._assets: Tuple[StorageAsset, ...] = ()
        layout = QVBoxLayout(self)
        self.search = QgsFilterLineEdit()
        self.search.setObjectName("searchAssets")
        self.search.setShowSearchIcon(True)
        self.search.setPlaceholderText("Search assets")
        self.search.setAccessibleName("Search assets")
        layout.addWidget(self.search)
        self.model = AssetModel(block, self)
        self.shown = AssetFilter(self)
        self.shown.setSourceModel(self.model)
        self.view = _table()
        self.view.setModel(self.shown)
        header = self.view.horizontalHeader()
        for column in range(1, self.model.columnCount()):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        layout.addWidget(self.view, 1)
        self.state = MessageRow()
        self.state.setObjectName("assetsState")
        layout.addWidget(self.state)
        self.again_button = QPushButton("&Try Again")
        self.again_button.setObjectName("assetsTryAgain")
        self.again_button.setAutoDefault(False)
        layout.addWidget(self.again_button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._buttons())
        self.resize(*_SIZE)
        self.search.textChanged.connect(self._searched)
        self.again_button.clicked.connect(self.again_asked)
        self.view.selectionModel().selectionChanged.connect(self._selection_changed)
        self.view.doubleClicked.connect(lambda _index: self._accept_some())
        self.show_loading()

    @property
    def chosen(self) -> Tuple[StorageAsset, ...]:
        """The assets that are selected, in the order of the list."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        return tuple(self.shown.index(row, 0).data(ASSET_ROLE) for row in rows)

    def show_loading(self) -> None:
        """The list is being read."""
        self._show_state(RUNNING, "Reading what is in storage…", False)

    def show_failure(self, message: str) -> None:
        """The list could not be read; offer to try again."""
        self._show_state(WARNING, message, True)

    def show_assets(self, assets: Sequence[StorageAsset]) -> None:
        """The list, with what was chosen before selected again."""
        self._assets = tuple(assets)
        self.model.show_assets(assets)
        self.view.setEnabled(bool(assets))
        self.search.setEnabled(bool(assets))
        self._select(self._before)
        self._searched(self.search.text())
        self._selection_changed()

    def _select(self, ids: Sequence[str]) -> None:
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for row in range(self.shown.rowCount()):
            index = self.shown.index(row, 0)
            if index.data(ASSET_ROLE).id in ids and index.flags() & Qt.ItemFlag.ItemIsSelectable:
                self.view.selectionModel().select(index, flags)

    def _searched(self, text: str) -> None:
        self.shown.set_text(text)
        if not self._assets:
            self._show_state(INFORMATION, "Nothing in storage yet.", False)
        elif not self.shown.rowCount():
            self._show_state(INFORMATION, "No asset matches.", False)
        else:
            self._show_state(INFORMATION, "", False)

    def _show_state(self, icon: str, text: str, again: bool) -> None:
        self.state.show_message(icon, text)
        self.again_button.setVisible(again)
        if again or icon == RUNNING:
            self.view.setEnabled(False)
            self.search.setEnabled(False)
            self._show_count([])

    def _selection_changed(self, *_: object) -> None:
        found = list(self.chosen)
        self._show_count(found)
        self.selected.emit(found)

    def _show_count(self, found: Sequence[StorageAsset]) -> None:
        count = several([asset.id for asset in found]).replace("asset", "Asset")
        self.use_button.setText(f"&Use {count}" if found else "&Use Assets")
        self.use_button.setEnabled(bool(found))
        self.use_button.setToolTip("" if found else "Select the assets to work on")

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.use_button = box.addButton("&Use Assets", QDialogButtonBox.ButtonRole.AcceptRole)
        self.use_button.setObjectName("useAssets")
        self.use_button.setDefault(True)
        self.cancel_button = box.button(QDialogButtonBox.StandardButton.Cancel)
        box.accepted.connect(self._accept_some)
        box.rejected.connect(self.reject)
        return box

    def _accept_some(self) -> None:
        if self.use_button.isEnabled():
            self.accept()


def ids_of(assets: Sequence[StorageAsset]) -> List[str]:
    """The ids of assets, in their order."""
    return [asset.id for asset in assets]


def _table() -> QTableView:
    view = QTableView()
    view.setObjectName("assets")
    view.setAccessibleName("Assets in storage")
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setSortingEnabled(True)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setTabKeyNavigation(False)
    view.verticalHeader().hide()
    view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    return view
