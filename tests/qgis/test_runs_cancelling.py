"""Cancelling a run, wherever it stands: what may have left is found and cancelled on the service."""

from __future__ import annotations

import pytest
from runs_kit import RunsKit

from up42_plugin.api.errors import NetworkError, OutcomeUnknownError, ServerError, TooManyJobsError
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.ledger import SubmissionState
from up42_plugin.core.run import Phase

LOST = OutcomeUnknownError("No answer.")
DOWN = NetworkError("No answer from api.example.org within 30 s.")
BUSY = TooManyJobsError("This project runs as many jobs as it may.", status=429)


@pytest.fixture
def kit(runner, tmp_path, qtbot):
    kit = RunsKit(runner, tmp_path, qtbot)
    yield kit
    kit.stop()
    kit.project.clear()


def test_right_after_the_click(kit):
    key = kit.start()
    kit.runs.cancel(key)
    run = kit.wait_ended(key)
    # The worker may have been quicker: then the job is found and cancelled there.
    assert run.phase is Phase.NOT_SUBMITTED or run.state is JobState.CANCELLED
    if run.phase is Phase.NOT_SUBMITTED:
        assert run.message == "Cancelled before it was sent."


def test_while_waiting_for_a_slot_it_was_not_sent(kit):
    kit.provider.answers["submit"] = BUSY
    key = kit.start()
    kit.wait(lambda: kit.run(key).message.startswith("Waiting"))
    kit.runs.cancel(key)
    run = kit.wait_ended(key)
    assert (run.phase, run.message, run.unwanted) == (Phase.NOT_SUBMITTED, "Cancelled before it was sent.", True)
    assert kit.ledger.jobs("one")[0].submissions[0].state is SubmissionState.REFUSED


def test_during_the_request_it_is_found_and_cancelled_there(kit):
    kit.provider.hold("submit")
    key = kit.start()
    kit.wait(lambda: kit.provider.called("submit"))
    request = kit.provider.called("submit")[0][0]
    kit.provider._take(request)  # it arrived, and the answer was not waited for
    kit.runs.cancel(key)
    run = kit.wait_ended(key)
    assert run.state is JobState.CANCELLED
    assert kit.provider.called("cancel") == [("job-1",)]
    kit.provider.let_go("submit")


def test_while_it_is_being_looked_up(kit):
    def lost(request):
        kit.provider._take(request)
        raise LOST

    kit.provider.answers["submit"] = lost
    kit.provider.hold("find")
    key = kit.start()
    kit.wait(lambda: kit.run(key).phase is Phase.CHECKING)
    kit.runs.cancel(key)
    assert kit.run(key).unwanted
    kit.wait(lambda: len(kit.provider.called("find")) >= 2)
    kit.provider.let_go("find")
    assert kit.wait_ended(key).state is JobState.CANCELLED
    assert len(kit.provider.jobs) == 1


def test_when_looking_it_up_was_put_off(kit):
    kit.provider.answers["submit"] = LOST
    kit.provider.answers["find"] = DOWN
    key = kit.start()
    kit.wait(lambda: len(kit.provider.called("find")) > 20)
    kit.runs.cancel(key)
    kit.provider.answers["find"] = None
    assert kit.wait_ended(key).message == "Cancelled before it was sent."


def test_on_the_service(kit):
    key = kit.on_service()
    kit.runs.cancel(key)
    assert kit.run(key).message == "Cancelling…"
    run = kit.wait_ended(key)
    assert (run.state, run.message) == (JobState.CANCELLED, "")


def test_on_the_service_twice_asks_once(kit):
    key = kit.on_service()
    kit.provider.hold("cancel")
    kit.runs.cancel(key)
    kit.runs.cancel(key)
    kit.wait(lambda: kit.provider.called("cancel"))
    kit.provider.let_go("cancel")
    kit.wait_ended(key)
    assert len(kit.provider.called("cancel")) == 1


def test_what_cannot_be_cancelled_goes_on_and_says_so(kit):
    kit.provider.answers["cancel"] = ServerError("UP42 has a problem (500).", status=500)
    key = kit.on_service()
    kit.runs.cancel(key)
    kit.wait(lambda: kit.trouble)
    assert kit.trouble == ["UP42 has a problem (500)."]
    kit.provider.set("job-1", "SUCCEEDED")
    assert kit.wait_ended(key).succeeded


def test_while_fetching_the_output(kit):
    key = kit.succeeded()
    kit.provider.hold("open_output")
    kit.runs.load(key)
    kit.wait(lambda: kit.provider.called("open_output"))
    kit.runs.cancel(key)
    kit.wait(lambda: kit.run(key).phase is Phase.ON_SERVICE)
    run = kit.run(key)
    assert (run.message, run.loadable, run.busy) == ("", True, False)
    assert kit.provider.called("cancel") == []
    assert not (kit.folder / "outputs").exists()
    kit.provider.let_go("open_output")


def test_while_reading_scenes(kit):
    kit.provider.hold("scenes")
    key = kit.on_service(Mode.TEST_QUERY, "SUCCEEDED")
    kit.wait(lambda: kit.provider.called("scenes"))
    kit.runs.cancel(key)
    run = kit.wait_ended(key)
    assert (run.phase, run.scenes, run.message) == (Phase.ON_SERVICE, (), "Cancelled.")
    kit.provider.let_go("scenes")


def test_when_it_is_over_there_is_nothing_to_cancel(kit):
    key = kit.succeeded()
    kit.runs.cancel(key)
    assert kit.provider.called("cancel") == []
