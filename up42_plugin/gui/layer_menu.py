"""From the layer back: what the context menu of a layer of ours offers about the job that made it and its styles."""

from __future__ import annotations

from typing import Any, Callable, List, Optional

from qgis.core import Qgis, QgsMapLayer, QgsMapLayerType, QgsProject
from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QAction

from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.jobs import Mode
from up42_plugin.core.run import Run
from up42_plugin.gui.clone_desk import CloneDesk
from up42_plugin.gui.index_menu import IndexMenu
from up42_plugin.gui.jobs_desk import JobsDesk
from up42_plugin.gui.rerun_desk import RerunDesk
from up42_plugin.gui.style_menu import StyleMenu
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.job_recalling import JobRecall
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.layer_metadata import identity

MENU = "UP42"
_ACTIONS = (
    ("Up42ShowJob", "Show Job"),
    ("Up42RerunJob", "Re-run as Live Job…"),
    ("Up42RerunWithSelection", "Re-run with Present Selection…"),
    ("Up42CloneJob", "Clone to New Job"),
)


class LayerMenu(QObject):
    """Offers a submenu *UP42* in the menu of each layer of ours, however the layer came into the project."""

    def __init__(
        self,
        iface: Any,
        *,
        jobs: JobsDesk,
        recall: JobRecall,
        reruns: RerunDesk,
        clones: CloneDesk,
        hub: ConnectionHub,
        runner: JobRunner,
        tell: Callable[[str, Qgis.MessageLevel], None],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._iface, self._project = iface, QgsProject.instance()
        self._jobs, self._recall, self._reruns, self._clones = jobs, recall, reruns, clones
        self._hub, self._tell = hub, tell
        doing = (self.show_job, self.rerun, self.rerun_with_selection, self.clone)
        self.styles = StyleMenu(iface, runner, tell, self)
        self.indices = IndexMenu(iface, runner, tell, self)
        self.actions: List[QAction] = []
        for (name, text), act in zip(_ACTIONS, doing):
            action = QAction(text, self)
            action.setObjectName(name)
            action.triggered.connect(lambda _=False, act=act: self._for_layer(act))
            self.actions.append(action)
        self._submenus = (self.styles, self.indices)
        self.actions.extend(submenu.action for submenu in self._submenus)
        for action in self.actions:
            for kind in (QgsMapLayerType.RasterLayer, QgsMapLayerType.VectorLayer):
                iface.addCustomActionForLayerType(action, MENU, kind, False)
        self._project.layersAdded.connect(self._added)
        self._added(list(self._project.mapLayers().values()))

    def close(self) -> None:
        """Offer nothing any more."""
        if self.actions:
            self._project.layersAdded.disconnect(self._added)
        for action in self.actions:
            self._iface.removeCustomActionForLayerType(action)
            if all(action is not submenu.action for submenu in self._submenus):
                action.deleteLater()
        for submenu in self._submenus if self.actions else ():
            submenu.close()
        self.actions.clear()

    def _added(self, layers: List[QgsMapLayer]) -> None:
        for layer in layers:
            if identity(layer)[1]:
                for action in self.actions:
                    if action is not self.indices.action or self.indices.serves(layer):
                        self._iface.addCustomActionForLayer(action, layer)

    def _for_layer(self, act: Callable[[str, str], None]) -> None:
        """The menu is that of the current layer."""
        layer = self._iface.activeLayer()
        connection_id, job_id = identity(layer)[:2] if layer is not None else ("", "")
        if job_id:
            act(connection_id, job_id)

    def show_job(self, connection_id: str, job_id: str) -> None:
        """Bring the job before the person's eyes, in the list of its connection."""
        if connection_id != self._hub.current.id and any(item.id == connection_id for item in self._hub.connections):
            self._hub.choose(connection_id)
        if not self._jobs.show_job(connection_id, job_id):
            self._tell("The connection of this job was removed.", Qgis.MessageLevel.Warning)

    def rerun(self, connection_id: str, job_id: str) -> None:
        """Ask for the same as a live job."""
        self._with_run(connection_id, job_id, lambda run: self._reruns.ask(connection_id, run.name, run.configuration))

    def rerun_with_selection(self, connection_id: str, job_id: str) -> None:
        """Ask for the same as a live job, in the area that is selected now."""

        def again(run: Run) -> None:
            configuration = self._clones.with_selection(run)
            if configuration is not None:
                self._reruns.ask(connection_id, run.name, configuration)

        self._with_run(connection_id, job_id, again)

    def clone(self, connection_id: str, job_id: str) -> None:
        """Fill the form with what the job asked for."""
        self._with_run(connection_id, job_id, self._clones.clone)

    def _with_run(self, connection_id: str, job_id: str, act: Callable[[Run], None]) -> None:
        def failed(why: str) -> None:
            self._tell(why, Qgis.MessageLevel.Warning)

        self._recall.recall(self._entry(connection_id, job_id), act, failed)

    def _entry(self, connection_id: str, job_id: str) -> JobEntry:
        """The job as the list knows it, else just enough to ask for it."""
        known = self._jobs.list.find(connection_id, job_id)
        if known is not None:
            return known
        return JobEntry(job_id, connection_id, "The job", Mode.LIVE, self._jobs.now(), job_id=job_id)
