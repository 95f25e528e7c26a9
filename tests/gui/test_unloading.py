"""Unloading while something runs: quick, and nothing is left behind."""

from __future__ import annotations

from leftovers import gone, opened, standing
from plugin_kit import NDVI, TAORMINA, wait_for
from qgis.core import QgsProject

from up42_plugin.core.connections import ProjectKey

JOBS, ARTIFACTS, QUICKLOOKS, ESTIMATE = "*/workflows/*/jobs", "/artifacts/*", "*/outputs/quicklooks/*", "*/estimate/job"
LONG_S = 100


def test_unloading_while_a_test_query_is_sent(bare, clean_service, ends):
    """Whether it arrived is found out, and told, in the next session."""
    before = standing(bare.iface)
    bare.start()
    opened(bare, clean_service)
    clean_service.arm("POST", JOBS, times=1, delay_s=LONG_S)
    bare.begin_test_query()
    wait_for(lambda: clean_service.armed() == [], "the request")
    gone(bare, before, ends)
    assert bare.states() in (["UNKNOWN"], ["PENDING"])
    sandbox = clean_service.sandbox
    bare.start()
    bare.desk.hub.sign_in(bare.connection, ProjectKey(sandbox.project_id, sandbox.project_api_key), keep=False)
    wait_for(lambda: bare.states() == ["ACCEPTED"], "the ledger to know", of=bare.situation)
    wait_for(lambda: any("did reach the service" in text for text in bare.told), "the message", of=bare.situation)


def test_unloading_while_a_test_query_runs(bare, clean_service, ends):
    before = standing(bare.iface)
    bare.start()
    opened(bare, clean_service)
    run = bare.begin_test_query()
    bare.wait(run, lambda now: now.job is not None, "the job")
    gone(bare, before, ends)
    assert bare.states() == ["ACCEPTED"]


def test_unloading_while_quicklooks_are_read(bare, clean_service, ends):
    before = standing(bare.iface)
    bare.start()
    opened(bare, clean_service)
    clean_service.arm("GET", QUICKLOOKS, times=1, delay_s=LONG_S)
    bare.begin_test_query()
    wait_for(lambda: clean_service.armed() == [], "the request")
    gone(bare, before, ends)
    assert bare.files() == []


def test_unloading_while_prices_are_read_and_the_confirmation_is_open(bare, clean_service, ends):
    before = standing(bare.iface)
    bare.start()
    opened(bare, clean_service)
    bare.test_query()
    clean_service.arm("POST", ESTIMATE, times=None, delay_s=LONG_S)
    files = bare.files()
    bare.click(bare.dock.foot.live_button)
    QgsProject.instance().clear()
    bare.loaded.clear()
    gone(bare, before, ends)
    assert bare.files() == files
    assert bare.states() == ["ACCEPTED"]


def test_unloading_while_a_live_job_runs(bare, clean_service, ends):
    before = standing(bare.iface)
    bare.start()
    opened(bare, clean_service, NDVI, TAORMINA)
    bare.test_query()
    run = bare.begin_live_job()
    run = bare.wait(run, lambda now: now.job is not None, "the job")
    QgsProject.instance().clear()
    bare.loaded.clear()
    gone(bare, before, ends)
    assert bare.states() == ["ACCEPTED", "ACCEPTED"]
    assert clean_service.job(run.job.id)["status"] in ("NOT_STARTED", "PENDING", "RUNNING", "SUCCEEDED")
    clean_service.cancel(run.job.id)


def test_unloading_in_the_middle_of_a_download(bare, clean_service, ends):
    before = standing(bare.iface)
    bare.start()
    opened(bare, clean_service)
    bare.test_query()
    run = bare.live_job()
    files = bare.files()
    clean_service.arm("GET", ARTIFACTS, times=1, cut_after_bytes=5000)
    clean_service.arm("GET", ARTIFACTS, times=1, delay_s=LONG_S)
    bare.begin_load(run)
    wait_for(lambda: clean_service.armed() == [], "the download")
    QgsProject.instance().clear()
    bare.loaded.clear()
    gone(bare, before, ends)
    kept = [name for name in bare.files() if name not in files]
    assert [name.rpartition("/")[2] for name in kept[1:]] == ["final.part", "final.part.json"], kept
