"""What is seen of jobs comes into the ledger, and a ledger that fails keeps nothing from going on."""

from __future__ import annotations

import pytest
from runs_kit import RunsKit

from tests.staged_provider import job, scene, task
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_life import LedgerLife
from up42_plugin.core.ledger_outputs import LedgerOutputs
from up42_plugin.core.run import Phase
from up42_plugin.core.service import Output
from up42_plugin.core.storage import remove_tree
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.recording import JobRecords


@pytest.fixture
def kit(runner, tmp_path, qtbot):
    kit = RunsKit(runner, tmp_path, qtbot, PanelLog())
    yield kit
    kit.stop()


def life(kit):
    return LedgerLife(kit.ledger)


def entry(kit):
    (found,) = life(kit).page("one", 10)
    return found


def test_a_live_job_is_written_down_as_it_goes_on(kit):
    key = kit.on_service()
    kit.wait(lambda: entry(kit).submission.life.state is JobState.RUNNING)
    kit.provider.answers["tasks"] = (task("RUNNING"),)
    kit.monitor.set_opened("job-1", True)
    kit.wait(lambda: life(kit).tasks("one", "job-1"))
    kit.provider.set("job-1", "SUCCEEDED")
    run = kit.wait_ended(key)
    assert entry(kit).submission.life.state is JobState.SUCCEEDED
    assert entry(kit).announced is not None
    assert not run.told_elsewhere
    assert life(kit).unfinished("one") == ()


def test_a_test_query_is_written_down_with_what_it_found(kit):
    kit.provider.answers["scenes"] = lambda job_id: (scene(1, job_id), scene(2, job_id))
    kit.succeeded(Mode.TEST_QUERY)
    assert entry(kit).submission.scenes == 2
    assert entry(kit).announced is not None


def test_who_is_told_of_an_end_by_another_window_is_not_told_again(kit):
    key = kit.on_service()
    assert life(kit).claim_announcement(entry(kit).id)
    kit.provider.set("job-1", "SUCCEEDED")
    run = kit.wait_ended(key)
    assert run.told_elsewhere
    assert run.credits_charged == 19


def test_a_job_that_the_service_forgot_is_not_looked_for_again(kit):
    key = kit.on_service()
    kit.provider.jobs.clear()
    kit.wait_ended(key)
    assert life(kit).unfinished("one") == ()
    assert life(kit).finished_unannounced("one") == ()
    assert entry(kit).submission.reason == kit.run(key).message == "The service no longer knows this job."


def test_an_output_is_written_down_once_and_what_is_gone_is_noted(kit):
    key = kit.succeeded()
    folder = kit.put_output(key)
    for times in (1, 2):
        kit.runs.load(key)
        kit.wait(lambda times=times: len(kit.loaded) == times)
    (first,) = LedgerOutputs(kit.ledger).outputs("one", "job-1")
    assert (first.folder, first.deleted, first.complete) == (folder, None, True)
    assert first.size_bytes == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert entry(kit).folder == folder
    moved = folder.with_name("final-2")
    folder.rename(moved)
    records = JobRecords(kit.ledger, PanelLog())
    records.stored("one", Output("job-1"), moved)
    newest, oldest = LedgerOutputs(kit.ledger).outputs("one", "job-1")
    assert (newest.folder, newest.deleted) == (moved, None)
    assert oldest.deleted is not None
    remove_tree(moved)


def test_a_stored_output_is_loaded_without_the_service(kit):
    key = kit.succeeded()
    folder = kit.put_output(key)
    del kit.providers["one"]
    calls = len(kit.provider.calls)
    kit.runs.load_stored(key, folder)
    kit.wait(lambda: kit.run(key).phase is Phase.LOADED)
    assert len(kit.loaded) == 1
    assert len(kit.provider.calls) == calls


def test_with_a_broken_ledger_jobs_are_followed_and_told_of_all_the_same(kit, tmp_path):
    key = kit.on_service()
    folder = tmp_path / "no ledger"
    folder.mkdir()
    kit.records._ledger.file.path = folder  # from now on nothing can be read or written
    kit.records._ledger.file._ready = False
    kit.provider.set("job-1", "SUCCEEDED")
    run = kit.wait_ended(key)
    assert run.succeeded
    assert not run.told_elsewhere


def test_jobs_of_others_are_not_ours_to_write_down(runner, tmp_path, qtbot):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    records = JobRecords(ledger, PanelLog())
    assert records.ended("one", job("SUCCEEDED"))
    assert life_of(ledger) == ()


def life_of(ledger):
    return LedgerLife(ledger).page("one", 10)
