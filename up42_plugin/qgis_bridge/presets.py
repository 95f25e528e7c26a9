"""Presets: recipes kept in QGIS's settings, by workflow. Never a secret."""

from __future__ import annotations

import json
from typing import Any, Dict, Tuple

from qgis.core import QgsSettings

from up42_plugin.core.recipes import Recipe, RecipeError
from up42_plugin.qgis_bridge.log import PanelLog

_KEY = "up42/presets"


class PresetStore:
    """The person's presets in the current QGIS profile."""

    def __init__(self, log: PanelLog) -> None:
        self._log = log

    def of(self, workflow_id: str) -> Tuple[Recipe, ...]:
        """A workflow's presets by name; unreadable ones are logged and left alone."""
        found = []
        for value in self._read().get(workflow_id, {}).values():
            try:
                found.append(Recipe.from_json(value))
            except RecipeError as error:
                self._log.warning(f"A preset in the settings cannot be read and is left alone: {error}")
        return tuple(sorted(found, key=lambda recipe: recipe.name.casefold()))

    def save(self, workflow_id: str, recipe: Recipe) -> None:
        """Keep a preset; one of the same name is replaced."""
        presets = self._read()
        presets.setdefault(workflow_id, {})[recipe.name] = recipe.to_json()
        self._write(presets)

    def delete(self, workflow_id: str, name: str) -> None:
        """Forget a preset."""
        presets = self._read()
        presets.get(workflow_id, {}).pop(name, None)
        self._write(presets)

    def _read(self) -> Dict[str, Dict[str, Any]]:
        text = str(QgsSettings().value(_KEY, "", type=str, section=QgsSettings.Section.Plugins))
        try:
            value = json.loads(text) if text else {}
        except ValueError as error:
            self._log.warning(f"The setting {_KEY} is not JSON and is ignored: {error}")
            return {}
        if not isinstance(value, dict):
            return {}
        return {str(key): member for key, member in value.items() if isinstance(member, dict)}

    def _write(self, presets: Dict[str, Dict[str, Any]]) -> None:
        QgsSettings().setValue(_KEY, json.dumps(presets), section=QgsSettings.Section.Plugins)
