"""The field of a data block's assets in storage: how many are chosen, and the way to choose others."""

from __future__ import annotations

from typing import Any, Optional, Sequence

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from up42_plugin.core.parameter_texts import compact
from up42_plugin.core.parameters import ParameterSpec
from up42_plugin.core.stored_data import several
from up42_plugin.gui.parameter_editors import NOT_SET, ParameterEditor
from up42_plugin.gui.widgets import tool_button

_WHAT = "Choose images that are in storage already; nothing is searched then"


class StoredAssetsEditor(ParameterEditor):
    """``2 assets`` with a button to choose and one to clear; ``choose_asked`` is the person's click."""

    choose_asked = pyqtSignal()

    def __init__(self, spec: ParameterSpec, parent: Optional[QWidget] = None) -> None:
        super().__init__(spec, parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        self.text = QLabel()
        self.text.setObjectName("chosenAssets")
        self.text.setAccessibleName("From storage")
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.choose_button = QPushButton("Choose Assets…")
        self.choose_button.setObjectName("chooseAssets")
        self.choose_button.setToolTip(_WHAT)
        self.choose_button.setAutoDefault(False)
        self.choose_button.clicked.connect(self.choose_asked)
        self.clear_button = tool_button("/mIconClearText.svg", "Take nothing from storage", "clearAssets")
        self.clear_button.clicked.connect(lambda: self.choose(()))
        row.addWidget(self.text, 1)
        row.addWidget(self.clear_button)
        layout.addLayout(row)
        layout.addWidget(self.choose_button)
        self.setFocusProxy(self.choose_button)
        self.set_value(spec.default)

    def choose(self, ids: Sequence[str]) -> None:
        """Take these assets, as a person's choice; none to search again."""
        value = list(ids) or None
        self._take(value)
        self._show(value)

    def set_usable(self, why_not: str) -> None:
        """Open the button, or say in its tooltip why it is closed."""
        self.choose_button.setEnabled(not why_not)
        self.choose_button.setToolTip(why_not or _WHAT)

    def _show(self, value: Any) -> None:
        ids = [str(one) for one in value] if isinstance(value, list) else []
        odd = value is not None and not isinstance(value, list)
        self.text.setText(several(ids) if ids else compact(value) if odd else NOT_SET)
        self.text.setToolTip("\n".join(ids))
        self.clear_button.setEnabled(bool(ids) or odd)
        self.clear_button.setToolTip(
            "Take nothing from storage: search again" if ids or odd else "Nothing to clear: no assets are chosen"
        )
