"""The layer tree: one group per job, found by the job's id and never by its name."""

from __future__ import annotations

from typing import List, Mapping, Optional, Sequence

from qgis.core import QgsLayerTreeGroup, QgsLayerTreeLayer, QgsMapLayer, QgsProject

from up42_plugin.core.layer_plan import LayerPlan

GROUP_PROPERTY = "up42/job_id"


class JobGroups:
    """The groups of jobs in one project."""

    def __init__(self, project: QgsProject) -> None:
        self._project = project

    def find(self, job_id: str) -> Optional[QgsLayerTreeGroup]:
        """The job's group, wherever the analyst has moved it and whatever it is called now."""
        return _find(self._project.layerTreeRoot(), job_id)

    def ensure(self, job_id: str, name: str) -> QgsLayerTreeGroup:
        """The job's group; a new one goes on top of the tree."""
        group = self.find(job_id)
        if group is None:
            group = self._project.layerTreeRoot().insertGroup(0, name)
            group.setCustomProperty(GROUP_PROPERTY, job_id)
        return group

    def add(self, layers: List[QgsMapLayer], job_id: str, name: str) -> QgsLayerTreeGroup:
        """Put layers that the project holds on top of the job's group, in their order, legends collapsed."""
        group = self.ensure(job_id, name)
        for position, layer in enumerate(layers):
            node = QgsLayerTreeLayer(layer)
            node.setExpanded(False)
            group.insertChildNode(position, node)
        return group

    def tidy(self, job_id: str, layers: Sequence[QgsMapLayer], plans: Mapping[str, LayerPlan]) -> None:
        """Untick layers just added, and move them into groups inside the job's, as their plans (by layer id) say."""
        job = self.find(job_id)
        for layer in layers if job is not None else ():
            plan, node = plans[layer.id()], job.findLayer(layer.id())
            if node is None:
                continue
            node.setItemVisibilityChecked(plan.checked)
            if plan.group:
                inner = _inner(job, plan.group)
                inner.addChildNode(node.clone())
                node.parent().removeChildNode(node)


def _inner(job: QgsLayerTreeGroup, name: str) -> QgsLayerTreeGroup:
    """The group of this name directly inside the job's; a new one goes below, collapsed."""
    found = next(
        (child for child in job.children() if isinstance(child, QgsLayerTreeGroup) and child.name() == name), None
    )
    if found is None:
        found = job.addGroup(name)
        found.setExpanded(False)
    return found


def _find(group: QgsLayerTreeGroup, job_id: str) -> Optional[QgsLayerTreeGroup]:
    for child in group.children():
        if not isinstance(child, QgsLayerTreeGroup):
            continue
        if child.customProperty(GROUP_PROPERTY) == job_id:
            return child
        found = _find(child, job_id)
        if found is not None:
            return found
    return None
