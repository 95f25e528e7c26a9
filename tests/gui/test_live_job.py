"""From the click on Run Live Job to a recorded submission: asked once, sent once, exactly what was shown."""

from __future__ import annotations

import threading

import pytest
from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication

from tests.raster_samples import output_of, superresolution
from tests.staged_provider import estimation, scene, task
from up42_plugin.api.errors import NetworkError, OutcomeUnknownError, TooManyJobsError, ValidationError
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.run import Phase
from up42_plugin.core.service import Balance
from up42_plugin.core.storage import OutputFolders
from up42_plugin.gui.confirm_dialog import ConfirmDialog

N = "\u00a0"
DOWN = NetworkError("No answer from api.example.org within 30 s.")
BUSY = TooManyJobsError("This project runs as many jobs as it may.", status=429)


@pytest.fixture
def kit(desk_kit):
    return desk_kit


def live_requests(kit):
    return [request for (request,) in kit.service.called("submit") if request.mode is Mode.LIVE]


def lines(dialog):
    return dict(dialog._proposal.lines)


def test_the_confirmation_says_what_was_tested_and_will_run(kit):
    kit.tested()
    dialog = kit.confirmation()
    said = lines(dialog)
    assert dialog.job_name.text() == "Taormina super-resolution"
    assert said["Workflow"] == "a chain"
    assert said["Area"] == f"2.01{N}km², 1 selected feature of taormina"
    values = kit.dock.search.values
    assert said["Time"] == f"{values.start} to {values.end}"
    assert said["Search"] == f"Contains, limit 1{N}scene, clouds up to {values.max_cloud_cover}{N}%"
    assert said["Tested"].endswith(f", same configuration: 1{N}scene")
    assert said["Connection"] == "Sandbox"


def test_a_chosen_scene_is_named(kit):
    kit.tested()
    kit.dock.search.choose_scene("S2B_MSIL2A_1")
    run = kit.start_test_query()
    kit.service.set(run.job.id, "SUCCEEDED")
    kit.wait(lambda: kit.new_job.ready.can_run_live)
    said = lines(kit.confirmation())
    assert said["Search"] == "Contains, exactly the scene S2B_MSIL2A_1"
    assert "Time" not in said


def test_the_price_is_read_at_that_moment(kit):
    kit.tested()
    kit.service.answers.update(estimate=estimation(20, 40), balance=Balance(5_000, 1_000))
    dialog = kit.confirmation()
    assert dialog.heading.text() == f"Run this live job for 20–40{N}credits?"
    assert dialog.price_labels["now"].text() == f"5,000{N}credits"
    assert dialog.message.text == f"The price was 13–25{N}credits a minute ago."


def test_yes_sends_exactly_what_was_tested_once_and_closes_when_it_is_recorded(kit):
    tested = kit.tested()
    kit.service.hold("submit")
    dialog = kit.confirmation()
    dialog.job_name.setText("My job")
    kit.click(dialog.run_button)
    kit.wait(lambda: kit.dialog(ConfirmDialog) is None)  # the service has not answered yet
    assert len(live_requests(kit)) == 1
    kit.service.let_go("submit")
    (key,) = kit.live_runs()
    kit.wait(lambda: kit.run(key).job is not None)
    (request,) = live_requests(kit)
    assert request.configuration.inputs(Mode.TEST_QUERY) == tested.configuration.inputs(Mode.TEST_QUERY)
    assert request.name.startswith("My job #")
    assert kit.run(key).name == "My job"
    job = next(job for job in kit.ledger.jobs("sandbox") if job.mode is Mode.LIVE)
    assert (job.agreed.minimum, job.agreed.maximum) == (13, 25)


def test_until_it_is_recorded_the_dialog_stays_and_takes_no_second_click(kit, monkeypatch):
    kit.tested()
    writing = threading.Event()
    add = kit.ledger.add

    def slowly(new):
        assert writing.wait(20)
        return add(new)

    monkeypatch.setattr(kit.ledger, "add", slowly)
    dialog = kit.confirmation()
    QTest.mouseDClick(dialog.run_button, Qt.MouseButton.LeftButton)
    dialog.run_button.clicked.emit()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    QApplication.processEvents()
    assert dialog.isVisible()
    assert live_requests(kit) == []
    writing.set()
    kit.wait(lambda: kit.dialog(ConfirmDialog) is None)
    kit.wait(lambda: len(live_requests(kit)) == 1)
    assert len(kit.live_runs()) == 1


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_the_keys_that_come_quickly_send_nothing(kit, key):
    kit.tested()
    dialog = kit.confirmation()
    QTest.keyClick(dialog.focusWidget(), key)
    kit.idle()
    assert kit.dialog(ConfirmDialog) is None
    assert live_requests(kit) == []
    assert kit.live_runs() == []


