"""Live jobs that wait: left by an earlier session, or for the job that runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from qgis.PyQt.QtWidgets import QPushButton

from tests.job_samples import SENTINEL, SUPER_RESOLUTION, taormina, workflow_of
from tests.staged_provider import estimation
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger_queue import WaitingJob
from up42_plugin.core.run import Phase
from up42_plugin.gui.confirm_dialog import ConfirmDialog

N = "\u00a0"


@pytest.fixture
def kit(desk_kit):
    return desk_kit


def live_requests(kit):
    return [request for (request,) in kit.service.called("submit") if request.mode is Mode.LIVE]


def finish(kit):
    """The service does one job."""
    live = [job for job in kit.service.jobs.values() if job.mode is Mode.LIVE]
    kit.service.set(next(job.id for job in live if not job.state.terminal), "SUCCEEDED")


def lines_of(dialog):
    return dict(dialog._proposal.lines)


class TestAnotherSession:
    def left(self, kit, age=timedelta()):
        """The second and third of three jobs are in the ledger when the connection is opened."""
        configuration = JobConfiguration.of(workflow_of(SENTINEL, SUPER_RESOLUTION), taormina())
        jobs = [
            WaitingJob(
                id=f"left-{place}",
                batch_id="left",
                batch_name="Taormina",
                place=place,
                places=3,
                label=f"{place} of 3",
                connection_id="sandbox",
                name=f"Taormina {place} of 3",
                configuration=configuration.with_search(limit=place),
                agreed=Range(13, 25),
                priced=datetime.now(timezone.utc) - age,
            )
            for place in (2, 3)
        ]
        kit.ledger_queue.add(jobs)
        kit.open()
        kit.wait(kit.dock.runs.batches)
        kit.dock.tabs.setCurrentWidget(kit.dock.jobs_page)
        return kit.dock.runs.batches()[-1][1]

    def test_nothing_is_sent_before_it_is_asked_for(self, kit):
        row = self.left(kit)
        assert row.line.text() == "Taormina: 2 of 3 jobs not sent yet."
        buttons = [button.text() for button in row.findChildren(QPushButton) if button.isVisible()]
        assert buttons == ["Continue", "Forget Them"]
        kit.stays(lambda: live_requests(kit) == [])
        kit.click(row.continue_button)
        kit.wait(lambda: len(live_requests(kit)) == 1)
        assert kit.dialog(ConfirmDialog) is None
        finish(kit)
        kit.wait(lambda: len(live_requests(kit)) == 2)
        finish(kit)
        (_, row) = kit.dock.runs.batches()[-1]
        kit.wait(lambda: row.line.text() == "Taormina: 2 of 2 jobs done")
        assert kit.ledger_queue.waiting("sandbox") == ()
        assert [job.agreed.maximum for job in kit.ledger.jobs("sandbox")] == [25, 25]

    def test_they_can_be_forgotten(self, kit):
        row = self.left(kit)
        kit.click(row.forget_button)
        kit.wait(lambda: not kit.ledger_queue.waiting("sandbox"))
        assert kit.dock.runs.batches() == ()
        assert live_requests(kit) == []

    def test_opening_the_connection_again_offers_them_once(self, kit):
        row = self.left(kit)
        kit.connecting_again()
        assert [found for _, found in kit.dock.runs.batches()] == [row]

    def test_an_old_price_is_read_and_confirmed_again(self, kit):
        row = self.left(kit, timedelta(hours=25))
        kit.service.answers["estimate"] = estimation(20, 30)
        kit.click(row.continue_button)
        kit.wait(lambda: len(kit.service.jobs) == 2)  # the test queries, free: those of that time are too old as well
        assert kit.dialog(ConfirmDialog) is None
        for job_id in kit.service.jobs:
            kit.service.set(job_id, "SUCCEEDED")
        kit.wait(lambda: kit.dialog(ConfirmDialog) is not None)
        dialog = kit.dialog(ConfirmDialog)
        kit.wait(dialog.run_button.isEnabled)
        assert lines_of(dialog)["Tested"].endswith("2 of 2 areas have scenes")
        assert dialog.heading.text() == f"Run these 2 live jobs for 40–60{N}credits?"
        assert dialog.message.text == f"The price was 26–50{N}credits a minute ago."
        assert live_requests(kit) == []
        kit.click(dialog.run_button)
        kit.wait(lambda: len(live_requests(kit)) == 1)
        assert kit.dialog(ConfirmDialog) is None
        (job,) = [job for job in kit.ledger.jobs("sandbox") if job.mode is Mode.LIVE]
        assert job.agreed == Range(20, 30)

    def test_old_ones_without_scenes_are_not_confirmed(self, kit):
        row = self.left(kit, timedelta(hours=25))
        kit.service.answers["scenes"] = ()
        kit.click(row.continue_button)
        kit.wait(lambda: len(kit.service.jobs) == 2)
        for job_id in kit.service.jobs:
            kit.service.set(job_id, "SUCCEEDED")
        kit.wait(lambda: "Taormina: the test query found no scenes." in kit.told)
        assert kit.dialog(ConfirmDialog) is None
        assert len(kit.ledger_queue.waiting("sandbox")) == 2

    def test_a_price_that_grew_old_while_it_waited_is_confirmed_again(self, kit):
        kit.service.take_slot("Somebody's job")
        row = self.left(kit)
        kit.click(row.continue_button)
        kit.wait(lambda: len(kit.queue.waiting("sandbox")) == 2)
        old = datetime.now(timezone.utc) - timedelta(hours=25)
        kit.ledger_queue.agree({"left-2": Range(13, 25), "left-3": Range(13, 25)}, old)
        kit.service.jobs.clear()
        (_, row) = kit.dock.runs.batches()[-1]
        kit.click(row.open_button)
        kit.wait(kit.dock.runs.row("left-2").retry_button.isVisible)
        assert live_requests(kit) == []
        assert kit.dock.runs.row("left-2").line.text() == (
            f"Its price is older than 24{N}hours and has to be confirmed again."
        )


class TestRunWhenItEnds:
    def full(self, kit):
        kit.tested()
        kit.click(kit.confirmation().run_button)
        kit.wait(lambda: kit.live_runs() and kit.run(kit.live_runs()[0]).job is not None)
        kit.wait(lambda: kit.new_job.ready.can_queue)

    def test_the_reason_says_who_runs_and_offers_to_wait(self, kit):
        self.full(kit)
        assert kit.reason() == "This project runs 1 job at a time; Taormina super-resolution is running."
        assert not kit.foot.live_button.isEnabled()
        assert kit.foot.live_button.toolTip() == kit.reason()
        assert kit.foot.again_button.text() == "Run When It Ends"
        assert kit.foot.again_button.isVisible()

    def test_it_waits_after_the_same_confirmation_and_goes_when_the_slot_is_free(self, kit):
        self.full(kit)
        kit.click(kit.foot.again_button)
        kit.wait(lambda: kit.dialog(ConfirmDialog) is not None)
        dialog = kit.dialog(ConfirmDialog)
        kit.wait(dialog.run_button.isEnabled)
        assert lines_of(dialog)["Start"] == "as soon as a slot is free; until it is sent it costs nothing"
        dialog.job_name.setText("Second")
        kit.click(dialog.run_button)
        kit.wait(lambda: len(kit.live_runs()) == 2)
        key = kit.live_runs()[1]
        row = kit.dock.runs.row(key)
        assert row.line.text() == "Waiting for a free slot"
        kit.stays(lambda: len(live_requests(kit)) == 1)
        finish(kit)
        kit.wait(lambda: len(live_requests(kit)) == 2)
        kit.wait(lambda: kit.run(key).phase is Phase.ON_SERVICE)
        assert kit.run(key).name == "Second"

    def test_waiting_it_can_be_cancelled_and_costs_nothing(self, kit):
        self.full(kit)
        kit.click(kit.foot.again_button)
        kit.wait(lambda: kit.dialog(ConfirmDialog) is not None)
        dialog = kit.dialog(ConfirmDialog)
        kit.wait(dialog.run_button.isEnabled)
        kit.click(dialog.run_button)
        kit.wait(lambda: len(kit.live_runs()) == 2)
        key = kit.live_runs()[1]
        kit.click(kit.dock.runs.row(key).cancel_button)
        kit.wait(lambda: kit.run(key).phase is Phase.NOT_SUBMITTED)
        assert kit.dock.runs.row(key).line.text() == "Cancelled before it was sent."
        finish(kit)
        kit.stays(lambda: len(live_requests(kit)) == 1)
        assert kit.ledger_queue.waiting("sandbox") == ()

    def test_jobs_of_others_take_slots_too(self, kit):
        kit.ready_to_test()
        kit.service.take_slot("Somebody's job")
        kit.slots.read("sandbox")
        run = kit.start_test_query()
        kit.service.set(run.job.id, "SUCCEEDED")
        kit.wait(lambda: kit.reason() == "This project runs 1 job at a time; Somebody's job is running.")

    def test_a_data_block_without_test_query_can_wait_as_well(self, kit):
        untested = workflow_of(replace(SENTINEL, test_query=False), SUPER_RESOLUTION)
        kit.service.answers.update(workflows=(untested,), workflow=lambda _id: untested)
        kit.service.take_slot("Somebody's job")
        kit.open()
        kit.select()
        kit.wait(lambda: kit.new_job.ready.can_queue)
