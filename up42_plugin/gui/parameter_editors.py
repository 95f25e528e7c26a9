"""One editor for each kind of parameter. Each holds the value itself, and changes it only where a person does."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Optional, Sequence, Union

from qgis.gui import QgsCheckableComboBox, QgsDoubleSpinBox, QgsFilterLineEdit, QgsSpinBox
from qgis.PyQt.QtCore import QLocale, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QWidget

from up42_plugin.core.parameter_texts import compact, text_of, value_of
from up42_plugin.core.parameters import ParameterSpec, ParameterType, number_text

NOT_SET = "Not set"
_INT_LIMIT = 2**31 - 2
_FLOAT_LIMIT = 1e9
_DECIMALS = 8
_NARROW = 60


class ParameterEditor(QWidget):
    """A field for one parameter; ``edited`` when a person changed it.

    A value that the field cannot show exactly stays as it is until it is edited.
    """

    edited = pyqtSignal()

    def __init__(self, spec: ParameterSpec, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.setObjectName(spec.name)
        self._value: Any = deepcopy(spec.default)
        self._showing = False

    @property
    def value(self) -> Any:
        """The value as plain JSON; None is "not set"."""
        return deepcopy(self._value)

    def set_value(self, value: Any) -> None:
        """Show a value without telling of a change."""
        self._value = deepcopy(value)
        self._showing = True
        try:
            self._show(self._value)
        finally:
            self._showing = False

    def _show(self, value: Any) -> None:
        raise NotImplementedError

    def _fill(self, widget: QWidget) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(widget, 1)
        widget.setAccessibleName(self.spec.label)
        self.setFocusProxy(widget)

    def _take(self, value: Any) -> None:
        if not self._showing and (value != self._value or type(value) is not type(self._value)):
            self._value = value
            self.edited.emit()

    @property
    def _nullable(self) -> bool:
        return self.spec.default is None and not self.spec.required


class BooleanEditor(ParameterEditor):
    """A check box, with a third state for "not set" where that is possible."""

    def __init__(self, spec: ParameterSpec, parent: Optional[QWidget] = None) -> None:
        super().__init__(spec, parent)
        self.box = QCheckBox()
        self._fill(self.box)
        self.set_value(spec.default)
        self.box.stateChanged.connect(self._changed)

    def _show(self, value: Any) -> None:
        odd = not isinstance(value, bool)
        self.box.setTristate(odd or self._nullable)
        self.box.setCheckState(
            Qt.CheckState.PartiallyChecked if odd else Qt.CheckState.Checked if value else Qt.CheckState.Unchecked
        )
        self._name_state(value)

    def _name_state(self, value: Any) -> None:
        self.box.setText("" if isinstance(value, bool) else NOT_SET if value is None else compact(value))

    def _changed(self, _: int) -> None:
        state = self.box.checkState()
        value = None if state == Qt.CheckState.PartiallyChecked else state == Qt.CheckState.Checked
        if not self._showing:
            self._name_state(value)
        self._take(value)


class _IntegerBox(QgsSpinBox):
    """Steps from "not set" to the number closest to zero."""

    def stepBy(self, steps: int) -> None:  # noqa: N802 - Qt's name
        if self.value() == self.minimum():
            self.setValue(max(self.minimum() + 1, 0))
        else:
            super().stepBy(steps)


class _NumberBox(QgsDoubleSpinBox):
    """Steps as the other one, and shows no more decimals than there are."""

    def stepBy(self, steps: int) -> None:  # noqa: N802 - Qt's name
        if self.value() == self.minimum():
            self.setValue(max(self.minimum() + 1, 0.0))
        else:
            super().stepBy(steps)

    def textFromValue(self, value: float) -> str:  # noqa: N802 - Qt's name
        locale = QLocale()
        locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
        return locale.toString(value, "g", 12)


class NumberEditor(ParameterEditor):
    """A spin box; one step below its least number says "not set", or what else is there that is no such number."""

    def __init__(self, spec: ParameterSpec, parent: Optional[QWidget] = None) -> None:
        super().__init__(spec, parent)
        self._whole = spec.type is ParameterType.INTEGER
        self.box: Union[_IntegerBox, _NumberBox]
        if self._whole:
            self.box = _IntegerBox()
        else:
            self.box = _NumberBox()
            self.box.setDecimals(_DECIMALS)
        self.box.setMinimumWidth(_NARROW)
        self.box.setKeyboardTracking(True)
        self.box.setShowClearButton(self._nullable)
        self._fill(self.box)
        self.set_value(spec.default)
        self.box.valueChanged.connect(self._changed)

    def _show(self, value: Any) -> None:
        limit = _INT_LIMIT if self._whole else _FLOAT_LIMIT
        low = self.spec.minimum if self.spec.minimum is not None else -limit + 1
        high = self.spec.maximum if self.spec.maximum is not None else limit
        shown = self._can_show(value, limit)
        if shown:
            low, high = min(low, value), max(high, value)
        number = int if self._whole else float
        self.box.setRange(number(low) - 1, number(high))
        self.box.setSpecialValueText(NOT_SET if value is None or shown else compact(value))
        if self._nullable:
            self.box.setClearValueMode(self.box.ClearValueMode.MinimumValue, NOT_SET)
        self.box.setValue(number(value) if shown else self.box.minimum())

    def _can_show(self, value: Any, limit: float) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not -limit < value < limit:
            return False
        return float(value).is_integer() if self._whole else round(value, _DECIMALS) == value

    def _changed(self, number: Union[int, float]) -> None:
        if self._showing:
            return
        if number == self.box.minimum():
            if not self._nullable:
                self.box.setValue(number + 1)
                return
            self._take(None)
            return
        self._take(int(number) if float(number).is_integer() else number)


class LineEditor(ParameterEditor):
    """A line of text, with values to choose from where some are known."""

    def __init__(self, spec: ParameterSpec, choices: Sequence[Any] = (), parent: Optional[QWidget] = None) -> None:
        super().__init__(spec, parent)
        self.combo: Optional[QComboBox] = None
        self.line = QgsFilterLineEdit()
        self.line.setShowClearButton(True)
        if choices:
            self.combo = QComboBox()
            self.combo.setEditable(True)
            self.combo.setLineEdit(self.line)
            self.combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
            self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            self.combo.setMinimumContentsLength(8)
            self.combo.addItems([text_of(spec, choice) for choice in choices])
        self.line.setPlaceholderText(NOT_SET)
        self.line.setMinimumWidth(_NARROW)
        self._fill(self.combo if self.combo is not None else self.line)
        self.set_value(spec.default)
        self.line.textChanged.connect(self._changed)

    def _show(self, value: Any) -> None:
        text = text_of(self.spec, value)
        if self.combo is not None:
            self.combo.setCurrentIndex(self.combo.findText(text, Qt.MatchFlag.MatchExactly))
        self.line.setText(text)
        self.line.setCursorPosition(0)

    def _changed(self, text: str) -> None:
        if self._showing:
            return
        value = value_of(self.spec, text)
        if value is None and self.spec.type is ParameterType.STRING and isinstance(self.spec.default, str):
            value = ""
        elif value is None and self.spec.type is ParameterType.ARRAY and isinstance(self.spec.default, list):
            value = []
        self._take(value)


class ChoicesEditor(ParameterEditor):
    """A list of which each item is ticked; items that are not on offer are kept and can be taken away."""

    def __init__(self, spec: ParameterSpec, choices: Sequence[Any], parent: Optional[QWidget] = None) -> None:
        super().__init__(spec, parent)
        self._choices = list(choices)
        self.combo = QgsCheckableComboBox()
        self.combo.setDefaultText(NOT_SET)
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(8)
        self._fill(self.combo)
        self.set_value(spec.default)
        self.combo.checkedItemsChanged.connect(self._changed)

    def _show(self, value: Any) -> None:
        present = value if isinstance(value, list) else []
        extra = [item for item in present if item not in self._choices]
        odd = value is not None and not isinstance(value, list)
        self.combo.setDefaultText(compact(value) if odd else NOT_SET)
        self.combo.clear()
        for item in [*self._choices, *extra]:
            state = Qt.CheckState.Checked if item in present else Qt.CheckState.Unchecked
            self.combo.addItemWithCheckState(item if isinstance(item, str) else compact(item), state, item)

    def _changed(self, _: object) -> None:
        if self._showing:
            return
        ticked = list(self.combo.checkedItemsData())
        present = self._value if isinstance(self._value, list) else []
        # The order is the person's: what was there stays where it was, what comes is put behind it.
        ordered = [item for item in present if item in ticked]
        ordered += [item for item in ticked if item not in ordered]
        self._take(ordered if ordered or isinstance(self.spec.default, list) else None)


def editor_for(spec: ParameterSpec, choices: Sequence[Any], parent: Optional[QWidget] = None) -> ParameterEditor:
    """The editor that fits a parameter."""
    if spec.type is ParameterType.BOOLEAN:
        return BooleanEditor(spec, parent)
    if spec.type is ParameterType.ARRAY and choices:
        return ChoicesEditor(spec, choices, parent)
    if spec.type in (ParameterType.INTEGER, ParameterType.NUMBER) and not choices:
        return NumberEditor(spec, parent)
    return LineEditor(spec, choices, parent)


def explanation(spec: ParameterSpec, note: str) -> str:
    """``copy_original_bands, boolean, default true``, and a second line with what is known."""
    parts = [spec.name, spec.type.value or "any type"]
    if spec.has_default:
        default = spec.default
        number = isinstance(default, (int, float)) and not isinstance(default, bool)
        shown = number_text(default) if number else NOT_SET.lower() if default is None else compact(default)
        parts.append(f"default {shown}")
    if spec.required:
        parts.append("required")
    if spec.range_text:
        parts.append(spec.range_text)
    return ", ".join(parts) + (f"\n{note}" if note else "")
