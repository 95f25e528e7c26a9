"""Waiting jobs and the runs they become: window beside window on one ledger, and one after the other."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from runs_kit import RunsKit

from tests.unit.ledger_kit import PRICE, configuration
from up42_plugin.api.errors import OutcomeUnknownError, TooManyJobsError
from up42_plugin.core.ledger_queue import LedgerQueue, WaitingJob
from up42_plugin.core.run import Phase
from up42_plugin.core.service import Limits
from up42_plugin.core.submission import Pace
from up42_plugin.qgis_bridge.job_queue import JobQueue
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.slots import SlotWatch


class Window(RunsKit):
    """One QGIS window: runs and a queue on a ledger that others may use too."""

    def __init__(self, runner, folder, qtbot, provider=None):
        super().__init__(runner, folder, qtbot)
        if provider is not None:
            self.providers["one"] = self.provider = provider
        self.waiting = LedgerQueue(self.ledger)
        self.queue = JobQueue(runner, self.runs, self.waiting, self.providers.get, pace=Pace(0.01, 0.02))
        self.refused, self.unsent = [], []
        self.queue.refused.connect(lambda _id, message: self.refused.append(message))
        self.queue.unsent.connect(lambda _id, jobs: self.unsent.extend(jobs))

    def stop(self):
        self.queue.stop()
        super().stop()

    def sent(self):
        return [request.name.split(" #")[0] for (request,) in self.provider.called("submit")]

    def finish_one(self):
        self.wait(lambda: [job for job in self.provider.jobs.values() if not job.state.terminal])
        job = next(job for job in self.provider.jobs.values() if not job.state.terminal)
        self.provider.set(job.id, "SUCCEEDED")


def jobs(number=4):
    return [
        WaitingJob(
            id=f"w{place}",
            batch_id="b1",
            batch_name="Taormina",
            place=place,
            places=number,
            label=f"{place} of {number}",
            connection_id="one",
            name=f"Taormina {place} of {number}",
            configuration=configuration(limit=place),
            agreed=PRICE,
            priced=datetime.now(timezone.utc),
        )
        for place in range(1, number + 1)
    ]


NAMES = [job.name for job in jobs()]


@pytest.fixture
def window(runner, tmp_path, qtbot):
    window = Window(runner, tmp_path, qtbot)
    yield window
    window.stop()
    window.provider.forget()


def test_they_are_sent_in_their_order_as_slots_become_free(window):
    window.queue.add(jobs())
    for done in range(4):
        window.wait(lambda done=done: len(window.sent()) == done + 1)
        window.finish_one()
    window.wait(lambda: len(window.ended) == 4)
    assert window.sent() == NAMES
    assert all(run.succeeded for run in window.ended)


def test_nothing_is_sent_where_they_cannot_be_recorded(window, monkeypatch):
    monkeypatch.setattr(window.waiting, "add", lambda _jobs: 1 / 0)
    window.queue.add(jobs())
    window.wait(lambda: window.refused)
    assert window.sent() == []
    assert window.history == []


def test_two_windows_send_each_job_once(window, tmp_path, qtbot, log):
    window.provider.answers["limits"] = Limits(2, 500, 100.0)
    window.waiting.add(jobs())
    other_runner = JobRunner(log)
    other = Window(other_runner, tmp_path, qtbot, window.provider)
    try:
        for one in (window, other):
            one.queue.go_on(jobs())
        for done in range(4):
            window.wait(lambda done=done: len(window.sent()) >= done + 1)
            window.finish_one()
        window.wait(lambda: not window.queue.waiting("one") and not other.queue.waiting("one"))
        assert sorted(window.sent()) == NAMES
        theirs = [run for run in other.runs.all() if run.phase is Phase.NOT_SUBMITTED]
        ours = [run for run in window.runs.all() if run.phase is Phase.NOT_SUBMITTED]
        assert len(theirs) + len(ours) == 4
        assert {run.message for run in (*theirs, *ours)} == {
            "Another QGIS window sent this job, or was told to forget it."
        }
    finally:
        other.stop()
        assert other_runner.shutdown()


def test_a_dead_window_s_jobs_are_found_and_go_on_without_a_second_one(window, tmp_path, qtbot, log):
    window.queue.add(jobs())
    window.wait(lambda: len(window.sent()) == 1)
    window.queue.stop()  # nothing more of it
    runner = JobRunner(log)
    later = Window(runner, tmp_path, qtbot, window.provider)
    try:
        later.queue.look_for_unsent("one")
        later.wait(lambda: later.unsent)
        assert [job.name for job in later.unsent] == NAMES[1:]
        assert len(later.sent()) == 1
        later.queue.go_on(later.unsent)
        for done in range(1, 4):
            later.finish_one()
            later.wait(lambda done=done: len(later.sent()) == done + 1)
        assert later.sent() == NAMES
    finally:
        later.stop()
        assert runner.shutdown()


def test_a_lost_answer_keeps_its_slot_until_it_is_known(window):
    take = window.provider.answers["submit"]

    def lost(request):
        job = take(request)
        if "2 of 4" in request.name:
            raise OutcomeUnknownError("No answer.")
        return job

    window.provider.answers["submit"] = lost
    window.queue.add(jobs())
    for _ in range(4):
        window.finish_one()
    window.wait(lambda: len(window.ended) == 4)
    assert window.sent() == NAMES


def test_a_service_that_refuses_for_now_has_it_wait_on(window):
    window.provider.answers["submit"] = [TooManyJobsError("Too many.", status=429)]
    window.queue.add(jobs(1))
    window.wait(lambda: len(window.sent()) >= 3)
    run = window.run("w1")
    assert run.phase in (Phase.WAITING, Phase.SENDING)
    window.provider.answers["submit"] = window.provider._take
    window.wait(lambda: window.run("w1").phase is Phase.ON_SERVICE)
    assert len({request.tag for (request,) in window.provider.called("submit")}) == 1
    (job,) = window.ledger.jobs("one")
    assert job.submissions[0].attempts >= 3


def test_cancelling_while_it_is_refused_again_and_again_ends_it(window):
    window.provider.answers["submit"] = [TooManyJobsError("Too many.", status=429)]
    window.queue.add(jobs(1))
    window.wait(lambda: len(window.sent()) >= 2)
    window.queue.forget(["w1"])
    window.wait(lambda: window.run("w1").phase is Phase.NOT_SUBMITTED)
    sent = len(window.sent())
    window.qtbot.wait(150)
    assert len(window.sent()) == sent
    assert window.waiting.waiting("one") == ()


def test_a_connection_that_is_gone_has_it_wait(window):
    provider = window.providers.pop("one")
    window.queue.add(jobs(1))
    window.wait(lambda: window.history)
    window.qtbot.wait(100)
    assert window.run("w1").phase is Phase.WAITING
    window.providers["one"] = provider
    window.wait(lambda: window.run("w1").phase is Phase.ON_SERVICE)


def test_slots_are_told_of_ours_and_of_others(window, runner):
    slots = SlotWatch(runner, window.runs, window.providers.get)
    assert slots.sentence("one", 1) == ""
    window.provider.take_slot("Somebody's job")
    slots.read("one")
    window.wait(lambda: slots.sentence("one", 1))
    assert slots.sentence("one", 1) == "This project runs 1 job at a time; Somebody's job is running."
    assert slots.sentence("one", 2) == ""
    window.start()
    assert slots.sentence("one", 2) == "This project runs 2 jobs at a time; 2 are running."
    slots.stop()
