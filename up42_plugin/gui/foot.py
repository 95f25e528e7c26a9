"""The foot of the dock: price, the reason why a button is grey, and the two ways to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from qgis.PyQt.QtCore import Qt, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.estimation import Estimation, Range
from up42_plugin.core.readiness import Readiness
from up42_plugin.gui.message_actions import OPTIONS, SHOW_LOG, TRY_AGAIN
from up42_plugin.gui.texts import NOT_AVAILABLE, balance_after, credits_text, duration_text, estimation_text
from up42_plugin.gui.widgets import INFORMATION, SUCCESS, WARNING, MessageRow, tool_button

UPDATING_AFTER_MS = 300
RUN_WHEN_IT_ENDS = "Run When It Ends"


@dataclass(frozen=True)
class PriceState:
    """What is known of the price. ``reason`` says why there is none; ``updating`` while a newer one is asked for.

    ``failed`` when the service was asked, and gave none. ``instead`` is what to say where there can be none. Of several
    ``jobs`` it is the total, and ``each`` what they cost one by one.
    """

    estimation: Optional[Estimation] = None
    balance: Optional[int] = None
    updating: bool = False
    reason: str = ""
    failed: bool = False
    instead: str = ""
    jobs: int = 1
    each: Tuple[Range, ...] = ()


class Foot(QWidget):
    """Fixed below the scrolling form. Emits the person's commands; knows nothing of how they are carried out."""

    test_asked = pyqtSignal()
    live_asked = pyqtSignal()
    cancel_asked = pyqtSignal()
    again_asked = pyqtSignal()
    options_asked = pyqtSignal()
    queue_asked = pyqtSignal()
    line_asked = pyqtSignal()
    details_asked = pyqtSignal()
    log_asked = pyqtSignal()

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Sunken)
        layout.addWidget(line)
        form = QFormLayout()
        self.estimation = QLabel(NOT_AVAILABLE)
        self.estimation.setObjectName("estimation")
        self.estimation.setWordWrap(True)
        self.balance_after = QLabel()
        self.balance_after.setObjectName("balanceAfter")
        form.addRow("Estimation", self.estimation)
        self.after_label = QLabel("Balance after")
        form.addRow(self.after_label, self._with_details(self.balance_after))
        layout.addLayout(form)
        reason_row = QHBoxLayout()
        self.reason = MessageRow()
        self.reason.setObjectName("reason")
        self.again_button = QPushButton(TRY_AGAIN)
        self.again_button.setObjectName("tryAgain")
        self.again_button.clicked.connect(self._again_clicked)
        self.line_button = QPushButton("Go to Line")
        self.line_button.setObjectName("goToLine")
        self.line_button.clicked.connect(self.line_asked)
        self.line_button.hide()
        reason_row.addWidget(self.reason, 1)
        self.log_button = QPushButton(SHOW_LOG)
        self.log_button.setObjectName("showLog")
        self.log_button.clicked.connect(self.log_asked)
        self.log_button.hide()
        reason_row.addWidget(self.line_button, 0, Qt.AlignmentFlag.AlignTop)
        reason_row.addWidget(self.log_button, 0, Qt.AlignmentFlag.AlignTop)
        reason_row.addWidget(self.again_button, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(reason_row)
        layout.addWidget(self._busy_row())
        layout.addLayout(self._button_row())
        self._updating = QTimer(self)
        self._updating.setSingleShot(True)
        self._updating.setInterval(UPDATING_AFTER_MS)
        self._updating.timeout.connect(self._show_updating)
        self._price = PriceState()
        self._is_busy = False

    def _with_details(self, balance_after: QLabel) -> QHBoxLayout:
        self.details_button = QPushButton("Details…")
        self.details_button.setObjectName("estimationDetailsButton")
        self.details_button.setFlat(True)
        self.details_button.clicked.connect(self.details_asked)
        self.details_button.hide()
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(balance_after)
        row.addStretch(1)
        row.addWidget(self.details_button)
        return row

    def _again_clicked(self) -> None:
        asked = {OPTIONS: self.options_asked, RUN_WHEN_IT_ENDS: self.queue_asked}
        asked.get(self.again_button.text(), self.again_asked).emit()

    def _busy_row(self) -> QWidget:
        self._busy = QWidget()
        row = QHBoxLayout(self._busy)
        row.setContentsMargins(0, 0, 0, 0)
        self._busy_text = QLabel()
        self._busy_text.setObjectName("testQueryRunning")
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setMaximumHeight(self.fontMetrics().height())
        self.cancel_button = tool_button("/mTaskCancel.svg", "Cancel the test query", "cancelTestQuery")
        self.cancel_button.clicked.connect(self.cancel_asked)
        row.addWidget(self._busy_text)
        row.addWidget(bar, 1)
        row.addWidget(self.cancel_button)
        self._busy.hide()
        return self._busy

    def _button_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.test_button = QPushButton("Run Test Query")
        self.test_button.setObjectName("runTestQuery")
        self.live_button = QPushButton("Run Live Job…")
        self.live_button.setObjectName("runLiveJob")
        self.test_button.clicked.connect(self.test_asked)
        self.live_button.clicked.connect(self.live_asked)
        row.addWidget(self.test_button)
        row.addStretch(1)
        row.addWidget(self.live_button)
        return row

    def show_readiness(self, readiness: Readiness, again: str = "") -> None:
        """Enable the buttons and say why one is grey; ``again`` is the text of the button that does something about it.

        ``Show Log`` comes beside one that tries again.
        """
        icon = WARNING if readiness.problem else (SUCCESS if readiness.can_run_live else INFORMATION)
        self.reason.show_message(icon, readiness.reason)
        self.reason.setVisible(bool(readiness.reason) and not self._is_busy)
        self.again_button.setVisible(bool(again))
        self.log_button.setVisible(again == SHOW_LOG)
        self.again_button.setText(TRY_AGAIN if again in ("", SHOW_LOG) else again)
        free = "Free: shows which scenes exist, and what the real thing costs"
        _enable(self.test_button, readiness.can_test, free, readiness.test_reason or readiness.reason)
        costs = "Costs credits: asks for confirmation with the price first"
        _enable(self.live_button, readiness.can_run_live, costs, readiness.reason)

    def show_line(self, known: bool) -> None:
        """Offer to go to the line that the reason names."""
        self.line_button.setVisible(known)

    def show_price(self, price: PriceState) -> None:
        """Show the estimation; a price being asked anew stays visible and is marked after a moment."""
        self._price = price
        known = price.estimation is not None
        self.details_button.setVisible(known or price.updating or bool(price.reason))
        _enable(self.details_button, known, "What the price is made of, and what would lower it", _no_details(price))
        if price.updating:
            if not self._updating.isActive():
                self._updating.start()
            return
        self._updating.stop()
        self._write_price("")

    def _show_updating(self) -> None:
        self._write_price(", updating…")

    def _write_price(self, suffix: str) -> None:
        price = self._price
        if price.estimation is None:
            self.estimation.setText("updating…" if suffix else price.instead or NOT_AVAILABLE)
            self.estimation.setToolTip(price.reason)
        else:
            self.estimation.setText(estimation_text(price.estimation, price.jobs) + suffix)
            self.estimation.setToolTip("Least and most, read from the service. Only tasks that succeed are charged.")
        known = price.estimation is not None and price.balance is not None
        self.balance_after.setVisible(known)
        self.after_label.setVisible(known)
        if price.estimation is not None and price.balance is not None:
            self.balance_after.setText(credits_text(balance_after(price.balance, price.estimation.credits)))

    def show_busy(self, seconds: Optional[float], what: str = "Test query running") -> None:
        """Show that a test query runs, for so many seconds now; None hides the row and shows the reason again."""
        self._is_busy = seconds is not None
        self._busy.setVisible(self._is_busy)
        self.reason.setVisible(not self._is_busy and bool(self.reason.text))
        if seconds is not None:
            self._busy_text.setText(f"{what}, {duration_text(seconds)}")

    def show_cancellable(self, able: bool) -> None:
        """Whether the test query that runs can (still) be cancelled."""
        self.cancel_button.setEnabled(able)
        self.cancel_button.setToolTip("Cancel the test query" if able else "The test query is being cancelled")


def _no_details(price: PriceState) -> str:
    return "The price is being read." if price.updating else price.reason


def _enable(button: QPushButton, able: bool, what: str, why_not: str) -> None:
    button.setEnabled(able)
    button.setToolTip(what if able else why_not)
