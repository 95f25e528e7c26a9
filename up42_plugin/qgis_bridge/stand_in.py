"""First pixels: while an output comes down, a quicklook of its scene stands in for it on the map."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

from qgis.core import QgsLayerTreeGroup, QgsMapLayer, QgsProject
from qgis.PyQt.QtCore import QObject, QTimer

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.archives.safe_names import safe_component
from up42_plugin.core.context import JobContext
from up42_plugin.core.job_recall import recalled_area
from up42_plugin.core.layer_plan import LayerPlan
from up42_plugin.core.provenance import provenance_of
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.stand_in import Wanted, fetch_stand_in, known_stand_in, makes_rasters, remove_old
from up42_plugin.core.storage import OutputFolders
from up42_plugin.qgis_bridge.groups import SUBGROUP_PROPERTY, JobGroups
from up42_plugin.qgis_bridge.jobs import Job as BackgroundJob
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.layers import LayerLoader
from up42_plugin.qgis_bridge.loading import ProviderOf
from up42_plugin.qgis_bridge.runs import RunController

#: Marks a layer that only stands in for another one.
STAND_IN = "up42/stand_in"
LOADING, PAUSED = "quicklook, loading…", "quicklook, paused"
#: How long the map is waited for; a layer that is not shown is never drawn.
_DRAWN_WITHIN_MS = 5000
_KEPT_DAYS = 30


@dataclass
class _StandIn:
    """What stands in for one run's output. ``real`` are the ids of the layers that have come since."""

    run: Run
    title: str = ""
    paused: bool = False
    job: Optional[BackgroundJob] = None
    layer_id: str = ""
    new_group: bool = False
    real: Set[str] = field(default_factory=set)
    drawing: bool = False


