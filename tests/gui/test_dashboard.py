"""The Jobs tab over a service: what it shows of whom, and each command to its end."""

from __future__ import annotations

import json

import pytest
from dashboard_kit import again, look, row_of, somebody_elses
from leftovers import opened
from plugin_kit import ANALYTIC, confirmation, idle, wait_for
from qgis.core import QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QPushButton
from test_cancelling import somebody_elses_inputs

from tests.job_rows import answer
from up42_plugin.core.job_entry import OnDisk
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_outputs import LedgerOutputs
from up42_plugin.core.run import Phase
from up42_plugin.gui.job_cells import Column
from up42_plugin.gui.job_commands import JobCommand
from up42_plugin.gui.job_questions import RenameJobDialog
from up42_plugin.qgis_bridge.layer_metadata import identity
from up42_plugin.qgis_bridge.settings import PluginSettings

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def kit(bare, clean_service):
    bare.start()
    opened(bare, clean_service)
    return bare


@pytest.fixture
def live(kit):
    """A live job of this session that succeeded."""
    kit.test_query()
    return kit.live_job()


def said(kit, text):
    wait_for(lambda: any(text in told for told in kit.told), text, of=kit.situation)


def test_webhooks_open_from_the_menu_and_close_with_the_plugin(kit):
    kit.dock.tabs.setCurrentWidget(kit.dock.jobs_page)
    assert kit.dock.jobs.webhooks_action.isVisible()
    kit.dock.jobs.webhooks_action.trigger()
    webhooks = kit.desk.dashboard.webhooks
    wait_for(lambda: webhooks.dialog is not None and webhooks.dialog.isVisible(), "the list of webhooks")
    kit.desk.close()
    assert webhooks.dialog is None


class TestList:
    def test_the_title_counts_what_runs(self, kit, clean_service):
        tabs, page = kit.dock.tabs, kit.dock.jobs_page
        assert tabs.tabText(tabs.indexOf(page)) == "Jobs"
        clean_service.arm("POST", "*/workflows/*/jobs", times=1, delay_s=1)
        run = kit.begin_test_query()
        wait_for(lambda: tabs.tabText(tabs.indexOf(page)) == "Jobs (1)", "the title")
        kit.wait(run, lambda now: now.phase is Phase.LOADED, "the scenes")
        wait_for(lambda: tabs.tabText(tabs.indexOf(page)) == "Jobs", "the title")

    def test_jobs_of_others_are_in_it_once_somebody_looks(self, kit, clean_service):
        job_id = somebody_elses(clean_service)
        tab = look(kit)
        row = row_of(kit, job_id)
        assert row.entry.name == "Somebody else's"
        assert not row.entry.record_id
        assert row.entry.area_km2 == pytest.approx(0.47, abs=0.05)
        assert tab.foot.line.text().startswith("Updated ")
        assert "Next update in" in tab.foot.line.text()

    def test_it_goes_on_looking_when_nothing_runs_any_more(self, kit):
        tab = look(kit)
        run = kit.begin_test_query()
        kit.dock.tabs.setCurrentWidget(kit.dock.jobs_page)
        kit.wait(run, lambda now: now.phase is Phase.LOADED, "the scenes")
        wait_for(lambda: "Next update in" in tab.foot.line.text(), "the next look", of=kit.situation)
        assert not kit.desk.dashboard.jobs._monitor.watches(kit.connection.id)

    def test_one_row_for_a_job_of_ours_however_many_tell_of_it(self, kit, live):
        look(kit)
        kit.desk.dashboard.jobs.refresh()
        idle()
        kit.desk.dashboard.jobs.show_now()
        entries = kit.desk.dashboard.jobs.list.entries(kit.connection.id)
        assert [entry.job_id for entry in entries].count(live.job.id) == 1
        (entry,) = [entry for entry in entries if entry.job_id == live.job.id]
        assert entry.run_key == live.key
        assert entry.record_id
        assert entry.charged == live.credits_charged

    def test_its_blocks_are_read_when_it_is_opened(self, kit, live):
        tab = look(kit)
        row = row_of(kit, live.job.id)
        tab.view.expand(tab.model.index_of(row.key))
        wait_for(lambda: row.entry.tasks, "the blocks")
        assert [task.word for task in row.entry.tasks] == ["SUCCEEDED"]
        wait_for(lambda: row.entry.tasks[0].charged == live.credits_charged, "the credits", of=kit.situation)

    def test_without_the_service_what_is_known_stays(self, kit, live, clean_service):
        tab = look(kit)
        clean_service.arm("GET", "*/jobs*", times=None, status=500)
        QTest.keyClick(tab.view, Qt.Key.Key_F5)
        wait_for(lambda: "500" in tab.foot.line.text(), "the error", of=kit.situation)
        assert row_of(kit, live.job.id).entry is not None
        clean_service.disarm()
        QTest.mouseClick(tab.foot.again_button, LEFT)
        wait_for(lambda: "500" not in tab.foot.line.text(), "the list", of=kit.situation)


