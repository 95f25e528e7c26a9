"""Blocks, workflows, and which blocks fit together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from service_kit import ANALYTIC, AWS, NDVI, PLEIADES, SHARPENING, SUPERRESOLUTION, SUPERRESOLUTION_WORKFLOW, VISUAL

from up42_plugin.sandbox.capabilities import Link, candidates_behind, check_chain, fits_behind, resolved_output
from up42_plugin.sandbox.catalogue import Catalogue

OTHER_NDVI = "98c6c8ec-0ec7-4019-bb3a-9a215ef6fea1"
TILING, SHIPS = "3e146dd6-2b67-4d6e-a422-bb3d973e32ff", "79e3e48c-d65f-4528-a6d4-e8d20fecc93c"
CATALOGUE = Catalogue.load()
GEOTIFF_USERS = {
    "crs-conversion",
    "kmeans-clustering",
    "sharpening",
    "tiling",
    "up42-exportdata-raster",
    "up42-timeseries-image-statistics",
    "vectorising",
    "zonal-statistics",
}


def chain(*names):
    """Links of a chain of block names; the last provider's block of a name is taken."""
    links = []
    for number, name in enumerate(names):
        parent = links[-1].name if number else None
        links.append(Link(f"{name}:1", CATALOGUE.by_name(name), parent))
    return links


def new_workflow(service, name="mine"):
    return service.call("POST", "workflows/", json={"name": name, "description": ""}).json()["data"]


def save(service, workflow_id, *blocks):
    names = {block.id: block.name for block in CATALOGUE.blocks}
    tasks = []
    for block in blocks:
        parent = tasks[-1]["name"] if tasks else None
        tasks.append({"name": f"{names[block]}:1", "parentName": parent, "blockId": block})
    return service.call("POST", f"workflows/{workflow_id}/tasks/", json=tasks)


def test_catalogue_is_listed_with_and_without_a_token(shared_service):
    listed = shared_service.get("/blocks")
    public = shared_service.session.get(f"{shared_service.base_url}/marketplace/blocks", timeout=30).json()["data"]
    assert listed == public
    assert len(listed) > 100
    by_id = {block["id"]: block for block in listed}
    assert len(by_id) == len(listed)
    assert by_id[AWS]["isDryRunSupported"] is True
    assert by_id[AWS]["type"] == "DATA"
    assert by_id[SUPERRESOLUTION]["metadata"]["blockPricingStrategy"] == {
        "name": "simple",
        "unit": "MEGABYTE",
        "direction": "OUTPUT",
        "credits": 1,
    }


def test_name_that_is_not_unique_leads_clients_to_the_block_with_a_runner(shared_service):
    listed = shared_service.get("/blocks")
    assert [block["id"] for block in listed if block["name"] == "ndvi"] == [OTHER_NDVI, NDVI]
    assert {block["name"]: block["id"] for block in listed}["ndvi"] == NDVI


def test_block_details_hold_parameters_and_capabilities(shared_service):
    block = shared_service.get(f"/blocks/{SUPERRESOLUTION}")
    assert block["parameters"]["clip_to_aoi"] == {"type": "boolean", "default": False}
    assert block["capabilities"]["input"]["raster"]["up42_standard"]["format"] == "SAFE"
    assert block["machineName"] == "GPU_NVIDIA_TESLA_K80"
    data = shared_service.get(f"/blocks/{AWS}")
    assert data["capabilities"]["input"] == {}
    assert "default" not in data["parameters"]["contains"]


def test_tiered_prices_are_told(shared_service):
    block = CATALOGUE.by_name("nextmapone-10m")
    strategy = shared_service.get(f"/blocks/{block.id}")["metadata"]["blockPricingStrategy"]
    assert strategy["name"] == "job_volume_tiered"
    assert strategy["thresholdToCreditsMap"]["150000"] == {"credits": 90}
    assert block.price.credits(10) == 1100
    assert block.price.credits(150_000) == 90 * 150_000


