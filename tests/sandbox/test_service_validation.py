"""What is wrong with job inputs, all of it at once."""

from __future__ import annotations

import pytest
from service_kit import (
    ANALYTIC_WORKFLOW,
    AOI,
    SUPERRESOLUTION_WORKFLOW,
    as_test_query,
    published_input,
)

from up42_plugin.sandbox import geometry, times
from up42_plugin.sandbox.catalogue import Catalogue

DATA = "esa-s2-l2a-gtiff-analytic:1"
BOW = {"type": "Polygon", "coordinates": [[[15, 37], [16, 38], [16, 37], [15, 38], [15, 37]]]}


def polygon(*rings):
    return {"type": "Polygon", "coordinates": [list(map(list, ring)) for ring in rings]}


def box(west, south, east, north):
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


def refused(service, parameters, status=400):
    """The problems of one data task's parameters."""
    answer = service.submit(ANALYTIC_WORKFLOW, {DATA: parameters})
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert error["message"] == "; ".join(error["details"])
    return error["details"]


def test_keys_must_be_the_tasks(shared_service):
    inputs = published_input()
    inputs["sharpening:1"] = inputs.pop("s2-superresolution:1")
    answer = shared_service.submit(SUPERRESOLUTION_WORKFLOW, inputs)
    assert answer.status_code == 400
    assert answer.json() == {
        "data": None,
        "error": {
            "code": 400,
            "message": "There were additional tasks/queries specified: sharpening:1, "
            "There were missing tasks/queries: s2-superresolution:1",
            "details": None,
        },
    }
    only_missing = shared_service.submit(SUPERRESOLUTION_WORKFLOW, {}).json()["error"]["message"]
    assert only_missing == "There were missing tasks/queries: aws-s2-l2a:1, s2-superresolution:1"


def test_every_problem_is_listed(shared_service):
    inputs = published_input()
    inputs["aws-s2-l2a:1"].update(limit=-1, max_cloud_cover=101, time="yesterday", contains=BOW, ids="one")
    inputs["s2-superresolution:1"].update(copy_original_bands="yes")
    error = shared_service.submit(SUPERRESOLUTION_WORKFLOW, inputs).json()["error"]
    assert sorted(error["details"]) == [
        "#/aws-s2-l2a:1/contains: polygon must not cross itself",
        "#/aws-s2-l2a:1/ids: must be a list with at least one scene id",
        "#/aws-s2-l2a:1/limit: -1 is not greater or equal to 1",
        "#/aws-s2-l2a:1/max_cloud_cover: 101 is not less or equal to 100",
        "#/aws-s2-l2a:1/time: must be two times joined by /",
        "#/s2-superresolution:1/copy_original_bands: expected type: Boolean",
    ]


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({}, "exactly one of bbox, intersects, contains is required"),
        ({"bbox": [15, 37, 15.1, 37.1], "intersects": AOI}, "only one of bbox, intersects may be given"),
        ({"intersects": {"type": "Point", "coordinates": [15, 37]}}, "must be one Polygon, got 'Point'"),
        ({"intersects": {"type": "MultiPolygon", "coordinates": [AOI["coordinates"]]}}, "must be one Polygon"),
        ({"intersects": "here"}, "must be a GeoJSON geometry"),
        ({"intersects": {"type": "Polygon", "coordinates": []}}, "must be a list of rings"),
        ({"intersects": polygon([(15, 37), (15.1, 37), (15, 37)])}, "at least four positions"),
        ({"intersects": polygon([(15, 37), (15.1, 37), (15.1, 37.1), (15, 37.1)])}, "every ring must be closed"),
        ({"intersects": polygon([(15, 37), (15.1, 37), (15, 37), (15, 37)])}, "three different positions"),
        ({"intersects": polygon([(15, "x"), (15.1, 37), (15.1, 37.1), (15, "x")])}, "[longitude, latitude]"),
        ({"intersects": polygon(box(179, 37, 181, 38))}, "longitudes -180..180"),
        ({"intersects": polygon(box(15, 37, 15.002, 37.002))}, "the minimum is 0.1 sqkm"),
        ({"intersects": polygon(box(15, 37, 15.2, 37.2))}, "the project's maximum is 100 sqkm"),
        ({"bbox": [15, 37, 15.1]}, "four numbers"),
        ({"bbox": [15.1, 37, 15, 37.1]}, "west must lie west of east"),
        ({"bbox": [15, -91, 15.1, 37.1]}, "longitudes -180..180"),
        ({"intersects": AOI, "limit": 11}, "11 is not less or equal to 10, the limit of the project"),
        ({"intersects": AOI, "limit": 1.5}, "expected type: Integer"),
        ({"intersects": AOI, "limit": True}, "expected type: Integer"),
        ({"intersects": AOI, "time": "2021-01-01/2021-02-01"}, "is no RFC 3339 time"),
        ({"intersects": AOI, "time": "2021-02-30T00:00:00Z/2021-03-01T00:00:00Z"}, "is no RFC 3339 time"),
        ({"intersects": AOI, "time": "2021-03-01T00:00:00Z/2021-02-01T00:00:00Z"}, "must not end before it begins"),
        ({"intersects": AOI, "time": "0001-01-01T00:00:00+14:00/2021-01-01T00:00:00Z"}, "is no RFC 3339 time"),
        ({"intersects": AOI, "limit": 10**30}, "the limit of the project"),
        ({"intersects": AOI, "ids": []}, "at least one scene id"),
        ({"intersects": AOI, "max_cloud_cover": "low"}, "expected type: Integer"),
    ],
)
def test_each_problem_is_named(shared_service, parameters, problem):
    details = refused(shared_service, parameters)
    assert len(details) == 1
    assert details[0].startswith(f"#/{DATA}")
    assert problem in details[0]