class TestEarlierSession:
    def test_an_output_loads_with_one_click(self, kit, clean_service, live):
        job_id, charged = live.job.id, live.credits_charged
        again(kit, clean_service)
        row = row_of(kit, job_id)
        assert not row.entry.run_key
        assert row.entry.charged == charged
        kit.click(row.first)
        wait_for(lambda: kit.loaded, "the layers", of=kit.situation)
        (layer,) = kit.loaded[-1][1]
        assert layer.isValid()
        assert identity(layer)[:2] == (kit.connection.id, job_id)
        assert kit.loaded[-1][0].configuration.aoi is not None
        del layer

    def test_a_test_query_shows_its_scenes_and_may_be_run_live_without_another(self, kit, clean_service):
        tested = kit.test_query()
        job_id = tested.job.id
        again(kit, clean_service)
        row = row_of(kit, job_id)
        assert row.entry.scenes == len(tested.scenes)
        kit.click(row.first)
        wait_for(lambda: kit.iface.tables == ["Scene footprints"], "the table", of=kit.situation)
        number = len(clean_service.jobs())
        row = row_of(kit, job_id)
        row.do(JobCommand.RUN_LIVE)
        dialog = wait_for(confirmation, "the confirmation", of=kit.situation)
        assert len(clean_service.jobs()) == number, "it was tested within a day"
        wait_for(dialog.run_button.isEnabled, "the price")
        QTest.mouseClick(dialog.cancel_button, LEFT)

    def test_a_live_job_is_run_again_behind_a_new_test_query(self, kit, clean_service, live):
        job_id = live.job.id
        again(kit, clean_service)
        number = len(clean_service.jobs())
        row_of(kit, job_id).do(JobCommand.RERUN_LIVE)
        said(kit, "testing again first, free.")
        dialog = wait_for(confirmation, "the confirmation", of=kit.situation)
        assert [job["mode"] for job in clean_service.jobs()[: len(clean_service.jobs()) - number]] == ["DRY_RUN"]
        kit.click(dialog.run_button)
        wait_for(lambda: len(clean_service.jobs()) == number + 2, "the live job", of=kit.situation)
        others = lambda: [run for run in kit.desk.runs.all() if run.live and run.job and run.job.id != job_id]  # noqa: E731
        (run,) = wait_for(others, "its run", of=kit.situation)
        kit.wait(run, lambda now: now.succeeded, "the live job")
        first, second = (clean_service.job(found)["inputs"] for found in (job_id, run.job.id))
        assert first == second


class TestOthersJobs:
    def test_their_output_loads_too(self, kit, clean_service):
        job_id = somebody_elses(clean_service, "DEFAULT")
        look(kit)
        kit.click(row_of(kit, job_id).first)
        wait_for(lambda: kit.loaded, "the layers", of=kit.situation)
        assert identity(kit.loaded[-1][1][0])[:2] == (kit.connection.id, job_id)
        wait_for(lambda: row_of(kit, job_id).entry.on_disk is OnDisk.SOMETHING, "the folder", of=kit.situation)

    def test_it_can_be_cloned(self, kit, clean_service):
        job_id = somebody_elses(clean_service)
        look(kit)
        row_of(kit, job_id).do(JobCommand.CLONE)
        wait_for(lambda: kit.dock.tabs.currentWidget() is kit.dock.new_job, "the form", of=kit.situation)
        form = kit.desk.new_job.form
        assert form.configuration.inputs(Mode.TEST_QUERY)["esa-s2-l2a-gtiff-analytic:1"]["time"] == (
            "2026-01-01T00:00:00Z/2026-06-01T00:00:00Z"
        )
        assert form.configuration.aoi.area_km2 == pytest.approx(0.47, abs=0.05)
        assert kit.dock.presets.area_button.isVisible()

    def test_cancelling_one_asks_first(self, kit, clean_service):
        clean_service.arm("GET", "/nothing", times=1)
        job_id = clean_service.submit(ANALYTIC, "Theirs", somebody_elses_inputs())
        tab = look(kit)
        row = row_of(kit, job_id)
        if row.can(JobCommand.CANCEL):  # job clocks are fast here
            row.do(JobCommand.CANCEL)
            answer(tab, "keep", lambda condition: wait_for(condition, "the question"))
            assert clean_service.job(job_id)["status"] != "CANCELLED"


