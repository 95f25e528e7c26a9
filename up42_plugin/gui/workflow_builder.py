"""Workflow Builder: a data block first, then blocks that can follow, until the chain does what is wanted."""

from __future__ import annotations

from html import escape
from typing import List, Optional, Sequence, Tuple

from qgis.gui import QgsFilterLineEdit
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.chain_verdict import NO_TEST_QUERY, Offer, Standing, needs_data
from up42_plugin.core.workflow import Block
from up42_plugin.gui.block_details import BlockDetails
from up42_plugin.gui.help_pages import Topic, show_help
from up42_plugin.gui.widgets import INFORMATION, RUNNING, SUCCESS, WARNING, MessageRow, tool_button
from up42_plugin.gui.workflow_models import OFFER_ROLE, ChainModel, GreyRows, OfferFilter, OfferModel
from up42_plugin.qgis_bridge.block_advisor import BlockAdvisor
from up42_plugin.qgis_bridge.workflows import LONGEST_NAME

_ICONS = {
    Standing.EMPTY: INFORMATION,
    Standing.CHECKING: RUNNING,
    Standing.ACCEPTED: SUCCESS,
    Standing.HERE_ONLY: INFORMATION,
    Standing.IMPOSSIBLE: WARNING,
}
_SAVING = "Saving…"
_SIDE_WIDTH = 420