class StandIns(QObject):
    """One stand-in at most for each run that is downloaded; gone when the real layer was drawn, or will not come.

    Nothing waits for it: a quicklook that is slow or cannot be had is no more than that. The pictures lie in ``cache``,
    so that a project saved meanwhile can be opened; a stand-in that comes with such a project is taken out of it. None
    of this makes a project one that has to be saved.
    """

    def __init__(
        self,
        runs: RunController,
        runner: JobRunner,
        *,
        project: QgsProject,
        canvas: Any,
        provider_of: ProviderOf,
        connection_name: Callable[[str], str],
        folders: Callable[[], OutputFolders],
        cache: Path,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runs, self._runner, self._project, self._canvas = runs, runner, project, canvas
        self._provider_of, self._connection_name, self._folders = provider_of, connection_name, folders
        self._cache = cache
        self._loader = LayerLoader(project)
        self._standing: Dict[str, _StandIn] = {}
        runs.downloading.connect(self._downloading)
        runs.changed.connect(self._changed)
        runs.loaded.connect(self._loaded)
        project.readProject.connect(self._sweep)
        canvas.renderStarting.connect(self._drawing)
        canvas.mapCanvasRefreshed.connect(self._drawn)
        self._sweep()
        runner.start("UP42: tidying up", lambda _context: remove_old(cache, _KEPT_DAYS), hidden=True)

    def close(self) -> None:
        """Take away what still stands in, and listen no more."""
        self._project.readProject.disconnect(self._sweep)
        self._canvas.renderStarting.disconnect(self._drawing)
        self._canvas.mapCanvasRefreshed.disconnect(self._drawn)
        for key in list(self._standing):
            self._drop(key)

    def layer_of(self, key: str) -> Optional[QgsMapLayer]:
        """What stands in for a run's output now."""
        standing = self._standing.get(key)
        return self._project.mapLayer(standing.layer_id) if standing is not None and standing.layer_id else None

    # -- coming

    def _downloading(self, run: Run, task_name: str) -> None:
        steps = run.configuration.workflow.steps
        step = next((step for step in steps if step.name == task_name), steps[-1])
        provider = self._provider_of(run.connection_id)
        if run.key in self._standing or run.job is None or provider is None or not makes_rasters(step.block):
            return
        present, job_id = provider, run.job.id
        folders, names = self._folders(), self._with_quicklooks(run)
        folder = self._cache / safe_component(job_id)
        area = recalled_area(run.configuration)

        def work(context: JobContext) -> Optional[LayerPlan]:
            known = tuple(folders.quicklook_folder(*name) for name in names)
            wanted = Wanted(job_id, step.block, area, known, folder)
            plan = known_stand_in(wanted)
            if plan is None:
                with present.open(context) as service:
                    plan = fetch_stand_in(service, wanted, context)
            return plan

        standing = self._standing[run.key] = _StandIn(run)
        standing.job = self._runner.start(f"UP42: first pixels of {run.name}", work, long_running=True, hidden=True)
        standing.job.succeeded.connect(lambda plan: self._here(standing, plan, task_name))

    def _with_quicklooks(self, run: Run) -> List[Tuple[str, str]]:
        """Name and id of the jobs that may have left its quicklooks: itself, and test queries of the same."""
        found = [(run.name, run.job.id)] if run.job is not None else []
        wanted = run.configuration.fingerprint
        for other in self._runs.all():
            same = other.connection_id == run.connection_id and not other.live and other.succeeded
            if same and other.job is not None and other.configuration.fingerprint == wanted:
                found.append((other.name, other.job.id))
        return found

    def _here(self, standing: _StandIn, plan: Optional[LayerPlan], task_name: str) -> None:
        run = standing.run
        if plan is None or run.job is None or self._standing.get(run.key) is not standing or standing.real:
            return
        provenance = provenance_of(run, run.job, self._connection_name(run.connection_id), task_name)
        standing.new_group = JobGroups(self._project).find(run.job.id) is None
        with self._clean(), suppress(Up42Error):  # a layer less, and nothing else
            (layer,) = self._loader.add([plan], run.name, provenance)
            layer.setCustomProperty(STAND_IN, True)
            standing.layer_id, standing.title = layer.id(), plan.title
            self._entitle(standing)

    # -- what becomes of the real one

    def _changed(self, run: Run) -> None:
        standing = self._standing.get(run.key)
        if standing is None:
            return
        if run.phase in (Phase.FETCHING, Phase.PAUSED):
            if standing.paused is not run.paused:
                standing.paused = run.paused
                self._entitle(standing)
        elif not standing.real:
            QTimer.singleShot(0, lambda: self._given_up(standing))  # layers that came are told of next

    def _given_up(self, standing: _StandIn) -> None:
        if self._standing.get(standing.run.key) is standing and not standing.real:
            self._drop(standing.run.key)

    def _loaded(self, run: Run, layers: List[QgsMapLayer]) -> None:
        standing = self._standing.get(run.key)
        if standing is None:
            return
        standing.real = {layer.id() for layer in layers}
        if not standing.layer_id:
            self._drop(run.key)
            return
        QTimer.singleShot(_DRAWN_WITHIN_MS, lambda: self._waited(standing))

    def _drawing(self) -> None:
        shown = {layer.id() for layer in self._canvas.layers()}
        for standing in self._standing.values():
            standing.drawing = bool(standing.real & shown)

    def _drawn(self) -> None:
        for key in [key for key, standing in self._standing.items() if standing.drawing]:
            self._drop(key)

    def _waited(self, standing: _StandIn) -> None:
        """The map did not draw it: it may be hidden, or slow."""
        if self._standing.get(standing.run.key) is not standing:
            return
        if standing.drawing and self._canvas.isDrawing():
            QTimer.singleShot(_DRAWN_WITHIN_MS, lambda: self._waited(standing))
        else:
            self._drop(standing.run.key)

    # -- going

    def _drop(self, key: str) -> None:
        standing = self._standing.pop(key)
        if standing.job is not None:
            standing.job.cancel()
        node = self._project.layerTreeRoot().findLayer(standing.layer_id)
        around = node.parent() if node is not None else None
        self._remove(standing.layer_id)
        if around is not None and around.customProperty(SUBGROUP_PROPERTY):
            self._remove_empty(around)
        job = standing.run.job
        group = JobGroups(self._project).find(job.id) if job is not None and standing.new_group else None
        if group is not None:
            self._remove_empty(group)

    def _remove_empty(self, group: QgsLayerTreeGroup) -> None:
        if not group.children():
            with self._clean():
                group.parent().removeChildNode(group)

    def _sweep(self, *_: object) -> None:
        """Take out what came with a project that was saved while something was on its way."""
        ours = {standing.layer_id for standing in self._standing.values()}
        for layer_id, layer in list(self._project.mapLayers().items()):
            if layer.customProperty(STAND_IN) and layer_id not in ours:
                self._remove(layer_id)

    def _remove(self, layer_id: str) -> None:
        if layer_id and self._project.mapLayer(layer_id) is not None:
            with self._clean():
                self._project.removeMapLayer(layer_id)
            self._canvas.refresh()  # it does not notice by itself that a layer is gone

    def _entitle(self, standing: _StandIn) -> None:
        layer = self.layer_of(standing.run.key)
        if layer is not None:
            with self._clean():
                layer.setName(f"{standing.title} ({PAUSED if standing.paused else LOADING})")

    @contextmanager
    def _clean(self) -> Iterator[None]:
        """A project that had nothing to be saved has nothing after it either."""
        dirty = self._project.isDirty()
        try:
            yield
        finally:
            if not dirty:
                self._project.setDirty(False)
