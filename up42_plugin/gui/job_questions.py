"""Questions before something is done to jobs: cancel them, delete their files, give one another name."""

from __future__ import annotations

from typing import Optional, Sequence

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QMessageBox, QVBoxLayout, QWidget

from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.tags import NAME_LIMIT, TAG_LENGTH
from up42_plugin.gui.texts import count_text

_LONGEST_NAME = NAME_LIMIT - TAG_LENGTH - 2  # " #" and the tag, by which the job is found, stay at its end


class Question(QMessageBox):
    """A question whose default is to leave things as they are. ``confirmed`` when they are not to be left."""

    confirmed = pyqtSignal()


def cancel_question(entries: Sequence[JobEntry], parent: Optional[QWidget] = None) -> Question:
    """``Cancel …?`` with Keep Running as the default; ``confirmed`` only after Cancel Job."""
    several = len(entries) > 1
    live = any(entry.live for entry in entries)
    charged = "Blocks that already succeeded stay charged." if live else "A test query is free."
    return _question(
        "cancelJobs",
        "Cancel Job" if not several else "Cancel Jobs",
        f"Cancel {_named(entries)}? {charged}",
        yes="Cancel Job" if not several else "Cancel Jobs",
        no="Keep Running",
        parent=parent,
    )


def delete_question(entries: Sequence[JobEntry], parent: Optional[QWidget] = None) -> Question:
    """``Delete the local files of …?`` with Keep Files as the default; ``confirmed`` only after Delete Files."""
    return _question(
        "deleteFiles",
        "Delete Local Files",
        f"Delete the local files of {_named(entries)}? Layers that show them go from this project. "
        "The service keeps the output for a while, and it can be loaded from there again.",
        yes="Delete Files",
        no="Keep Files",
        parent=parent,
    )


def _named(entries: Sequence[JobEntry]) -> str:
    return entries[0].name if len(entries) == 1 else count_text(len(entries), "job")


def _question(name: str, title: str, text: str, *, yes: str, no: str, parent: Optional[QWidget]) -> Question:
    box = Question(parent)
    box.setObjectName(name)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowModality(Qt.WindowModality.WindowModal)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    keep = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    keep.setObjectName("keep")
    really = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    really.setObjectName("really")
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    really.clicked.connect(box.confirmed)
    return box


class RenameJobDialog(QDialog):
    """Asks for another name of a job. ``renamed(key, name)`` on OK."""

    renamed = pyqtSignal(str, str)

    def __init__(self, entry: JobEntry, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("renameJob")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Rename Job")
        self._key, self._before = entry.key, entry.name
        layout = QVBoxLayout(self)
        form = QFormLayout()
        self.name = QLineEdit(entry.name)
        self.name.setMaxLength(_LONGEST_NAME)
        self.name.selectAll()
        form.addRow("&Name", self.name)
        layout.addLayout(form)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.ok_button = box.button(QDialogButtonBox.StandardButton.Ok)
        box.accepted.connect(self._rename)
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        self.setMinimumWidth(400)
        self.name.textChanged.connect(self._check)
        self._check()

    def _check(self) -> None:
        name = self.name.text().strip()
        reason = "Give the job a name." if not name else "" if name != self._before else "This is its name already."
        self.ok_button.setEnabled(not reason)
        self.ok_button.setToolTip(reason)

    def _rename(self) -> None:
        self.renamed.emit(self._key, self.name.text().strip())
        self.accept()
