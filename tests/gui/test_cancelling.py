"""Cancelling at every stage: the job on the service is really cancelled, and nothing is left behind here."""

from __future__ import annotations

import json
from typing import Any, Dict, List

import pytest
from plugin_kit import ANALYTIC, NDVI, SMALL, SPEED, TAORMINA, PluginKit, idle, plugin_in, wait_for
from qgis.core import QgsApplication, QgsGeometry
from remote_service import Remote
from sandbox_process import start_sandbox

from up42_plugin.core import fetching
from up42_plugin.core.jobs import JobState
from up42_plugin.core.run import Phase, Run

JOBS, ARTIFACTS, QUICKLOOKS = "*/workflows/*/jobs", "/artifacts/*", "*/outputs/quicklooks/*"
TOO_MANY_JOBS = {"error": {"code": 429, "message": "Your project has too many non-finished jobs"}}
BROKEN = {"message": "Something broke"}
NOT_SENT = "Cancelled before it was sent."
# Longer than a test lasts: what ends it is the cancelling.
LONG_S = 100


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A service whose jobs take no longer than their computing."""
    with start_sandbox(tmp_path_factory.mktemp("quick") / "data", *SPEED) as running:
        remote = Remote(running)
        yield remote
        remote.close()


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A service whose jobs go on for as long as a test needs, and run one at a time."""
    with start_sandbox(tmp_path_factory.mktemp("slow") / "data", "--speed", "2", "--faults") as running:
        remote = Remote(running)
        remote.set_limit("MAX_CONCURRENT_JOBS", 1)
        yield remote
        remote.close()


def by_row(kit: PluginKit, run: Run) -> None:
    """The menu of the run's row."""
    kit.cancel(run)


def by_foot(kit: PluginKit, _run: Run) -> None:
    """The cross beside the test query's progress, above the buttons."""
    kit.click(kit.dock.foot.cancel_button)


def by_task_manager(_kit: PluginKit, run: Run) -> None:
    """The cross in QGIS's own task manager."""
    tasks = [task for task in QgsApplication.taskManager().activeTasks() if run.name in task.description()]
    (task,) = [task for task in tasks if "first pixels" not in task.description()]
    task.cancel()


def by_impatience(kit: PluginKit, run: Run) -> None:
    """Twice, where it is still offered."""
    kit.cancel(run)
    if kit.cancellable(run):
        kit.cancel(run)


def cancelled(kit: PluginKit, run: Run) -> Run:
    """Wait until the service has cancelled the run's job, and the dock says so."""
    wait_for(lambda: kit.runs[run.key].state is JobState.CANCELLED, f"the end; {kit.runs[run.key]}")
    idle()
    assert kit.line(run).startswith("Cancelled")
    assert not kit.cancellable(run)
    assert not kit.loadable(run)
    return kit.runs[run.key]


def not_sent(kit: PluginKit, run: Run) -> None:
    """Wait until it is clear that the service has not got the run, and the dock says so."""
    wait_for(lambda: kit.runs[run.key].phase is Phase.NOT_SUBMITTED, f"the end; {kit.runs[run.key]}")
    idle()
    assert kit.line(run) == NOT_SENT
    assert not kit.cancellable(run)


# -- test queries


@pytest.fixture
def patient(slow, tmp_path, qgis_app):
    """The plugin at the slow service."""
    slow.disarm()
    with plugin_in(tmp_path / "plugin") as kit:
        kit.connect(slow.sandbox)
        kit.choose(ANALYTIC)
        kit.area(SMALL)
        yield kit
        idle()
    slow.disarm()


def nothing_left(kit: PluginKit) -> None:
    """No files, no layers, and the form is open again."""
    assert kit.files() == []
    assert kit.layers() == []
    assert kit.dock.foot.test_button.isEnabled()
    assert not kit.dock.foot.live_button.isEnabled()


@pytest.mark.parametrize("cancel", [by_row, by_foot, by_impatience])
def test_test_query_on_the_service(patient, slow, cancel):
    run = patient.begin_test_query()
    run = patient.wait(run, lambda now: now.job is not None, "the job")
    cancel(patient, run)
    cancelled(patient, run)
    assert slow.job(run.job.id)["status"] == "CANCELLED"
    nothing_left(patient)