class WorkflowBuilder(QDialog):
    """Builds a chain; nothing is saved here.

    ``save_asked(name, block ids)`` is emitted on the click. Whoever saves calls :meth:`accept`, or
    :meth:`show_failure`: then all that was built is still there.
    """

    save_asked = pyqtSignal(str, tuple)

    def __init__(
        self, advisor: BlockAdvisor, name: str = "", blocks: Sequence[Block] = (), parent: Optional[QWidget] = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Workflow Builder")
        self.setObjectName("workflowBuilder")
        self._advisor = advisor
        self._ids: List[str] = [block.id for block in blocks]
        self._saving = self._showing = False
        self._named = bool(name)
        layout = QVBoxLayout(self)
        form = QFormLayout()
        self.name = QLineEdit(name)
        self.name.setObjectName("workflowName")
        self.name.setMaxLength(LONGEST_NAME)
        form.addRow("&Name", self.name)
        layout.addLayout(form)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._build_offers())
        splitter.addWidget(self._build_chain())
        splitter.setSizes([450, 410])
        layout.addWidget(splitter, 1)
        self.failure = MessageRow()
        self.failure.setVisible(False)
        layout.addWidget(self.failure)
        layout.addWidget(self._build_buttons())
        self.resize(880, 500)
        self._connect()
        self.refresh()
        self.search.setFocus()

    def _build_offers(self) -> QWidget:
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        self.heading = QLabel()
        layout.addWidget(self.heading)
        self.search = QgsFilterLineEdit()
        self.search.setObjectName("searchBlocks")
        self.search.setShowSearchIcon(True)
        self.search.setPlaceholderText("Search blocks")
        self.search.setAccessibleName("Search blocks")
        layout.addWidget(self.search)
        self.offers = OfferModel(self)
        self.shown_offers = OfferFilter(self)
        self.shown_offers.setSourceModel(self.offers)
        self.offer_view = _table("offers", "Blocks")
        self.offer_view.setModel(self.shown_offers)
        _share_width(self.offer_view, 0.45)
        layout.addWidget(self.offer_view, 1)
        self.state = MessageRow()
        layout.addWidget(self.state)
        self.again_button = QPushButton("&Try Again")
        layout.addWidget(self.again_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.misfits = QCheckBox("&Show blocks that do not fit, with the reason")
        self.misfits.setObjectName("showMisfits")
        row = QHBoxLayout()
        row.addWidget(self.misfits, 1)
        self.add_button = QPushButton("&Add to Workflow")
        self.add_button.setAutoDefault(False)
        row.addWidget(self.add_button)
        layout.addLayout(row)
        return side

    def _build_chain(self) -> QWidget:
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("Workflow"))
        row = QHBoxLayout()
        self.chain = ChainModel(self)
        self.chain_view = _table("chain", "Workflow")
        self.chain_view.setModel(self.chain)
        _share_width(self.chain_view, 0.34)
        row.addWidget(self.chain_view, 1)
        tools = QVBoxLayout()
        self.up_button = tool_button("/mActionArrowUp.svg", "Move block up", "blockUp")
        self.down_button = tool_button("/mActionArrowDown.svg", "Move block down", "blockDown")
        self.remove_button = tool_button("/symbologyRemove.svg", "Remove block", "blockRemove")
        for button in (self.up_button, self.down_button, self.remove_button):
            tools.addWidget(button)
        tools.addStretch(1)
        row.addLayout(tools)
        layout.addLayout(row, 2)
        self.verdict = MessageRow()
        self.verdict.setObjectName("verdict")
        layout.addWidget(self.verdict)
        self.untested = MessageRow()
        layout.addWidget(self.untested)
        self.details_title = QLabel()
        layout.addWidget(self.details_title)
        self.details = BlockDetails()
        layout.addWidget(self.details, 3)
        return side

    def _build_buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel | QDialogButtonBox.StandardButton.Help)
        box.helpRequested.connect(lambda: show_help(Topic.WORKFLOW))
        self.save_button = box.addButton("Save &Workflow", QDialogButtonBox.ButtonRole.AcceptRole)
        self.save_button.setObjectName("saveWorkflow")
        self.save_button.setDefault(True)
        self.cancel_button = box.button(QDialogButtonBox.StandardButton.Cancel)
        box.accepted.connect(self._save)
        box.rejected.connect(self.reject)
        return box

    def _connect(self) -> None:
        self._advisor.changed.connect(self.refresh)
        self.name.textEdited.connect(self._name_typed)
        self.name.textChanged.connect(self._show_verdict)
        self.search.textChanged.connect(self.shown_offers.set_text)
        self.misfits.toggled.connect(self.shown_offers.set_all)
        self.again_button.clicked.connect(self._advisor.load)
        self.offer_view.activated.connect(lambda _index: self.add())
        self.add_button.clicked.connect(self.add)
        self.up_button.clicked.connect(lambda: self.move_block(-1))
        self.down_button.clicked.connect(lambda: self.move_block(1))
        self.remove_button.clicked.connect(self.remove)
        self._watch_selections()

    def _watch_selections(self) -> None:
        self.offer_view.selectionModel().selectionChanged.connect(self._offer_selected)
        self.chain_view.selectionModel().selectionChanged.connect(self._chain_selected)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Return belongs to the list it was pressed in; elsewhere it saves."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.focusWidget() in self._own_return:
            if self.focusWidget() is self.search and self.shown_offers.rowCount():
                self.offer_view.setFocus()
                self.offer_view.setCurrentIndex(self.shown_offers.index(0, 0))
            return
        super().keyPressEvent(event)

    @property
    def _own_return(self) -> Tuple[QWidget, ...]:
        return self.search, self.offer_view, self.chain_view

    # -- what is there

    @property
    def blocks(self) -> Tuple[Block, ...]:
        """The chain, with the newest that is known of each block."""
        found = (self._advisor.block(block_id) for block_id in self._ids)
        return tuple(block for block in found if block is not None)

    @property
    def candidate(self) -> Optional[Offer]:
        """The selected block of the list."""
        rows = self.offer_view.selectionModel().selectedRows()
        return self.shown_offers.data(rows[0], OFFER_ROLE) if rows else None

    @property
    def chosen_place(self) -> Optional[int]:
        """The selected block's place in the chain."""
        rows = self.chain_view.selectionModel().selectedRows()
        return rows[0].row() if rows and rows[0].row() < len(self._ids) else None

    # -- what a person does

    def add(self, *_: object) -> None:
        """Add the selected block: a data block in front, others at the end."""
        offer = self.candidate
        if offer is None or not offer.fits or self._saving:
            return
        blocks = self.blocks
        self._ids.insert(0 if needs_data(blocks) else len(self._ids), offer.block.id)
        self.search.clear()
        self._chain_changed()

    def remove(self) -> None:
        """Take the selected block out of the chain."""
        place = self.chosen_place
        if place is not None:
            del self._ids[place]
            self._chain_changed(min(place, len(self._ids) - 1))

    def move_block(self, step: int) -> None:
        """Move the selected block up (-1) or down (1)."""
        place = self.chosen_place
        if place is None or not 0 <= place + step < len(self._ids):
            return
        self._ids[place], self._ids[place + step] = self._ids[place + step], self._ids[place]
        self._chain_changed(place + step)

    def _chain_changed(self, select: Optional[int] = None) -> None:
        self.offer_view.clearSelection()
        self.failure.show_message(WARNING, "")
        if not self._named:
            self.name.setText(" → ".join(block.title for block in self.blocks)[:LONGEST_NAME])
        self.refresh()
        if select is not None and select >= 0:
            self.chain_view.setCurrentIndex(self.chain.index(select, 0))

    def _name_typed(self, text: str) -> None:
        self._named = bool(text.strip())

    def _save(self) -> None:
        if self.save_button.isEnabled():
            self._saving = True
            self.failure.show_message(INFORMATION, _SAVING)
            self._show_verdict()
            self.save_asked.emit(self.name.text().strip(), tuple(self._ids))

    def show_failure(self, text: str) -> None:
        """It was not saved: say why, and keep what was built."""
        self._saving = False
        self.failure.show_message(WARNING, text)
        self.refresh()

    # -- what is shown

    def refresh(self, *_: object) -> None:
        """Show what is known now of the chain and of what can be added; selections stay."""
        blocks = self.blocks
        offer, place = self.candidate, self.chosen_place
        self._advisor.consider(blocks)
        following = "Data blocks" if needs_data(blocks) else f"Blocks that can follow <b>{escape(blocks[-1].title)}</b>"
        self.heading.setText(following)
        self.offers.show_offers(self._advisor.offers(blocks), blocks)
        self._show_state()
        if offer is not None:
            self._select_offer(offer.block.id)
        self._show_chain(place)

    def _show_state(self) -> None:
        loading, trouble = self._advisor.loading, self._advisor.trouble
        empty = self.offers.rowCount() == 0
        text = trouble or ("Loading blocks…" if loading and empty else "")
        if not text and empty:
            text = "No block can follow this one."
        self.state.show_message(WARNING if trouble else RUNNING if loading else INFORMATION, text)
        self.again_button.setVisible(self._advisor.missed_something)

    def _select_offer(self, block_id: str) -> None:
        for row in range(self.shown_offers.rowCount()):
            index = self.shown_offers.index(row, 0)
            if self.shown_offers.data(index, OFFER_ROLE).block.id == block_id:
                self.offer_view.setCurrentIndex(index)
                return

    def _show_chain(self, place: Optional[int]) -> None:
        self._showing = True
        self.chain.show_chain(self.blocks, None if needs_data(self.blocks) and self._ids else self.candidate)
        if place is not None and place < len(self._ids):
            self.chain_view.setCurrentIndex(self.chain.index(place, 0))
        self._showing = False
        self._show_details()
        self._show_verdict()

    def _show_details(self) -> None:
        blocks, offer, place = self.blocks, self.candidate, self.chosen_place
        if offer is not None:
            self.details.show_block(offer.block, () if needs_data(blocks) else blocks, offer.reason)
            self.details_title.setText(offer.block.title)
        elif place is not None:
            self.details.show_block(blocks[place], blocks[:place])
            self.details_title.setText(blocks[place].title)
        else:
            self.details.show_block(blocks[-1] if blocks else None, blocks[:-1])
            self.details_title.setText(blocks[-1].title if blocks else "Details")

    def _show_verdict(self, *_: object) -> None:
        blocks = self.blocks
        verdict = self._advisor.verdict(blocks)
        self.verdict.show_message(_ICONS[verdict.standing], verdict.text)
        untested = bool(blocks) and not needs_data(blocks) and blocks[0].test_query is False
        self.untested.show_message(INFORMATION, NO_TEST_QUERY if untested else "")
        reason = "" if verdict.possible else verdict.text
        if not self.name.text().strip():
            reason = reason or "Give the workflow a name."
        if self._saving:
            reason = _SAVING
        self.save_button.setEnabled(not reason)
        self.save_button.setToolTip(reason)
        self._show_buttons()

    def _show_buttons(self) -> None:
        offer, place, last = self.candidate, self.chosen_place, len(self._ids) - 1
        self.add_button.setEnabled(offer is not None and offer.fits and not self._saving)
        self.add_button.setToolTip("Select a block first" if offer is None else offer.reason)
        free = place is not None and not self._saving
        self.up_button.setEnabled(free and place != 0)
        self.down_button.setEnabled(free and place != last)
        self.remove_button.setEnabled(free)

    def _offer_selected(self, *_: object) -> None:
        if self.candidate is not None:
            self._advisor.want([self.candidate.block.id])
            self.chain_view.clearSelection()
        self._show_chain(self.chosen_place)

    def _chain_selected(self, *_: object) -> None:
        if self._showing:
            return
        if self.chosen_place is not None:
            self.offer_view.clearSelection()
        self._show_details()
        self._show_buttons()


def _table(name: str, label: str) -> QTreeView:
    view = QTreeView()
    view.setObjectName(name)
    view.setAccessibleName(label)
    view.setRootIsDecorated(False)
    view.setAlternatingRowColors(True)
    view.setUniformRowHeights(True)
    view.setAllColumnsShowFocus(True)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setItemDelegate(GreyRows(view))
    return view


def _share_width(view: QTreeView, second: float) -> None:
    """Both columns always in sight: what is too long is elided, and told whole by its tooltip."""
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    header = view.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    header.setSectionResizeMode(1, QHeaderView.ResizeMode.Interactive)
    header.resizeSection(1, int(_SIDE_WIDTH * second))
