"""Jobs over HTTP whose blocks deliver classes, vectors, heights, weather and own rasters: from payload to bill."""

from __future__ import annotations

import io
import tarfile

import pytest
import requests
from derived_kit import CATALOGUE, made_archive
from service_kit import wait_for

from up42_plugin.sandbox.capabilities import Link, candidates_behind, check_chain, resolved_output
from up42_plugin.sandbox.runners.registry import RUNNERS

BOX = [15.2880, 37.8465, 15.2925, 37.8500]
TIME = "2021-04-01T00:00:00Z/2021-07-31T00:00:00Z"
DAY = "2021-06-20T00:00:00Z/2021-06-20T23:59:59Z"
IMAGE = {"bbox": BOX, "max_cloud_cover": 10, "time": TIME, "limit": 1}


@pytest.fixture
def live(serve):
    return serve(runners=RUNNERS, archive=made_archive)


def save(service, *names):
    tasks = []
    for name in names:
        parent = tasks[-1]["name"] if tasks else None
        tasks.append({"name": f"{name}:1", "parentName": parent, "blockId": CATALOGUE.by_name(name).id})
    answer = service.call("POST", "workflows", json={"name": " ".join(names), "tasks": tasks})
    assert answer.status_code == 200, answer.text
    service.entrance.workflows["mine"] = answer.json()["data"]["id"]
    return [{**task, "blockVersionTag": "1"} for task in tasks]


def run(service, inputs):
    names = [name.rpartition(":")[0] for name in inputs]
    tasks = save(service, *names)
    estimate = service.call("POST", "estimate/job", json={"tasks": tasks, "inputs": inputs})
    assert estimate.status_code == 200, estimate.text
    answer = service.submit("mine", inputs)
    assert answer.status_code == 200, answer.text
    job_id = answer.json()["data"]["id"]
    job = wait_for(lambda: service.ended(job_id))
    assert job["status"] == "SUCCEEDED", service.log(job_id, len(names) - 1)
    return job_id, estimate.json()["data"]


def members(service, job_id):
    url = service.get(f"jobs/{job_id}/downloads/results")["url"]
    with tarfile.open(fileobj=io.BytesIO(requests.get(url, timeout=30).content)) as archive:
        return archive.getnames()


def paths(service, job_id):
    features = service.call("GET", f"jobs/{job_id}/outputs/data-json").json()["features"]
    return [feature["properties"]["up42.data_path"] for feature in features]


OWN = {"cloud_provider": "gcs", "bucket_name": "up42-sandbox", "filenames": ["heights.tif"]}
MAJORITY = {"stats": ["majority"]}
CHAINS = [
    ({"esa-s2-l2a-gtiff-visual:1": IMAGE, "kmeans-clustering:1": {"n_clusters": 4}, "vectorising:1": {}}, ".geojson"),
    ({"oneatlas-pleiades-primary:1": IMAGE, "landcover:1": {}, "zonal-statistics:1": MAJORITY}, ".geojson"),
    ({"oneatlas-pleiades-primary:1": IMAGE, "ndvi:1": {}, "up42-ndvithreshold:1": {"n_sieve_pixels": 5}}, ".tif"),
    ({"oneatlas-worlddem-12m:1": {"bbox": BOX}}, ""),
    ({"meteomatics:1": {"bbox": BOX, "time": DAY}, "data-conversion-netcdf:1": {}}, ".tif"),
    ({"geotiff-custom:1": OWN}, ".tif"),
]


@pytest.mark.parametrize(("inputs", "ending"), CHAINS, ids=lambda value: next(iter(value)) if value else "")
def test_a_job_delivers_what_data_json_names(live, inputs, ending):
    before = live.balance()
    job_id, estimate = run(live, inputs)
    names = members(live, job_id)
    found = paths(live, job_id)
    assert found
    assert all(f"output/{path}" in names and path.endswith(ending) for path in found)
    parts = [part[kind]["credit"] for part in estimate.values() for kind in ("blockConsumption", "machineConsumption")]
    low, high = (sum(part[end] for part in parts) for end in ("min", "max"))
    assert low <= before - live.balance() <= high