@pytest.mark.parametrize("cancel", [by_row, by_foot, by_task_manager, by_impatience])
def test_test_query_whose_answer_is_on_its_way(patient, slow, cancel):
    before = len(slow.jobs())
    slow.arm("POST", JOBS, times=1, delay_s=LONG_S)
    run = patient.begin_test_query()
    wait_for(lambda: len(slow.jobs()) > before, "the job on the service")
    cancel(patient, run)
    run = cancelled(patient, run)
    assert slow.job(run.job.id)["status"] == "CANCELLED"
    assert len(slow.jobs()) == before + 1
    assert patient.states() == ["ACCEPTED"]
    nothing_left(patient)


@pytest.mark.parametrize("cancel", [by_row, by_foot, by_task_manager])
def test_test_query_that_waits_for_a_slot(patient, slow, cancel):
    """The limit of the project is real here: somebody else's job holds the only slot."""
    other = slow.submit(ANALYTIC, "Somebody else's", somebody_elses_inputs())
    try:
        run = patient.begin_test_query()
        wait_for(lambda: patient.line(run) == "Waiting for a free job slot…", "the wait")
        before = len(slow.jobs())
        cancel(patient, run)
        not_sent(patient, run)
    finally:
        slow.cancel(other)
        wait_for(lambda: slow.job(other)["status"] == "CANCELLED", "the end of the other job")
    assert len(slow.jobs()) == before
    assert patient.states() == ["REFUSED"]
    nothing_left(patient)


def somebody_elses_inputs() -> Dict[str, Any]:
    geometry = json.loads(QgsGeometry.fromWkt(SMALL).asJson())
    search = {"time": "2026-01-01T00:00:00Z/2026-06-01T00:00:00Z", "limit": 1, "intersects": geometry}
    return {"esa-s2-l2a-gtiff-analytic:1": search, "config": {"mode": "DRY_RUN"}}


@pytest.mark.parametrize("cancel", [by_row, by_task_manager])
def test_test_query_that_never_arrives(patient, slow, cancel):
    before = len(slow.jobs())
    slow.arm("POST", JOBS, times=1, delay_s=LONG_S, status=500, body=BROKEN)
    run = patient.begin_test_query()
    wait_for(lambda: slow.armed() == [], "the request")
    cancel(patient, run)
    not_sent(patient, run)
    assert len(slow.jobs()) == before
    assert patient.states() == ["NOT_SUBMITTED"]
    nothing_left(patient)


@pytest.mark.parametrize("cancel", [by_row, by_foot, by_task_manager])
def test_test_query_whose_quicklooks_are_read(quick, tmp_path, qgis_app, cancel):
    quick.disarm()
    quick.arm("GET", QUICKLOOKS, times=1, delay_s=LONG_S)
    with plugin_in(tmp_path / "plugin") as kit:
        kit.connect(quick.sandbox)
        kit.choose(ANALYTIC)
        kit.area(SMALL)
        run = kit.begin_test_query()
        wait_for(lambda: quick.armed() == [], "the request")
        cancel(kit, run)
        wait_for(lambda: kit.runs[run.key].phase is not Phase.FETCHING, "the end")
        idle()
        assert kit.states() == ["ACCEPTED"]
        nothing_left(kit)
        if cancel is by_row:
            kit.test_query()
            assert kit.layers()


# -- live jobs


@pytest.fixture(scope="class")
def paying(quick, tmp_path_factory, qgis_app):
    """The plugin at the quick service, with a test query of a workflow whose live jobs compute for a while."""
    quick.disarm()
    with plugin_in(tmp_path_factory.mktemp("paying") / "plugin") as kit:
        kit.connect(quick.sandbox)
        kit.choose(NDVI)
        kit.area(TAORMINA)
        kit.test_query()
        yield kit
        idle()


