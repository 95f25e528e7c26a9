"""The seam over the classic dialect, against the built-in service as its own process."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from dialect_kit import (
    ANALYTIC,
    PLEIADES,
    SUPERRESOLUTION,
    TAORMINA,
    VISUAL,
    configuration_of,
    ended,
    fault,
    opened,
    provider_of,
    request_of,
)
from sandbox_process import start_sandbox

from up42_plugin.api import errors
from up42_plugin.api.errors import ValidationError
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.service import Output, UnsupportedError, Webhook
from up42_plugin.core.tags import split_name, tagged_name
from up42_plugin.core.workflow import BlockType


@pytest.fixture(scope="module")
def service(sandbox):
    with opened(provider_of(sandbox)) as service:
        yield service


@pytest.fixture(scope="module")
def tested(service, sandbox):
    """A test query that has ended."""
    workflow = service.workflow(sandbox.workflows[SUPERRESOLUTION])
    return ended(service, service.submit(request_of(configuration_of(workflow, limit=3), Mode.TEST_QUERY)))


@pytest.fixture(scope="module")
def live(service, sandbox):
    """A live job of two tasks that has ended."""
    workflow = service.workflow(sandbox.workflows[VISUAL])
    return ended(service, service.submit(request_of(configuration_of(workflow, limit=1), Mode.LIVE)))


# -- project


def test_project_limits_and_balance(service, sandbox):
    project = service.project()
    assert project.id == sandbox.project_id
    assert project.workspace_id
    limits = service.limits()
    assert limits.max_concurrent_jobs in range(1, 11)
    assert limits.ranges["max_concurrent_jobs"] == (1, 10)
    assert limits.max_aoi_km2 > 0
    assert limits.max_scenes > 0
    balance = service.balance()
    assert balance.floor == 1000
    assert 0 < balance.credits <= 10_000


def test_limits_are_changed_by_the_names_they_have_here(tmp_path):
    with start_sandbox(tmp_path / "data") as sandbox, opened(provider_of(sandbox)) as service:
        assert service.set_limits({"max_concurrent_jobs": 7, "max_aoi_km2": 50}).max_concurrent_jobs == 7
        assert service.limits().max_aoi_km2 == 50
        with pytest.raises(errors.ValidationError, match="range"):
            service.set_limits({"max_concurrent_jobs": 100})
        with pytest.raises(errors.AnswerError, match="no such limit"):
            service.set_limits({"max_dreams": 1})
        assert service.limits().max_concurrent_jobs == 7


def test_a_wrong_key_is_told_as_such(sandbox):
    with opened(provider_of(sandbox, key="not-the-key")) as service, pytest.raises(errors.AuthError) as caught:
        service.project()
    assert caught.value.user_message.startswith("Project ID or key is wrong.")
    assert "not-the-key" not in caught.value.detail


# -- blocks and workflows


def test_blocks_come_with_type_price_and_schema(service):
    blocks = service.blocks()
    assert len(blocks) > 100
    assert {block.type for block in blocks} == {BlockType.DATA, BlockType.PROCESSING}
    listed = next(block for block in blocks if block.name == "aws-s2-l2a")
    whole = service.block(listed.id)
    assert whole.geometry_parameters == ("bbox", "intersects", "contains")
    assert whole.test_query is True
    assert whole.price is not None
    with pytest.raises(errors.NotFoundError, match="This block no longer exists"):
        service.block("00000000-0000-4000-8000-000000000000")


def test_a_workflow_is_made_read_changed_and_deleted(service):
    ids = {block.name: block.id for block in service.blocks()}
    made = service.create_workflow("Mine", "why", (ids["aws-s2-l2a"], ids["s2-superresolution"]))
    assert [step.name for step in made.steps] == ["aws-s2-l2a:1", "s2-superresolution:1"]
    assert made.steps[0].block.parameters
    assert service.workflow(made.id) == made
    assert made.id in {workflow.id for workflow in service.workflows()}
    after = service.compatible_blocks(made.id, "aws-s2-l2a:1")
    assert ids["s2-superresolution"] in {block.block_id for block in after}
    assert ids["aws-s2-l2a"] in {block.block_id for block in service.compatible_blocks(made.id)}
    changed = service.update_workflow(made.id, "Ours", "because", (ids["aws-s2-l2a"],))
    assert (changed.name, changed.description, len(changed.steps)) == ("Ours", "because", 1)
    renamed = service.update_workflow(made.id, "Theirs", "because")
    assert (renamed.name, len(renamed.steps)) == ("Theirs", 1)
    service.delete_workflow(made.id)
    with pytest.raises(errors.NotFoundError, match="This workflow no longer exists"):
        service.workflow(made.id)


def test_a_chain_that_does_not_fit_leaves_no_workflow_behind(service):
    ids = {block.name: block.id for block in service.blocks()}
    before = {workflow.id for workflow in service.workflows()}
    with pytest.raises(errors.ValidationError):
        service.create_workflow("Wrong", "", (ids["esa-s2-l2a-gtiff-analytic"], ids["ndvi"]))
    assert {workflow.id for workflow in service.workflows()} == before


def test_the_same_block_twice_gets_two_task_names(service):
    ids = {block.name: block.id for block in service.blocks()}
    chain = (ids["esa-s2-l2a-gtiff-visual"], ids["sharpening"], ids["sharpening"])
    made = service.create_workflow("Sharp", "", chain)
    assert [step.name for step in made.steps] == ["esa-s2-l2a-gtiff-visual:1", "sharpening:1", "sharpening:2"]
    service.delete_workflow(made.id)


# -- jobs


@pytest.mark.parametrize("name", [SUPERRESOLUTION, VISUAL, PLEIADES, ANALYTIC])
def test_every_ready_workflow_is_estimated(service, sandbox, name):
    workflow = service.workflow(sandbox.workflows[name])
    estimation = service.estimate(configuration_of(workflow, limit=1))
    assert [task.task for task in estimation.tasks] == [step.name for step in workflow.steps]
    assert 0 < estimation.credits.minimum <= estimation.credits.maximum
    assert 0 < estimation.seconds.minimum <= estimation.seconds.maximum < 3600 * 24


def test_a_test_query_brings_scenes_and_quicklooks_and_costs_nothing(service, tested):
    assert (tested.state, tested.word, tested.mode) == (JobState.SUCCEEDED, "SUCCEEDED", Mode.TEST_QUERY)
    assert tested.inputs["config"] == {"mode": "DRY_RUN"}
    (task,) = service.tasks(tested.id)
    assert (task.name, task.state) == ("aws-s2-l2a:1", JobState.SUCCEEDED)
    assert "Search gave 3 results" in service.logs(tested.id, task.id)
    assert service.credits(tested.id).used == 0
    scenes = service.scenes(tested.id)
    assert len(scenes) == 3
    assert [scene.acquired for scene in scenes] == sorted((scene.acquired for scene in scenes), reverse=True)
    for scene in scenes:
        assert scene.synthetic
        assert scene.scene_id.startswith("S2")
        assert 0 <= scene.cloud_cover <= 100
        assert scene.job_id == tested.id
    picture = service.quicklook(scenes[0])
    assert picture.frame == scenes[0].bbox
    assert picture.content[:3] == b"\xff\xd8\xff"
    assert picture.suffix == ".jpg"


def test_scene_ids_ask_for_exactly_these_scenes(service, sandbox, tested):
    wanted = [scene.scene_id for scene in service.scenes(tested.id)][1:]
    workflow = service.workflow(sandbox.workflows[SUPERRESOLUTION])
    job = service.submit(request_of(configuration_of(workflow, ids=wanted), Mode.TEST_QUERY))
    found = [scene.scene_id for scene in service.scenes(ended(service, job).id)]
    assert sorted(found) == sorted(wanted)


def test_a_scene_without_quicklook_has_none(service, tested):
    scene = service.scenes(tested.id)[0]
    assert service.quicklook(replace(scene, feature_id="unknown")) is None
    assert service.quicklook(replace(scene, feature_id="")) is None


def rest_of(stream):
    return b"".join(iter(lambda: stream.read(1 << 20), b""))


def test_a_live_job_leaves_outputs_of_the_job_and_of_each_task(service, live):
    assert (live.state, live.mode) == (JobState.SUCCEEDED, Mode.LIVE)
    outputs = service.outputs(live.id)
    assert [output.task_name for output in outputs] == ["", "esa-s2-l2a-gtiff-visual:1", "sharpening:1"]
    stream = service.open_output(outputs[0]).open()
    content = rest_of(stream)
    assert len(content) == stream.total
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == stream.checksums["md5"]
    stream.close()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        collection = json.loads(archive.extractfile("output/data.json").read())
    assert collection["features"]
    charged = service.credits(live.id)
    assert charged.used == sum(charged.by_task.values()) > 0
    assert set(charged.by_task) == {"esa-s2-l2a-gtiff-visual:1", "sharpening:1"}


def test_an_output_is_resumed_and_its_expired_link_replaced(service, sandbox, live):
    source = service.open_output(Output(live.id))
    whole = source.open()
    content = rest_of(whole)
    resumed = source.open(1000, whole.etag)
    assert (resumed.offset, resumed.total) == (1000, len(content))
    assert rest_of(resumed) == content[1000:]
    with fault(sandbox, "GET", "*/downloads/results", expire_urls=True):
        late = service.open_output(Output(live.id)).open()
        assert rest_of(late) == content


def test_a_cut_output_is_continued_where_it_was_cut(service, sandbox, live):
    source = service.open_output(Output(live.id))
    content = rest_of(source.open())
    with fault(sandbox, "GET", "/artifacts/*", cut_after_bytes=500):
        stream = source.open()
        received = []
        with pytest.raises(errors.NetworkError, match="interrupted"):
            received.extend(iter(lambda: stream.read(100), b""))
    stream.close()
    head = b"".join(received)
    assert head == content[: len(head)]
    assert head + rest_of(source.open(len(head), stream.etag)) == content


def test_an_output_before_the_end_or_of_an_unknown_job_is_not_found(service):
    with pytest.raises(errors.NotFoundError):
        service.open_output(Output("00000000-0000-4000-8000-000000000000")).open()
    with pytest.raises(errors.NotFoundError):
        service.scenes("00000000-0000-4000-8000-000000000000")


def test_a_job_that_fails_keeps_the_outputs_of_the_tasks_before(service):
    ids = {block.name: block.id for block in service.blocks()}
    made = service.create_workflow("Fails", "", (ids["aws-l8-l1"],))
    job = ended(service, service.submit(request_of(configuration_of(service.workflow(made.id)), Mode.LIVE)))
    assert job.state is JobState.FAILED
    assert service.outputs(job.id) == ()
    (task,) = service.tasks(job.id)
    assert "ERROR" in service.logs(job.id, task.id)


def test_jobs_are_paged_newest_first_until_an_empty_page(service, tested, live):
    page = service.jobs()
    assert not page.last
    assert [job.created for job in page.jobs] == sorted((job.created for job in page.jobs), reverse=True)
    assert {tested.id, live.id} <= {job.id for job in page.jobs}
    beyond = service.jobs(500)
    assert (beyond.jobs, beyond.last) == ((), True)


def test_a_job_is_found_by_its_tag_also_after_it_was_renamed(service, tested):
    tag = split_name(tested.name)[1]
    assert service.find(tag, tested.created).id == tested.id
    renamed = service.rename(tested, "Another name")
    assert renamed.name == tagged_name("Another name", tag)
    assert service.find(tag, tested.created - timedelta(minutes=5)).id == tested.id
    assert service.find("zzzzzzzz", tested.created) is None
    assert service.find(tag, datetime.now(timezone.utc) + timedelta(days=2)) is not None, (
        "the first page is always read"
    )


def test_running_again_makes_a_new_job_with_the_same_inputs(service, sandbox, tested):
    workflow = service.workflow(sandbox.workflows[SUPERRESOLUTION])
    request = request_of(configuration_of(workflow), Mode.TEST_QUERY, "Again")
    again = service.rerun(tested.id, request)
    assert again.id != tested.id
    assert again.name == request.name
    assert again.inputs == tested.inputs
    with pytest.raises(errors.ValidationError, match="another mode"):
        service.rerun(tested.id, request_of(configuration_of(workflow), Mode.LIVE))


def test_a_job_is_cancelled(sandbox, tmp_path):
    with start_sandbox(tmp_path / "data", "--speed", "1") as slow, opened(provider_of(slow)) as service:
        workflow = service.workflow(slow.workflows[VISUAL])
        job = service.submit(request_of(configuration_of(workflow, limit=1), Mode.LIVE))
        service.cancel(job.id)
        assert ended(service, job).state is JobState.CANCELLED
        service.cancel(job.id)


def test_too_many_jobs_and_bad_parameters_are_refusals(tmp_path):
    with start_sandbox(tmp_path / "data", "--speed", "1") as slow, opened(provider_of(slow)) as service:
        service.set_limits({"max_concurrent_jobs": 1})
        workflow = service.workflow(slow.workflows[VISUAL])
        live = configuration_of(workflow, limit=1)
        service.submit(request_of(live, Mode.LIVE))
        with pytest.raises(errors.TooManyJobsError):
            service.submit(request_of(live, Mode.LIVE))
        with pytest.raises(errors.ValidationError):
            service.submit(request_of(configuration_of(workflow, limit=15), Mode.LIVE))


# -- the rest


def test_webhooks_are_made_changed_tested_and_deleted(service):
    events = [event["name"] for event in service.webhook_events()]
    assert "job.status" in events
    made = service.save_webhook(Webhook("mine", "https://127.0.0.1:9/hook", ("job.status",), secret="hush-hush"))
    assert made.id
    changed = service.save_webhook(Webhook("ours", made.url, made.events, True, made.secret, made.id))
    assert (changed.name, changed.active) == ("ours", True)
    assert made.id in {hook.id for hook in service.webhooks()}
    assert "testsRun" in service.test_webhook(made.id)
    service.delete_webhook(made.id)
    assert made.id not in {hook.id for hook in service.webhooks()}


DISPLAY, DISPLAY_TASK = "6ac78530-6200-42c1-b6a9-381a9f69d8ef", "oneatlas-pleiades-display:1"


def test_what_is_in_storage_can_be_worked_on(service, sandbox):
    assert service.capabilities.storage_assets
    assets = service.storage_assets()
    assert [asset.created for asset in assets] == sorted((asset.created for asset in assets), reverse=True)
    asset = next(asset for asset in assets if asset.collection == "phr")
    assert asset.footprint["type"] == "Polygon"
    assert asset.acquired < asset.created
    workflow = service.create_workflow("from storage", "", (DISPLAY,))
    made = JobConfiguration.of(workflow, TAORMINA).with_parameters(DISPLAY_TASK, {"asset_ids": [asset.id]})
    with pytest.raises(UnsupportedError, match="no estimation"):
        service.estimate(made)
    job = ended(service, service.submit(request_of(made, Mode.TEST_QUERY)))
    assert job.state is JobState.SUCCEEDED
    assert job.inputs[DISPLAY_TASK] == {"asset_ids": [asset.id]}
    (scene,) = service.scenes(job.id)
    assert scene.footprint == asset.footprint
    assert service.quicklook(scene).frame == pytest.approx(scene.bbox)
    wrong = made.with_parameters(DISPLAY_TASK, {"asset_ids": ["nobody"]})
    with pytest.raises(ValidationError):
        service.submit(request_of(wrong, Mode.LIVE))
    service.delete_workflow(workflow.id)


def test_without_places_assets_are_listed_all_the_same(service, sandbox):
    known = [asset.id for asset in service.storage_assets()]
    with fault(sandbox, "POST", "/v2/assets/stac/search", times=1, status=400, body={"error": {"message": "no"}}):
        blind = service.storage_assets()
    assert [asset.id for asset in blind] == known
    assert not any(asset.footprint for asset in blind)
    assert all(asset.acquired for asset in blind)


def test_many_workers_share_one_provider(sandbox):
    provider = provider_of(sandbox)
    results = []

    def work():
        with opened(provider) as service:
            results.append(service.balance().floor)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert results == [1000] * 8


def test_nothing_of_the_provider_shows_a_secret(sandbox):
    provider = provider_of(sandbox)
    with opened(provider) as service:
        service.balance()
        shown = repr(provider) + repr(service) + repr(vars(service)) + repr(vars(provider))
    assert sandbox.project_api_key not in shown
    assert "eyJ" not in shown
