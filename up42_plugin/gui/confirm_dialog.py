"""Run Live Job: the one place where credits are agreed to, with the price read at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

from qgis.gui import QgsSpinBox
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.estimation import Estimation, Range
from up42_plugin.gui.texts import NOT_AVAILABLE, balance_after, credits_of, credits_text
from up42_plugin.gui.widgets import INFORMATION, WARNING, MessageRow, hint_label

_MOST_TYPED = 10_000_000
_TOO_FEW = "Not enough credits for this job."


@dataclass(frozen=True)
class Proposal:
    """What is about to be run: a job name and labelled lines. ``shown_price`` is the one the form showed before."""

    name: str
    lines: Sequence[Tuple[str, str]]
    shown_price: Optional[Range] = None


class ConfirmDialog(QDialog):
    """Asks once, with Cancel as the default.

    ``confirmed(name, agreed)`` is emitted on the click with the agreed price, a :class:`Range` of credits. The dialog
    stays, disabled, until whoever carries the job out calls :meth:`accept` (it is recorded) or :meth:`show_refusal`.
    """

    confirmed = pyqtSignal(str, object)

    def __init__(self, proposal: Proposal, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Run Live Job")
        self.setObjectName("confirmLiveJob")
        self._proposal = proposal
        self._agreed: Optional[Range] = None
        self._asked = self._waiting = False
        layout = QVBoxLayout(self)
        self.heading = QLabel()
        font = self.heading.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        font.setBold(True)
        self.heading.setFont(font)
        layout.addWidget(self.heading)
        layout.addLayout(self._proposal_form())
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Sunken)
        layout.addWidget(line)
        layout.addLayout(self._price_grid())
        self._most_row = self._typed_maximum()
        layout.addWidget(self._most_row)
        self.message = MessageRow()
        self.message.setObjectName("confirmMessage")
        layout.addWidget(self.message)
        self._buttons()
        layout.addWidget(self._box)
        self.cancel_button.setDefault(True)  # only now: before, it is in no dialog that could remember it
        self.cancel_button.setFocus()
        self.setMinimumWidth(500)
        self._show_reading()

    def _proposal_form(self) -> QFormLayout:
        form = QFormLayout()
        self.job_name = QLineEdit(self._proposal.name)
        self.job_name.setObjectName("jobName")
        self.job_name.setMaxLength(80)
        form.addRow("&Job name", self.job_name)
        for label, text in self._proposal.lines:
            value = QLabel(text)
            value.setWordWrap(True)
            value.setTextFormat(Qt.TextFormat.PlainText)
            form.addRow(label, value)
        return form

    def _price_grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setColumnStretch(2, 1)
        self.price_labels = {}
        rows = (
            ("estimation", "Estimation", ""),
            ("held", "Held at start", "the minimum, while it runs"),
            ("now", "Balance now", ""),
            ("after", "Balance after", ""),
        )
        for row, (key, label, hint) in enumerate(rows):
            value = QLabel("…")
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setObjectName(f"price-{key}")
            self.price_labels[key] = value
            grid.addWidget(QLabel(label), row, 0)
            grid.addWidget(value, row, 1)
            grid.addWidget(hint_label(hint), row, 2)
        return grid

    def _typed_maximum(self) -> QWidget:
        row = QWidget()
        form = QFormLayout(row)
        form.setContentsMargins(0, 0, 0, 0)
        self.most = QgsSpinBox()
        self.most.setObjectName("mostCredits")
        self.most.setRange(0, _MOST_TYPED)
        self.most.setClearValue(0, "Type a number")
        self.most.setValue(0)
        self.most.valueChanged.connect(self._most_changed)
        form.addRow("&Most credits this job may cost", self.most)
        row.hide()
        return row

    def _buttons(self) -> None:
        self._box = QDialogButtonBox()
        self.run_button = QPushButton()
        self.run_button.setObjectName("confirmRun")
        self.run_button.setAutoDefault(False)
        self.run_button.clicked.connect(self._confirm)
        self.cancel_button = self._box.addButton(QDialogButtonBox.StandardButton.Cancel)
        self._box.addButton(self.run_button, QDialogButtonBox.ButtonRole.ActionRole)
        self._box.rejected.connect(self.reject)

    def _show_reading(self) -> None:
        self.heading.setText("Run this live job?")
        self.run_button.setText("Reading the price…")
        self.message.show_message(INFORMATION, "Reading the price from the service…")
        self._enable_run(False, "Reading the price from the service…")

    def show_price(self, estimation: Estimation, balance: Optional[int]) -> None:
        """The price and the balance, read just now (credits); None where the balance could not be read."""
        cost = estimation.credits
        self._agreed = cost
        price = credits_text(cost)
        self.heading.setText(f"Run this live job for {price}?")
        self._write(
            estimation=f"<b>{price}</b>",
            held=credits_of(estimation.held),
            now=NOT_AVAILABLE if balance is None else credits_of(balance),
            after=NOT_AVAILABLE if balance is None else f"<b>{credits_text(balance_after(balance, cost))}</b>",
        )
        self.run_button.setText(f"Run for {_titled(cost)}")
        shown = self._proposal.shown_price
        if balance is not None and balance < cost.minimum:
            self.message.show_message(WARNING, _TOO_FEW)
            self._enable_run(False, _TOO_FEW)
            return
        if shown is not None and shown != cost:
            self.message.show_message(WARNING, f"The price was {credits_text(shown)} a minute ago.")
        else:
            text = "Price read from the service just now. Only tasks that succeed are charged."
            self.message.show_message(INFORMATION, text)
        self._enable_run(True)

    def show_no_price(self, reason: str, balance: Optional[int]) -> None:
        """The service gives no estimation: ask for a maximum to be typed. Never shown as zero."""
        now = NOT_AVAILABLE if balance is None else credits_of(balance)
        self._write(estimation=NOT_AVAILABLE, held=NOT_AVAILABLE, now=now, after=NOT_AVAILABLE)
        self.heading.setText("Run this live job without an estimation?")
        self._most_row.show()
        text = f"{reason} Type the most it may cost to you; the service does not enforce it."
        self.message.show_message(WARNING, text.strip())
        self._most_changed()

    def show_refusal(self, message: str) -> None:
        """The job could not be recorded: say why; nothing was sent."""
        self._waiting = False
        self.message.show_message(WARNING, message)
        self._enable_run(False, message)
        self.cancel_button.setEnabled(True)
        self.cancel_button.setFocus()

    def reject(self) -> None:
        """Cancel; after the click on the run button not before it is known whether the job was recorded."""
        if not self._waiting:
            super().reject()

    def _enable_run(self, able: bool, why_not: str = "") -> None:
        """Open the one button that costs; once it was clicked it stays closed for good."""
        self.run_button.setEnabled(able and not self._asked)
        self.run_button.setToolTip("" if able else why_not)

    def _write(self, **texts: str) -> None:
        for key, text in texts.items():
            self.price_labels[key].setText(text)

    def _most_changed(self) -> None:
        most = self.most.value()
        self._agreed = Range(0, most) if most else None
        self.run_button.setText(f"Run for at Most {_titled(Range(most, most))}" if most else "Run")
        self._enable_run(bool(most), "Type the most credits this job may cost")

    def _confirm(self) -> None:
        if self._agreed is None or self._asked:
            return
        self._asked = self._waiting = True
        self._enable_run(False, "Being recorded…")
        for widget in (self.cancel_button, self.job_name, self.most):
            widget.setEnabled(False)
        self.confirmed.emit(self.job_name.text().strip() or self._proposal.name, self._agreed)


def _titled(cost: Range) -> str:
    """``13–25 Credits``, in a button's capitals."""
    return credits_text(cost).replace("credit", "Credit")