def test_names_of_map_objects_are_true_in_archive_and_data_json(live):
    asked = {"bbox": BOX, "time": "2020-01-01T00:00:00Z/2020-08-31T14:36:02Z", "osm_tags": ["place=*", "highway=*"]}
    job_id, _ = run(live, {"openstreetmap:1": asked})
    names = members(live, job_id)
    found = paths(live, job_id)
    assert [path.split("/")[1] for path in found] == [
        "place=*_2020-08-31T14_36_02Z.geojson",
        "highway=*_2020-08-31T14_36_02Z.geojson",
    ]
    assert all(f"output/{path}" in names for path in found)


def test_the_price_of_weather_is_by_data_points(live):
    job_id, estimate = run(live, {"meteomatics:1": {"bbox": BOX, "time": DAY}})
    assert estimate["meteomatics:1"]["blockConsumption"] == {
        "resources": {"unit": "DATA_POINT", "min": 24.0, "max": 24.0},
        "credit": {"min": 3, "max": 3},
    }
    (task,) = live.get(f"jobs/{job_id}/credits")["tasks"]
    assert task["blockConsumption"]["creditsUsed"] == 3
    assert task["blockConsumption"]["blockConsumption"] == {"quantity": 24, "unit": "DATA_POINTS"}


def test_test_queries_are_taken_where_the_block_has_them(live):
    save(live, "openstreetmap")
    refused = live.submit("mine", {"openstreetmap:1": {"bbox": BOX}, "config": {"mode": "DRY_RUN"}})
    assert refused.status_code == 400
    assert "does not support test queries" in refused.text
    save(live, "oneatlas-worlddem-12m")
    taken = live.submit("mine", {"oneatlas-worlddem-12m:1": {"bbox": BOX}, "config": {"mode": "DRY_RUN"}})
    job = live.ended(taken.json()["data"]["id"])
    assert job["status"] == "SUCCEEDED"
    assert sorted(members(live, job["id"])) == ["output", "output/data.json", "output/usage.json"]


def test_a_block_that_refuses_its_parameters_says_why_in_the_log(live):
    save(live, "geotiff-custom")
    wrong = {"cloud_provider": "gcs", "bucket_name": "elsewhere", "bbox": BOX}
    job = live.run("mine", {"geotiff-custom:1": wrong})
    assert job["status"] == "FAILED"
    assert "[INPUT_PARAMETERS_ERROR] Bucket elsewhere does not exist" in live.log(job["id"]).splitlines()[-1]
    assert live.submit("mine", {"geotiff-custom:1": {"cloud_provider": "gcs", "bucket_name": "b"}}).status_code == 400
    assert live.submit("mine", {"geotiff-custom:1": {**wrong, "limit": 0}}).status_code == 400


@pytest.mark.parametrize(
    ("names", "valid"),
    [
        (("esa-s2-l2a-gtiff-visual", "kmeans-clustering", "vectorising", "up42-countobjects"), True),
        (("oneatlas-spot-aoiclipped", "tiling", "ship-detection", "ship-identification"), True),
        (("oneatlas-spot-aoiclipped", "tiling", "ship-detection", "up42-countobjects"), True),
        (("meteomatics", "data-conversion-netcdf", "zonal-statistics"), True),
        (("nextmapone-5m", "zonal-statistics"), True),
        (("geotiff-custom", "kmeans-clustering"), True),
        (("openstreetmap", "vectorising"), False),
        (("esa-s2-l2a-gtiff-visual", "landcover"), False),
        (("oneatlas-spot-aoiclipped", "ship-detection"), False),
        (("meteomatics", "kmeans-clustering"), False),
    ],
)
def test_chains_fit_by_their_capabilities(names, valid):
    links = [
        Link(f"{name}:1", CATALOGUE.by_name(name), f"{names[number - 1]}:1" if number else None)
        for number, name in enumerate(names)
    ]
    assert check_chain(links).valid is valid


def test_every_block_offered_behind_classes_can_run():
    output = resolved_output(CATALOGUE.by_name("kmeans-clustering"), {})
    offered = {block.name for block in candidates_behind(CATALOGUE, output) if block.id in RUNNERS}
    assert {"vectorising", "zonal-statistics", "sharpening"} <= offered
