"""Areas kept by name in the QGIS profile."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Tuple

from qgis.core import QgsSettings

from up42_plugin.core.aoi import AOI

_KEY = "up42/saved_areas"


class SavedAreas:
    """GeoJSON polygons by name; what cannot be read counts as none."""

    def names(self) -> Tuple[str, ...]:
        """All names, as people sort them."""
        return tuple(sorted(self._read(), key=str.casefold))

    def get(self, name: str) -> Mapping[str, Any]:
        """The polygon of that name; empty when there is none."""
        found = self._read().get(name, {})
        return found if isinstance(found, dict) else {}

    def save(self, name: str, aoi: AOI) -> None:
        """Keep an area; an earlier one of the same name is replaced."""
        self._write({**self._read(), name: aoi.geojson()})

    def remove(self, name: str) -> None:
        """Forget an area."""
        self._write({known: value for known, value in self._read().items() if known != name})

    def _read(self) -> Dict[str, Any]:
        text = str(QgsSettings().value(_KEY, "", type=str, section=QgsSettings.Section.Plugins))
        try:
            value = json.loads(text) if text else {}
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def _write(self, areas: Mapping[str, Any]) -> None:
        QgsSettings().setValue(_KEY, json.dumps(areas), section=QgsSettings.Section.Plugins)
