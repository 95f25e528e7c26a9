"""Chains of optical blocks as people build them, at a service of their own: they fit, run, and cost what was told."""

from __future__ import annotations

import io
import tarfile

import pytest
import requests
from jobs_client import Client
from osgeo import gdal
from sandbox_process import start_sandbox

from up42_plugin.sandbox.catalogue import Catalogue

BOX = [15.2850, 37.8480, 15.2890, 37.8512]
DATA = {"bbox": BOX, "time": "2021-05-01T00:00:00Z/2021-08-30T00:00:00Z", "limit": 1}
CHAINS = [
    (
        ("oneatlas-spot-fullscene", "data-conversion-dimap", "crs-conversion"),
        ({}, {"pan": True, "ms": False}, {"output_epsg_code": 3035}),
        ("3035", 1, "UInt16"),
    ),
    (
        ("oneatlas-spot-fullscene", "pansharpen", "ndvi"),
        ({}, {"clip_to_aoi": True}, {}),
        ("4326", 1, "Float32"),
    ),
    (
        ("oneatlas-pleiades-aoiclipped", "crs-conversion", "tiling"),
        ({"zoom_level": 17, "panchromatic_band": True}, {}, {"tile_width": 256, "tile_height": 256}),
        ("32633", 5, "Byte"),
    ),
    (("sobloo-s2-l1c-aoiclipped", "sharpening"), ({}, {}), ("3857", 4, "Byte")),
    (("oneatlas-spot-aoiclipped", "oneatlas-cloudmask"), ({"zoom_level": 16}, {}), ("3857", 4, "Byte")),
    (("sentinelhub-s2-aoiclipped",), ({"zoom_level": 15},), ("3857", 3, "Byte")),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("optical") / "data", "--speed", "500") as running:
        yield Client(running)


def saved(client, blocks):
    """A new workflow of these blocks; the service checks that they fit."""
    catalogue, tasks = Catalogue.load(), []
    for number, name in enumerate(blocks):
        parent = f"{blocks[number - 1]}:1" if number else None
        tasks.append({"name": f"{name}:1", "parentName": parent, "blockId": catalogue.by_name(name).id})
    for number, task in enumerate(tasks):
        if number and number == len(tasks) - 1:
            found = compatible(client, tasks[:number])
            assert task["blockId"] in found
    return workflow_of(client, tasks)


def workflow_of(client, tasks):
    answer = client.call("POST", "workflows", json={"name": "chain", "description": "", "tasks": tasks})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["id"]


def compatible(client, tasks):
    """The blocks that the workflow builder offers behind some tasks."""
    path = f"workflows/{workflow_of(client, tasks)}/compatible-blocks"
    answer = client.call("GET", path, params={"parentTaskName": tasks[-1]["name"]})
    return {block["blockId"] for block in answer.json()["data"]["blocks"]}


def archive_of(client, job_id, folder):
    url = client.call("GET", f"jobs/{job_id}/downloads/results").json()["data"]["url"]
    with tarfile.open(fileobj=io.BytesIO(requests.get(url, timeout=60).content)) as archive:
        for member in archive.getmembers():
            if member.isfile():
                path = folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.extractfile(member).read())
    return folder / "output"


@pytest.mark.parametrize(("blocks", "parameters", "kind"), CHAINS, ids=[" ".join(chain[0]) for chain in CHAINS])
def test_a_chain_runs_and_costs_what_was_told(client, tmp_path, blocks, parameters, kind):
    client.sandbox.workflows["chain"] = saved(client, blocks)
    inputs = {f"{name}:1": own for name, own in zip(blocks, parameters)}
    inputs[f"{blocks[0]}:1"] = {**DATA, **parameters[0]}
    job = client.run("chain", inputs)
    tasks = client.call("GET", f"jobs/{job['id']}/tasks").json()["data"]
    logs = [client.call("GET", f"jobs/{job['id']}/tasks/{task['id']}/logs").text for task in tasks]
    assert job["status"] == "SUCCEEDED", logs
    told = client.call("GET", f"jobs/{job['id']}/estimate").json()["data"].values()
    parts = [task[part]["credit"] for task in told for part in ("blockConsumption", "machineConsumption")]
    used = client.call("GET", f"jobs/{job['id']}/credits").json()["data"]["creditsUsed"]
    assert sum(part["min"] for part in parts) <= used <= sum(part["max"] for part in parts)
    output = archive_of(client, job["id"], tmp_path)
    features = client.call("GET", f"jobs/{job['id']}/outputs/data-json").json()["features"]
    for feature in features:
        raster = gdal.Open(str(output / feature["properties"]["up42.data_path"]))
        code = raster.GetSpatialRef().GetAuthorityCode(None)
        assert (code, raster.RasterCount, gdal.GetDataTypeName(raster.GetRasterBand(1).DataType)) == kind
        assert feature["properties"]["synthetic"] is True


def test_a_scene_of_a_test_query_is_delivered_by_its_id(client):
    for block, key in (("oneatlas-pleiades-aoiclipped", "parentIdentifier"), ("sobloo-s2-l1c-aoiclipped", None)):
        client.sandbox.workflows["one"] = saved(client, (block,))
        found = client.run("one", {f"{block}:1": {**DATA, "limit": 2}, "config": {"mode": "DRY_RUN"}})
        features = client.call("GET", f"jobs/{found['id']}/outputs/data-json").json()["features"]
        own = features[-1]["properties"]
        wanted = own[key] if key else own["identification"]["externalId"]
        inputs = {f"{block}:1": {"bbox": BOX, "ids": [wanted]}}
        if block.startswith("oneatlas"):
            inputs[f"{block}:1"]["zoom_level"] = 15
        job = client.run("one", inputs)
        (feature,) = client.call("GET", f"jobs/{job['id']}/outputs/data-json").json()["features"]
        assert feature["id"] == features[-1]["id"]


def test_parameters_that_the_schema_forbids_are_refused_at_once(client):
    client.sandbox.workflows["spot"] = saved(client, ("oneatlas-spot-aoiclipped", "tiling"))
    path = f"workflows/{client.sandbox.workflows['spot']}/jobs"
    inputs = {"oneatlas-spot-aoiclipped:1": {**DATA, "zoom_level": 18}, "tiling:1": {"tile_width": "wide"}}
    answer = client.call("POST", path, json=inputs)
    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert "zoom_level: 18 is not less or equal to 17" in message
    assert "tile_width: expected type: Number" in message


def test_what_only_the_block_can_tell_fails_with_a_clear_line(client):
    client.sandbox.workflows["dimap"] = saved(client, ("oneatlas-spot-display", "data-conversion-dimap"))
    inputs = {"oneatlas-spot-display:1": DATA, "data-conversion-dimap:1": {"ms": True, "pan": True}}
    job = client.run("dimap", inputs)
    assert job["status"] == "FAILED"
    task = client.call("GET", f"jobs/{job['id']}/tasks").json()["data"][1]
    log = client.call("GET", f"jobs/{job['id']}/tasks/{task['id']}/logs").text
    assert log.splitlines()[-1].endswith("[INPUT_PARAMETERS_ERROR] Exactly one of ms and pan must be true")