@pytest.mark.parametrize(
    "ring",
    [
        pytest.param([(0, 0), (4, 0), (4, 4), (2, 0), (0, 4), (0, 0)], id="touches its own edge"),
        pytest.param([(0, 0), (4, 0), (2, 0), (2, 4), (0, 0)], id="runs back over itself"),
        pytest.param([(0, 0), (2, 2), (4, 0), (4, 4), (2, 2), (0, 4), (0, 0)], id="touches its own corner"),
    ],
)
def test_rings_that_touch_themselves_are_refused(ring):
    scaled = [(lon / 10, lat / 10) for lon, lat in ring]
    assert geometry.polygon_problems(polygon(scaled)) == ["polygon must not cross itself"]


def test_holes_are_kept_when_they_lie_inside():
    outer, hole = box(0, 0, 1, 1), box(0.4, 0.4, 0.6, 0.6)
    assert geometry.polygon_problems(polygon(outer, hole)) == []
    whole, part = geometry.area_km2(polygon(outer)), geometry.area_km2(polygon(outer, hole))
    assert part == pytest.approx(whole - geometry.area_km2(polygon(hole)))
    assert geometry.polygon_problems(polygon(outer, box(2, 2, 3, 3))) == ["holes must lie inside the polygon"]
    assert geometry.polygon_problems(polygon(outer, box(0.5, 0.5, 2, 0.7))) == ["polygon must not cross itself"]


def test_area_is_the_ellipsoids():
    # 0.1 degrees at 50 north on WGS 84, as measured with geodesic libraries.
    assert geometry.area_km2(polygon(box(0, 50, 0.1, 50.1))) == pytest.approx(79.66, abs=0.01)
    half = geometry.polygon_of([-180, 0, 180, 90])
    assert geometry.area_km2(half) == pytest.approx(510_065_621.7 / 2, rel=1e-6)


def test_shared_area_of_a_footprint():
    aoi, footprint = polygon(box(0, 50, 0.1, 50.1)), polygon(box(0.05, 49, 1, 51))
    assert geometry.shared_area_km2(aoi, footprint) == pytest.approx(geometry.area_km2(aoi) / 2)
    assert geometry.shared_area_km2(aoi, polygon(box(5, 49, 6, 51))) == 0
    assert geometry.shared_area_km2(aoi, polygon(box(-1, 49, 1, 51))) == pytest.approx(geometry.area_km2(aoi))
    holed = polygon(box(0, 50, 0.1, 50.1), box(0.06, 50.02, 0.08, 50.04))
    expected = geometry.area_km2(holed) - geometry.area_km2(polygon(box(0, 50, 0.05, 50.1)))
    assert geometry.shared_area_km2(holed, footprint) == pytest.approx(expected)


def test_many_corners_are_checked_quickly():
    ring = [(index / 20_000, 37 + (index % 2) / 1000) for index in range(10_000)]
    ring += [(ring[-1][0], 38), (0, 38), ring[0]]
    assert geometry.polygon_problems(polygon(ring)) == []


def test_area_limit_does_not_count_for_test_queries(shared_service):
    inputs = {DATA: {"intersects": polygon(box(15, 37, 16, 38))}}
    assert shared_service.submit(ANALYTIC_WORKFLOW, inputs).status_code == 400
    job = shared_service.run(ANALYTIC_WORKFLOW, as_test_query(inputs))
    assert job["status"] == "SUCCEEDED"
    too_small = as_test_query({DATA: {"intersects": polygon(box(15, 37, 15.001, 37.001))}})
    assert shared_service.submit(ANALYTIC_WORKFLOW, too_small).status_code == 400


def test_area_and_limit_follow_the_settings(service):
    wide = {DATA: {"bbox": [15, 37, 15.2, 37.2], "limit": 12}}
    assert service.submit(ANALYTIC_WORKFLOW, wide).status_code == 400
    service.set_limit("JOB_QUERY_MAX_AOI_SIZE", 1000)
    assert service.submit(ANALYTIC_WORKFLOW, wide).status_code == 400
    service.set_limit("JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE", 20)
    assert service.submit(ANALYTIC_WORKFLOW, wide).status_code == 200


