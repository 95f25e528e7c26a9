"""What a person does in the dock, for tests and pictures alike."""

from __future__ import annotations

from qgis.PyQt.QtWidgets import QCheckBox

from up42_plugin.core.parameters import CLIP_TO_AOI
from up42_plugin.gui.dock import Up42Dock


def clip_to_area(dock: Up42Dock) -> None:
    """Tick the box of every block that can clip its output to the area; the blocks' own default is not to."""
    for group in dock.parameters.forms:
        editor = group.editors.get(CLIP_TO_AOI)
        box = editor.findChild(QCheckBox) if editor is not None else None
        if box is not None and not box.isChecked():
            box.click()