def test_unknown_block_is_404(shared_service):
    answer = shared_service.call("GET", "/blocks/b10cb10c-aaaa-4bbb-8ccc-000000000101")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Block not found with id b10cb10c-aaaa-4bbb-8ccc-000000000101"


def test_coverage_is_a_feature_collection_behind_an_address(shared_service):
    url = shared_service.get(f"/blocks/{AWS}/coverage")["url"]
    collection = shared_service.session.get(url, timeout=30).json()
    assert collection["type"] == "FeatureCollection"
    assert collection["features"][0]["geometry"]["type"] == "Polygon"


def test_seeded_workflows_are_ready(shared_service):
    chains = {}
    for workflow in shared_service.get("workflows"):
        tasks = shared_service.get(f"workflows/{workflow['id']}/tasks")
        chains[workflow["name"]] = [task["blockName"] for task in tasks]
    assert chains == {
        "Sentinel-2 L2A → Super-resolution": ["aws-s2-l2a", "s2-superresolution"],
        "Sentinel-2 visual → Sharpening": ["esa-s2-l2a-gtiff-visual", "sharpening"],
        "Pléiades → NDVI": ["oneatlas-pleiades-primary", "ndvi"],
        "Sentinel-2 analytic": ["esa-s2-l2a-gtiff-analytic"],
        "Pléiades reflectance → Pan-sharpening": ["oneatlas-pleiades-fullscene", "pansharpen"],
        "SPOT streaming → Tiles": ["oneatlas-spot-aoiclipped", "tiling"],
    }


