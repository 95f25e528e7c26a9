"""The account's storage over HTTP: what it lists, what it hands out, and jobs on what it holds."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any, Dict, List

import pytest
import requests
from service_kit import AOI, default_runners, processing_runner

from up42_plugin.sandbox.runners.contract import Usage

DISPLAY, CONVERSION = "6ac78530-6200-42c1-b6a9-381a9f69d8ef", "data-conversion-dimap"
TASK, NEXT = "oneatlas-pleiades-display:1", "data-conversion-dimap:1"
PRODUCTS = (
    DISPLAY,
    "defb134b-ca00-4e16-afa0-639c6dc0c5fe",
    "3e24ed57-b07f-4d44-9957-5d5c0a457239",
    "63a69b97-1765-474e-b465-0b319b8d3b2d",
)


def delivering(task):
    """What a download block does with assets, without an image."""
    task.log("INFO", f"assets {[asset.id for asset in task.assets]}")
    features = []
    for asset in task.assets:
        features.append({"type": "Feature", "id": asset.id, "geometry": asset.polygon, "properties": {}})
    collection = {"type": "FeatureCollection", "features": features}
    (task.target / "data.json").write_text(json.dumps(collection), encoding="utf-8")
    return Usage(square_km=2.0, scenes=len(features), output_bytes=1000, pixels=50_000)


@pytest.fixture
def stored(serve):
    """A service whose download blocks hand on the assets they were given."""
    runners = {**default_runners(), **dict.fromkeys(PRODUCTS, delivering)}
    service = serve(runners=runners)
    conversion = next(block.id for block in service.services.catalogue.blocks if block.name == CONVERSION)
    runners[conversion] = processing_runner
    tasks = [
        {"name": TASK, "parentName": None, "blockId": DISPLAY},
        {"name": NEXT, "parentName": TASK, "blockId": conversion},
    ]
    answer = service.call("POST", "workflows", json={"name": "stored", "tasks": tasks[:1]})
    service.entrance.workflows["stored"] = answer.json()["data"]["id"]
    answer = service.call("POST", "workflows", json={"name": "converted", "tasks": tasks})
    service.entrance.workflows["converted"] = answer.json()["data"]["id"]
    return service


def assets(service, **query: Any) -> List[Dict[str, Any]]:
    answer = service.call("GET", "/v2/assets", params={"sort": "createdAt,desc", "size": 50, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["content"]


def ids_of(service, collection: str = "phr") -> List[str]:
    return [asset["id"] for asset in assets(service) if asset["collectionName"] == collection]


def test_the_list_is_paged_sorted_and_filtered(stored):
    everything = assets(stored)
    assert len(everything) == 6
    moments = [asset["createdAt"] for asset in everything]
    assert moments == sorted(moments, reverse=True)
    body = stored.call("GET", "/v2/assets", params={"size": 4, "page": 1, "sort": "createdAt,desc"}).json()
    assert [asset["id"] for asset in body["content"]] == [asset["id"] for asset in everything[4:]]
    assert (body["totalPages"], body["totalElements"], body["last"]) == (2, 6, True)
    assert {asset["collectionName"] for asset in assets(stored, collectionNames="['spot']")} == {"spot"}
    assert len(assets(stored, producerNames="['airbus']", sources="ARCHIVE,TASKING", tags="synthetic")) == 6
    assert assets(stored, search="reflectance, nowhere") == assets(stored, tags="none") == []
    assert assets(stored, createdBefore="2016-01-01T00:00:00Z") == assets(stored, workspaceId="other") == []
    assert stored.call("GET", "/v2/assets", params={"sort": "colour,desc"}).status_code == 400


def test_one_asset_its_title_and_its_delivery(stored):
    (asset, *_) = assets(stored)
    path = f"/v2/assets/{asset['id']}"
    changed = stored.call("POST", f"{path}/metadata", json={"title": "Mine", "tags": ["a"]}).json()
    assert (changed["title"], changed["tags"]) == ("Mine", ["a"])
    assert stored.call("GET", f"{path}/metadata").json()["title"] == "Mine"
    url = stored.call("POST", f"{path}/download-url").json()["url"]
    content = requests.get(url, timeout=30)
    assert content.status_code == 200
    with tarfile.open(fileobj=io.BytesIO(content.content)) as archive:
        assert "output/data.json" in archive.getnames()
    assert requests.get(url, headers={"Range": "bytes=5-9"}, timeout=30).content == content.content[5:10]
    assert requests.get(url.replace("Signature=", "Signature=x"), timeout=30).status_code == 403
    assert stored.call("GET", path).content == content.content
    assert stored.call("GET", f"{path}/metadata").json()["size"] == len(content.content)
    assert stored.call("POST", "/v2/assets/nobody/download-url").status_code == 404


def test_the_images_are_found_by_place_time_and_asset(stored):
    def search(**body: Any) -> List[Dict[str, Any]]:
        answer = stored.call("POST", "/v2/assets/stac/search", json={"limit": 500, **body})
        assert answer.status_code == 200, answer.text
        return answer.json()["features"]

    everything = search()
    assert len(everything) == 6
    assert len(search(intersects=AOI)) == 6
    assert search(bbox=[1, 1, 2, 2]) == search(datetime="../2016-01-01T00:00:00Z") == []
    wanted = everything[0]["properties"]["up42-system:asset_id"]
    by_id = {"op": "=", "args": [{"property": "asset_id"}, wanted]}
    assert [item["id"] for item in search(filter=by_id)] == [everything[0]["id"]]
    clear = {"op": "and", "args": [by_id, {"op": "<", "args": [{"property": "eo:cloud_cover"}, 0]}]}
    assert search(filter=clear) == []
    first = stored.call("POST", "/v2/assets/stac/search", json={"limit": 4}).json()
    more = stored.call("POST", "/v2/assets/stac/search", json=first["links"][-1]["body"]).json()
    assert [item["id"] for item in first["features"] + more["features"]] == [item["id"] for item in everything]
    assert stored.call("GET", "/v2/assets/stac/").json()["type"] == "Catalog"


def test_a_job_on_assets_needs_no_area_and_costs_what_processing_costs(stored):
    chosen = ids_of(stored)[:2]
    before = stored.balance()
    alone = stored.run("stored", {TASK: {"asset_ids": chosen}})
    assert alone["status"] == "SUCCEEDED"
    assert stored.get(f"jobs/{alone['id']}/credits")["creditsUsed"] == 0
    assert stored.balance() == before
    features = stored.call("GET", f"jobs/{alone['id']}/outputs/data-json").json()["features"]
    assert [feature["id"] for feature in features] == chosen
    chain = stored.run("converted", {TASK: {"asset_ids": chosen}, NEXT: {}})
    assert chain["status"] == "SUCCEEDED", stored.log(chain["id"], 1)
    bill = stored.get(f"jobs/{chain['id']}/credits")
    by_task = [task["creditsUsed"] for task in bill["tasks"]]
    assert by_task[0] == 0
    assert by_task[1] > 0
    assert stored.balance() == before - bill["creditsUsed"]


def test_a_test_query_tells_of_the_assets(stored):
    chosen = ids_of(stored)[:1]
    job = stored.run("stored", {TASK: {"asset_ids": chosen}, "config": {"mode": "DRY_RUN"}})
    assert job["status"] == "SUCCEEDED"
    features = stored.call("GET", f"jobs/{job['id']}/outputs/data-json").json()["features"]
    assert [feature["id"] for feature in features] == chosen


def test_there_is_no_estimation(stored):
    chosen = ids_of(stored)[:1]
    task = {"name": TASK, "parentName": None, "blockId": DISPLAY}
    answer = stored.call("POST", "estimate/job", json={"tasks": [task], "inputs": {TASK: {"asset_ids": chosen}}})
    assert answer.status_code == 400
    assert "data from storage" in answer.json()["error"]["message"]
    job = stored.run("stored", {TASK: {"asset_ids": chosen}})
    assert stored.call("GET", f"jobs/{job['id']}/estimate").status_code == 400


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"asset_ids": ["nobody"]}, "asset nobody was not found in storage"),
        ({"asset_ids": []}, "at least one asset id"),
        ({"asset_ids": "a1"}, "at least one asset id"),
    ],
)
def test_wrong_ids_are_refused(stored, wrong, words):
    answer = stored.submit("stored", {TASK: wrong})
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"


def test_another_providers_assets_and_an_area_beside_them_are_refused(stored):
    foreign = stored.submit("stored", {TASK: {"asset_ids": [*ids_of(stored)[:1], *ids_of(stored, "spot")[:1]]}})
    assert foreign.status_code == 400
    assert "SPOT 6/7" in foreign.json()["error"]["message"]
    both = stored.submit("stored", {TASK: {"asset_ids": ids_of(stored)[:1], "intersects": AOI}})
    assert both.status_code == 400
    assert "must not be given with asset_ids" in both.json()["error"]["message"]
