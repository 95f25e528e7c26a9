"""Questions before something is done to jobs: cancel them, delete their files, give one another name."""

from __future__ import annotations

from typing import Optional, Sequence

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QMessageBox, QWidget

from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.tags import NAME_LIMIT, TAG_LENGTH
from up42_plugin.gui.name_dialog import NameDialog
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


class RenameJobDialog(NameDialog):
    """Asks for another name of a job. ``renamed(key, name)`` on OK."""

    renamed = pyqtSignal(str, str)

    def __init__(self, entry: JobEntry, parent: Optional[QWidget] = None) -> None:
        super().__init__("job", entry.name, _LONGEST_NAME, parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._key = entry.key
        self.asked.connect(self._rename)

    def _rename(self, name: str) -> None:
        self.renamed.emit(self._key, name)
        self.accept()
