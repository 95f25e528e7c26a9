"""Outputs as layers of a real project: grouped, dated, documented, never twice, and nothing else changed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsLayerNotesUtils,
    QgsProject,
    QgsRasterLayer,
    QgsSingleBandGrayRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime, Qt
from qgis.PyQt.QtGui import QColor

from tests.raster_samples import (
    analytic,
    data_json,
    feature,
    ndvi,
    output_of,
    pleiades_primary,
    safe,
    superresolution,
    visual,
)
from tests.rendering import BACKGROUND, rendered
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.layer_plan import JobProvenance, LayerKind, LayerPlan
from up42_plugin.core.output_errors import NoLayerError
from up42_plugin.core.outputs import prepare_output
from up42_plugin.core.quicklooks import prepare_footprints
from up42_plugin.core.scenes import Scene
from up42_plugin.qgis_bridge.groups import GROUP_PROPERTY, JobGroups
from up42_plugin.qgis_bridge.layers import LayerLoader

JOB = JobProvenance(
    job_id="job-1",
    job_name="Taormina super-resolution",
    connection_id="sandbox",
    connection_name="Sandbox",
    workflow_name="Super-resolution",
    chain="Sentinel-2 L2A (SAFE) → Super-resolution Sentinel-2",
    recipe={"aws-s2-l2a:1": {"limit": 1}, "config": {"mode": "DEFAULT"}},
    finished=datetime(2021, 11, 20, 10, 44, tzinfo=timezone.utc),
    credits=19,
    link="https://example.org/jobs/job-1",
)


@pytest.fixture
def project(qgis_app):
    project = QgsProject()
    yield project
    project.clear()


@pytest.fixture
def output(tmp_path):
    """Two rasters of two days, the newer one first."""
    folder = tmp_path / "output"
    superresolution(folder / "a_superresolution.tif")
    visual(folder / "v.tif")
    features = (
        feature(
            "a_superresolution.tif",
            "a",
            datetime="2021-09-18T09:50:31Z",
            cloudCover=1.5,
            synthetic=True,
            note="Made up.",
        ),
        feature("v.tif", "v", acquisitionDate="2020-06-15"),
    )
    data_json(folder, *features)
    return folder


@pytest.fixture
def plans(output):
    return prepare_output(output, ThreadContext())


def tree(group):
    """The layer tree as names."""
    return [(node.name(), tree(node)) if not hasattr(node, "layerId") else node.name() for node in group.children()]


def test_layers_come_in_a_group_of_the_job_on_top_with_legends_collapsed(project, plans):
    project.layerTreeRoot().addGroup("Mine")
    layers = LayerLoader(project).add(plans, "Taormina super-resolution", JOB)
    assert [layer.name() for layer in layers] == ["Super-resolution 2021-09-18", "v 2020-06-15"]
    assert tree(project.layerTreeRoot()) == [
        ("Taormina super-resolution", ["Super-resolution 2021-09-18", "v 2020-06-15"]),
        ("Mine", []),
    ]
    group = project.layerTreeRoot().children()[0]
    assert group.customProperty(GROUP_PROPERTY) == "job-1"
    assert not any(node.isExpanded() for node in group.children())
    assert all(node.isVisible() for node in group.children())
    assert len(project.mapLayers()) == 2


def test_a_newer_job_lies_above_an_older_one_even_with_the_same_name(project, plans):
    loader = LayerLoader(project)
    loader.add(plans[:1], "Taormina", JOB)
    loader.add(plans[1:], "Taormina", replace(JOB, job_id="job-2"))
    assert tree(project.layerTreeRoot()) == [
        ("Taormina", ["v 2020-06-15"]),
        ("Taormina", ["Super-resolution 2021-09-18"]),
    ]


def test_the_project_keeps_its_crs_and_title(project, plans):
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:3035"))
    project.setTitle("Mine")
    LayerLoader(project).add(plans, "x", JOB)
    assert (project.crs().authid(), project.title()) == ("EPSG:3035", "Mine")


def test_loading_twice_adds_nothing_and_leaves_the_project_clean(project, plans):
    loader = LayerLoader(project)
    first = loader.add(plans, "x", JOB)
    before = tree(project.layerTreeRoot())
    project.setDirty(False)
    assert loader.add(plans, "another name", JOB) == first
    assert LayerLoader(project).add(plans, "x", JOB) == first
    assert tree(project.layerTreeRoot()) == before
    assert not project.isDirty()


def test_layers_are_known_by_their_job_not_by_their_name_or_place(project, plans):
    loader = LayerLoader(project)
    first = loader.add(plans, "x", JOB)
    group = JobGroups(project).find("job-1")
    group.setName("Renamed")
    other = project.layerTreeRoot().addGroup("Mine")
    other.addChildNode(group.clone())
    project.layerTreeRoot().removeChildNode(group)
    first[0].setName("My favourite")
    assert loader.add(plans, "x", JOB) == first
    assert tree(project.layerTreeRoot()) == [("Mine", [("Renamed", ["My favourite", "v 2020-06-15"])])]


def test_a_layer_that_was_removed_comes_back_into_the_same_group(project, plans):
    loader = LayerLoader(project)
    first = loader.add(plans, "x", JOB)
    project.removeMapLayer(first[0].id())
    JobGroups(project).find("job-1").setName("Renamed")
    loader.add(plans, "x", JOB)
    assert tree(project.layerTreeRoot()) == [("Renamed", ["Super-resolution 2021-09-18", "v 2020-06-15"])]


def test_the_same_file_of_another_task_or_connection_is_another_layer(project, plans):
    loader = LayerLoader(project)
    loader.add(plans[:1], "x", JOB)
    loader.add(plans[:1], "x", replace(JOB, task_name="aws-s2-l2a:1"))
    loader.add(plans[:1], "x", replace(JOB, connection_id="account"))
    assert len(project.mapLayers()) == 3


def test_a_reopened_project_knows_its_layers(project, plans, tmp_path):
    LayerLoader(project).add(plans, "x", JOB)
    assert project.write(str(tmp_path / "project.qgz"))
    project.clear()
    assert project.read(str(tmp_path / "project.qgz"))
    assert len(LayerLoader(project).add(plans, "x", JOB)) == 2
    assert len(project.mapLayers()) == 2
    assert [name for name, _ in tree(project.layerTreeRoot())] == ["x"]


def test_a_project_moved_with_its_outputs_still_shows_them(project, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    names = [path.name for path in analytic(here / "outputs")]
    pleiades_primary(here / "outputs")
    superresolution(here / "outputs" / "a_superresolution.tif")
    output_of(here / "outputs", "a_superresolution.tif", "0123_pan.tif", *names)
    plans = prepare_output(here / "outputs", ThreadContext())
    LayerLoader(project).add(plans, "x", JOB)
    assert project.write(str(here / "project.qgz"))
    project.clear()
    here.rename(there)
    assert project.read(str(there / "project.qgz"))
    layers = list(project.mapLayers().values())
    assert len(layers) == 4
    assert all(layer.isValid() for layer in layers), [layer.source() for layer in layers if not layer.isValid()]
    for layer in layers:
        assert rendered([layer], 40, 40).pixel(20, 20) != QColor(BACKGROUND).rgb()


def test_a_broken_layer_is_mended_in_place_and_keeps_its_style(project, plans, output, tmp_path):
    own = LayerLoader(project).add(plans, "x", JOB)[0]
    own.setRenderer(QgsSingleBandGrayRenderer(own.dataProvider(), 7))
    assert project.write(str(tmp_path / "project.qgz"))
    project.clear()
    moved = output.rename(tmp_path / "moved")
    assert project.read(str(tmp_path / "project.qgz"))
    assert not any(layer.isValid() for layer in project.mapLayers().values())
    layers = LayerLoader(project).add(prepare_output(moved, ThreadContext()), "x", JOB)
    assert all(layer.isValid() for layer in layers)
    assert len(project.mapLayers()) == 2
    assert {Path(layer.source()).parent for layer in layers} == {moved}
    assert isinstance(layers[0].renderer(), QgsSingleBandGrayRenderer)
    assert layers[0].renderer().usesBands() == [7]


def test_a_layer_whose_files_went_elsewhere_follows_them_while_the_project_is_open(project, plans, output, tmp_path):
    first = LayerLoader(project).add(plans, "x", JOB)
    moved = output.rename(tmp_path / "moved")
    assert all(layer.isValid() for layer in first)  # QGIS has not noticed
    layers = LayerLoader(project).add(prepare_output(moved, ThreadContext()), "x", JOB)
    assert layers == first
    assert {Path(layer.source()).parent for layer in layers} == {moved}
    assert rendered([layers[0]], 40, 40).pixel(20, 20) != QColor(BACKGROUND).rgb()


def test_a_copy_elsewhere_does_not_take_a_layer_away_from_its_files(project, plans, output, tmp_path):
    first = LayerLoader(project).add(plans, "x", JOB)
    shutil.copytree(output, tmp_path / "copy")
    project.setDirty(False)
    assert LayerLoader(project).add(prepare_output(tmp_path / "copy", ThreadContext()), "x", JOB) == first
    assert {Path(layer.source()).parent for layer in first} == {output}
    assert not project.isDirty()


def test_what_cannot_be_opened_is_named_and_the_rest_loads(project, plans, output):
    broken = replace(plans[1], source=str(output / "gone.tif"))
    problem = LayerPlan("p", "p", "missing.tif", LayerKind.RASTER, problem="missing.tif is not in the output.")
    loader = LayerLoader(project)
    assert len(loader.add((plans[0], broken, problem), "x", JOB)) == 1
    assert len(loader.problems) == 2
    assert "gone.tif cannot be opened" in loader.problems[0]
    assert loader.problems[1] == "missing.tif is not in the output."
    loader.add(plans, "x", JOB)
    assert loader.problems == ()


@pytest.mark.parametrize("sources", [(), ("gone.tif", "gone.geojson")])
def test_nothing_to_load_is_said_and_leaves_no_group(project, sources, tmp_path):
    kinds = {".tif": LayerKind.RASTER, ".geojson": LayerKind.VECTOR}
    plans = [LayerPlan(name, name, str(tmp_path / name), kinds[Path(name).suffix]) for name in sources]
    with pytest.raises(NoLayerError, match=r"^No layer in this output\.$") as error:
        LayerLoader(project).add(plans, "x", JOB)
    assert all(name in error.value.detail for name in sources)
    assert tree(project.layerTreeRoot()) == []
    assert not project.mapLayers()


def test_layers_carry_their_job_as_custom_properties(project, plans):
    layer = LayerLoader(project).add(plans, "x", replace(JOB, task_name="s2-superresolution:1"))[0]
    assert layer.customProperty("up42/job_id") == "job-1"
    assert layer.customProperty("up42/task") == "s2-superresolution:1"
    assert layer.customProperty("up42/connection_id") == "sandbox"
    assert layer.customProperty("up42/synthetic") is True
    assert json.loads(layer.customProperty("up42/recipe")) == JOB.recipe


def test_metadata_says_what_the_layer_is_and_that_it_is_synthetic(project, plans):
    layer, real = LayerLoader(project).add(plans, "x", JOB)
    metadata = layer.metadata()
    assert metadata.title() == "Super-resolution 2021-09-18"
    assert metadata.identifier() == "job-1/a_superresolution.tif"
    abstract = metadata.abstract()
    assert abstract.splitlines()[:2] == ["Synthetic: this image is made up and shows no real acquisition.", "Made up."]
    for text in ("job-1", "Sentinel-2 L2A (SAFE) → Super-resolution", "2021-09-18 09:50 UTC", "1.5\u00a0%", "B4, B3"):
        assert text in abstract
    assert [link.url for link in metadata.links()] == [JOB.link]
    assert metadata.extent().spatialExtents()[0].bounds.toRectangle() == layer.extent()
    assert metadata.extent().temporalExtents()[0].begin().toString(Qt.DateFormat.ISODate) == "2021-09-18T09:50:31Z"
    assert metadata.crs().authid() == "EPSG:32633"
    assert "Synthetic" not in real.metadata().abstract()


def test_notes_are_plain_and_escaped(project, plans):
    layer = LayerLoader(project).add(plans, "x", replace(JOB, job_name="<script>alert(1)</script>"))[0]
    notes = QgsLayerNotesUtils.layerNotes(layer)
    assert "&lt;script&gt;" in notes
    assert "<script>" not in notes
    assert "Synthetic: this image is made up" in notes


def test_rasters_have_the_time_of_their_acquisition(project, plans):
    moment, day = (layer.temporalProperties() for layer in LayerLoader(project).add(plans, "x", JOB))
    assert moment.isActive()
    assert moment.mode() == Qgis.RasterTemporalMode.FixedTemporalRange
    expected = QDateTime(2021, 9, 18, 9, 50, 31, 0, Qt.TimeSpec.UTC)
    assert (moment.fixedTemporalRange().begin(), moment.fixedTemporalRange().end()) == (expected, expected)
    whole = day.fixedTemporalRange()
    assert whole.begin() == QDateTime(2020, 6, 15, 0, 0, 0, 0, Qt.TimeSpec.UTC)
    assert whole.begin().secsTo(whole.end()) in (86399, 86400)


def test_a_layer_without_a_date_has_no_time(project, tmp_path):
    ndvi(tmp_path / "x_ndvi.tif")
    plans = prepare_output(data_json(tmp_path, feature("x_ndvi.tif")), ThreadContext())
    layer = LayerLoader(project).add(plans, "x", JOB)[0]
    assert not layer.temporalProperties().isActive()
    assert layer.metadata().extent().temporalExtents() == []


def test_footprints_have_the_time_of_each_scene(project, tmp_path):
    ring = [[15.0, 37.0], [16.0, 37.0], [16.0, 38.0], [15.0, 37.0]]
    moment = datetime(2021, 9, 18, 9, 50, 31, tzinfo=timezone.utc)
    scene = Scene("f", "s", "j", {"type": "Polygon", "coordinates": [ring]}, (15, 37, 16, 38), moment, 1.5)
    layer = LayerLoader(project).add([prepare_footprints([scene], tmp_path)], "x (test query)", JOB)[0]
    assert isinstance(layer, QgsVectorLayer)
    assert layer.name() == "Scene footprints"
    temporal = layer.temporalProperties()
    assert temporal.isActive()
    assert temporal.mode() == Qgis.VectorTemporalMode.FeatureDateTimeInstantFromField
    assert temporal.startField() == "acquired"
    assert layer.getFeature(next(layer.getFeatures()).id())["cloud_cover"] == 1.5


def test_mixed_geometries_load_as_one_layer_each(project, tmp_path):
    geometries = [
        {"type": "Point", "coordinates": [15, 37]},
        {"type": "Polygon", "coordinates": [[[15, 37], [16, 37], [16, 38], [15, 37]]]},
        {"type": "MultiPolygon", "coordinates": [[[[15, 37], [16, 37], [16, 38], [15, 37]]]]},
    ]
    features = [{"type": "Feature", "properties": {}, "geometry": geometry} for geometry in geometries]
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    plans = prepare_output(output_of(tmp_path, "a.geojson"), ThreadContext())
    layers = LayerLoader(project).add(plans, "x", JOB)
    assert [layer.featureCount() for layer in layers] == [2, 1]
    assert len(LayerLoader(project).add(plans, "x", JOB)) == len(project.mapLayers()) == 2


def test_the_files_of_a_layer_are_only_read(project, output):
    """No statistics are made on the main thread either: QGIS would keep them beside the raster."""
    names = [path.name for path in analytic(output)]
    pleiades_primary(output)
    safe(output / "uuid")
    output_of(output, "a_superresolution.tif", "v.tif", "0123_pan.tif", "uuid", *names)
    plans = prepare_output(output, ThreadContext())
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    assert len(LayerLoader(project).add(plans, "x", JOB)) == len(plans) >= 6
    project.clear()
    assert {path: path.read_bytes() for path in output.rglob("*") if path.is_file()} == before


def test_values_can_be_asked_for_where_they_are(project, plans):
    layer = LayerLoader(project).add(plans, "x", JOB)[0]
    assert isinstance(layer, QgsRasterLayer)
    value, valid = layer.dataProvider().sample(layer.extent().center(), 4)
    assert valid
    assert 3000 < value < 3500


def test_a_removed_output_folder_does_not_matter_until_it_is_drawn(project, plans, output):
    loader = LayerLoader(project)
    layers = loader.add(plans, "x", JOB)
    shutil.rmtree(output)
    assert loader.add(plans, "x", JOB) == layers