def test_workflow_is_created_changed_and_deleted(service):
    created = new_workflow(service)
    assert created["totalProcessingTime"] == 0
    assert service.get(f"workflows/{created['id']}/tasks") == []
    changed = service.call("PUT", f"workflows/{created['id']}", json={"name": "other", "description": "text"})
    assert (changed.json()["data"]["name"], changed.json()["data"]["description"]) == ("other", "text")
    kept = service.call("PUT", f"workflows/{created['id']}", json={"name": None, "description": "new"})
    assert kept.json()["data"]["name"] == "other"
    deleted = service.call("DELETE", f"workflows/{created['id']}", json={})
    assert (deleted.status_code, deleted.content) == (204, b"")
    answer = service.call("GET", f"workflows/{created['id']}")
    assert answer.status_code == 404
    message = answer.json()["error"]["message"]
    assert message.startswith(f"Workflow not found for id {created['id']} and projectId ")
    assert created["id"] not in [workflow["id"] for workflow in service.get("workflows")]


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "  "}, {"name": 3}, {"name": "x" * 101}])
def test_workflow_needs_a_name(service, body):
    answer = service.call("POST", "workflows", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith('Field "name" must not be')


def test_walkthrough_body_with_extra_members_is_taken(service):
    body = {"id": None, "projectId": service.entrance.project_id, "tasks": [], "name": "walk", "description": "d"}
    assert service.call("POST", "workflows", json=body).status_code == 200


def test_tasks_are_replaced_whole_with_new_ids(service):
    workflow = new_workflow(service)["id"]
    first = save(service, workflow, AWS, SUPERRESOLUTION).json()["data"]
    assert [task["name"] for task in first] == ["aws-s2-l2a:1", "s2-superresolution:1"]
    assert [task["parentsIds"] for task in first] == [[], [first[0]["id"]]]
    assert "parentName" not in first[0]
    assert first[0]["block"]["parameters"]["limit"]["default"] == 1
    second = save(service, workflow, VISUAL).json()["data"]
    assert [task["blockName"] for task in second] == ["esa-s2-l2a-gtiff-visual"]
    assert {task["id"] for task in first}.isdisjoint({task["id"] for task in second})


@pytest.mark.parametrize(
    "blocks", [(PLEIADES, NDVI), (AWS, SUPERRESOLUTION), (VISUAL, SHARPENING), (AWS, SUPERRESOLUTION, SHARPENING)]
)
def test_fitting_chains_are_saved(service, blocks):
    assert save(service, new_workflow(service)["id"], *blocks).status_code == 200


@pytest.mark.parametrize(
    ("blocks", "task", "missing"),
    [
        ((ANALYTIC, NDVI), "ndvi:1", ["raster.up42_standard.format", "raster.up42_standard.sensor"]),
        ((VISUAL, SUPERRESOLUTION), "s2-superresolution:1", None),
        ((SHARPENING,), "sharpening:1", ["raster.up42_standard.format"]),
        ((VISUAL, OTHER_NDVI), "ndvi:1", []),
    ],
)
def test_chains_that_do_not_fit_are_422(service, blocks, task, missing):
    workflow = new_workflow(service)["id"]
    save(service, workflow, AWS)
    answer = save(service, workflow, *blocks)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["message"] == "Workflow cannot be saved because it contains errors."
    assert error["invalidTaskNames"] == [task]
    if missing:
        assert error["capabilityMismatches"] == [{"workflowTaskName": task, "missingInputCapabilities": missing}]
    assert [kept["blockName"] for kept in service.get(f"workflows/{workflow}/tasks")] == ["aws-s2-l2a"]


def test_second_data_block_and_block_without_parent_are_422(service):
    workflow = new_workflow(service)["id"]
    assert save(service, workflow, AWS, VISUAL).status_code == 422
    tasks = [
        {"name": "a:1", "parentName": None, "blockId": VISUAL},
        {"name": "b:1", "parentName": None, "blockId": SHARPENING},
    ]
    assert service.call("POST", f"workflows/{workflow}/tasks", json=tasks).status_code == 422


@pytest.mark.parametrize(
    ("tasks", "status"),
    [
        ({}, 400),
        ([1], 400),
        ([{"name": "a:1", "blockId": VISUAL, "parentName": "none:1"}], 400),
        ([{"name": "a:1", "blockID": VISUAL}], 400),
        ([{"name": "", "blockId": VISUAL}], 400),
        ([{"name": "x" * 101, "blockId": VISUAL}], 400),
        ([{"name": "a:1", "blockId": VISUAL}, {"name": "a:1", "blockId": SHARPENING, "parentName": "a:1"}], 400),
        ([{"name": "a:1", "blockId": "b10cb10c-aaaa-4bbb-8ccc-000000000101"}], 404),
    ],
)
def test_bad_tasks_are_refused(service, tasks, status):
    workflow = new_workflow(service)["id"]
    assert service.call("POST", f"workflows/{workflow}/tasks", json=tasks).status_code == status


def test_task_names_are_free(service):
    workflow = new_workflow(service)["id"]
    tasks = [
        {"name": "images", "parentName": None, "blockId": VISUAL},
        {"name": "crisp", "parentName": "images", "blockId": SHARPENING, "blockVersionTag": "2.1.1"},
    ]
    assert service.call("POST", f"workflows/{workflow}/tasks", json=tasks).status_code == 200


def test_compatible_blocks_behind_before_between_and_first(service):
    def names(query):
        blocks = service.get(f"workflows/{workflow}/compatible-blocks?{query}")["blocks"]
        assert all(set(block) == {"blockId", "name", "versionTag"} for block in blocks)
        return {block["name"] for block in blocks}

    workflow = service.workflow(SUPERRESOLUTION_WORKFLOW)
    assert names("parentTaskName=aws-s2-l2a:1") == {"s2-superresolution", "up42-exportdata-raster"}
    assert names("parentTaskName=s2-superresolution%3A1") == GEOTIFF_USERS
    assert {"aws-s2-l2a", "sobloo-s2-l1c-fullscene"} <= names("childTaskName=s2-superresolution:1")
    assert names("parentTaskName=aws-s2-l2a:1&childTaskName=s2-superresolution:1") == set()
    first = names("")
    assert "aws-s2-l2a" in first
    assert "sharpening" not in first


def test_compatible_blocks_of_an_unknown_task_are_422(service):
    workflow = service.workflow(SUPERRESOLUTION_WORKFLOW)
    answer = service.call("GET", f"workflows/{workflow}/compatible-blocks?parentTaskName=tiling:4")
    assert answer.status_code == 422
    assert answer.json()["error"] == {
        "code": 422,
        "message": "Workflow does not contain tasks: tiling:4",
        "details": None,
    }


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("aws-s2-l2a", {"s2-superresolution", "up42-exportdata-raster"}),
        ("esa-s2-l2a-gtiff-visual", GEOTIFF_USERS),
        ("esa-s2-l2a-gtiff-analytic", {"pansharpen", "up42-exportdata-raster"}),
        (
            "oneatlas-pleiades-primary",
            GEOTIFF_USERS
            | {"landcover", "ndvi", "oneatlas-cloudmask", "superresolution"}
            | {"up42-waterfinder-flood", "up42-waterfinder-water"},
        ),
        ("sobloo-s1-grd-fullscene", {"snap-polarimetric", "up42-exportdata-raster"}),
        ("ais-hvp", {"up42-countobjects", "up42-exportdata-vector"}),
        ("exactearth-ais-query-vessel", {"up42-countobjects", "up42-exportdata-vector"}),
    ],
)
def test_neighbours_of_data_blocks(block, expected):
    output = resolved_output(CATALOGUE.by_name(block), {})
    assert {found.name for found in candidates_behind(CATALOGUE, output)} == expected