def test_asking_twice_opens_one_dialog(kit):
    kit.tested()
    QTest.mouseDClick(kit.foot.live_button, Qt.MouseButton.LeftButton)
    kit.desk.run_live_job()
    kit.wait(lambda: kit.dialog(ConfirmDialog) is not None)
    dialogs = [window for window in QApplication.topLevelWidgets() if isinstance(window, ConfirmDialog)]
    assert len([dialog for dialog in dialogs if dialog.isVisible()]) == 1


def test_after_cancelling_it_can_be_asked_anew(kit):
    kit.tested()
    kit.confirmation().reject()
    dialog = kit.confirmation()
    kit.click(dialog.run_button)
    kit.wait(lambda: len(live_requests(kit)) == 1)


def test_closing_while_the_price_is_read_is_quiet(kit):
    kit.tested()
    kit.service.hold("estimate")
    kit.click(kit.foot.live_button)
    kit.wait(lambda: kit.dialog(ConfirmDialog) is not None)
    kit.dialog(ConfirmDialog).reject()
    kit.service.let_go("estimate")
    kit.idle()
    assert kit.live_runs() == []


class TestWithoutNumbers:
    def test_no_estimation_asks_for_a_maximum(self, kit):
        kit.tested()
        kit.service.answers["estimate"] = DOWN
        dialog = kit.confirmation()
        assert dialog.price_labels["estimation"].text() == "Not available"
        assert dialog.price_labels["now"].text() == f"10,000{N}credits"
        assert dialog.message.text.startswith(DOWN.user_message)
        dialog.most.setValue(500)
        kit.click(dialog.run_button)
        kit.wait(lambda: len(live_requests(kit)) == 1)
        job = next(job for job in kit.ledger.jobs("sandbox") if job.mode is Mode.LIVE)
        assert job.agreed.maximum == 500

    def test_no_balance_is_said_and_the_price_still_counts(self, kit):
        kit.tested()
        kit.service.answers["balance"] = DOWN
        dialog = kit.confirmation()
        assert dialog.heading.text() == f"Run this live job for 13–25{N}credits?"
        assert dialog.price_labels["now"].text() == "Not available"

    def test_an_unexpected_error_does_not_leave_it_reading(self, kit):
        kit.tested()
        kit.service.answers["estimate"] = RuntimeError("odd")
        assert kit.confirmation().message.text.startswith("The service gave no price.")

    def test_nor_does_the_task_manager_s_cancel_button(self, kit):
        kit.tested()
        kit.service.hold("estimate")
        kit.click(kit.foot.live_button)
        kit.wait(lambda: kit.dialog(ConfirmDialog) is not None)
        dialog = kit.dialog(ConfirmDialog)
        QgsApplication.taskManager().cancelAll()
        kit.wait(dialog.most.isVisible)
        kit.service.let_go("estimate")

    def test_too_few_credits(self, kit):
        kit.tested()
        kit.service.answers["balance"] = Balance(5, 0)
        dialog = kit.confirmation()
        assert dialog.message.text == "Not enough credits for this job."
        assert not dialog.run_button.isEnabled()


class TestWhatComesInBetween:
    def test_a_changed_form_is_refused_at_the_click(self, kit):
        kit.tested()
        dialog = kit.confirmation()
        kit.dock.search.clouds.setValue(3)
        kit.click(dialog.run_button)
        assert dialog.message.text == "The configuration changed meanwhile. Cancel, and test it again."
        assert live_requests(kit) == []
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        assert not dialog.isVisible()

    def test_another_connection_is_refused_at_the_click(self, kit):
        kit.tested()
        dialog = kit.confirmation()
        kit.hub.choose("account")
        kit.click(dialog.run_button)
        assert dialog.message.text == "The connection changed meanwhile. Cancel, and try again."
        assert kit.live_runs() == []

    def test_a_sandbox_that_went_away_is_refused_at_the_click(self, kit):
        kit.tested()
        dialog = kit.confirmation()
        kit.sandbox.failed.emit("The sandbox stopped.", "")
        kit.click(dialog.run_button)
        assert "changed meanwhile" in dialog.message.text
        assert kit.live_runs() == []

    def test_a_project_that_was_read_again_changes_nothing(self, kit):
        kit.tested()
        dialog = kit.confirmation()
        read = len(kit.service.called("project"))
        kit.dock.header.refresh_asked.emit()
        kit.wait(lambda: len(kit.service.called("project")) > read)
        kit.idle()
        kit.click(dialog.run_button)
        kit.wait(lambda: len(live_requests(kit)) == 1)

    def test_closing_the_desk_closes_it_even_after_the_click(self, kit, monkeypatch):
        kit.tested()
        writing = threading.Event()
        add = kit.ledger.add

        def slowly(new):
            writing.wait(20)
            return add(new)

        monkeypatch.setattr(kit.ledger, "add", slowly)
        dialog = kit.confirmation()
        kit.click(dialog.run_button)
        kit.desk.close()
        assert kit.dialog(ConfirmDialog) is None
        writing.set()
        kit.wait(lambda: len(live_requests(kit)) == 1)


