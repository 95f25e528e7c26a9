"""The form of one task's parameters, made from its block's schema."""

from __future__ import annotations

from typing import Any, Collection, Dict, Mapping, Optional

from qgis.gui import QgsCollapsibleGroupBoxBasic
from qgis.PyQt.QtCore import QSize, pyqtSignal
from qgis.PyQt.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from up42_plugin.core.parameter_choices import choices_of, note_of
from up42_plugin.core.parameters import ASSET_IDS, IDS, SEARCH_PARAMETERS, ParameterSchema, ParameterSpec
from up42_plugin.core.stored_data import SEARCH_NOT_USED
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS, Step
from up42_plugin.gui.parameter_editors import ParameterEditor, editor_for, explanation
from up42_plugin.gui.stored_assets_editor import StoredAssetsEditor
from up42_plugin.gui.texts import count_text
from up42_plugin.gui.widgets import hint_label, name_collapse_button

_TITLES = {IDS: "Scene IDs", ASSET_IDS: "From storage"}
_HANDED_ON = "The area above is handed on to this block."


class ParameterForm(QgsCollapsibleGroupBoxBasic):
    """A collapsed group with a field for each parameter that is not asked elsewhere; ``edited`` carries its name.

    Args:
        step: the task.
        first: whether it is the data block, whose search is asked above.
        elsewhere: names that have a field elsewhere.
    """

    edited = pyqtSignal(str)
    assets_asked = pyqtSignal()

    def __init__(self, step: Step, first: bool, elsewhere: Collection[str], parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"parameters {step.name}")
        name_collapse_button(self, step.block.title)
        self.task = step.name
        self._step, self._first = step, first
        self._values: Dict[str, Any] = {}
        self.editors: Dict[str, ParameterEditor] = {}
        self.labels: Dict[str, QLabel] = {}
        self._schema = ParameterSchema.of(step.block)
        # Opening a group shows its own children, hidden or not: one body holds them all.
        body = QWidget()
        QVBoxLayout(self).addWidget(body)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.addLayout(form)
        for spec in self._schema:
            if spec.name in GEOMETRY_PARAMETERS or spec.name in elsewhere:
                continue
            editor = self._editor_of(spec)
            label = QLabel(_TITLES.get(spec.name, spec.label))
            tip = explanation(spec, note_of(step.block.name, spec))
            label.setToolTip(tip)
            editor.setToolTip(tip)
            form.addRow(label, editor)
            self.editors[spec.name], self.labels[spec.name] = editor, label
            editor.edited.connect(lambda name=spec.name: self._edited(name))
        self._hint = hint_label(_HANDED_ON)
        self._hint.setObjectName("handedOn")
        layout.addWidget(self._hint)
        self._hint.setVisible(not first and bool(self._schema.geometries))
        self.only_in_json = hint_label()
        self.only_in_json.setObjectName("onlyInJson")
        layout.addWidget(self.only_in_json)
        self.set_values({})
        self.setCollapsed(True)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As narrow as the fields allow: a long title would make the whole dock wider than it is."""
        margins = self.contentsMargins()
        fields = self.layout().minimumSize().width() + margins.left() + margins.right()
        return QSize(fields, super().minimumSizeHint().height())

    def _editor_of(self, spec: ParameterSpec) -> ParameterEditor:
        if not self._first or spec.name != ASSET_IDS:
            return editor_for(spec, choices_of(self._step.block.name, spec))
        editor = StoredAssetsEditor(spec)
        editor.choose_asked.connect(self.assets_asked)
        return editor

    @property
    def values(self) -> Dict[str, Any]:
        """Everything that was set, what has no field included, with what was edited since."""
        return {**self._values, **{name: self.editors[name].value for name in self.editors if name in self._values}}

    @property
    def changed(self) -> int:
        """How many parameters with a field here differ from the block's defaults."""
        return sum(self._differs(name) for name in self.editors)

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.editors) or not self._hint.isHidden() or not self.only_in_json.isHidden()

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show a task's parameters; those it does not have are shown at the block's default."""
        self._values = dict(values)
        for name, editor in self.editors.items():
            spec = self._schema.get(name)
            value = values.get(name, spec.default if spec is not None else None)
            # What is shown already stays as it is typed: the same value may be half a word, with the cursor in it.
            if repr(value) != repr(editor.value):
                editor.set_value(value)
        unknown = [name for name in values if name not in self._schema]
        self.only_in_json.setVisible(bool(unknown))
        self.only_in_json.setText(f"{count_text(len(unknown), 'parameter')} only in JSON")
        self.only_in_json.setToolTip(", ".join(unknown))
        self._retitle()

    def _edited(self, name: str) -> None:
        self._values[name] = self.editors[name].value
        self._retitle()
        self.edited.emit(name)

    def _show_unused(self) -> None:
        """With assets from storage nothing is searched."""
        if ASSET_IDS not in self.editors:
            return
        stored = bool(self._values.get(ASSET_IDS))
        for name in SEARCH_PARAMETERS:
            if name in self.editors:
                editor = self.editors[name]
                editor.setEnabled(not stored)
                editor.setToolTip(SEARCH_NOT_USED if stored else self.labels[name].toolTip())

    def _differs(self, name: str) -> bool:
        spec = self._schema.get(name)
        return name in self._values and spec is not None and self._values[name] != spec.default

    def _retitle(self) -> None:
        self._show_unused()
        for name, label in self.labels.items():
            font = label.font()
            font.setBold(self._differs(name))
            label.setFont(font)
        title, changed = self._step.block.title, self.changed
        parts = (["more parameters"] if self._first else []) + ([f"{changed} changed"] if changed else [])
        self.setTitle(f"{title}: {', '.join(parts) or 'parameters'}".replace("&", "&&"))