def test_outputs_are_inherited_along_the_chain():
    assert check_chain(chain("oneatlas-pleiades-primary", "sharpening", "ndvi")).valid
    assert not check_chain(chain("esa-s2-l2a-gtiff-visual", "sharpening", "ndvi")).valid
    assert check_chain(chain("oneatlas-pleiades-primary", "ndvi", "up42-ndvithreshold")).valid


def test_every_band_that_is_needed_must_be_there():
    sharpening = CATALOGUE.by_name("sharpening")
    output = resolved_output(CATALOGUE.by_name("esa-s2-l2a-gtiff-visual"), {})
    for bands, fits in (
        (["red"], True),
        (["red", "blue"], True),
        (["red", "nir"], False),
        ({"or": [["red", "nir"], ["green"]]}, True),
    ):
        needed = {"input": {"raster": {"up42_standard": {"format": "GTiff", "bands": bands}}}, "output": {}}
        assert fits_behind(replace(sharpening, capabilities=needed), output) is fits


def test_parameters_fill_capabilities():
    assert check_chain(chain("oneatlas-spot-aoiclipped", "tiling", "ship-detection")).valid
    tiling = CATALOGUE.by_name("tiling")
    output = resolved_output(tiling, resolved_output(CATALOGUE.by_name("oneatlas-spot-aoiclipped"), {}))
    assert output["raster"]["up42_standard"]["tile_width"] == 768
    other = resolved_output(tiling, {}, {"tile_width": 512})
    assert other["raster"]["up42_standard"]["tile_width"] == 512


def test_block_with_empty_output_is_the_last():
    assert check_chain(chain("esa-s2-l2a-gtiff-visual", "up42-exportdata-raster")).valid
    assert not check_chain(chain("esa-s2-l2a-gtiff-visual", "up42-exportdata-raster", "sharpening")).valid


def test_manifest_is_checked(shared_service):
    manifest = {
        "_up42_specification_version": 2,
        "name": "mine",
        "type": "processing",
        "tags": [],
        "display_name": "Mine",
        "description": "",
        "parameters": {},
        "machine": {"type": "small"},
        "input_capabilities": {},
        "output_capabilities": {},
    }
    url = f"{shared_service.base_url}/validate-schema/block"
    good = shared_service.session.post(url, json=manifest, timeout=30)
    assert (good.status_code, good.json()) == (200, {"error": None, "data": {"valid": True, "errors": []}})
    del manifest["name"]
    bad = shared_service.session.post(url, json=manifest, timeout=30)
    assert bad.status_code == 400
    assert bad.json()["data"] == {"valid": False, "errors": ["#: required key [name] not found"]}
