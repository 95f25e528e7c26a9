"""The truth of the sandbox: the vendor's own client works against it, and what it downloads are real images."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, ogr, osr
from sandbox_process import ROOT, start_sandbox
from vendor_client import VENDOR_VENV, vendor_interpreter, vendor_report

#: The first test waits for the whole session; the client sleeps five seconds between two looks at a job.
pytestmark = pytest.mark.timeout(600)

SESSION_WITHIN_S = 400
DATA_TASK, PROCESSING_TASK = "aws-s2-l2a:1", "s2-superresolution:1"
UTM_33_NORTH = 32633


@pytest.fixture(scope="module")
def vendor_python():
    """The interpreter of the environment that holds the vendor's client."""
    return vendor_interpreter()


@pytest.fixture(scope="module")
def aoi():
    collection = json.loads((ROOT / "resources/sample/taormina.geojson").read_text("utf-8"))
    return collection["features"][0]["geometry"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("vendor")


@pytest.fixture(scope="module")
def report(vendor_python, aoi, folder):
    """What the client was given, step by step."""
    with start_sandbox(folder / "data", "--speed", "50") as sandbox:
        script = Path(__file__).with_name("vendor_client_session.py")
        return vendor_report(vendor_python, script, sandbox, folder, SESSION_WITHIN_S, aoi=aoi)


def area_mask(dataset, aoi):
    """Which pixels of a raster have their centre in the area."""
    to_raster = osr.CoordinateTransformation(wgs84(), dataset.GetSpatialRef())
    geometry = ogr.CreateGeometryFromJson(json.dumps(aoi))
    geometry.Transform(to_raster)
    vector = ogr.GetDriverByName("Memory").CreateDataSource("area")
    layer = vector.CreateLayer("area", dataset.GetSpatialRef(), ogr.wkbPolygon)
    feature = ogr.Feature(layer.GetLayerDefn())
    feature.SetGeometry(geometry)
    layer.CreateFeature(feature)
    burnt = gdal.GetDriverByName("MEM").Create("", dataset.RasterXSize, dataset.RasterYSize, 1, gdal.GDT_Byte)
    burnt.SetGeoTransform(dataset.GetGeoTransform())
    burnt.SetProjection(dataset.GetProjection())
    gdal.RasterizeLayer(burnt, [1], layer, burn_values=[1])
    return burnt.ReadAsArray().astype(bool), geometry


def wgs84():
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def assert_a_real_image(dataset, aoi, bands):
    """UTM at 10 m, all of the area in it, no band empty or flat there."""
    assert int(dataset.GetSpatialRef().GetAuthorityCode(None)) == UTM_33_NORTH
    assert dataset.RasterCount == bands
    left, width, _, top, _, height = dataset.GetGeoTransform()
    assert (width, height) == (10, -10)
    inside, geometry = area_mask(dataset, aoi)
    least_x, most_x, least_y, most_y = geometry.GetEnvelope()
    assert left - 10 <= least_x
    assert most_x <= left + 10 + 10 * dataset.RasterXSize
    assert top - 10 * dataset.RasterYSize - 10 <= least_y
    assert most_y <= top + 10
    assert inside.sum() * 100 == pytest.approx(geometry.Area(), rel=0.03)
    pixels = dataset.ReadAsArray()
    assert pixels.dtype == np.uint16
    for band in pixels.reshape(bands, *inside.shape):
        assert (band[inside] > 0).mean() > 0.99
        assert band[inside].std() > 10
        assert band[inside].max() < 20_000


def test_the_marketplace_and_the_project(report):
    assert {"aws-s2-l2a", "s2-superresolution", "ndvi", "sharpening"} <= set(report["blocks"])
    assert "aws-s2-l2a" in report["data_blocks"]
    assert "s2-superresolution" not in report["data_blocks"]
    assert report["block_details"]["name"] == "aws-s2-l2a"
    assert report["block_details"]["isDryRunSupported"] is True
    assert report["project"]["name"]
    names = {setting["name"] for setting in report["settings"]}
    assert names == {"MAX_CONCURRENT_JOBS", "JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE", "JOB_QUERY_MAX_AOI_SIZE"}
    assert report["max_concurrent_jobs"] == 4
    assert report["balance_before"] == 10_000


def test_the_workflow(report):
    assert set(report["compatible_with_nothing"]) == set(report["data_blocks"])
    assert list(report["workflow_tasks"]) == [DATA_TASK, PROCESSING_TASK]
    assert set(report["parameters_info"]) == {DATA_TASK, PROCESSING_TASK}
    assert report["workflow"]["name"] == "Vendor client, renamed"


def test_the_estimation(report, aoi):
    estimation = report["estimation"]
    assert set(estimation) == {DATA_TASK, PROCESSING_TASK}
    for task in estimation.values():
        for part in ("blockConsumption", "machineConsumption"):
            assert 0 <= task[part]["credit"]["min"] <= task[part]["credit"]["max"]
        assert 0 < task["machineConsumption"]["duration"]["min"] <= task["machineConsumption"]["duration"]["max"]
    assert report["parameters"][DATA_TASK]["contains"]["type"] == aoi["type"]


def test_the_test_query_finds_scenes_that_hold_the_area_and_costs_nothing(report, aoi):
    assert report["test_job"]["mode"] == "DRY_RUN"
    assert report["test_job"]["status"] == "SUCCEEDED"
    assert report["test_job"]["name"] == "vendor test_py"
    assert [task["name"] for task in report["test_tasks"]] == [DATA_TASK]
    assert report["test_credits"] == {"creditsUsed": 0}
    features = report["test_results"]["features"]
    assert 1 <= len(features) <= 2
    area = ogr.CreateGeometryFromJson(json.dumps(aoi))
    for feature in features:
        assert ogr.CreateGeometryFromJson(json.dumps(feature["geometry"])).Contains(area)
        assert "up42.data_path" not in feature["properties"]


def test_each_scene_has_a_quicklook_that_shows_something(report):
    ids = {feature["id"] for feature in report["test_results"]["features"]}
    assert {Path(path).name.rpartition(".")[0] for path in report["quicklooks"]} == {f"quicklook_{one}" for one in ids}
    for path in report["quicklooks"]:
        pixels = gdal.Open(path).ReadAsArray()
        assert pixels.std() > 5


def test_the_live_job_succeeds_and_is_charged_within_its_estimation(report):
    assert report["job"]["mode"] == "DEFAULT"
    assert report["job"]["status"] == "SUCCEEDED"
    assert [(task["name"], task["status"]) for task in report["tasks"]] == [
        (DATA_TASK, "SUCCEEDED"),
        (PROCESSING_TASK, "SUCCEEDED"),
    ]
    charged = report["credits"]["creditsUsed"]
    assert charged > 0
    assert report["balance_after"] == report["balance_before"] - charged
    parts = [task[part]["credit"] for task in report["estimation"].values() for part in task if "Consumption" in part]
    assert charged <= sum(part["max"] for part in parts)


def test_the_output_of_the_job_is_the_super_resolved_area(report, aoi):
    (image,) = [path for path in report["files"] if path.endswith(".tif")]
    (feature,) = report["results"]["features"]
    assert Path(image).name == feature["properties"]["up42.data_path"]
    dataset = gdal.Open(image)
    assert_a_real_image(dataset, aoi, bands=12)
    descriptions = [dataset.GetRasterBand(number).GetDescription() for number in range(1, 13)]
    expected = ["B4", "B3", "B2", "B8", "B5", "B6", "B7", "B8A", "B11", "B12", "B1", "B9"]
    assert [name in text.replace("(", " ").split() for name, text in zip(expected, descriptions)] == [True] * 12


def test_the_output_of_the_first_task_is_a_product_that_gdal_opens(report, aoi):
    (metadata,) = [path for path in report["task_files"] if path.endswith("MTD_MSIL2A.xml")]
    assert ".SAFE" in metadata
    subdatasets = [name for name, _ in gdal.Open(metadata).GetSubDatasets()]
    (ten_metres,) = [name for name in subdatasets if ":10m:" in name]
    dataset = gdal.Open(ten_metres)
    assert dataset.RasterCount >= 4
    assert_a_real_image(gdal.Translate("", dataset, format="MEM", bandList=[1, 2, 3, 4]), aoi, bands=4)


def test_the_metadata_is_the_same_by_every_way(report):
    (file,) = [path for path in report["files"] if path.endswith("data.json")]
    assert json.loads(Path(file).read_text("utf-8")) == report["results"] == report["tasks_results"][-1]
    (of_task,) = [path for path in report["task_files"] if path.endswith("data.json")]
    assert json.loads(Path(of_task).read_text("utf-8")) == report["tasks_results"][0]
    assert report["results_frame_crs"] == 4326


def test_the_archive_is_a_gzipped_tar_of_one_folder(report):
    (archive,) = report["archive"]
    assert archive.endswith("output.tgz")
    with tarfile.open(archive, "r:gz") as tar:
        assert {name.split("/")[0] for name in tar.getnames()} == {"output"}


def test_each_task_has_a_log(report):
    assert set(report["logs"]) == {task["id"] for task in report["tasks"]}
    for log in report["logs"].values():
        assert " - INFO - " in log


def test_a_job_is_repeated_renamed_and_cancelled(report):
    assert report["job_name"] == "vendor renamed"
    assert report["repeated"]["id"] != report["job"]["id"]
    assert report["repeated"]["name"] == "vendor again"
    assert report["repeated"]["inputs"] == report["job"]["inputs"]
    assert report["cancelled"] == "Job has been cancelled! CANCELLED"


def test_the_lists_of_jobs(report):
    test, live, repeated = (report[name]["id"] for name in ("test_job", "job", "repeated"))
    assert report["project_jobs"] == [repeated, live, test]
    assert report["test_jobs"] == [test]
    assert report["workflow_jobs"] == [repeated, live, test]


def test_the_storage_in_every_way_the_client_knows(report):
    assert len(report["assets"]) == 6
    assert {asset["collectionName"] for asset in report["assets_here"]} == {"phr"}
    assert report["asset"]["title"] == report["asset_title"] == "Mine"
    assert report["asset"]["tags"] == ["vendor"]
    assert report["asset_collection"]["up42-system:asset_id"] == report["asset"]["id"]
    (item,) = report["asset_items"]
    assert item["properties"]["up42-system:asset_id"] == report["asset"]["id"]
    (image,) = [path for path in report["asset_files"] if path.endswith(".XML")]
    assert gdal.Open(image).RasterCount == 4


def test_a_job_from_storage_delivers_the_asset_again_and_costs_nothing(report):
    asset_id = report["asset"]["id"]
    assert report["storage_parameters"] == {"oneatlas-pleiades-display:1": {"asset_ids": [asset_id]}}
    assert [feature["id"] for feature in report["storage_test"]["features"]] == [asset_id]
    again, before = (
        gdal.Open(next(path for path in report[name] if path.endswith(".XML"))).ReadAsArray()
        for name in ("storage_files", "asset_files")
    )
    assert np.array_equal(again, before)
    assert report["storage_credits"] == {"creditsUsed": 0}


def test_the_workflow_is_gone_after_its_deletion(report):
    assert report["workflow"]["id"] not in report["workflows"]


def test_the_client_is_the_published_one(vendor_python):
    code = "import up42, importlib.metadata as m; print(m.version('up42-py'), up42.__file__)"
    done = subprocess.run([str(vendor_python), "-c", code], capture_output=True, text=True, check=True, timeout=100)
    version, path = done.stdout.split()
    assert version == "0.31.0"
    assert path.startswith(str(VENDOR_VENV))
