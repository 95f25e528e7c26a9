"""The layer tree: one group per job, found by the job's id and never by its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from qgis.core import QgsLayerTree, QgsLayerTreeGroup, QgsLayerTreeLayer, QgsMapLayer, QgsProject

GROUP_PROPERTY = "up42/job_id"
SUBGROUP_PROPERTY = "up42/subgroup"

#: A group with more layers than these begins collapsed.
MOST_LAYERS = 8
#: So many groups of this session stay open; older ones are collapsed when another comes.
MOST_OPEN = 3


@dataclass(frozen=True)
class NewLayer:
    """A layer on its way into the tree: the group inside of the job's (empty: none), and whether it is shown.

    ``closed`` when that group begins collapsed, however few layers it has.
    """

    layer: QgsMapLayer
    group: str = ""
    checked: bool = True
    closed: bool = False


class JobGroups:
    """The groups of jobs in one project. Remembers which ones were made by it, and how they looked then."""

    def __init__(self, project: QgsProject) -> None:
        self._project = project
        self._made: Dict[str, str] = {}  # by job, oldest first: the name of a group made open, else nothing

    def find(self, job_id: str) -> Optional[QgsLayerTreeGroup]:
        """The job's group, wherever the analyst has moved it and whatever it is called now."""
        return _find(self._root, GROUP_PROPERTY, job_id)

    def ensure(self, job_id: str, name: str) -> QgsLayerTreeGroup:
        """The job's group; a new one goes on top of the tree."""
        group = self.find(job_id)
        if group is None:
            group = self._root.insertGroup(0, name)
            group.setCustomProperty(GROUP_PROPERTY, job_id)
            self._collapse_older()
            self._made.pop(job_id, None)
            self._made[job_id] = name
        return group

    def add(self, new: Sequence[NewLayer], ordered: Sequence[QgsMapLayer], job_id: str, name: str) -> QgsLayerTreeGroup:
        """Put layers that the project holds into the job's group, legends collapsed.

        ``ordered`` are all layers of the same output from top to bottom: a new one goes beside its neighbours, else on
        top. A group that is made now begins collapsed when it gets many layers.
        """
        group = self.ensure(job_id, name)
        fresh = not group.children()
        places = [layer.id() for layer in ordered]
        names = dict.fromkeys(item.group for item in new)
        parents = {inner: self._subgroup(group, job_id, inner) for inner in names}
        for item in reversed(new):
            self._insert(parents[item.group][0], item, places)
        for inner, (parent, made) in parents.items():
            inside = [item for item in new if item.group == inner]
            if made and (len(inside) > MOST_LAYERS or all(item.closed for item in inside)):
                parent.setExpanded(False)
        if fresh:
            many = len([item for item in new if not item.group]) > MOST_LAYERS
            group.setExpanded(False)
            group.setExpanded(not many)  # the panel of layers may have passed it over while it was empty
            if many:
                self._made[job_id] = ""
        return group

    def add_above(self, layer: QgsMapLayer, neighbour: QgsMapLayer, job_id: str, name: str) -> None:
        """Put one layer that the project holds just above another of the same job, wherever that was moved to.

        On top of the job's group where the other one is not in the tree.
        """
        node = self._root.findLayer(neighbour.id())
        if node is None:
            self.add([NewLayer(layer)], [layer], job_id, name)
            return
        parent = node.parent()
        new = QgsLayerTreeLayer(layer)
        new.setExpanded(False)
        parent.insertChildNode(parent.children().index(node), new)

    @property
    def _root(self) -> QgsLayerTree:
        return self._project.layerTreeRoot()

    def _subgroup(self, group: QgsLayerTreeGroup, job_id: str, name: str) -> Tuple[QgsLayerTreeGroup, bool]:
        """The group inside of a job's, found wherever it was moved; a new one goes below all that is there."""
        if not name:
            return group, False
        key = f"{job_id}/{name}"
        found = _find(self._root, SUBGROUP_PROPERTY, key)
        if found is not None:
            return found, False
        made = group.addGroup(name)
        made.setCustomProperty(SUBGROUP_PROPERTY, key)
        return made, True

    def _insert(self, parent: QgsLayerTreeGroup, item: NewLayer, places: List[str]) -> None:
        node = QgsLayerTreeLayer(item.layer)
        node.setExpanded(False)
        node.setItemVisibilityChecked(item.checked)
        parent.insertChildNode(_position(parent, item.layer.id(), places), node)

    def _collapse_older(self) -> None:
        """Collapse what this session made, except the newest and what somebody has touched since."""
        doomed = list(self._made)[: -(MOST_OPEN - 1)]
        for job_id in doomed:
            group = self.find(job_id)
            if group is not None and self._is_untouched(group, job_id):
                group.setExpanded(False)
            del self._made[job_id]  # once only: whoever opens it again has it open

    def _is_untouched(self, group: QgsLayerTreeGroup, job_id: str) -> bool:
        """Whether it was made open, has its name still, and lies where it was put: in the root, below what came later.

        One that was made closed and is open now was opened by somebody.
        """
        if group.name() != self._made[job_id] or group.parent() is not self._root:
            return False
        order = [str(child.customProperty(GROUP_PROPERTY, "")) for child in self._root.children()]
        made = list(self._made)
        later = made[made.index(job_id) + 1 :]
        return all(order.index(other) < order.index(job_id) for other in later if other in order)


def _position(parent: QgsLayerTreeGroup, layer_id: str, places: List[str]) -> int:
    """Where a layer goes: above the next of its output that is there, below the one before, else on top."""
    there = [child.layerId() if isinstance(child, QgsLayerTreeLayer) else "" for child in parent.children()]
    place = places.index(layer_id)
    after = next((there.index(other) for other in places[place + 1 :] if other in there), None)
    if after is not None:
        return after
    return next((there.index(other) + 1 for other in reversed(places[:place]) if other in there), 0)


def _find(group: QgsLayerTreeGroup, name: str, value: str) -> Optional[QgsLayerTreeGroup]:
    for child in group.children():
        if not isinstance(child, QgsLayerTreeGroup):
            continue
        if child.customProperty(name) == value:
            return child
        found = _find(child, name, value)
        if found is not None:
            return found
    return None
