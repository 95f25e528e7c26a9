"""Run Live Job: the one place where credits are agreed to, with the price read at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Sequence, Tuple

from qgis.gui import QgsSpinBox
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.batch import shares
from up42_plugin.core.estimation import Estimation, Range
from up42_plugin.core.spending import Spending
from up42_plugin.gui.texts import NOT_AVAILABLE, balance_after, credits_of, credits_text, whole
from up42_plugin.gui.widgets import INFORMATION, WARNING, MessageRow, hint_label

_BETWEEN = 14
_MOST_TYPED = 10_000_000
_TOO_FEW = "Not enough credits for this job."
_TOO_FEW_FOR_ALL = "Not enough credits for these jobs."
_WHERE_LIMITS_ARE = "Change it under Settings > Options > UP42."


@dataclass(frozen=True)
class Proposal:
    """What is about to be run: a job name and labelled lines. ``shown_price`` is the one the form showed before.

    Of several ``jobs`` every price is the total.
    """

    name: str
    lines: Sequence[Tuple[str, str]]
    shown_price: Optional[Range] = None
    jobs: int = 1


class ConfirmDialog(QDialog):
    """Asks once, with Cancel as the default.

    ``confirmed(name, agreed)`` is emitted on the click with the agreed price, a :class:`Range` of credits. The dialog
    stays, disabled, until whoever carries the job out calls :meth:`accept` (it is recorded) or :meth:`show_refusal`.
    ``load_asked`` when the person rather wants the output that is on disk from an earlier purchase.
    """

    confirmed = pyqtSignal(str, object)
    load_asked = pyqtSignal()

    def __init__(self, proposal: Proposal, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Run Live Job")
        self.setObjectName("confirmLiveJob")
        self._proposal = proposal
        self._agreed: Optional[Range] = None
        self._asked = self._waiting = False
        self._spending = Spending()
        self._each: Sequence[Range] = ()
        self._to_type: Optional[int] = None
        self._why_not = self._no_price = ""
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
        self._typed_row = self._typed_confirmation()
        layout.addWidget(self._typed_row)
        layout.addWidget(self._bought_before())
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
        form.setHorizontalSpacing(_BETWEEN)
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
        grid.setHorizontalSpacing(_BETWEEN)
        self.price_labels: Dict[str, QLabel] = {}
        self._hints: Dict[str, QLabel] = {}
        rows = (
            ("estimation", "Estimation", ""),
            ("held", "Held at start", "the minimum, while it runs"),
            ("now", "Balance now", ""),
            ("after", "Balance after", ""),
            ("spent", "Spent this month", ""),
        )
        for row, (key, label, hint) in enumerate(rows):
            value = QLabel("…")
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setObjectName(f"price-{key}")
            self.price_labels[key] = value
            grid.addWidget(QLabel(label), row, 0)
            grid.addWidget(value, row, 1)
            self._hints[key] = hint_label(hint)
            grid.addWidget(self._hints[key], row, 2)
        return grid

    def _bought_before(self) -> QWidget:
        self._bought_row = QWidget()
        row = QHBoxLayout(self._bought_row)
        row.setContentsMargins(0, 0, 0, 0)
        self.bought = MessageRow()
        self.bought.setObjectName("boughtBefore")
        self.load_button = QPushButton("&Load That Output")
        self.load_button.setObjectName("loadThatOutput")
        self.load_button.setAutoDefault(False)
        self.load_button.setToolTip("Load it from disk, and buy nothing")
        self.load_button.clicked.connect(self.load_asked)
        row.addWidget(self.bought, 1)
        row.addWidget(self.load_button)
        self._bought_row.hide()
        return self._bought_row

    def show_bought(self, text: str, loadable: bool) -> None:
        """Warn that the same was bought before; ``loadable`` when its output is on disk."""
        self.bought.show_message(WARNING, text)
        self.load_button.setVisible(loadable)
        self._bought_row.show()
        self._grow()

    def _typed_confirmation(self) -> QWidget:
        row = QWidget()
        form = QFormLayout(row)
        form.setContentsMargins(0, 0, 0, 0)
        self.typed = QLineEdit()
        self.typed.setObjectName("typedConfirmation")
        self.typed.textChanged.connect(lambda _text: self._open_or_not())
        self.typed_label = QLabel()
        self.typed_label.setBuddy(self.typed)
        form.addRow(self.typed_label, self.typed)
        row.hide()
        return row

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
        form.addRow(f"&{self._most_label}", self.most)
        row.hide()
        return row

    @property
    def _most_label(self) -> str:
        return f"Most credits {'this job' if self._proposal.jobs == 1 else 'these jobs together'} may cost"

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
        self.heading.setText(f"Run {self._what}?")
        self.run_button.setText("Reading the price…")
        self.message.show_message(INFORMATION, "Reading the price from the service…")
        self._enable_run(False, "Reading the price from the service…")

    @property
    def _what(self) -> str:
        return "this live job" if self._proposal.jobs == 1 else f"these {self._proposal.jobs} live jobs"

    def show_price(
        self,
        estimation: Estimation,
        balance: Optional[int],
        spending: Optional[Spending] = None,
        each: Sequence[Range] = (),
    ) -> None:
        """The price, the balance and the person's limits, read just now; ``balance`` None where it could not be read.

        Prices and balance are credits. Of several jobs ``each`` has what they cost one by one.
        """
        cost = estimation.credits
        self._each = each
        self._agreed = cost
        price = credits_text(cost)
        self.heading.setText(f"Run {self._what} for {price}?")
        self._write(
            estimation=f"<b>{price}</b>",
            held=credits_of(estimation.held),
            now=NOT_AVAILABLE if balance is None else credits_of(balance),
            after=NOT_AVAILABLE if balance is None else f"<b>{credits_text(balance_after(balance, cost))}</b>",
        )
        self.run_button.setText(f"Run for {_titled(cost)}")
        self._show_spending(spending)
        too_few = _TOO_FEW if self._proposal.jobs == 1 else _TOO_FEW_FOR_ALL
        self._why_not = too_few if balance is not None and balance < cost.minimum else self._over_limit(cost)
        if not self._why_not:
            self._ask_to_type(self._spending.limits.to_type(cost))
        self._say_price(cost)
        self._open_or_not()

    def _say_price(self, cost: Range) -> None:
        shown = self._proposal.shown_price
        if self._why_not:
            self.message.show_message(WARNING, self._why_not)
        elif shown is not None and shown != cost:
            self.message.show_message(WARNING, f"The price was {credits_text(shown)} a minute ago.")
        else:
            text = "Price read from the service just now. Only tasks that succeed are charged."
            self.message.show_message(INFORMATION, text)

    def show_no_price(self, reason: str, balance: Optional[int], spending: Optional[Spending] = None) -> None:
        """The service gives no estimation: ask for a maximum to be typed. Never shown as zero."""
        now = NOT_AVAILABLE if balance is None else credits_of(balance)
        self._write(estimation=NOT_AVAILABLE, held=NOT_AVAILABLE, now=now, after=NOT_AVAILABLE)
        self._show_spending(spending)
        self.heading.setText(f"Run {self._what} without an estimation?")
        self._most_row.show()
        self._no_price = f"{reason} Type the most it may cost to you; the service does not enforce it.".strip()
        self._most_changed()

    def _show_spending(self, spending: Optional[Spending]) -> None:
        self._spending = spending or Spending()
        spent, limit = self._spending.spent, self._spending.limits.per_month
        self._write(spent=NOT_AVAILABLE if spent is None else credits_of(spent.this_month))
        self._hints["spent"].setText("" if limit is None else f"of your limit of {credits_of(limit)}")

    def _over_limit(self, cost: Range) -> str:
        problem = self._spending.limits.problem(cost, self._spending.spent, self._each)
        return f"{problem} {_WHERE_LIMITS_ARE}" if problem else ""

    def _ask_to_type(self, number: Optional[int]) -> None:
        self._to_type = number
        self._typed_row.setVisible(number is not None)
        if number is not None:
            self.typed_label.setText(f"&Type {whole(number)} to confirm")

    def _open_or_not(self) -> None:
        why_not = self._why_not
        if not why_not and self._to_type is not None and _digits(self.typed.text()) != str(self._to_type):
            why_not = f"Type {whole(self._to_type)} to confirm"
        self._enable_run(not why_not, why_not)
        self._grow()

    def _grow(self) -> None:
        layout = self.layout()
        if self.isVisible() and layout is not None:
            layout.activate()
            self.resize(self.size().expandedTo(self.sizeHint()))  # prices are longer than what stood in their place

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
        cost = Range(0, most)
        self._each = shares(cost, self._proposal.jobs)
        self._agreed = cost if most else None
        self.run_button.setText(f"Run for at Most {_titled(Range(most, most))}" if most else "Run")
        over = self._over_limit(cost) if most else ""
        self._why_not = over or ("" if most else f"Type the {self._most_label[:1].lower()}{self._most_label[1:]}")
        self.message.show_message(WARNING, over or self._no_price)
        self._open_or_not()

    def _confirm(self) -> None:
        if self._agreed is None or self._asked:
            return
        self._asked = self._waiting = True
        self._enable_run(False, "Being recorded…")
        for widget in (self.cancel_button, self.load_button, self.job_name, self.most, self.typed):
            widget.setEnabled(False)
        self.confirmed.emit(self.job_name.text().strip() or self._proposal.name, self._agreed)


def _titled(cost: Range) -> str:
    """``13–25 Credits``, in a button's capitals."""
    return credits_text(cost).replace("credit", "Credit")


def _digits(text: str) -> str:
    """A typed number without separators; other words stay as they are and match nothing."""
    return "".join(character for character in text if character not in " ,.'\u2019\u00a0\u202f")
