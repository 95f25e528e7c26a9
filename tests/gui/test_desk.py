"""The desk: clicks in the dock, answers in time, too late or never, and what the person is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from qgis.core import QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest

from tests.job_samples import SENTINEL, workflow_of
from tests.staged_connections import ENTRANCE
from tests.staged_provider import scene, task
from tests.unit.ledger_kit import new_job
from up42_plugin.api.errors import NetworkError, NotSentError, OutcomeUnknownError, ServerError, TooManyJobsError
from up42_plugin.core.ledger import SubmissionState
from up42_plugin.core.run import Phase

DOWN = NetworkError("No answer from api.example.org within 30 s.")
LOST = OutcomeUnknownError("No answer.")
BUSY = TooManyJobsError("This project runs as many jobs as it may.", status=429)


@pytest.fixture
def kit(desk_kit):
    return desk_kit


def is_grey(button, why):
    return not button.isEnabled() and button.toolTip() == why


class TestOpening:
    def test_nothing_is_started_before_the_dock_is_opened(self, kit):
        assert kit.sandbox.starts == 0
        kit.dock.show()
        assert kit.sandbox.starts == 1
        assert kit.reason() == "Starting the sandbox…"
        assert kit.dock.workflow.combo.currentText() == "Loading workflows…"
        assert kit.dock.header.balance_text == "Balance …"
        assert kit.foot.again_button.isHidden()

    def test_then_the_form_says_what_is_missing(self, kit):
        kit.open()
        assert kit.reason() == "Choose an area first."
        assert is_grey(kit.foot.test_button, "Choose an area first.")
        assert is_grey(kit.foot.live_button, "Choose an area first.")
        assert kit.foot.estimation.text() == "Not available"
        assert kit.foot.balance_after.isHidden()

    def test_a_sandbox_that_cannot_start_is_tried_again(self, kit):
        kit.dock.show()
        kit.sandbox.failed.emit("The sandbox could not start. Show Log", "exit code 1")
        assert kit.reason() == "The sandbox could not start."
        assert kit.dock.header.balance_text == "Balance not available"
        kit.click(kit.foot.again_button)
        assert kit.sandbox.starts == 2
        assert kit.reason() == "Starting the sandbox…"

    def test_a_project_that_cannot_be_read_is_tried_again_and_then_works(self, kit):
        kit.service.answers["project"] = DOWN
        kit.dock.show()
        kit.sandbox.started.emit(ENTRANCE)
        kit.wait(lambda: kit.reason() == DOWN.user_message)
        assert kit.dock.workflow.combo.currentText() == "Workflows not available"
        kit.select()
        kit.service.answers["project"] = kit.services["account"].answers["project"]
        kit.click(kit.foot.again_button)
        kit.wait(lambda: kit.new_job.ready.can_test)
        assert kit.foot.again_button.isHidden()

    def test_without_workflows_the_form_says_so(self, kit):
        kit.service.answers["workflows"] = ()
        kit.dock.show()
        kit.sandbox.started.emit(ENTRANCE)
        kit.select()
        kit.wait(lambda: kit.reason() == "Choose a workflow first.")
        assert kit.dock.workflow.combo.currentText() == "This project has no workflow yet."

    def test_a_balance_that_cannot_be_read_is_not_zero(self, kit):
        kit.service.answers["balance"] = DOWN
        kit.dock.show()
        kit.sandbox.started.emit(ENTRANCE)
        kit.wait(lambda: kit.dock.header.balance_text == "Balance not available")
        kit.select()
        kit.wait(lambda: kit.foot.estimation.text().startswith("<b>13–25"))
        assert kit.foot.balance_after.isHidden()

    def test_try_with_taormina_selects_the_sample_once(self, kit):
        kit.open()
        kit.click(kit.dock.area.sample_button)
        kit.wait(lambda: kit.new_job.selection.aoi is not None)
        assert kit.dock.area.size_text == "<b>2.01\u00a0km²</b>, 1 selected feature"
        (layer,) = QgsProject.instance().mapLayers().values()
        extent = kit.iface.canvas.extent()
        assert extent.width() < 1  # the click asked to see it
        layer.removeSelection()
        kit.tracker.refresh()
        kit.click(kit.dock.area.sample_button)
        assert len(QgsProject.instance().mapLayers()) == 1
        assert layer.selectedFeatureCount() == 1

    def test_the_outline_shows_only_while_the_dock_is_open(self, kit):
        kit.select()
        assert kit.outline._band.numberOfVertices() == 0
        kit.open()
        assert kit.outline._band.numberOfVertices() > 0
        kit.dock.close()
        assert kit.outline._band.numberOfVertices() == 0


class TestTestQueries:
    def test_from_the_click_to_the_scenes(self, kit):
        kit.ready_to_test()
        assert kit.reason() == "Live job: run the free test query first."
        assert is_grey(kit.foot.live_button, kit.reason())
        run = kit.start_test_query()
        assert run.name == "Taormina, Contains"
        assert not kit.foot._busy.isHidden()
        assert kit.foot.reason.isHidden()
        assert is_grey(kit.foot.test_button, "A test query is running.")
        kit.service.answers["scenes"] = (scene(1), scene(2))
        kit.service.set(run.job.id, "SUCCEEDED")
        kit.wait(lambda: kit.new_job.ready.can_run_live)
        assert kit.reason().endswith(": 2\u00a0scenes found.")
        assert kit.foot._busy.isHidden()
        assert kit.dock.search.scene.count() == 3

    def test_clicking_twice_runs_one(self, kit):
        kit.ready_to_test()
        QTest.mouseDClick(kit.foot.test_button, Qt.MouseButton.LeftButton)
        kit.desk.run_test_query()
        kit.desk.run_test_query()
        assert len(kit.history) == 1

    def test_ctrl_return_runs_it_inside_the_dock_only(self, kit):
        kit.ready_to_test()
        kit.iface.window.activateWindow()
        kit.qtbot.waitActive(kit.iface.window)
        kit.iface.canvas.setFocus()
        QTest.keyClick(kit.iface.canvas, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        assert kit.history == {}
        kit.dock.search.clouds.setFocus()
        QTest.keyClick(kit.dock.search.clouds, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        assert len(kit.history) == 1

    def test_no_scenes_is_said_and_closes_the_way_to_a_live_job(self, kit):
        kit.service.answers["scenes"] = ()
        kit.ready_to_test()
        run = kit.start_test_query()
        kit.service.set(run.job.id, "SUCCEEDED")
        kit.wait(lambda: kit.reason() == "The test query found no scenes.")
        assert is_grey(kit.foot.live_button, "The test query found no scenes.")
        assert kit.foot.test_button.isEnabled()
        kit.wait(lambda: kit.line(run).startswith("No scenes"))

    def test_scenes_that_could_not_be_read_are_not_said_to_be_none(self, kit):
        kit.service.answers["scenes"] = DOWN
        kit.ready_to_test()
        run = kit.start_test_query()
        kit.service.set(run.job.id, "SUCCEEDED")
        kit.wait(lambda: kit.told)
        assert kit.told == [f"Taormina, Contains: {DOWN.user_message}"]
        assert kit.reason() == "Live job: run the free test query first."
        assert kit.foot.test_button.isEnabled()

    def test_a_failed_one_says_why_in_the_message_bar_and_in_its_row(self, kit):
        kit.service.answers["tasks"] = (task("FAILED", "aws-s2-l2a:1"),)
        kit.service.answers["logs"] = "x - ERROR - [NO_INPUT_ERROR] No images found."
        kit.ready_to_test()
        run = kit.start_test_query()
        kit.service.set(run.job.id, "FAILED")
        kit.wait(lambda: kit.told)
        assert kit.told == ["Taormina, Contains: Failed: no images found"]
        kit.wait(lambda: kit.line(run) == "Failed: no images found")
        assert kit.foot.test_button.isEnabled()

    def test_one_that_never_left_says_why(self, kit):
        kit.service.answers["submit"] = NotSentError("No network.")
        kit.ready_to_test()
        kit.click(kit.foot.test_button)
        kit.wait(lambda: kit.told)
        assert kit.told == ["Taormina, Contains: No network."]
        assert kit.foot.test_button.isEnabled()

    def test_changes_void_it_and_are_named(self, kit):
        kit.tested()
        clouds = kit.dock.search.clouds.value()
        kit.dock.search.clouds.setValue(7)
        assert kit.reason() == "Changed since the test query: Clouds. Test again before a live job."
        assert is_grey(kit.foot.live_button, kit.reason())
        kit.dock.search.limit.setValue(3)
        assert "Clouds, Limit" in kit.reason()
        kit.dock.search.clouds.setValue(clouds)
        kit.dock.search.limit.setValue(1)
        kit.wait(lambda: kit.new_job.ready.can_run_live)

    def test_changes_while_it_runs_void_its_result(self, kit):
        kit.ready_to_test()
        run = kit.start_test_query()
        kit.dock.search.clouds.setValue(7)
        kit.service.set(run.job.id, "SUCCEEDED")
        kit.wait(lambda: kit.reason().startswith("Changed since the test query: Clouds."))

    def test_the_answer_of_a_closed_dock_is_there_when_it_is_opened_again(self, kit):
        kit.ready_to_test()
        run = kit.start_test_query()
        kit.dock.close()
        kit.service.set(run.job.id, "SUCCEEDED")
        kit.wait(lambda: kit.run(run.key).phase is Phase.LOADED)
        kit.dock.show()
        assert kit.foot.live_button.isEnabled()

    def test_a_block_that_offers_none_says_so(self, kit):
        chain = workflow_of(replace(SENTINEL, test_query=False))
        kit.service.answers.update(workflows=(chain,), workflow=lambda _id: chain)
        kit.open()
        kit.select()
        kit.wait(kit.foot.live_button.isEnabled)
        why = "This block offers no test query; its live jobs cannot be tried first."
        assert kit.reason() == why
        assert is_grey(kit.foot.test_button, why)


class TestCancellingATestQuery:
    def after(self, kit):
        kit.wait(kit.foot._busy.isHidden)
        assert kit.foot.test_button.isEnabled()
        assert kit.reason() == "Live job: run the free test query first."
        assert kit.told == []

    def test_on_the_service(self, kit):
        kit.ready_to_test()
        kit.start_test_query()
        kit.service.hold("cancel")
        kit.click(kit.foot.cancel_button)
        assert kit.foot._busy_text.text().startswith("Cancelling the test query")
        assert not kit.foot.cancel_button.isEnabled()
        kit.service.let_go("cancel")
        self.after(kit)

    def test_while_sending(self, kit):
        kit.ready_to_test()
        kit.service.hold("submit")
        kit.click(kit.foot.test_button)
        kit.wait(lambda: kit.service.called("submit"))
        kit.click(kit.foot.cancel_button)
        self.after(kit)
        kit.service.let_go("submit")

    def test_while_waiting_for_a_slot(self, kit):
        kit.ready_to_test()
        kit.service.answers["submit"] = BUSY
        kit.click(kit.foot.test_button)
        kit.wait(lambda: len(kit.service.called("submit")) > 1)
        kit.click(kit.foot.cancel_button)
        self.after(kit)

    def test_while_nobody_knows_whether_it_arrived(self, kit):
        kit.ready_to_test()
        kit.service.answers.update(submit=LOST, find=DOWN)
        kit.click(kit.foot.test_button)
        kit.wait(lambda: len(kit.service.called("find")) > 2)
        kit.click(kit.foot.cancel_button)
        self.after(kit)  # at once: it is free, nobody has to wait for the look-up
        (key,) = kit.history
        kit.wait(lambda: kit.line(key).startswith("Checking whether"))
        kit.service.answers["find"] = None
        kit.wait(lambda: kit.run(key).phase is Phase.NOT_SUBMITTED)
        self.after(kit)

    def test_while_reading_scenes(self, kit):
        kit.ready_to_test()
        kit.service.hold("scenes")
        run = kit.start_test_query()
        kit.service.set(run.job.id, "SUCCEEDED")
        kit.wait(lambda: kit.service.called("scenes"))
        kit.click(kit.foot.cancel_button)
        self.after(kit)
        kit.service.let_go("scenes")

    def test_from_its_row(self, kit):
        kit.ready_to_test()
        run = kit.start_test_query()
        kit.row(run).cancel(kit.wait)
        self.after(kit)

    def test_when_that_fails_it_can_be_tried_again(self, kit):
        kit.ready_to_test()
        kit.service.answers["cancel"] = ServerError("UP42 has a problem (500).", status=500)
        kit.start_test_query()
        kit.click(kit.foot.cancel_button)
        kit.wait(lambda: kit.told)
        assert kit.told == ["Taormina, Contains could not be cancelled. UP42 has a problem (500)."]
        assert kit.foot.cancel_button.isEnabled()
        assert not kit.foot._busy.isHidden()


class TestTelling:
    def test_a_ledger_set_aside_is_told_once(self, kit):
        kit.ledger.file.notice = "The record of your jobs was damaged."
        kit.ready_to_test()
        run = kit.start_test_query()
        kit.service.set(run.job.id, "SUCCEEDED")
        kit.wait(lambda: kit.run(run.key).phase is Phase.LOADED)
        kit.hub.choose("account")
        kit.wait(lambda: kit.dock.workflow.current is not None)
        kit.idle()
        assert kit.told.count(kit.ledger.notice) == 1

    def test_what_became_of_a_job_of_the_last_session_is_told(self, kit):
        kit.ledger.end_attempt(kit.ledger.add(new_job(connection_id="sandbox")), SubmissionState.UNKNOWN, "Cut.")
        kit.open()
        kit.wait(lambda: kit.told)
        end = "was not submitted: the service does not know it."
        assert kit.told == [f"Taormina, sent before QGIS was closed, {end}"]

    def test_no_network_is_shown_beside_the_run_and_nowhere_else(self, kit):
        kit.ready_to_test()
        run = kit.start_test_query()
        kit.service.set(run.job.id, "RUNNING")
        kit.wait(lambda: kit.run(run.key).job.word == "RUNNING")
        kit.service.answers["jobs"] = DOWN
        kit.wait(lambda: "within 30 s. Trying again." in kit.line(run))
        assert kit.row(run).entry.word == "RUNNING"
        assert kit.told == []
        assert not kit.foot._busy.isHidden()


def test_closing_the_desk_remembers_the_form(kit):
    kit.open()
    kit.dock.search.clouds.setValue(7)
    kit.desk.close()
    assert kit.settings.last_configuration()["clouds"] == 7
    assert kit.settings.last_configuration()["workflow_id"] == "w-1"