class TestCommands:
    def test_one_block_is_loaded(self, kit, live):
        tab = look(kit)
        row = row_of(kit, live.job.id)
        tab.view.expand(tab.model.index_of(row.key))
        task = wait_for(lambda: row.entry.tasks, "the blocks")[-1]
        row.select()
        kit.loaded.clear()  # those of the test query
        tab.task_asked.emit(row.key, task.id)
        wait_for(lambda: kit.loaded, "the layers", of=kit.situation)
        (layer,) = kit.loaded[-1][1]
        assert identity(layer)[2] == task.name
        assert task.name.split(":")[0] in layer.source()
        del layer

    def test_zoom(self, kit, live):
        look(kit)
        before = kit.iface.canvas.extent()
        row_of(kit, live.job.id).do(JobCommand.ZOOM)
        wait_for(lambda: kit.iface.canvas.extent() != before, "the map")
        assert kit.iface.canvas.extent().width() < 0.1

    def test_copies(self, kit, live):
        look(kit)
        row = row_of(kit, live.job.id)
        row.do(JobCommand.COPY_ID)
        assert QApplication.clipboard().text() == live.job.id
        row.do(JobCommand.COPY_JSON)
        copied = json.loads(QApplication.clipboard().text())
        assert list(copied) == ["esa-s2-l2a-gtiff-analytic:1"]
        assert copied["esa-s2-l2a-gtiff-analytic:1"]["contains"]["type"] == "Polygon"
        row.do(JobCommand.COPY_CURL)
        assert QApplication.clipboard().text().startswith("curl --request POST http://127.0.0.1")

    def test_rename(self, kit, clean_service, live):
        tab = look(kit)
        row_of(kit, live.job.id).do(JobCommand.RENAME)
        dialog = wait_for(lambda: next(iter(tab.findChildren(RenameJobDialog)), None), "the dialog")
        dialog.name.setText("Harbour")
        QTest.mouseClick(dialog.ok_button, LEFT)
        wait_for(lambda: row_of(kit, live.job.id).entry.name == "Harbour", "the name", of=kit.situation)
        assert clean_service.job(live.job.id)["name"].startswith("Harbour #")
        wait_for(lambda: kit.recorded()[0].name == "Harbour", "the ledger")

    def test_logs(self, kit, live):
        look(kit)
        row_of(kit, live.job.id).do(JobCommand.LOGS)
        logs = kit.desk.dashboard.commands.logs
        wait_for(lambda: logs.dialog is not None and logs.dialog.text.toPlainText(), "the log", of=kit.situation)
        assert logs.dialog.blocks.count() == 1
        logs.close()

    def test_support_report(self, kit, live):
        look(kit)
        row_of(kit, live.job.id).do(JobCommand.SUPPORT_REPORT)
        report = kit.desk.dashboard.commands.report
        wait_for(lambda: report.dialog is not None, "the report")
        text = report.dialog.text.toPlainText()
        assert text.startswith(f"Job ID: {live.job.id}\n")
        assert "SUCCEEDED" in text
        assert '"contains"' in text
        QTest.mouseClick(report.dialog.copy_button, LEFT)
        assert QApplication.clipboard().text() == text
        report.close()

    def test_open_folder_and_delete_files(self, kit, live, monkeypatch):
        shown = []
        monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()) or True)
        kit.load(live)
        tab = look(kit)
        row = row_of(kit, live.job.id)
        row.do(JobCommand.OPEN_FOLDER)
        wait_for(lambda: shown, "the folder")
        assert shown == [str(kit.outputs_of(live))]
        kit.loaded.clear()
        row.do(JobCommand.DELETE_FILES)
        answer(tab, "really", lambda condition: wait_for(condition, "the question"))
        wait_for(lambda: not kit.outputs_of(live).exists(), "the folder to go", of=kit.situation)
        assert not [layer for layer in QgsProject.instance().mapLayers().values() if identity(layer)[1] == live.job.id]
        wait_for(lambda: row.entry.on_disk is OnDisk.NOTHING, "the row")
        (output,) = LedgerOutputs(Ledger(kit.folder / "profile" / "ledger.sqlite")).outputs(
            kit.connection.id, live.job.id
        )
        assert output.deleted is not None

    def test_test_query_again(self, kit, clean_service):
        run = kit.test_query()
        look(kit)
        number = len(clean_service.jobs())
        row_of(kit, run.job.id).do(JobCommand.TEST_AGAIN)
        wait_for(lambda: len(clean_service.jobs()) == number + 1, "the job", of=kit.situation)
        wait_for(lambda: not any(found.busy for found in kit.desk.runs.all()), "its end", of=kit.situation)

    def test_quicklooks_of_a_live_job(self, kit, live):
        look(kit)
        before = set(kit.layers())
        kit.loaded.clear()
        row_of(kit, live.job.id).do(JobCommand.QUICKLOOKS)
        wait_for(lambda: kit.loaded, "the quicklooks", of=kit.situation)
        found = [identity(layer)[1] for layer in kit.loaded[-1][1]]
        assert found
        assert set(found) == {live.job.id}
        assert len(kit.layers()) > len(before)
        assert kit.runs[live.key].phase is Phase.ON_SERVICE, "its output is still to be loaded"
        assert kit.row(live).can(JobCommand.LOAD_OUTPUT)

    def test_the_message_of_layers_leads_to_the_job(self, kit, live):
        kit.load(live)
        kit.dock.tabs.setCurrentWidget(kit.dock.new_job)
        buttons = [button for button in kit.iface.bar.findChildren(QPushButton) if button.text() == "Show Job"]
        QTest.mouseClick(buttons[-1], LEFT)
        wait_for(kit.dock.jobs.view.selected, "the row", of=kit.situation)
        assert kit.dock.jobs.view.selected()[0].job_id == live.job.id

    def test_columns_are_kept(self, kit, clean_service):
        tab = look(kit)
        assert tab.view.isColumnHidden(Column.JOB_ID)
        tab.view.setColumnHidden(Column.JOB_ID, False)
        assert not again(kit, clean_service).view.isColumnHidden(Column.JOB_ID)

    def test_credits_spent(self, kit, live):
        tab = look(kit)
        wait_for(lambda: kit.desk.dashboard.ledger is not None, "it")
        tab.spent_action.trigger()
        dialog = kit.desk.dashboard.ledger.dialog
        wait_for(lambda: "charged" in dialog.total.text(), "the sum", of=kit.situation)
        assert f"{live.credits_charged}" in dialog.total.text()
        path = kit.folder / "spent.csv"
        dialog.export_to(str(path))
        wait_for(path.exists, "the file")
        assert live.job.id in path.read_text(encoding="utf-8")
        dialog.reject()

    def test_the_ledger_as_a_layer(self, kit, live):
        tab = look(kit)
        before = set(QgsProject.instance().mapLayers())
        tab.ledger_action.trigger()
        (added,) = wait_for(lambda: set(QgsProject.instance().mapLayers()) - before, "the layer", of=kit.situation)
        layer = QgsProject.instance().mapLayer(added)
        assert isinstance(layer, QgsVectorLayer)
        assert layer.isValid()
        assert live.job.id in [feature["job_id"] for feature in layer.getFeatures()]
        assert str(kit.folder / "profile") not in layer.source(), "never the ledger itself"
        del layer

    def test_outputs_may_be_loaded_as_soon_as_a_job_finishes(self, kit):
        PluginSettings(None).set_load_at_once(True)
        kit.test_query()
        run = kit.begin_live_job()
        kit.wait(run, lambda now: now.layers == 1, "the layer")