@pytest.mark.parametrize("config", [{"mode": "FAST"}, "DRY_RUN", {"mode": None}])
def test_unknown_modes_are_refused(shared_service, config):
    answer = shared_service.submit(ANALYTIC_WORKFLOW, {DATA: {"intersects": AOI}, "config": config})
    assert answer.status_code == 400


def test_mode_default_is_live(service):
    answer = service.submit(ANALYTIC_WORKFLOW, {DATA: {"intersects": AOI}, "config": {"mode": "DEFAULT"}})
    assert answer.json()["data"]["mode"] == "DEFAULT"


def test_block_without_test_queries_refuses_one(service):
    block = Catalogue.load().by_name("aws-l8-l1")
    workflow = service.call("POST", "workflows", json={"name": "l8"}).json()["data"]["id"]
    service.call("POST", f"workflows/{workflow}/tasks", json=[{"name": "aws-l8-l1:1", "blockId": block.id}])
    body = as_test_query({"aws-l8-l1:1": {"intersects": AOI}})
    answer = service.call("POST", f"workflows/{workflow}/jobs", json=body)
    assert answer.status_code == 400
    assert "does not support test queries" in answer.json()["error"]["message"]


def test_required_parameters_must_be_given(service):
    block = Catalogue.load().by_name("geotiff-custom")
    workflow = service.call("POST", "workflows", json={"name": "own"}).json()["data"]["id"]
    service.call("POST", f"workflows/{workflow}/tasks", json=[{"name": "geotiff-custom:1", "blockId": block.id}])
    body = {"geotiff-custom:1": {"intersects": AOI, "bucket_name": "b"}}
    error = service.call("POST", f"workflows/{workflow}/jobs", json=body).json()["error"]
    assert error["details"] == ["#/geotiff-custom:1/cloud_provider: is required"]


def test_null_means_the_blocks_default(service):
    inputs = published_input()
    inputs["aws-s2-l2a:1"].update(limit=None, max_cloud_cover=None, time=None)
    assert service.run(SUPERRESOLUTION_WORKFLOW, inputs)["status"] == "SUCCEEDED"
    block = Catalogue.load().by_name("aws-s2-l2a")
    assert block.with_defaults({"limit": None})["limit"] == 1
    assert block.with_defaults({"limit": 3, "more": None}) == {**block.with_defaults({}), "limit": 3, "more": None}


def test_workflow_without_tasks_cannot_run(service):
    workflow = service.call("POST", "workflows", json={"name": "empty"}).json()["data"]["id"]
    assert service.call("POST", f"workflows/{workflow}/jobs", json={}).status_code == 400


def test_time_ranges_take_all_documented_offsets():
    expected = times.parse_range("2021-05-01T00:00:00Z/2021-05-02T12:00:00Z")
    for text in (
        "2021-05-01T00:00:00+00:00/2021-05-02T12:00:00+00:00",
        "2021-05-01T00:00:00/2021-05-02T12:00:00",
        "2021-05-01T02:00:00+02:00/2021-05-02T14:00:00.000+0200",
        "2021-05-01t00:00:00z/2021-05-02T12:00:00.0000000Z",
    ):
        assert times.parse_range(text) == expected
    assert times.ranges_of({"time": "x", "time_series": ["2021-05-01T00:00:00Z/2021-05-02T12:00:00Z"]}) == (expected,)


def test_job_input_is_checked_without_knowing_the_blocks(shared_service):
    url = f"{shared_service.base_url}/validate-schema/job-input"
    good = shared_service.session.post(url, json=published_input(), timeout=30)
    assert (good.status_code, good.json()) == (200, {"data": {"valid": True, "errors": []}, "error": None})
    inputs = published_input()
    inputs["aws-s2-l2a:1"]["limit"] = -1
    inputs["sharpening"] = {}
    bad = shared_service.session.post(url, json=inputs, timeout=30)
    assert bad.status_code == 400
    assert bad.json()["data"] == {
        "valid": False,
        "errors": [
            "#/aws-s2-l2a:1/limit: -1 is not greater or equal to 1",
            "#: task name [sharpening] does not match <block name>:<number>",
        ],
    }


def test_tasks_and_input_are_validated_without_a_job(shared_service):
    tasks = shared_service.get(f"workflows/{shared_service.workflow(SUPERRESOLUTION_WORKFLOW)}/tasks")
    described = [{"blockId": task["block"]["id"], "name": task["name"]} for task in tasks]
    body = {"tasks": described, "input": published_input()}
    answer = shared_service.call("POST", "jobs/validate", json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    body["input"]["aws-s2-l2a:1"]["contains"] = BOW
    assert shared_service.call("POST", "jobs/validate", json=body).status_code == 400
    assert shared_service.call("POST", "jobs/validate", json={"tasks": described}).status_code == 400
