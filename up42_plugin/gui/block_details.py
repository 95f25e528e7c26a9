"""What a block is, costs, takes and produces: beside the builder's lists, and in a dialog of its own."""

from __future__ import annotations

from typing import Callable, Optional, Sequence

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.capability_check import output_of_chain
from up42_plugin.core.capability_words import produces_text, takes_text
from up42_plugin.core.workflow import Block, BlockType, Workflow
from up42_plugin.gui.texts import NBSP, NOT_AVAILABLE, credits_of
from up42_plugin.gui.widgets import WARNING, MessageRow

_UNITS = {"SQUARE_KM": "km²", "MEGABYTE": "MB"}
MACHINE_TIME = "Machine time only"
_NOT_TOLD = "Not told by the service"
_READING = "…"
_LEAST_CREDIT = 0.01


def price_text(block: Block) -> str:
    """``25 credits per km²``, ``Machine time only``, ``Free``."""
    price = block.price
    if price is None:
        return NOT_AVAILABLE
    if price.credits == 0:
        return "Free" if block.type is BlockType.DATA else MACHINE_TIME
    unit = _UNITS.get(price.unit, price.unit.lower().replace("_", " "))
    if float(price.credits).is_integer():
        return f"{credits_of(price.credits)} per{NBSP}{unit}"
    return f"{max(price.credits, _LEAST_CREDIT):.2f}{NBSP}credits per{NBSP}{unit}"


def counted_price_text(block: Block) -> str:
    """``1 credit per MB of output``: the price with what its unit is counted on."""
    if block.price is None or block.price.credits == 0:
        return price_text(block)
    counted = {"INPUT": " of input", "OUTPUT": " of output"}.get(block.price.direction.upper(), "")
    return f"{price_text(block)}{counted}"


def whole_price_text(block: Block) -> str:
    """The same, with the machine."""
    priced = block.price is not None and block.price.credits != 0 and block.type is not BlockType.DATA
    return counted_price_text(block) + (", and machine time" if priced else "")


def test_query_text(block: Block) -> str:
    """Whether its live jobs can be tried first."""
    if block.type is BlockType.PROCESSING:
        return "Skipped, it runs the data block only"
    return {True: "Offered, free", False: "Not offered", None: _NOT_TOLD}[block.test_query]


class BlockDetails(QFrame):
    """The details of one block, in rows that can be selected and copied."""

    _ROWS = ("Provider", "Price", "Takes", "Produces", "Test query")

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setAccessibleName("Block details")
        content = QWidget()
        rows = QVBoxLayout(content)
        self.misfit = MessageRow()
        self.misfit.setVisible(False)
        rows.addWidget(self.misfit)
        self.description = _value()
        rows.addWidget(self.description)
        self._form = QWidget()
        form = QFormLayout(self._form)
        form.setContentsMargins(0, 0, 0, 0)
        self.values = {name: _value() for name in self._ROWS}
        for name, label in self.values.items():
            label.setAccessibleName(name)
            form.addRow(name, label)
        rows.addWidget(self._form)
        rows.addStretch(1)
        scroll.setWidget(content)
        layout.addWidget(scroll)
        self.show_block(None)

    def show_block(self, block: Optional[Block], before: Sequence[Block] = (), misfit: str = "") -> None:
        """Show a block as it would stand behind others; ``misfit`` is why it does not fit there."""
        self._form.setVisible(block is not None)
        self.misfit.show_message(WARNING, misfit)
        if block is None:
            self.description.setText("Select a block to read about it.")
            self.description.setVisible(True)
            return
        whole = bool(block.capabilities)
        self.description.setText(block.description)
        self.description.setVisible(bool(block.description))
        produced = produces_text(output_of_chain((*before, block)))
        texts = {
            "Provider": ", version ".join(part for part in (block.provider, block.version) if part) or _NOT_TOLD,
            "Price": whole_price_text(block),
            "Takes": takes_text(block) if whole else _READING,
            "Produces": (produced or _NOT_TOLD) if whole else _READING,
            "Test query": test_query_text(block),
        }
        for name, text in texts.items():
            self.values[name].setText(text)


class BlockDetailsDialog(QDialog):
    """The blocks of a workflow, one at a time. ``find`` gives the newest that is known of a block."""

    def __init__(
        self, workflow: Workflow, find: Callable[[str], Optional[Block]], parent: Optional[QWidget] = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("blockDetails")
        self.setWindowTitle("Block Details")
        self._workflow, self._find = workflow, find
        layout = QVBoxLayout(self)
        self.combo = QComboBox()
        self.combo.setAccessibleName("Block")
        for number, step in enumerate(workflow.steps, 1):
            self.combo.addItem(f"{number}  {step.block.title}")
        layout.addWidget(self.combo)
        self.details = BlockDetails()
        layout.addWidget(self.details, 1)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        self.resize(460, 320)
        self.combo.currentIndexChanged.connect(self.show_details)
        self.show_details()

    def show_details(self, *_: object) -> None:
        """Show the chosen block by what is known now."""
        place = self.combo.currentIndex()
        if not 0 <= place < len(self._workflow.steps):
            return
        blocks = [self._find(step.block.id) or step.block for step in self._workflow.steps]
        self.details.show_block(blocks[place], blocks[:place])


def _value() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
