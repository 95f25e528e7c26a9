"""Estimation Details: which block costs what, how much is held, and what would lower the price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, List, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QObject, Qt, QTimer
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.estimation import Estimation, Range
from up42_plugin.core.outputs import SHORT_TITLES
from up42_plugin.core.price_advice import price_advice
from up42_plugin.core.workflow import Block
from up42_plugin.gui.block_details import counted_price_text
from up42_plugin.gui.foot import UPDATING_AFTER_MS, Foot
from up42_plugin.gui.new_job import NewJob
from up42_plugin.gui.texts import credits_text, minutes_text, span, whole

_WIDTH = 500
_WIDEST = 700
_MOST_ROWS = 12


@dataclass(frozen=True)
class PricedJob:
    """What has a price: one job, or one of several. ``label`` names it among others: a feature's name.

    ``number`` is how many jobs of the same workflow the estimation is the sum of.
    """

    label: str
    configuration: JobConfiguration
    estimation: Estimation
    number: int = 1


class EstimationDetails(QDialog):
    """Shows the price of one job by blocks, of several by jobs; always with the sum. Stays open beside the form."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("estimationDetails")
        self.setWindowTitle("Estimation Details")
        layout = QVBoxLayout(self)
        self.table = QTreeWidget()
        self.table.setObjectName("estimationTable")
        self.table.setAccessibleName("Estimation")
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setColumnCount(4)
        layout.addWidget(self.table)
        self.summary, self.advice = _paragraph("estimationSummary"), _paragraph("estimationAdvice")
        self.summary.setTextFormat(Qt.TextFormat.RichText)
        self.advice.setTextFormat(Qt.TextFormat.PlainText)
        layout.addWidget(self.summary)
        layout.addWidget(self.advice)
        layout.addStretch(1)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        self._text = ""
        self._updating = QTimer(self)
        self._updating.setSingleShot(True)
        self._updating.setInterval(UPDATING_AFTER_MS)
        self._updating.timeout.connect(self._show_updating)

    def show_jobs(self, jobs: Sequence[PricedJob]) -> None:
        """Show the price of these jobs, at least one."""
        self._updating.stop()
        whole_price = Estimation(tuple(task for job in jobs for task in job.estimation.tasks))
        several = len(jobs) > 1
        rows = _by_jobs(jobs) if several else _by_blocks(jobs[0])
        self._write_table("Job" if several else "Block", [*rows, ("Total", whole_price)])
        self._text = _summary(whole_price, sum(job.number for job in jobs))
        self.summary.setText(self._text)
        dearest = max(jobs, key=lambda job: job.estimation.credits.maximum)
        self.advice.setText(advice_text(dearest.configuration, dearest.estimation))
        self.advice.show()

    def show_updating(self) -> None:
        """A newer price is being read: the old one stays, and is marked after a moment."""
        if not self._updating.isActive():
            self._updating.start()

    def show_no_price(self, reason: str) -> None:
        """There is no price: what was shown is grey."""
        self._updating.stop()
        self.table.setEnabled(False)
        self._text = reason
        self.summary.setText(reason)
        self.advice.hide()

    def _show_updating(self) -> None:
        self.table.setEnabled(False)
        self.summary.setText(f"{self._text} updating…".strip())

    def _write_table(self, first: str, rows: Sequence[Tuple[str, Estimation]]) -> None:
        self.table.setEnabled(True)
        self.table.clear()
        header = self.table.headerItem()
        for column, title in enumerate((first, "Credits", "Machine credits", "Time")):
            header.setText(column, title)
            if column:
                header.setTextAlignment(column, _RIGHT)
        for number, (label, price) in enumerate(rows):
            cells = (label, span(_sum(price, "block_credits")), span(_sum(price, "machine_credits")))
            item = QTreeWidgetItem([*cells, minutes_text(price.seconds)])
            item.setToolTip(0, label)
            for column in range(1, 4):
                item.setTextAlignment(column, _RIGHT)
            if number == len(rows) - 1:
                font = self.table.font()
                font.setBold(True)
                for column in range(4):
                    item.setFont(column, font)
            self.table.addTopLevelItem(item)
        self._fit(len(rows))

    def _fit(self, rows: int) -> None:
        columns = self.table.header()
        columns.setStretchLastSection(False)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        width = sum(max(self.table.sizeHintForColumn(n), columns.sectionSizeHint(n)) for n in range(4))
        self.table.setMinimumWidth(min(_WIDEST, width + 2 * self.table.frameWidth()))
        row = self.table.sizeHintForRow(0)
        frame = 2 * self.table.frameWidth()
        self.table.setFixedHeight(columns.sizeHint().height() + row * min(rows, _MOST_ROWS) + frame + 2)


