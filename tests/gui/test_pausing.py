"""Downloads that are paused, resumed, cancelled, that wait for others, and that go no faster than they may."""

from __future__ import annotations

import functools
import time

import pytest
from plugin_kit import ANALYTIC, SPEED, TAORMINA, idle, plugin_in
from plugin_kit import wait_for as wait_long
from qgis.core import QgsApplication, QgsProject, QgsTask
from qgis.PyQt.QtWidgets import QAction
from remote_service import Remote
from sandbox_process import start_sandbox

from tests.job_rows import JobRow
from up42_plugin.core.connections import ProjectKey
from up42_plugin.core.jobs import JobState
from up42_plugin.core.run import WAITING_TO_DOWNLOAD, Phase
from up42_plugin.core.storage import remove_tree
from up42_plugin.gui.job_commands import JobCommand
from up42_plugin.qgis_bridge.settings import PluginSettings

SLOW = 40_000  # bytes per second
NBSP = "\u00a0"
wait_for = functools.partial(wait_long, seconds=25.0)


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("pausing") / "data", *SPEED) as running:
        remote = Remote(running)
        yield remote
        remote.close()


@pytest.fixture(scope="class")
def finished(remote, tmp_path_factory, qgis_app):
    """Three live jobs that succeeded, none of them loaded."""
    remote.disarm()
    with plugin_in(tmp_path_factory.mktemp("paused") / "plugin") as kit:
        kit.connect(remote.sandbox)
        kit.choose(ANALYTIC)
        kit.area(TAORMINA)
        kit.test_query()
        yield kit, [kit.live_job() for _ in range(3)]
        remote.disarm()
        idle()


class TestPausing:
    @pytest.fixture(autouse=True)
    def _jobs(self, finished, remote):
        remote.disarm()
        self.kit, self.runs = finished
        self.run, self.remote = self.runs[0], remote
        self.downloads = self.kit.desk.runs._loading._downloads
        self.downloads.bandwidth.set_limit(SLOW)
        yield
        self.downloads.bandwidth.set_limit(None)
        remote.disarm()
        for run in self.runs:
            if self.now(run).phase in (Phase.FETCHING, Phase.PAUSED):
                self.kit.cancel(run)
        wait_for(lambda: all(self.now(run).phase in (Phase.ON_SERVICE, Phase.LOADED) for run in self.runs), "the end")
        idle()
        project = QgsProject.instance()
        ours = {run.job.id for run in self.runs}
        project.removeMapLayers(
            [key for key, layer in project.mapLayers().items() if layer.customProperty("up42/job_id") in ours]
        )
        for run in self.runs:
            remove_tree(self.kit.outputs_of(run))
        self.kit.desk.dashboard.jobs.read_disk()
        idle()

    def now(self, run=None):
        return self.kit.runs[(run or self.run).key]

    def row(self, run=None):
        return self.kit.row(run or self.run)

    def state(self, run=None):
        return self.row(run).line.split(", ")[0]

    def part(self, run=None):
        return self.kit.outputs_of(run or self.run) / "final.part"

    def begin(self, percent=20, run=None):
        """Click Load Output, and wait until some of it has come."""
        self.kit.begin_load(run or self.run)
        wait_for(lambda: self.now(run).percent >= percent, "the download")

    def pause(self, run=None):
        self.kit.click(self.row(run).first)
        wait_for(lambda: self.now(run).phase is Phase.PAUSED, "the pause")

    def test_a_paused_download_goes_on_where_it_was(self):
        self.begin()
        first = self.row().first
        assert first.text() == "Pause"
        self.pause()
        percent = int(self.now().percent)
        assert self.state() == f"Paused at {percent}{NBSP}%"
        size = self.part().stat().st_size
        assert size > 0
        assert self.row().first.text() == "Resume"
        self.downloads.bandwidth.set_limit(None)
        # were it to begin anew, it would be cut before it is there
        total = size * 100 / self.now().percent
        self.remote.arm("GET", "/artifacts/*", times=1, cut_after_bytes=int(total * 0.97))
        assert len(self.kit.load(self.run)) == 1
        assert not self.part().exists()

    def test_return_pauses_and_resumes(self):
        self.begin()
        self.row().select()
        returned = self.kit.dock.jobs.view.findChild(QAction, "Up42FirstJobCommand")
        assert "Return" in [keys.toString() for keys in returned.shortcuts()]
        returned.trigger()
        wait_for(lambda: self.now().phase is Phase.PAUSED, "the pause")
        self.row().select()
        returned.trigger()
        wait_for(lambda: self.now().phase is Phase.FETCHING, "the download again")

    def test_cancelling_removes_what_came(self):
        self.begin()
        self.row().do(JobCommand.STOP_LOADING)
        wait_for(lambda: self.now().phase in (Phase.ON_SERVICE, Phase.LOADED), "the end")
        wait_for(lambda: not self.kit.outputs_of(self.run).exists(), "the folder to go")
        assert self.row().first.text() == "Load Output"

    def test_cancelling_a_paused_one_removes_what_came(self):
        self.begin()
        self.pause()
        assert self.part().exists()
        assert self.row().action(JobCommand.STOP_LOADING).text() == "Cancel Download"
        self.row().do(JobCommand.STOP_LOADING)
        wait_for(lambda: not self.kit.outputs_of(self.run).exists(), "the folder to go")
        wait_for(lambda: self.state() == "Succeeded", "the row", of=lambda: self.row().line)

    def test_stopped_in_the_task_manager_it_is_paused(self):
        self.begin()
        (task,) = [task for task in QgsApplication.taskManager().tasks() if "downloading" in task.description()]
        assert task.progress() > 0
        assert int(task.flags()) & int(QgsTask.Flag.CancelWithoutPrompt), "QGIS closes without a question about it"
        task.cancel()
        wait_for(lambda: self.now().phase is Phase.PAUSED, "the pause")
        assert self.part().exists()

    def test_the_row_tells_bytes_rate_and_time_left(self):
        self.begin(30)
        wait_for(lambda: "left" in self.row().line, "the time left", of=lambda: self.row().line)
        line = self.row().line
        assert line.startswith(f"Downloading {int(self.now().percent)}{NBSP}%, ")
        assert line.endswith(" left")
        notice = self.kit.dock.jobs.foot.notice
        self.row().select()
        come, rate, left = notice.row.text.split(", ")[1:]
        assert "kB of " in come
        assert rate.endswith("B/s")
        assert left.endswith(" left")
        assert notice.button.text() == "Cancel Download"
        self.kit.click(notice.button)
        wait_for(lambda: not notice.isVisible(), "the end")

    def test_the_row_is_not_told_more_often_than_people_read(self):
        told = []
        self.kit.desk.runs.changed.connect(told.append)
        self.begin(60)
        self.kit.desk.runs.changed.disconnect(told.append)
        took = 60 / 100 * self.now().percent
        assert took
        assert len(told) < 40

    def test_a_third_one_waits_for_its_turn(self):
        for run in self.runs[:2]:
            self.begin(5, run)
        third = self.runs[2]
        self.kit.begin_load(third)
        wait_for(lambda: self.state(third) == WAITING_TO_DOWNLOAD, "the waiting")
        assert not self.part(third).exists()
        self.kit.cancel(self.runs[0])
        wait_for(lambda: self.now(third).percent > 0, "its turn")
        assert self.now(self.runs[1]).phase is Phase.FETCHING

    def test_one_that_waits_can_be_paused_and_cancelled(self):
        PluginSettings(None).set_downloads_at_once(1)
        self.begin(5)
        for run in self.runs[1:]:
            self.kit.begin_load(run)
            wait_for(lambda run=run: self.state(run) == WAITING_TO_DOWNLOAD, "the waiting")
        self.pause(self.runs[1])
        assert self.state(self.runs[1]) == "Paused"
        self.row(self.runs[2]).do(JobCommand.STOP_LOADING)
        assert self.now(self.runs[2]).phase is Phase.ON_SERVICE
        assert self.now().phase is Phase.FETCHING
        PluginSettings(None).set_downloads_at_once(2)

    def test_the_limit_of_the_options_counts_at_once(self):
        self.begin(5)
        (factory,) = self.kit.iface.options
        page = factory.createWidget(self.kit.iface.window)
        page.downloads.limit.setValue(0.5)
        page.apply()
        assert PluginSettings(None).download_limit() == 500_000
        wait_for(lambda: self.now().phase is Phase.LOADED, "the layers")
        page.downloads.limit.setValue(0.0)
        page.apply()
        assert PluginSettings(None).download_limit() is None
        page.deleteLater()


