"""What layers know of themselves: found in QGIS's metadata, its notes and on its maps."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

import numpy as np
import pytest
from osgeo import gdal, osr
from qgis.core import Qgis, QgsExpressionContextUtils, QgsLayerNotesUtils, QgsMapSettings, QgsProject

from tests.raster_samples import data_json, feature, geotiff, output_of, superresolution, visual
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.jobs import Mode
from up42_plugin.core.layer_plan import BlockUsed, JobProvenance
from up42_plugin.core.outputs import prepare_output
from up42_plugin.qgis_bridge.layers import LayerLoader

RECIPE = {
    "aws-s2-l2a:1": {
        "limit": 1,
        "time": "2021-01-01T00:00:00Z/2021-12-31T23:59:59Z",
        "ids": None,
        "clip_to_aoi": True,
        "intersects": {
            "type": "Polygon",
            "coordinates": [[[15.28, 37.85], [15.3, 37.85], [15.3, 37.84], [15.28, 37.85]]],
        },
    },
    "s2-superresolution:1": {"copy_original_bands": True},
    "config": {"mode": "DEFAULT"},
}
JOB = JobProvenance(
    job_id="job-1",
    job_name="Taormina super-resolution",
    connection_id="sandbox",
    connection_name="Coastal study",
    workflow_name="Super-resolution",
    chain="Sentinel-2 L2A (SAFE) → Super-resolution Sentinel-2",
    recipe=RECIPE,
    finished=datetime(2021, 11, 20, 10, 44, tzinfo=timezone.utc),
    credits=19,
    blocks=(
        BlockUsed("aws-s2-l2a:1", "aws-s2-l2a", "Sentinel-2 L2A (SAFE)", "1.0.10", "ESA"),
        BlockUsed("s2-superresolution:1", "s2-superresolution", "Super-resolution Sentinel-2", "2.3.5", "UP42"),
    ),
)


@pytest.fixture
def project(qgis_app):
    project = QgsProject()
    yield project
    project.clear()


def output(folder, **properties):
    superresolution(folder / "a_superresolution.tif")
    moment = {"datetime": "2021-09-18T09:50:31Z", "cloudCover": 1.5, "scene_id": "S2B_33SWB"}
    return data_json(folder, feature("a_superresolution.tif", "a", **{**moment, **properties}))


@pytest.fixture
def layer(project, tmp_path):
    folder = output(tmp_path)
    usage = {"credits": {"used": 19}, "area": {"squareKm": 2.01}}
    (folder / "usage.json").write_text(json.dumps(usage))
    (found,) = LayerLoader(project).add(prepare_output(folder, ThreadContext()), "x", JOB)
    return found


def test_the_abstract_says_in_sentences_what_when_where_and_from_which_job(layer):
    lines = layer.metadata().abstract().splitlines()
    assert lines[0].startswith(
        "Super-resolution 2021-09-18: raster data, made by Super-resolution Sentinel-2, with 12 bands"
    )
    expected = "Acquired on 2021-09-18 09:50 UTC as part of scene S2B_33SWB, with clouds over 1.5\u00a0% of the scene."
    assert lines[1] == expected
    assert lines[2].startswith("It lies between 15.27")
    assert lines[2].count("°\u00a0N") == 2
    assert lines[3] == (
        "Output of the live job Taormina super-resolution (job-1) on the connection Coastal study, with the workflow "
        "Super-resolution (Sentinel-2 L2A (SAFE) → Super-resolution Sentinel-2), finished on 2021-11-20 10:44 UTC, "
        "19\u00a0credits charged."
    )


def test_the_history_has_blocks_versions_parameters_and_credits(layer):
    assert layer.metadata().history() == [
        "1. Sentinel-2 L2A (SAFE) (aws-s2-l2a, version 1.0.10, ESA)",
        "1. Sentinel-2 L2A (SAFE): limit 1, time 2021-01-01T00:00:00Z/2021-12-31T23:59:59Z, clip_to_aoi yes",
        "2. Super-resolution Sentinel-2 (s2-superresolution, version 2.3.5, UP42)",
        "2. Super-resolution Sentinel-2: copy_original_bands yes",
        "Made by job job-1, finished 2021-11-20 10:44 UTC, 19\u00a0credits",
    ]


def test_providers_are_contacts_and_the_terms_are_the_data_block_s(layer):
    metadata = layer.metadata()
    assert [(contact.organization, contact.role) for contact in metadata.contacts()] == [
        ("ESA", "resourceProvider"),
        ("UP42", "processor"),
        ("UP42", "distributor"),
    ]
    assert metadata.licenses() == ["Legal notice on the use of Copernicus Sentinel Data and Service Information"]
    assert metadata.rights() == ["Contains modified Copernicus Sentinel data 2021"]
    assert [link.name for link in metadata.links()] == ["Licence"]
    assert metadata.parentIdentifier() == "job-1"
    assert metadata.keywords()["UP42"][:2] == ["UP42", "Sentinel-2 L2A (SAFE)"]
    assert metadata.categories() == ["imageryBaseMapsEarthCover"]


def test_maps_show_the_attribution(layer):
    shown = layer.serverProperties() if hasattr(layer.serverProperties(), "attribution") else layer
    assert shown.attribution() == "Contains modified Copernicus Sentinel data 2021"
    settings = QgsMapSettings()
    settings.setLayers([layer])
    scope = QgsExpressionContextUtils.mapSettingsScope(settings)
    if scope.hasVariable("map_credits"):  # newer QGIS
        assert scope.variable("map_credits") == ["Contains modified Copernicus Sentinel data 2021"]


def test_a_synthetic_image_claims_nobody_s_rights(project, tmp_path):
    plans = prepare_output(output(tmp_path, synthetic=True, note="Made up."), ThreadContext())
    (layer,) = LayerLoader(project).add(plans, "x", JOB)
    metadata = layer.metadata()
    assert metadata.licenses() == ["None: the image is synthetic"]
    assert metadata.rights()[0] == "Synthetic image, no real acquisition"
    assert "Copernicus" not in "".join([*metadata.rights(), *metadata.licenses(), metadata.abstract()])
    assert "synthetic" in metadata.keywords()["UP42"]
    assert metadata.abstract().startswith("Synthetic: this image is made up")


def test_notes_are_a_short_table_with_usage(layer):
    notes = QgsLayerNotesUtils.layerNotes(layer)
    assert "<td>Usage</td><td>credits used 19, area squareKm 2.01</td>" in notes
    assert "<td>Blocks</td><td>Sentinel-2 L2A (SAFE) 1.0.10 → Super-resolution Sentinel-2 2.3.5</td>" in notes
    assert "<td>Provider</td><td>ESA, UP42</td>" in notes
    assert "<td>Parameters</td><td>aws-s2-l2a:1: limit 1, " in notes
    assert "coordinates" not in notes
    assert len(notes) < 3000


def test_nothing_of_a_layer_but_its_source_names_a_place_on_this_computer(layer, tmp_path):
    told = [layer.customProperty(name) for name in layer.customPropertyKeys()]
    metadata = layer.metadata()
    told += [metadata.abstract(), metadata.identifier(), *metadata.history(), QgsLayerNotesUtils.layerNotes(layer)]
    assert not [text for text in told if str(tmp_path) in str(text)]
    assert str(tmp_path) in layer.source()


def test_dates_where_qgis_has_them(layer):
    if not hasattr(Qgis, "MetadataDateType"):
        pytest.skip("this QGIS has no dates in metadata")
    metadata, kinds = layer.metadata(), Qgis.MetadataDateType
    assert metadata.dateTime(kinds.Created).toSecsSinceEpoch() == 1631958631
    assert metadata.dateTime(kinds.Published).toSecsSinceEpoch() == int(JOB.finished.timestamp())


def test_a_test_query_is_called_one_and_costs_nothing(project, tmp_path):
    visual(tmp_path / "v.tif")
    plans = prepare_output(data_json(tmp_path, feature("v.tif", "v")), ThreadContext())
    (layer,) = LayerLoader(project).add(plans, "x", replace(JOB, mode=Mode.TEST_QUERY, blocks=JOB.blocks[:1]))
    abstract = layer.metadata().abstract()
    assert "Output of the test query" in abstract
    assert "credits" not in abstract
    assert "Acquired" not in abstract


def test_a_job_of_which_little_is_known_still_loads(project, tmp_path):
    visual(tmp_path / "v.tif")
    plans = prepare_output(data_json(tmp_path, feature("v.tif", "v")), ThreadContext())
    (layer,) = LayerLoader(project).add(plans, "x", JobProvenance("job-9", "x", "account"))
    metadata = layer.metadata()
    assert metadata.history() == ["Made by job job-9"]
    assert metadata.licenses() == []
    assert metadata.rights() == []


@pytest.mark.parametrize("crs", ["EPSG:4326", 'LOCAL_CS["site",UNIT["metre",1]]'])
def test_the_abstract_gives_degrees_only_of_what_has_a_place_on_the_globe(project, tmp_path, crs):
    path = geotiff(tmp_path / "a.tif", [np.full((20, 20), 7, np.uint8)], left=15.2, top=37.9, pixel=0.01)
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.SetProjection(osr.GetUserInputAsWKT(crs))
    del dataset
    (made,) = LayerLoader(project).add(prepare_output(output_of(tmp_path, "a.tif"), ThreadContext()), "x", JOB)
    assert made.crs().isValid()
    assert ("It lies between" in made.metadata().abstract()) == crs.startswith("EPSG")
