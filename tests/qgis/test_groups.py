"""The groups of jobs in the layer tree: in order, not in the way, and the analyst's once touched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from qgis.core import QgsProject

from tests.raster_samples import data_json, feature, visual
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.layer_plan import BlockUsed, JobProvenance, LayerKind, LayerPlan
from up42_plugin.core.outputs import prepare_output
from up42_plugin.qgis_bridge.groups import MOST_LAYERS, MOST_OPEN, SUBGROUP_PROPERTY, JobGroups
from up42_plugin.qgis_bridge.layers import LayerLoader

BLOCKS = (
    BlockUsed("aws-s2-l2a:1", "aws-s2-l2a", "Sentinel-2 L2A (SAFE)"),
    BlockUsed("s2-superresolution:1", "s2-superresolution", "Super-resolution Sentinel-2"),
)
JOB = JobProvenance("job-1", "Taormina", "sandbox", blocks=BLOCKS)
TASK = replace(JOB, task_name="aws-s2-l2a:1", blocks=BLOCKS[:1])


@pytest.fixture
def project(qgis_app):
    project = QgsProject()
    yield project
    project.clear()


@pytest.fixture
def plan(tmp_path):
    """A plan for the same picture under any key."""
    path = visual(tmp_path / "v.tif")

    def make(key, **changes):
        return LayerPlan(key, key, str(path), LayerKind.RASTER, **changes)

    return make


def tree(group):
    return [(node.name(), tree(node)) if not hasattr(node, "layerId") else node.name() for node in group.children()]


def test_a_group_with_many_layers_begins_collapsed(project, plan):
    loader = LayerLoader(project)
    loader.add([plan(str(number)) for number in range(MOST_LAYERS)], "few", JOB)
    loader.add([plan(str(number)) for number in range(MOST_LAYERS + 1)], "many", replace(JOB, job_id="job-2"))
    assert [group.isExpanded() for group in project.layerTreeRoot().children()] == [False, True]


def test_a_group_that_gets_more_layers_later_stays_as_it_is(project, plan):
    loader = LayerLoader(project)
    loader.add([plan("a")], "x", JOB)
    loader.add([plan(str(number)) for number in range(MOST_LAYERS + 1)], "x", JOB)
    assert project.layerTreeRoot().children()[0].isExpanded()


def test_groups_inside_and_what_is_not_shown_at_first(project, plan):
    plans = [plan("mosaic"), plan("t1", group="Tiles", checked=False), plan("t2", group="Tiles", checked=False)]
    LayerLoader(project).add(plans, "x", JOB)
    assert tree(project.layerTreeRoot()) == [("x", ["mosaic", ("Tiles", ["t1", "t2"])])]
    assert not project.layerTreeRoot().findGroup("Tiles").isExpanded()
    shown = {node.name(): node.itemVisibilityChecked() for node in project.layerTreeRoot().findLayers()}
    assert shown == {"mosaic": True, "t1": False, "t2": False}


def test_many_tiles_are_collapsed_and_their_job_is_not(project, plan):
    plans = [plan("mosaic"), *(plan(str(number), group="Tiles") for number in range(MOST_LAYERS + 1))]
    LayerLoader(project).add(plans, "x", JOB)
    (group,) = project.layerTreeRoot().children()
    assert group.isExpanded()
    assert not group.findGroup("Tiles").isExpanded()


def test_older_groups_of_this_session_are_collapsed_unless_somebody_touched_them(project, plan):
    loader = LayerLoader(project)

    def add(number):
        loader.add([plan("a")], f"job {number}", replace(JOB, job_id=f"job-{number}"))

    def group(number):
        return JobGroups(project).find(f"job-{number}")

    for number in range(MOST_OPEN):
        add(number)
    assert all(group(number).isExpanded() for number in range(MOST_OPEN))
    add(MOST_OPEN)
    assert [group(number).isExpanded() for number in range(MOST_OPEN + 1)] == [False, *[True] * MOST_OPEN]
    group(0).setExpanded(True)  # the analyst looks at it
    group(1).setName("Mine")
    add(MOST_OPEN + 1)
    add(MOST_OPEN + 2)
    assert group(0).isExpanded()
    assert group(1).isExpanded()
    assert not group(2).isExpanded()


def test_a_group_that_was_moved_stays_open(project, plan):
    loader = LayerLoader(project)
    for number in range(2):
        loader.add([plan("a")], "x", replace(JOB, job_id=f"job-{number}"))
    root = project.layerTreeRoot()
    oldest = JobGroups(project).find("job-0")
    root.insertChildNode(0, oldest.clone())
    root.removeChildNode(oldest)
    for number in range(2, MOST_OPEN + 2):
        loader.add([plan("a")], "x", replace(JOB, job_id=f"job-{number}"))
    assert JobGroups(project).find("job-0").isExpanded()
    assert not JobGroups(project).find("job-1").isExpanded()


def test_groups_of_a_reopened_project_are_left_alone(project, plan, tmp_path):
    for number in range(MOST_OPEN):
        LayerLoader(project).add([plan("a")], "x", replace(JOB, job_id=f"old-{number}"))
    assert project.write(str(tmp_path / "p.qgs"))
    project.clear()
    assert project.read(str(tmp_path / "p.qgs"))
    LayerLoader(project).add([plan("a")], "x", JOB)
    assert all(group.isExpanded() for group in project.layerTreeRoot().children())


def test_the_output_of_a_task_goes_below_its_block_once_the_job_s_own_is_there(project, plan):
    loader = LayerLoader(project)
    loader.add([plan("final")], "Taormina", JOB)
    loader.add([plan("input")], "Taormina", TASK)
    assert tree(project.layerTreeRoot()) == [("Taormina", ["final", ("Sentinel-2 L2A (SAFE)", ["input"])])]
    inner = project.layerTreeRoot().findGroup("Sentinel-2 L2A (SAFE)")
    inner.setName("Input")
    assert len(loader.add([plan("input"), plan("more")], "Taormina", TASK)) == 2
    assert tree(project.layerTreeRoot()) == [("Taormina", ["final", ("Input", ["input", "more"])])]
    assert inner.customProperty(SUBGROUP_PROPERTY)


def test_the_output_of_a_task_alone_lies_in_the_group_of_the_job(project, plan):
    loader = LayerLoader(project)
    loader.add([plan("input")], "Taormina", TASK)
    loader.add([plan("final")], "Taormina", JOB)
    assert tree(project.layerTreeRoot()) == [("Taormina", ["final", "input"])]


def test_a_layer_that_was_removed_comes_back_to_its_place_by_date(project, tmp_path):
    features = []
    for name, day in (("old", "2020-01-01"), ("new", "2021-01-01"), ("middle", "2020-06-01")):
        visual(tmp_path / f"{name}.tif")
        features.append(feature(f"{name}.tif", name, acquisitionDate=day))
    plans = prepare_output(data_json(tmp_path, *features), ThreadContext())
    loader = LayerLoader(project)
    ordered = ["new 2021-01-01", "middle 2020-06-01", "old 2020-01-01"]
    layers = loader.add(plans, "x", JOB)
    assert tree(project.layerTreeRoot()) == [("x", ordered)]
    for layer in layers:
        project.removeMapLayer(layer.id())
        layers = loader.add(plans, "x", JOB)
        assert tree(project.layerTreeRoot()) == [("x", ordered)]