class TestLiveJobs:
    @pytest.fixture(autouse=True)
    def _as_before(self, paying, quick):
        quick.disarm()
        self.kit, self.service = paying, quick
        before = (paying.files(), paying.layers(), quick.balance())
        self.jobs = len(quick.jobs())
        yield
        quick.disarm()
        idle()
        assert (paying.files(), paying.layers(), quick.balance()) == before
        wait_for(paying.dock.foot.live_button.isEnabled, "the button for another live job")

    @pytest.mark.parametrize("cancel", [by_row, by_impatience])
    def test_on_the_service(self, cancel):
        run = self.kit.begin_live_job()
        run = self.kit.wait(run, lambda now: now.state is JobState.RUNNING, "the job to run")
        cancel(self.kit, run)
        run = cancelled(self.kit, run)
        assert self.service.job(run.job.id)["status"] == "CANCELLED"
        wait_for(lambda: any(f"{run.name} was cancelled." in text for text in self.kit.told), "the message")

    @pytest.mark.parametrize("cancel", [by_row, by_task_manager])
    def test_answer_on_its_way(self, cancel):
        self.service.arm("POST", JOBS, times=1, delay_s=LONG_S)
        run = self.kit.begin_live_job()
        wait_for(lambda: len(self.service.jobs()) > self.jobs, "the job on the service")
        cancel(self.kit, run)
        run = cancelled(self.kit, run)
        assert self.service.job(run.job.id)["status"] == "CANCELLED"
        assert len(self.service.jobs()) == self.jobs + 1
        assert self.kit.states()[0] == "ACCEPTED"

    @pytest.mark.parametrize("cancel", [by_row, by_task_manager])
    def test_waiting_for_a_slot(self, cancel):
        self.service.arm("POST", JOBS, times=None, status=429, body=TOO_MANY_JOBS)
        run = self.kit.begin_live_job()
        wait_for(lambda: self.kit.line(run) == "Waiting for a free job slot…", "the wait")
        cancel(self.kit, run)
        not_sent(self.kit, run)
        assert len(self.service.jobs()) == self.jobs
        assert self.kit.states()[0] == "REFUSED"

    def test_never_arriving(self):
        self.service.arm("POST", JOBS, times=1, delay_s=LONG_S, status=500, body=BROKEN)
        run = self.kit.begin_live_job()
        wait_for(lambda: self.service.armed() == [], "the request")
        by_row(self.kit, run)
        not_sent(self.kit, run)
        assert len(self.service.jobs()) == self.jobs
        assert self.kit.states()[0] == "NOT_SUBMITTED"


@pytest.fixture(scope="class")
def finished(quick, tmp_path_factory, qgis_app):
    """A live job that succeeded, not loaded."""
    quick.disarm()
    with plugin_in(tmp_path_factory.mktemp("finished") / "plugin") as kit:
        kit.connect(quick.sandbox)
        kit.choose(ANALYTIC)
        kit.area(SMALL)
        kit.test_query()
        yield kit, kit.live_job()
        idle()


class TestLoading:
    @pytest.fixture(autouse=True)
    def _job(self, finished, quick):
        quick.disarm()
        self.kit, self.run = finished
        self.service = quick
        self.files, self.layers = self.kit.files(), self.kit.layers()
        yield
        quick.disarm()

    def ended(self, files: List[str]) -> None:
        """Nothing was added, and Load is open again."""
        wait_for(lambda: self.kit.runs[self.run.key].phase is not Phase.FETCHING, "the end")
        idle()
        assert self.kit.files() == files
        assert self.kit.layers() == self.layers
        assert self.kit.loadable(self.run)
        assert not self.kit.cancellable(self.run)

    @pytest.mark.parametrize("cancel", [by_row, by_task_manager, by_impatience])
    @pytest.mark.parametrize("stage", ["before its first byte", "in the middle"])
    def test_while_downloading(self, cancel, stage):
        if stage == "in the middle":
            self.service.arm("GET", ARTIFACTS, times=1, cut_after_bytes=5000)
        self.service.arm("GET", ARTIFACTS, times=1, delay_s=LONG_S)
        self.kit.begin_load(self.run)
        wait_for(lambda: self.service.armed() == [], "the download")
        cancel(self.kit, self.run)
        if cancel is by_task_manager:  # QGIS stops everything when it is closed, and a download goes on after that
            wait_for(lambda: self.kit.runs[self.run.key].phase is Phase.PAUSED, "the pause")
            by_row(self.kit, self.run)
        self.ended(self.files)

    @pytest.mark.parametrize("cancel", [by_row, by_task_manager])
    def test_while_preparing(self, cancel, monkeypatch):
        """What was downloaded, and perhaps paid for, stays; what was half made of it goes."""
        begun: List[bool] = []
        prepare = fetching.prepare_output

        def slow_prepare(folder, context, **names):
            plans = prepare(folder, context, **names)
            begun.append(True)
            context.sleep(LONG_S)
            return plans

        monkeypatch.setattr(fetching, "prepare_output", slow_prepare)
        self.kit.begin_load(self.run)
        wait_for(lambda: begun, "the preparing")
        whole = self.kit.files()
        cancel(self.kit, self.run)
        self.ended(whole)
        assert not [name for name in whole if ".partial" in name or name.endswith(".tmp")]

    def test_loads_at_last(self):
        """After all that, and without another download where it had come down."""
        assert len(self.kit.load(self.run)) == 1