def test_a_download_that_was_going_on_when_qgis_closed_waits_for_a_click(remote, tmp_path, qgis_app):
    folder = tmp_path / "plugin"
    with plugin_in(folder) as kit:
        connection = kit.connect(remote.sandbox)
        kit.choose(ANALYTIC)
        kit.area(TAORMINA)
        kit.test_query()
        run = kit.live_job()
        kit.desk.runs._loading._downloads.bandwidth.set_limit(SLOW)
        kit.begin_load(run)
        wait_for(lambda: kit.runs[run.key].percent > 20, "the download")
        job_id, part = run.job.id, kit.outputs_of(run) / "final.part"
        began = time.monotonic()
        kit.unload()
        assert time.monotonic() - began < 12  # on a busy machine; the rest of the download takes longer
        assert part.stat().st_size > 0
        assert kit.stand_ins() == []
        assert not [line for line in kit.lines if "downloading" in line]
        kit.start()
        kit.desk.hub.sign_in(connection, ProjectKey(remote.sandbox.project_id, remote.sandbox.project_api_key), False)
        kit.dock.setUserVisible(True)
        kit.wait_until_ready()
        kit.dock.tabs.setCurrentWidget(kit.dock.jobs_page)
        jobs = kit.desk.dashboard.jobs
        entry = wait_for(lambda: _paused(jobs, connection.id, job_id), "the row")
        assert entry.state is JobState.SUCCEEDED
        row = JobRow(kit.desk, key=entry.key)
        assert row.line.startswith("Paused at ")
        assert row.first.text() == "Resume"
        kit.loaded.clear()
        kit.click(row.first)
        wait_for(lambda: kit.loaded, "the layers")
        assert not part.exists()


def _paused(jobs, connection_id, job_id):
    entry = jobs.list.find(connection_id, job_id)
    return entry if entry is not None and entry.paused else None
