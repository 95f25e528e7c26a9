"""One job per feature in the dock: one price, one confirmation, one line of progress."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtWidgets import QMessageBox

from tests.staged_provider import estimation, scene
from up42_plugin.api.errors import ServerError, ValidationError
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.service import Limits
from up42_plugin.core.spending import SpendingLimits
from up42_plugin.gui.confirm_dialog import ConfirmDialog

N = "\u00a0"
LIVE = "Run these 3 live jobs for 39–75" + N + "credits?"


@pytest.fixture
def kit(desk_kit):
    return desk_kit


def live_requests(kit):
    return [request for (request,) in kit.service.called("submit") if request.mode is Mode.LIVE]


def live_jobs(kit, word=None):
    jobs = [job for job in kit.service.jobs.values() if job.mode is Mode.LIVE]
    return [job for job in jobs if word is None or job.word == word]


def begin(kit, slots=1, name="Taormina"):
    """A batch of three that was agreed to."""
    kit.tested_batch(slots=slots)
    dialog = kit.confirmation()
    dialog.job_name.setText(name)
    kit.click(dialog.run_button)
    kit.wait(lambda: kit.dialog(ConfirmDialog) is None and kit.dock.runs.batches())
    kit.dock.tabs.setCurrentWidget(kit.dock.jobs_page)
    return kit.dock.runs.batches()[-1][1]


def finish(kit, word="SUCCEEDED"):
    """The service does one job."""
    kit.wait(lambda: any(not job.state.terminal for job in live_jobs(kit)))
    job = next(job for job in live_jobs(kit) if not job.state.terminal)
    kit.service.set(job.id, word)
    return job


def lines_of(dialog):
    return dict(dialog._proposal.lines)


class TestBefore:
    def test_the_price_is_the_total_of_all_jobs(self, kit):
        kit.tested_batch()
        assert kit.foot.estimation.text() == f"<b>39–75{N}credits</b> for 3{N}jobs, 6–30{N}min"
        assert kit.foot.balance_after.text() == f"9,925–9,961{N}credits"

    def test_one_area_without_a_price_leaves_none_and_says_which(self, kit):
        kit.open()
        areas = kit.select_areas()

        def refusing(asked):
            if asked.aoi == areas[1].aoi:
                raise ServerError("UP42 has a problem (500).", status=500)
            return estimation()

        kit.service.answers["estimate"] = refusing
        kit.new_job.ask_price_again()
        kit.wait(lambda: kit.new_job.price.reason)
        assert kit.foot.estimation.text() == "Not available"
        assert kit.foot.estimation.toolTip() == "2 of 3: UP42 has a problem (500)."

    def test_every_area_is_tested_and_told_in_one_line(self, kit):
        kit.tested_batch()
        assert kit.reason().startswith("Tested today ")
        assert kit.reason().endswith(": 3 of 3 areas have scenes.")
        names = [request.name.split(" #")[0] for (request,) in kit.service.called("submit")]
        assert names == ["Area, Contains 1 of 3", "Area, Contains 2 of 3", "Area, Contains 3 of 3"]

    def test_no_more_test_queries_at_once_than_there_are_slots(self, kit):
        kit.service.answers["limits"] = Limits(2, 500, 100.0)
        kit.open()
        kit.select_areas()
        kit.wait(lambda: kit.new_job.ready.can_test)
        kit.click(kit.foot.test_button)
        kit.wait(lambda: len(kit.service.called("submit")) == 2)
        assert kit.foot._busy_text.text().startswith("Test queries running, 0 of 3 done, ")
        kit.stays(lambda: len(kit.service.called("submit")) == 2)
        kit.finish_test_queries(3)
        kit.wait(lambda: not kit.foot._busy.isVisible())

    def test_only_areas_that_are_not_fresh_are_asked_again(self, kit):
        kit.tested_batch(2)
        kit.select_areas(2)
        asked = len(kit.service.called("submit"))
        kit.service.answers["scenes"] = lambda job_id: (scene(1, job_id),)
        kit.select_areas(3)
        kit.wait(lambda: kit.reason() == "2 of 3 areas are tested. Run the test query for the others.")
        kit.click(kit.foot.test_button)
        kit.finish_test_queries(1)
        kit.wait(lambda: kit.new_job.ready.can_run_live)
        assert len(kit.service.called("submit")) == asked + 1

    def test_an_area_without_scenes_blocks_the_live_job_and_is_named(self, kit):
        kit.service.answers["scenes"] = [(scene(),), (), (scene(),)]
        kit.service.answers["limits"] = Limits(1, 500, 100.0)
        kit.open()
        kit.select_areas()
        kit.wait(lambda: kit.new_job.ready.can_test)
        kit.click(kit.foot.test_button)
        kit.finish_test_queries(3)
        kit.wait(lambda: kit.reason().endswith("2 of 3 areas have scenes. None in 2 of 3."))
        assert not kit.foot.live_button.isEnabled()

    def test_cancelling_cancels_all_of_them(self, kit):
        kit.open()
        kit.select_areas()
        kit.wait(lambda: kit.new_job.ready.can_test)
        kit.click(kit.foot.test_button)
        kit.wait(lambda: kit.service.jobs)
        kit.click(kit.foot.cancel_button)
        kit.wait(lambda: not kit.foot._busy.isVisible())
        assert len(kit.service.called("submit")) == 1
        assert kit.told == []

    def test_a_change_voids_all_of_it(self, kit):
        kit.tested_batch()
        kit.dock.search.clouds.setValue(3)
        kit.wait(lambda: kit.reason() == "Changed since the test query: Clouds. Test again before a live job.")


class TestConfirmation:
    def test_it_asks_once_for_all(self, kit):
        kit.tested_batch()
        asked = len(kit.service.called("estimate"))
        dialog = kit.confirmation()
        assert len(kit.service.called("estimate")) == asked + 3
        assert dialog.heading.text() == LIVE
        said = lines_of(dialog)
        assert said["Jobs"] == "3, one for each area: 1 of 3, 2 of 3, 3 of 3"
        assert said["Area"].endswith(" in total")
        assert said["Tested"].endswith("same configurations: 3 of 3 areas have scenes")
        assert dialog.price_labels["held"].text() == f"39{N}credits"
        assert dialog.run_button.text() == f"Run for 39–75{N}Credits"

    def test_all_are_in_the_ledger_before_anything_is_sent(self, kit):
        kit.tested_batch()
        dialog = kit.confirmation()
        kit.service.hold("submit")
        kit.click(dialog.run_button)
        kit.wait(lambda: len(live_requests(kit)) == 1)
        assert len(kit.ledger_queue.waiting("sandbox")) == 2
        agreed = [job.agreed for job in kit.ledger_queue.waiting("sandbox")]
        assert {(cost.minimum, cost.maximum) for cost in agreed} == {(13, 25)}
        assert live_requests(kit)[0].name.startswith("Area super-resolution 1 of 3 #")
        kit.service.let_go("submit")

    def test_what_cannot_be_recorded_is_not_sent(self, kit, monkeypatch):
        kit.tested_batch()
        dialog = kit.confirmation()

        def full(_jobs):
            raise LedgerError("The disk is full.")

        monkeypatch.setattr(kit.ledger_queue, "add", full)
        kit.click(dialog.run_button)
        kit.wait(lambda: dialog.message.text == "The disk is full.")
        assert live_requests(kit) == []
        dialog.reject()

    def test_the_limit_per_job_holds_for_each_and_per_day_for_all(self, kit):
        kit.tested_batch()
        kit.settings.set_spending_limits(SpendingLimits(per_job=30, per_day=75))
        dialog = kit.confirmation()
        assert dialog.run_button.isEnabled()
        kit.settings.set_spending_limits(SpendingLimits(per_job=30, per_day=74))
        kit.click(dialog.run_button)
        assert dialog.message.text == f"Over your limit of 74{N}credits per day."
        dialog.reject()
        kit.settings.set_spending_limits(SpendingLimits(per_job=24))
        kit.new_job.refresh()
        assert kit.reason() == f"Over your limit of 24{N}credits per job."
        assert live_requests(kit) == []

    def test_the_least_of_all_is_typed(self, kit):
        kit.tested_batch()
        kit.settings.set_spending_limits(SpendingLimits(typed_above=50))
        dialog = kit.confirmation()
        assert dialog.typed_label.text().replace("&", "") == "Type 39 to confirm"
        dialog.reject()

    def test_without_a_price_the_maximum_is_for_all_and_divided(self, kit):
        kit.tested_batch()
        kit.service.answers["estimate"] = ServerError("UP42 has a problem (500).", status=500)
        dialog = kit.confirmation()
        assert dialog.heading.text() == "Run these 3 live jobs without an estimation?"
        dialog.most.setValue(90)
        kit.click(dialog.run_button)
        kit.wait(lambda: live_requests(kit))
        assert {job.agreed.maximum for job in kit.ledger_queue.waiting("sandbox")} == {30}


class TestProgress:
    def test_one_after_the_other_with_one_slot(self, kit):
        row = begin(kit)
        for done in range(3):
            kit.wait(lambda done=done: len(live_requests(kit)) == done + 1)
            kit.wait(lambda done=done: f"{done} of 3 jobs done, 1 running" in row.line.text())
            kit.stays(lambda done=done: len(live_requests(kit)) == done + 1)
            finish(kit)
        kit.wait(lambda: row.line.text() == "Taormina: 3 of 3 jobs done")
        kit.wait(lambda: kit.told)
        assert kit.told == ["Taormina: 3 of 3 jobs done."]
        assert len({request.tag for request in live_requests(kit)}) == 3

    def test_two_at_a_time_with_two(self, kit):
        row = begin(kit, slots=2)
        kit.wait(lambda: row.line.text() == "Taormina: 0 of 3 jobs done, 2 running, 1 waiting")
        kit.stays(lambda: len(live_requests(kit)) == 2)
        finish(kit)
        kit.wait(lambda: len(live_requests(kit)) == 3)

    def test_it_opens_to_its_rows(self, kit):
        row = begin(kit)
        kit.wait(lambda: row.runs[0].job is not None)
        assert not row.row(row.runs[0].key).isVisible()
        kit.click(row.open_button)
        assert [kit.dock.runs.row(run.key).isVisible() for run in row.runs] == [True] * 3
        assert kit.dock.runs.row(row.runs[1].key).line.text() == "Waiting for a free slot"
        assert not kit.dock.runs.row(row.runs[1].key)._bar.isVisible()

    def test_cancel_asks_and_cancels_here_and_there(self, kit):
        row = begin(kit)
        kit.wait(lambda: row.runs[0].job is not None)
        kit.click(row.cancel_button)
        box = kit.dialog(QMessageBox)
        assert box.text() == f"Cancel 3{N}jobs of Taormina? Blocks that already succeeded stay charged."
        assert box.defaultButton().text() == "Keep Running"
        kit.click(next(button for button in box.buttons() if button.text() == "Cancel Jobs"))
        kit.wait(lambda: row.line.text() == "Taormina: 0 of 3 jobs done, 3 cancelled")
        assert len(live_requests(kit)) == 1
        assert kit.ledger_queue.waiting("sandbox") == ()

    def test_keep_running_keeps_it(self, kit):
        row = begin(kit)
        kit.wait(lambda: row.runs[0].job is not None)
        kit.click(row.cancel_button)
        box = kit.dialog(QMessageBox)
        kit.click(box.defaultButton())
        kit.wait(lambda: kit.dialog(QMessageBox) is None)
        assert len(kit.ledger_queue.waiting("sandbox")) == 2

    def test_a_failed_job_is_tried_again_alone_for_its_present_price(self, kit):
        row = begin(kit)
        finish(kit, "FAILED")
        for _ in range(2):
            kit.wait(lambda: any(not job.state.terminal for job in live_jobs(kit)))
            finish(kit)
        kit.wait(lambda: row.line.text() == "Taormina: 2 of 3 jobs done, 1 failed")
        kit.click(row.open_button)
        kit.service.answers["estimate"] = estimation(20, 30)
        failed = row.runs[0]
        retry = kit.dock.runs.row(failed.key).retry_button
        kit.wait(lambda: retry.height() > 0)
        kit.click(retry)
        kit.wait(lambda: kit.dialog(ConfirmDialog) is not None)
        dialog = kit.dialog(ConfirmDialog)
        kit.wait(dialog.run_button.isEnabled)
        assert dialog.heading.text() == f"Run this live job for 20–30{N}credits?"
        assert dialog.job_name.text() == "Taormina 1 of 3"
        kit.click(dialog.run_button)
        kit.wait(lambda: len(live_requests(kit)) == 4)
        assert live_requests(kit)[3].configuration == failed.configuration
        finish(kit)
        kit.wait(lambda: row.line.text() == "Taormina: 3 of 3 jobs done")

    def test_a_refused_one_does_not_stop_the_others(self, kit):
        take = kit.service.answers["submit"]

        def second_refused(request):
            if "2 of 3" in request.name and request.mode is Mode.LIVE:
                raise ValidationError("The area is too small.", status=400)
            return take(request)

        kit.service.answers["submit"] = second_refused
        row = begin(kit)
        for _ in range(2):
            finish(kit)
        kit.wait(lambda: row.line.text() == "Taormina: 2 of 3 jobs done, 1 failed")
        assert row.runs[1].message == "The area is too small."
