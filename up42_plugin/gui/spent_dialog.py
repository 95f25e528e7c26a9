"""Credits Spent: what live jobs cost, as a chart, a table, and a file for others."""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Sequence, Tuple

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.credit_report import CreditRecord, Per, Sum, csv_text, sums, total
from up42_plugin.gui.spent_chart import SpentChart
from up42_plugin.gui.texts import count_text, credits_of, whole
from up42_plugin.gui.widgets import WARNING, MessageRow, hint_label

_COLUMNS = ("", "Jobs", "Charged", "Held now", "Returned")
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEGEND = "Full: charged. Hatched: held for jobs that run; what they do not cost is returned."


class SpentDialog(QDialog):
    """Shows plain records, which it is given; ``export_asked(path, text)`` when they are to be written to a file.

    Writing is the caller's, in the background; it tells how that ended with :meth:`show_exported` or
    :meth:`show_failure`.
    """

    export_asked = pyqtSignal(str, str)

    def __init__(self, connection: str = "", parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("creditsSpent")
        self.setWindowTitle(f"Credits Spent, {connection}" if connection else "Credits Spent")
        self._records: Tuple[CreditRecord, ...] = ()
        layout = QVBoxLayout(self)
        top = QHBoxLayout()
        self.per = QComboBox()
        self.per.setObjectName("spentPer")
        for per in Per:
            self.per.addItem(per.value, per.name)
        self.per.setCurrentIndex(list(Per).index(Per.MONTH))
        label = QLabel("&Per")
        label.setBuddy(self.per)
        self.total = QLabel("Reading the ledger…")
        self.total.setObjectName("spentTotal")
        self.total.setTextFormat(Qt.TextFormat.RichText)
        top.addWidget(label)
        top.addWidget(self.per)
        top.addStretch(1)
        top.addWidget(self.total)
        layout.addLayout(top)
        self.chart = SpentChart()
        layout.addWidget(self.chart, 1)
        layout.addWidget(hint_label(LEGEND))
        self.table = self._make_table()
        layout.addWidget(self.table, 1)
        self.message = MessageRow()
        self.message.setVisible(False)
        layout.addWidget(self.message)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.export_button = box.addButton("&Export as CSV…", QDialogButtonBox.ButtonRole.ActionRole)
        self.export_button.setObjectName("exportSpent")
        self.export_button.clicked.connect(self._export)
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        self.resize(560, 520)
        self.per.currentIndexChanged.connect(self._show)
        self._enable_export()

    def _make_table(self) -> QTreeWidget:
        table = QTreeWidget()
        table.setObjectName("spentTable")
        table.setAccessibleName("Credits spent")
        table.setRootIsDecorated(False)
        table.setUniformRowHeights(True)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setHeaderLabels(list(_COLUMNS))
        table.header().setStretchLastSection(False)
        table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, len(_COLUMNS)):
            table.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
            table.headerItem().setTextAlignment(column, int(_RIGHT))
        return table

    def show_records(self, records: Sequence[CreditRecord]) -> None:
        """Show these live jobs, in any order."""
        self._records = tuple(records)
        self._enable_export()
        self._show()

    def show_failure(self, text: str) -> None:
        """The ledger could not be read, or the file not written: why, and what to do."""
        if not self._records:
            self.total.setText("")
        self.message.show_message(WARNING, text)

    def show_exported(self, path: str) -> None:
        """The file was written."""
        self.message.show_message("/mIconSuccess.svg", f"Written to {path}")

    def _show(self, *_: object) -> None:
        per = Per[str(self.per.currentData())]
        found = sums(self._records, per)
        self.chart.show_sums(found if per is Per.WORKFLOW else tuple(reversed(found)))
        self.table.setHeaderLabels([per.value, *_COLUMNS[1:]])
        self.table.clear()
        self.table.addTopLevelItems([_row(item) for item in found])
        self.total.setText(_total_text(total(self._records)))

    def _enable_export(self) -> None:
        self.export_button.setEnabled(bool(self._records))
        tip = "One line per live job, for a spreadsheet" if self._records else "There are no live jobs to export."
        self.export_button.setToolTip(tip)

    def _export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Export as CSV", "credits-spent.csv", "CSV (*.csv)")
        if path:
            self.export_to(path)

    def export_to(self, path: str) -> None:
        """Have all jobs written to a file, whatever they are added up by."""
        if not Path(path).suffix:
            path = f"{path}.csv"
        self.export_asked.emit(path, csv_text(self._records))


def _row(item: Sum) -> QTreeWidgetItem:
    charged = f"{whole(item.charged)} + ?" if item.unknown else whole(item.charged)
    row = QTreeWidgetItem([item.label, whole(item.jobs), charged, whole(item.held), whole(item.returned)])
    for column in range(1, len(_COLUMNS)):
        row.setTextAlignment(column, int(_RIGHT))
    row.setToolTip(0, item.label)
    if item.unknown:
        row.setToolTip(2, f"What {count_text(item.unknown, 'job')} cost is not known.")
    return row


def _total_text(item: Sum) -> str:
    parts = [f"<b>{credits_of(item.charged)}</b> charged"]
    if item.held:
        parts.append(f"{credits_of(item.held)} held")
    if item.returned:
        parts.append(f"{credits_of(item.returned)} returned")
    return ", ".join(parts)