class EstimationDesk(QObject):
    """Opens the dialog and keeps it current with the form. ``jobs`` gives what is priced now, nothing without a price.

    By default that is the one job of the form.
    """

    def __init__(
        self,
        foot: Foot,
        new_job: NewJob,
        window: QWidget,
        parent: Optional[QObject] = None,
        jobs: Optional[Callable[[], Sequence[PricedJob]]] = None,
    ) -> None:
        super().__init__(parent)
        self._new_job, self._window = new_job, window
        self._jobs = jobs or self._one_job
        self.dialog: Optional[EstimationDetails] = None
        foot.details_asked.connect(self.open)
        new_job.changed.connect(self.refresh)

    def open(self) -> None:
        """Open the dialog, or bring it to the front."""
        if self.dialog is None:
            self.dialog = EstimationDetails(self._window)
            self.dialog.finished.connect(self._closed)
        self.refresh()
        width = max(_WIDTH, self.dialog.minimumSizeHint().width())
        self.dialog.resize(width, self.dialog.layout().totalHeightForWidth(width))
        self.dialog.show()
        self.dialog.raise_()

    def refresh(self) -> None:
        """Bring an open dialog up to date with the price."""
        if self.dialog is None:
            return
        price, jobs = self._new_job.price, self._jobs()
        if price.updating:
            self.dialog.show_updating()
        elif jobs:
            self.dialog.show_jobs(jobs)
        else:
            self.dialog.show_no_price(price.reason or self._new_job.ready.reason or "There is no price.")

    def close(self) -> None:
        """Close the dialog if it is open."""
        if self.dialog is not None:
            self.dialog.reject()

    def _one_job(self) -> Sequence[PricedJob]:
        estimation, configuration = self._new_job.price.estimation, self._new_job.form.configuration
        if estimation is None or configuration is None:
            return ()
        return (PricedJob("", configuration, estimation),)

    def _closed(self, *_: object) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()


def advice_text(configuration: JobConfiguration, estimation: Estimation) -> str:
    """What makes the price, and what would lower it, in sentences."""
    advice = price_advice(configuration, estimation)
    return " ".join([*(_cost_sentence(block) for block in advice.blocks if block.price is not None), *advice.sentences])


def _cost_sentence(block: Block) -> str:
    """``Super-resolution costs 1 credit per MB of output.``."""
    return f"{SHORT_TITLES.get(block.name, block.title)} costs {counted_price_text(block)}."


def _summary(price: Estimation, jobs: int) -> str:
    held = f"{whole(price.held)} {'is' if price.held == 1 else 'are'} held"
    if jobs > 1:
        return f"<b>{credits_text(price.credits)}</b> for {jobs} jobs in total, of which {held} while they run."
    return f"<b>{credits_text(price.credits)}</b> in total, of which {held} while the job runs."


def _by_blocks(job: PricedJob) -> List[Tuple[str, Estimation]]:
    titles = {step.name: step.block.title for step in job.configuration.workflow.steps}
    return [(titles.get(task.task, task.task), Estimation((task,))) for task in job.estimation.tasks]


def _by_jobs(jobs: Sequence[PricedJob]) -> List[Tuple[str, Estimation]]:
    return [(job.label, job.estimation) for job in jobs]


def _sum(price: Estimation, what: str) -> Range:
    return sum((getattr(task, what) for task in price.tasks), Range(0, 0))


def _paragraph(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


_RIGHT = int(Qt.AlignmentFlag.AlignRight) | int(Qt.AlignmentFlag.AlignVCenter)
