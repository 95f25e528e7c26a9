"""The classic API's models made into the plugin's own, and scenes out of every provider's metadata."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Tuple

import pytest

from up42_plugin.api.classic.blocks import BlockInfo, PriceInfo
from up42_plugin.api.classic.estimates import Bounds, TaskEstimateInfo
from up42_plugin.api.classic.jobs import JobInfo
from up42_plugin.api.classic.projects import Setting
from up42_plugin.api.errors import AnswerError
from up42_plugin.core.dialects import classic_mapping as mapping
from up42_plugin.core.dialects.classic_lookup import CLOCK_SLACK, MOST_PAGES, find_job
from up42_plugin.core.dialects.classic_scenes import bbox_of, picture_suffix, quicklook_name, read_bbox, scenes_of
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.tags import make_tag, tagged_name
from up42_plugin.core.workflow import Block, BlockType, Step, Workflow

UTC = timezone.utc
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def job(number: int = 1, **changes: Any) -> JobInfo:
    info = JobInfo(f"j{number}", f"name {number}", "RUNNING", "DEFAULT", NOON, None, None, "w", "W", {})
    return replace(info, **changes)


def workflow(*names: str) -> Workflow:
    steps = [Step(name, Block(f"id-{name}", name.partition(":")[0], name, BlockType.DATA, "1.0")) for name in names]
    return Workflow("w", "W", "", tuple(steps))


# -- words


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("NOT_STARTED", JobState.NOT_STARTED),
        ("NOT STARTED", JobState.NOT_STARTED),
        ("PENDING", JobState.WAITING),
        ("RUNNING", JobState.RUNNING),
        ("SUCCEEDED", JobState.SUCCEEDED),
        ("FAILED", JobState.FAILED),
        ("ERROR", JobState.ERROR),
        ("CANCELLING", JobState.CANCELLING),
        ("CANCELLED", JobState.CANCELLED),
        ("SUCCESSFULL", JobState.UNKNOWN),
        ("ARCHIVING", JobState.UNKNOWN),
        ("", JobState.UNKNOWN),
    ],
)
def test_every_word_has_its_state_and_a_new_one_is_kept_as_it_came(word: str, state: JobState) -> None:
    found = mapping.job_of(job(status=word))
    assert (found.state, found.word) == (state, word)
    assert found.state.terminal == (state in (JobState.SUCCEEDED, JobState.FAILED, JobState.ERROR, JobState.CANCELLED))


@pytest.mark.parametrize(
    ("word", "inputs", "mode"),
    [
        ("DRY_RUN", {}, Mode.TEST_QUERY),
        ("DEFAULT", {"config": {"mode": "DRY_RUN"}}, Mode.LIVE),
        ("", {"config": {"mode": "DRY_RUN"}}, Mode.TEST_QUERY),
        ("", {"config": None}, Mode.LIVE),
        ("", {}, Mode.LIVE),
        ("SOMETHING", {}, Mode.LIVE),
    ],
)
def test_a_job_is_a_test_query_only_when_the_service_says_so(word: str, inputs: Dict[str, Any], mode: Mode) -> None:
    assert mapping.job_of(job(mode=word, inputs=inputs)).mode is mode


# -- blocks and workflows


def test_a_block_keeps_what_it_says_of_itself() -> None:
    info = BlockInfo("b", "name", "Title", "data", dry_run=None, price=PriceInfo(5, "TILE", "OUTPUT", {"0": 5}))
    block = mapping.block_of(info, "2.0")
    assert (block.type, block.version, block.test_query) == (BlockType.DATA, "2.0", None)
    assert block.price is not None
    assert (block.price.credits, block.price.unit) == (5, "TILE")
    assert mapping.block_of(replace(info, type="NEW_KIND")).type is BlockType.PROCESSING


def test_tasks_of_a_new_chain_are_named_as_the_console_names_them() -> None:
    tasks = mapping.new_tasks([("1", "a"), ("2", "b"), ("2", "b"), ("1", "a")])
    assert [(task.name, task.parent) for task in tasks] == [
        ("a:1", None),
        ("b:1", "a:1"),
        ("b:2", "b:1"),
        ("a:2", "b:2"),
    ]
    assert mapping.new_tasks([]) == ()


def test_steps_of_a_workflow_are_a_chain_with_their_versions() -> None:
    first, second = mapping.tasks_of(workflow("a:1", "b:1"))
    assert (first.parent, first.block_id, first.block_version) == (None, "id-a:1", "1.0")
    assert second.parent == "a:1"


# -- prices and limits


def share(task: str) -> TaskEstimateInfo:
    return TaskEstimateInfo(task, "MEGABYTE", Bounds(8, 12), Bounds(9, 12), Bounds(80_930, 428_927), Bounds(3, 12))


def test_an_estimation_is_in_credits_and_seconds() -> None:
    estimation = mapping.estimation_of([share("a:1"), share("b:1")], workflow("a:1", "b:1"))
    assert estimation.credits == Range(24, 48)
    assert estimation.held == 24
    assert estimation.seconds == Range(2 * 80.93, 2 * 428.927)


def test_a_task_without_price_is_an_error_and_never_free() -> None:
    with pytest.raises(AnswerError) as caught:
        mapping.estimation_of([share("a:1")], workflow("a:1", "b:1"))
    assert caught.value.detail == "data.b:1 is missing"


def test_limits_are_read_under_either_name_and_unknown_settings_are_left_alone() -> None:
    settings = [
        Setting("MAX_CONCURRENT_JOBS", 3, 1, 10),
        Setting("MAX_AOI_SIZE", 10, 1, 1000),
        Setting("SOMETHING_NEW", 1, 0, 2),
    ]
    limits = mapping.limits_of(settings)
    assert (limits.max_concurrent_jobs, limits.max_aoi_km2, limits.max_scenes) == (3, 10, None)
    assert limits.ranges == {"max_concurrent_jobs": (1, 10), "max_aoi_km2": (1, 1000)}
    assert mapping.setting_names({"max_aoi_km2": 20}, settings) == {"MAX_AOI_SIZE": 20}
    with pytest.raises(AnswerError):
        mapping.setting_names({"max_scenes": 5}, settings)


# -- scenes


def feature(properties: Dict[str, Any], **more: Any) -> Dict[str, Any]:
    return {"type": "Feature", "id": "f1", "bbox": [1, 2, 3, 4], "geometry": None, "properties": properties, **more}


def only(properties: Dict[str, Any], **more: Any) -> Any:
    (scene,) = scenes_of({"features": [feature(properties, **more)]}, "j")
    return scene


SENTINEL = "S2A_MSIL2A_20210620T094031_N0300_R036_T33SWB_20210620T124300"


@pytest.mark.parametrize(
    ("properties", "scene_id", "acquired", "clouds"),
    [
        (
            {"acquisitionDate": "2020-04-28T10:31:35.056Z", "parentIdentifier": "DS_PHR1B", "cloudCover": 2.31},
            "DS_PHR1B",
            datetime(2020, 4, 28, 10, 31, 35, 56000, UTC),
            2.31,
        ),
        (
            {
                "timeStamp": 1592645431000,
                "identification": {"externalId": "S2A_X"},
                "contentDescription": {"cloudCoverPercentage": 7},
            },
            "S2A_X",
            datetime(2020, 6, 20, 9, 30, 31, 0, UTC),
            7.0,
        ),
        (
            {"cloudCoverPercentage": 1.58, "identification": {"externalId": SENTINEL}},
            SENTINEL,
            datetime(2021, 6, 20, 9, 40, 31, 0, UTC),
            1.58,
        ),
        (
            {"beginposition": "2021-06-20T09:40:31.024Z", "identifier": SENTINEL, "cloudcoverpercentage": "3.5"},
            SENTINEL,
            datetime(2021, 6, 20, 9, 40, 31, 24000, UTC),
            3.5,
        ),
        (
            {"datetime": "2020-12-28T10:49:39Z", "eo:cloud_cover": 0},
            "f1",
            datetime(2020, 12, 28, 10, 49, 39, 0, UTC),
            0.0,
        ),
        ({"cloudCover": "nan"}, "f1", None, None),
        ({"cloudCover": None, "datetime": "soon"}, "f1", None, None),
        ({}, "f1", None, None),
    ],
)
def test_each_providers_metadata_is_understood(
    properties: Dict[str, Any], scene_id: str, acquired: Any, clouds: Any
) -> None:
    scene = only(properties)
    assert (scene.scene_id, scene.acquired, scene.cloud_cover) == (scene_id, acquired, clouds)
    assert (scene.feature_id, scene.job_id, scene.bbox) == ("f1", "j", (1.0, 2.0, 3.0, 4.0))


def test_a_made_up_scene_says_so() -> None:
    assert only({"synthetic": True}).synthetic
    assert not only({"synthetic": False}).synthetic
    (scene,) = scenes_of({"synthetic": "made up", "features": [feature({})]}, "j")
    assert scene.synthetic


def test_members_beside_the_properties_are_kept() -> None:
    assert only({"a": 1}, fileSize=512, estimatedCredits=36).properties == {
        "a": 1,
        "fileSize": 512,
        "estimatedCredits": 36,
    }


def test_one_scene_that_comes_as_several_features_is_one() -> None:
    bands = [feature({"up42.data_path": f"x_{band}.tif"}) for band in ("B01", "B02")]
    others = [feature({}, id="f2"), feature({}, id=None), feature({}, id=None)]
    assert [scene.feature_id for scene in scenes_of({"features": bands + others}, "j")] == ["f1", "f2", "", ""]


def test_a_missing_box_is_made_from_the_footprint_and_the_other_way_round() -> None:
    ring = [[10, 50], [11, 50], [11, 51], [10, 50]]
    scene = only({}, bbox=None, geometry={"type": "Polygon", "coordinates": [ring]})
    assert scene.bbox == (10.0, 50.0, 11.0, 51.0)
    scene = only({}, geometry=None)
    assert scene.footprint["coordinates"][0] == [[1, 2], [3, 2], [3, 4], [1, 4], [1, 2]]


@pytest.mark.parametrize(
    "broken",
    [None, 7, {}, {"bbox": None}, {"bbox": [1, 2]}, {"bbox": [1, 2, 3, "x"]}, {"bbox": [1, 2, float("nan"), 4]}],
)
def test_a_feature_without_a_place_is_left_out(broken: Any) -> None:
    assert scenes_of({"features": [broken, feature({})]}, "j")[0].feature_id == "f1"
    assert len(scenes_of({"features": [broken, feature({})]}, "j")) == 1


def test_no_scenes() -> None:
    assert scenes_of({"type": "FeatureCollection", "features": []}, "j") == ()
    assert scenes_of({}, "j") == ()


def test_boxes_of_geometries_of_every_kind() -> None:
    polygon = {"type": "Polygon", "coordinates": [[[0, 0, 9], [2, 0, 9], [2, 3, 9], [0, 0, 9]]]}
    multi = {"type": "MultiPolygon", "coordinates": [polygon["coordinates"], [[[5, 5], [6, 7], [5, 5]]]]}
    assert bbox_of(polygon) == (0, 0, 2, 3)
    assert bbox_of(multi) == (0, 0, 6, 7)
    assert bbox_of(
        {"type": "GeometryCollection", "geometries": [polygon, {"type": "Point", "coordinates": [-1, 8]}]}
    ) == (
        -1,
        0,
        2,
        8,
    )
    assert bbox_of({"type": "Polygon", "coordinates": []}) is None
    assert read_bbox([1, 2, 0, 3, 4, 9]) == (1, 2, 3, 4)


def test_quicklooks_are_found_by_the_features_id() -> None:
    names = ("f10.jpg", "f1.jpeg", "S2B_31TDF_20201228_0_L2A.png", "plain")
    assert quicklook_name(names, "f1") == "f1.jpeg"
    assert quicklook_name(names, "S2B_31TDF_20201228_0_L2A") == "S2B_31TDF_20201228_0_L2A.png"
    assert quicklook_name(names, "plain") == "plain"
    assert quicklook_name(names, "f2") == ""
    assert quicklook_name(names, "") == ""


def test_a_pictures_ending_follows_its_content() -> None:
    assert picture_suffix(b"\x89PNG\r\n\x1a\n...", "x.jpg") == ".png"
    assert picture_suffix(b"\xff\xd8\xff...", "x.png") == ".jpg"
    assert picture_suffix(b"GIF89a", "x.gif") == ".gif"
    assert picture_suffix(b"", "x") == ".jpg"


# -- finding a job


class Listing:
    """A job list in pages, newest first, that may grow while it is read."""

    def __init__(self, jobs: List[JobInfo], size: int = 3) -> None:
        self.jobs = jobs
        self.size = size
        self.read: List[int] = []
        self.arrivals: Dict[int, JobInfo] = {}

    def __call__(self, page: int) -> Tuple[JobInfo, ...]:
        self.read.append(page)
        arrived = self.arrivals.pop(len(self.read), None)
        if arrived is not None:
            self.jobs.insert(0, arrived)
        return tuple(self.jobs[page * self.size : (page + 1) * self.size])


def listing(count: int) -> Listing:
    return Listing([job(number, created=NOON - timedelta(minutes=30 * number)) for number in range(count)])


def tagged(tag: str, **changes: Any) -> JobInfo:
    return job(99, name=tagged_name("ours", tag), **changes)


def test_a_tag_is_looked_for_page_by_page_until_jobs_are_too_old() -> None:
    tag = make_tag()
    jobs = listing(20)
    jobs.jobs[7] = tagged(tag, created=jobs.jobs[7].created)
    found = find_job(jobs, tag, NOON - timedelta(hours=4))
    assert found is not None
    assert found.id == "j99"
    assert jobs.read == [0, 1, 2]


def test_a_tag_that_is_not_there_ends_the_search_where_jobs_are_older_than_the_submission() -> None:
    jobs = listing(100)
    assert find_job(jobs, make_tag(), NOON) is None
    assert max(jobs.read) * 3 * 0.5 <= CLOCK_SLACK / timedelta(hours=1) + 2
    assert jobs.read[-1] == 0, "the first page is read again"


def test_a_job_that_arrives_while_the_pages_are_read_is_found() -> None:
    tag = make_tag()
    jobs = listing(5)
    jobs.arrivals[2] = tagged(tag, created=NOON)
    found = find_job(jobs, tag, NOON - timedelta(days=1))
    assert found is not None
    assert found.id == "j99"


def test_jobs_that_shift_to_the_next_page_are_borne() -> None:
    tag = make_tag()
    jobs = listing(9)
    jobs.jobs[8] = tagged(tag, created=jobs.jobs[8].created)
    for number in (2, 3):
        jobs.arrivals[number] = job(100 + number, created=NOON)
    assert find_job(jobs, tag, NOON - timedelta(days=1)) is not None


def test_an_empty_list_is_asked_once() -> None:
    jobs = Listing([])
    assert find_job(jobs, make_tag(), NOON) is None
    assert jobs.read == [0]


def test_a_list_in_another_order_is_read_to_its_end() -> None:
    tag = make_tag()
    jobs = listing(12)
    jobs.jobs.reverse()
    jobs.jobs[10] = tagged(tag, created=jobs.jobs[10].created)
    assert find_job(jobs, tag, NOON - timedelta(minutes=40)) is not None


def test_a_list_that_does_not_end_says_nothing_about_the_job() -> None:
    """To take it for "not submitted" could pay a job twice."""
    same = (job(1), job(2))
    with pytest.raises(AnswerError, match="could not be read"):
        find_job(lambda page: same, make_tag(), NOON - timedelta(days=900))
    endless: List[int] = []

    def growing(number: int) -> Tuple[JobInfo, ...]:
        endless.append(number)
        return (job(len(endless)),)

    with pytest.raises(AnswerError, match="could not be read"):
        find_job(growing, make_tag(), NOON - timedelta(days=900))
    assert len(endless) == MOST_PAGES
