"""Preset, Form or JSON, and below it the fields of every task or the text of the whole job."""

from __future__ import annotations

from typing import Collection, Dict, List, Optional, Sequence

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import (
    QAction,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.workflow import Workflow
from up42_plugin.gui.json_editor import JsonEditor
from up42_plugin.gui.parameter_form import ParameterForm
from up42_plugin.gui.widgets import INFORMATION, ArrowButton, MessageRow, hint_label

_INSET = 8
DEFAULTS = "Defaults"
SAVE_AS = "Save as Preset…"
_ACTIONS = (
    "Import…",
    "Export…",
    "Copy as JSON",
    "Copy as curl",
    "Open in Window…",
    "Delete Preset",
    "Reset to Defaults",
)
#: What is possible with a text that cannot be read, too.
_HARMLESS = ("Copy as JSON", "Open in Window…")


class PresetRow(QWidget):
    """The row above the search: presets, the two ways to see the job, and what can be done with the whole of it.

    ``preset_chosen`` and ``view_asked`` (True for JSON) are a person's choices.
    """

    preset_chosen = pyqtSignal(str)
    view_asked = pyqtSignal(bool)

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        row.setContentsMargins(_INSET, 0, _INSET, 0)  # in line with what the groups above and below hold
        outer.addLayout(row)
        row.addWidget(QLabel("Preset"))
        self.combo = QComboBox()
        self.combo.setObjectName("preset")
        self.combo.setAccessibleName("Preset")
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(8)
        self.combo.activated.connect(self._activated)
        row.addWidget(self.combo, 1)
        self.form_button, self.json_button = _view("Form", "viewForm"), _view("JSON", "viewJson")
        # no button group: it would let Tab reach only the pressed one
        row.addWidget(self.form_button)
        row.addWidget(self.json_button)
        self.show_view(False)
        self.form_button.clicked.connect(lambda: self._view_clicked(False))
        self.json_button.clicked.connect(lambda: self._view_clicked(True))
        menu = QMenu(self)
        self.actions_by_name: Dict[str, QAction] = {name: menu.addAction(name) for name in _ACTIONS}
        for name, action in self.actions_by_name.items():
            action.setObjectName(f"Up42{name.rstrip('…').title().replace(' ', '')}")
        self.menu_button = ArrowButton("Import, export, copy, reset", "parametersMenu", menu)
        row.addWidget(self.menu_button)
        self.area_row = QWidget()
        area = QHBoxLayout(self.area_row)
        area.setContentsMargins(0, 0, 0, 0)
        self.area_text = MessageRow()
        self.area_text.setObjectName("areaFromJson")
        self.area_button = QPushButton("Use the Map's Area")
        self.area_button.setObjectName("useMapArea")
        self.area_button.setToolTip("Take the area from the map again instead of from the JSON")
        area.addWidget(self.area_text, 1)
        area.addWidget(self.area_button)
        self.area_row.hide()
        outer.addWidget(self.area_row)

    def show_presets(self, names: Sequence[str], chosen: str) -> None:
        """Offer the saved presets of a workflow."""
        self.combo.clear()
        self.combo.addItems([DEFAULTS, *names])
        self.combo.insertSeparator(self.combo.count())
        self.combo.addItem(SAVE_AS)
        index = list(names).index(chosen) + 1 if chosen in names else 0
        self.combo.setCurrentIndex(index)
        self.actions_by_name["Delete Preset"].setEnabled(index > 0)

    def show_view(self, json: bool) -> None:
        """Press the button of the view that is shown."""
        self.json_button.setChecked(json)
        self.form_button.setChecked(not json)

    def show_usable(self, any_workflow: bool, broken: bool) -> None:
        """Presets and imports would overwrite a text that cannot be read: they wait until it can."""
        why = "Mend the JSON first, or go back to Form" if broken else ""
        self.combo.setEnabled(any_workflow and not broken)
        self.combo.setToolTip(why)
        for name, action in self.actions_by_name.items():
            usable = any_workflow and (not broken or name in _HARMLESS)
            action.setEnabled(usable and (name != "Delete Preset" or self.combo.currentIndex() > 0))
        self.json_button.setEnabled(any_workflow)
        self.menu_button.setEnabled(any_workflow)

    def show_typed_area(self, text: str) -> None:
        """Say that the area comes from the JSON; an empty text when it comes from the map."""
        self.area_row.setVisible(bool(text))
        self.area_text.show_message(INFORMATION, text)

    def _view_clicked(self, json: bool) -> None:
        self.show_view(json)
        self.view_asked.emit(json)

    def _activated(self, index: int) -> None:
        self.preset_chosen.emit(self.combo.itemText(index))


class ParametersSection(QWidget):
    """The fields of every task, or the JSON; ``edited`` carries the task and the parameter a person changed.

    ``view_shown`` is True for the JSON. ``assets_asked`` carries the task for which a person wants to choose assets in
    storage.
    """

    edited = pyqtSignal(str, str)
    view_shown = pyqtSignal(bool)
    assets_asked = pyqtSignal(str)

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.forms: List[ParameterForm] = []
        self._fields = QWidget()
        self._column = QVBoxLayout(self._fields)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.other_tasks = hint_label()
        self.other_tasks.setObjectName("otherTasks")
        self.other_tasks.hide()
        self._column.addWidget(self.other_tasks)
        self.json = JsonEditor()
        self.json.hide()
        self._layout.addWidget(self._fields)
        self._layout.addWidget(self.json, 1)

    def build(self, workflow: Optional[Workflow], elsewhere: Collection[str]) -> None:
        """Make the groups of a workflow's tasks; ``elsewhere`` names what the data block is asked in the search."""
        for form in self.forms:
            form.setParent(None)
            form.deleteLater()
        self.forms = []
        for number, step in enumerate(workflow.steps if workflow is not None else ()):
            form = ParameterForm(step, number == 0, elsewhere if number == 0 else ())
            form.edited.connect(lambda name, task=step.name: self.edited.emit(task, name))
            form.assets_asked.connect(lambda task=step.name: self.assets_asked.emit(task))
            self._column.insertWidget(number, form)
            self.forms.append(form)

    def form_of(self, task: str) -> ParameterForm:
        """The group of a task."""
        return next(form for form in self.forms if form.task == task)

    def show_view(self, json: bool) -> None:
        """Show the fields or the text, which takes all the height there is."""
        policy = self.sizePolicy()
        policy.setVerticalPolicy(QSizePolicy.Policy.Expanding if json else QSizePolicy.Policy.Preferred)
        policy.setVerticalStretch(100 if json else 0)
        self.setSizePolicy(policy)
        self._fields.setVisible(not json)
        self.json.setVisible(json)
        self.view_shown.emit(json)


def _view(text: str, name: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setObjectName(name)
    button.setToolTip(f"Show the job as {'a form' if text == 'Form' else text}")
    button.setCheckable(True)
    button.setAutoRaise(True)
    return button