class TestHowItGoesOn:
    def confirm(self, kit):
        kit.tested()
        kit.click(kit.confirmation().run_button)
        kit.wait(lambda: bool(kit.live_runs()))
        (key,) = kit.live_runs()
        return key

    def test_what_cannot_be_recorded_is_not_sent_and_the_dialog_says_why(self, kit, monkeypatch):
        def full(_new):
            raise LedgerError("The disk is full.")

        kit.tested()
        monkeypatch.setattr(kit.ledger, "add", full)
        dialog = kit.confirmation()
        kit.click(dialog.run_button)
        kit.wait(lambda: dialog.message.text == "The disk is full.")
        assert dialog.isVisible()
        assert dialog.cancel_button.isEnabled()
        assert live_requests(kit) == []

    def test_waiting_for_a_slot_does_not_hold_the_dialog_open(self, kit):
        kit.tested()
        kit.service.answers["submit"] = BUSY
        kit.click(kit.confirmation().run_button)
        kit.wait(lambda: kit.dialog(ConfirmDialog) is None)
        (key,) = kit.live_runs()
        kit.wait(lambda: kit.line(key) == "Waiting for a free job slot…")
        kit.row(key).cancel(kit.wait)
        kit.wait(lambda: kit.run(key).phase is Phase.NOT_SUBMITTED)
        assert kit.told[-1] == "Taormina super-resolution: Cancelled before it was sent."

    def test_a_refusal_of_the_service_is_told(self, kit):
        kit.tested()
        kit.service.answers["submit"] = ValidationError("The area is too small.", status=400)
        kit.click(kit.confirmation().run_button)
        kit.wait(lambda: kit.told)
        assert kit.told == ["Taormina super-resolution: The area is too small."]
        assert kit.dialog(ConfirmDialog) is None

    def test_a_lost_answer_is_checked_and_not_sent_twice(self, kit):
        kit.tested()
        take = kit.service.answers["submit"]

        def lost(request):
            take(request)
            raise OutcomeUnknownError("No answer.")

        kit.service.answers["submit"] = lost
        kit.click(kit.confirmation().run_button)
        kit.wait(lambda: kit.live_runs() and kit.run(kit.live_runs()[0]).job is not None)
        assert len(live_requests(kit)) == 1

    def test_its_end_is_told_with_the_credits_and_loads_at_a_click(self, kit):
        key = self.confirm(kit)
        kit.wait(lambda: kit.run(key).job is not None)
        run = kit.run(key)
        place = OutputFolders(kit.folder / "outputs").output_folder(run.name, run.job.id)
        superresolution(place / "a_superresolution.tif")
        output_of(place, "a_superresolution.tif")
        kit.service.set(run.job.id, "SUCCEEDED")
        kit.wait(lambda: kit.told)
        assert kit.told == [f"Taormina super-resolution finished, 19{N}credits charged."]
        kit.click(kit.iface.bar.currentItem().findChild(type(kit.foot.test_button), "loadFromMessage"))
        kit.wait(lambda: len(kit.told) == 2)
        assert kit.told[1] == f"Taormina super-resolution: 1{N}layer loaded."
        names = [layer.name() for layer in QgsProject.instance().mapLayers().values()]
        assert "Super-resolution 2021-09-18" in names

    def test_its_failure_is_told_with_the_reason(self, kit):
        key = self.confirm(kit)
        kit.wait(lambda: kit.run(key).job is not None)
        kit.service.answers["tasks"] = (task("FAILED"),)
        kit.service.answers["logs"] = "exit code 137"
        kit.service.set(kit.run(key).job.id, "FAILED")
        kit.wait(lambda: kit.told)
        assert kit.told == ["Taormina super-resolution: Failed: out of memory. A smaller area may help."]

    def test_cancelling_it_is_told_quietly(self, kit):
        key = self.confirm(kit)
        kit.wait(lambda: kit.run(key).job is not None)
        kit.row(key).cancel(kit.wait)
        kit.wait(lambda: kit.told)
        assert kit.told == ["Taormina super-resolution was cancelled."]

    def test_the_form_stays_free_for_the_next_question(self, kit):
        self.confirm(kit)
        kit.service.answers["scenes"] = (scene(1), scene(2))
        kit.dock.search.limit.setValue(2)
        assert kit.foot.test_button.isEnabled()
