"""Jobs on the map: their area, the scenes a test query found, and the group of their layers."""

from __future__ import annotations

from typing import Any, List, Optional, Set

from qgis.core import QgsGeometry, QgsMapLayer, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QObject

from up42_plugin.core.aoi import AOI
from up42_plugin.core.geometry.polygons import to_wkb
from up42_plugin.core.quicklooks import FOOTPRINTS_FILE
from up42_plugin.core.run import Run
from up42_plugin.gui.area_outline import on_map
from up42_plugin.qgis_bridge.groups import JobGroups
from up42_plugin.qgis_bridge.layer_metadata import identity

_AIR = 1.6


class JobsOnMap(QObject):
    """Shows what is asked for, and nothing unasked: the map moves only on a click."""

    def __init__(self, iface: Any, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._iface = iface
        self._wanted: Set[str] = set()

    def zoom(self, area: AOI) -> bool:
        """Show the whole area, with some margin; False where the map's CRS does not reach."""
        canvas = self._iface.mapCanvas()
        polygon = QgsGeometry()
        polygon.fromWkb(to_wkb(area.rings))
        shape = on_map(canvas, QgsProject.instance(), polygon, area.vertices)
        if shape is None:
            return False
        extent = shape.boundingBox()
        extent.scale(_AIR)
        canvas.setExtent(extent)
        canvas.refresh()
        return True

    def show_scenes(self, run: Run) -> bool:
        """Select the layer of the test query's footprints and open its table; False while it is not there."""
        layer = self._footprints(run)
        if layer is None:
            return False
        self.show_group(run)
        self._iface.setActiveLayer(layer)
        self._iface.showAttributeTable(layer)
        return True

    def want_scenes(self, run: Run) -> None:
        """Show them as soon as they are loaded."""
        self._wanted.add(run.key)

    def loaded(self, run: Run, _layers: List[QgsMapLayer]) -> None:
        """Layers of a run came."""
        if run.key in self._wanted:
            self._wanted.discard(run.key)
            self.show_scenes(run)

    def show_group(self, run: Run) -> bool:
        """Tick the job's group, so that its layers are seen; False where there is none."""
        group = JobGroups(QgsProject.instance()).find(run.job.id) if run.job is not None else None
        if group is None or not group.findLayers():
            return False
        group.setItemVisibilityCheckedParentRecursive(True)
        return True

    def _footprints(self, run: Run) -> Optional[QgsVectorLayer]:
        if run.job is None:
            return None
        for layer in QgsProject.instance().mapLayers().values():
            connection_id, job_id, _, key = identity(layer)
            ours = (connection_id, job_id, key) == (run.connection_id, run.job.id, FOOTPRINTS_FILE)
            if ours and isinstance(layer, QgsVectorLayer) and layer.isValid():
                return layer
        return None
