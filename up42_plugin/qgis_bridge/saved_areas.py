"""Areas kept by name in the QGIS profile."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Sequence, Tuple

from qgis.core import QgsSettings

from up42_plugin.core.area_file import geojson_of
from up42_plugin.core.job_areas import JobArea

_KEY = "up42/saved_areas"


class SavedAreas:
    """GeoJSON by name; what cannot be read counts as none."""

    def names(self) -> Tuple[str, ...]:
        """All names, as people sort them."""
        return tuple(sorted(self._read(), key=str.casefold))

    def get(self, name: str) -> Mapping[str, Any]:
        """The polygon of that name, or the collection of them; empty when there is none."""
        found = self._read().get(name, {})
        return found if isinstance(found, dict) else {}

    def save(self, name: str, areas: Sequence[JobArea]) -> None:
        """Keep an area, or those of a batch; earlier ones of the same name are replaced."""
        self._write({**self._read(), name: geojson_of(areas)})

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
