"""Runs from the click to the layers; cancelled, cut and answered late at every stage."""

from __future__ import annotations

import pytest
from qgis.core import QgsApplication
from runs_kit import RunsKit

from tests.staged_provider import scene, task
from tests.unit.ledger_kit import new_job
from up42_plugin.api.errors import (
    AccessError,
    NetworkError,
    NotSentError,
    OutcomeUnknownError,
    TooManyJobsError,
    ValidationError,
)
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import SubmissionState
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.output_errors import NoLayerError
from up42_plugin.core.run import Phase
from up42_plugin.qgis_bridge import loading

LOST = OutcomeUnknownError("No answer.")
DOWN = NetworkError("No answer from api.example.org within 30 s.")
BUSY = TooManyJobsError("This project runs as many jobs as it may.", status=429)


@pytest.fixture
def kit(runner, tmp_path, qtbot):
    kit = RunsKit(runner, tmp_path, qtbot)
    yield kit
    kit.stop()
    kit.project.clear()


class TestFromTheClickToTheLayers:
    def test_a_live_job_is_recorded_accepted_followed_and_loaded(self, kit):
        key = kit.start()
        kit.wait(lambda: kit.run(key).job is not None)
        assert kit.recorded == [key]
        kit.provider.answers["tasks"] = (task("RUNNING"),)
        kit.monitor.set_opened("job-1", True)
        for word in ("RUNNING", "PONDERING", "SUCCEEDED"):
            kit.provider.set("job-1", word)
            kit.wait(lambda word=word: kit.run(key).job.word == word)
        run = kit.wait_ended(key)
        assert run.words == ("NOT_STARTED", "RUNNING", "PONDERING", "SUCCEEDED")
        assert run.tasks == (task("RUNNING"),)
        assert (run.credits_charged, run.loadable, run.message) == (19, True, "")
        kit.put_output(key)
        kit.runs.load(key)
        kit.wait(lambda: kit.run(key).phase is Phase.LOADED)
        assert [layer.name() for layer in kit.project.mapLayers().values()] == ["Sentinel-2 L2A visual 2021-09-18"]
        assert kit.run(key).layers == 1
        assert len(kit.loaded) == 1
        assert len(kit.ended) == 1

    def test_a_test_query_brings_its_scenes_and_their_footprints(self, kit):
        key = kit.succeeded(Mode.TEST_QUERY)
        run = kit.run(key)
        assert run.phase is Phase.LOADED
        assert [found.scene_id for found in run.scenes] == ["S2B_MSIL2A_1"]
        assert [layer.name() for layer in kit.project.mapLayers().values()] == ["Scene footprints"]
        assert kit.project.layerTreeRoot().children()[0].name() == "Taormina (test query)"
        assert kit.provider.called("credits") == []
        assert kit.phases(key) == [Phase.SENDING, Phase.ON_SERVICE, Phase.FETCHING, Phase.LOADED]

    def test_a_test_query_without_scenes_is_a_result_and_leaves_no_layer(self, kit):
        kit.provider.answers["scenes"] = ()
        run = kit.run(kit.succeeded(Mode.TEST_QUERY))
        assert (run.phase, run.scenes, run.message) == (Phase.LOADED, (), "")
        assert kit.project.mapLayers() == {}
        assert kit.loaded == []

    def test_scenes_that_cannot_be_shown_are_scenes_all_the_same(self, kit, monkeypatch):
        def nothing(*_arguments):
            raise NoLayerError("the footprints cannot be opened")

        monkeypatch.setattr(loading.LayerLoader, "add", nothing)
        run = kit.run(kit.succeeded(Mode.TEST_QUERY))
        assert run.phase is Phase.LOADED
        assert len(run.scenes) == 1
        assert run.message == "The scenes cannot be shown on the map. the footprints cannot be opened"

    def test_an_unexpected_error_while_loading_leaves_the_run_at_rest(self, kit, monkeypatch, qtbot):
        def odd(*_arguments):
            raise RuntimeError("odd")

        monkeypatch.setattr(loading.LayerLoader, "add", odd)
        with qtbot.captureExceptions() as raised:
            key = kit.on_service(Mode.TEST_QUERY, "SUCCEEDED")
            run = kit.wait_ended(key)
        assert (run.phase, run.busy) == (Phase.ON_SERVICE, False)
        assert run.message.startswith("Something unexpected happened")
        assert [str(error) for _, error, _ in raised] == ["odd"]

    def test_scenes_that_cannot_be_read_end_the_test_query_with_the_reason(self, kit):
        kit.provider.answers["scenes"] = DOWN
        run = kit.run(kit.succeeded(Mode.TEST_QUERY))
        assert (run.phase, run.message, run.scenes) == (Phase.ON_SERVICE, DOWN.user_message, ())

    def test_a_failed_job_says_why_from_its_log(self, kit):
        kit.provider.answers["tasks"] = (task("SUCCEEDED", "aws-s2-l2a:1", "task-1"), task("FAILED"))
        kit.provider.answers["logs"] = "x - ERROR - [NO_INPUT_ERROR] No images found."
        key = kit.on_service(word="FAILED")
        assert kit.wait_ended(key).message == "Failed: no images found"

    def test_a_failed_test_query_says_why_too(self, kit):
        kit.provider.answers["tasks"] = (task("FAILED"),)
        key = kit.on_service(Mode.TEST_QUERY, "FAILED")
        assert kit.wait_ended(key).message == "Failed in s2-superresolution:1."

    def test_a_failed_job_ends_even_when_nothing_more_can_be_read(self, kit):
        kit.provider.answers.update(credits=DOWN, logs=DOWN)
        key = kit.on_service(word="ERROR")
        run = kit.wait_ended(key)
        assert (run.credits_charged, run.message) == (None, "Failed.")

    def test_an_output_without_layers_says_so_and_can_be_loaded_again(self, kit):
        key = kit.succeeded()
        place = kit.put_output(key)
        (place / "data.json").write_text('{"type": "FeatureCollection", "features": []}')
        for path in place.glob("*.tif"):
            path.unlink()
        kit.runs.load(key)
        kit.wait(lambda: kit.run(key).message)
        run = kit.run(key)
        assert (run.phase, run.message, run.loadable) == (Phase.ON_SERVICE, "No layer in this output.", True)

    def test_loading_twice_at_once_is_loading_once(self, kit):
        key = kit.succeeded()
        kit.provider.answers["open_output"] = DOWN
        kit.provider.hold("open_output")
        kit.runs.load(key)
        kit.runs.load(key)
        kit.wait(lambda: kit.provider.called("open_output"))
        kit.provider.let_go("open_output")
        kit.wait(lambda: kit.run(key).message == DOWN.user_message)
        assert len(kit.provider.called("open_output")) == 1


class TestSending:
    @pytest.mark.parametrize(
        ("error", "message"),
        [
            (NotSentError("No network."), "No network."),
            (ValidationError("The area is too small.", status=400), "The area is too small."),
            (AccessError("This key may not.", status=403), "This key may not."),
        ],
    )
    def test_a_refusal_is_the_end_with_its_reason(self, kit, error, message):
        kit.provider.answers["submit"] = error
        key = kit.start()
        run = kit.wait_ended(key)
        assert (run.phase, run.message, run.busy) == (Phase.NOT_SUBMITTED, message, False)
        assert kit.recorded == [key]
        assert len(kit.provider.called("submit")) == 1

    def test_without_a_record_nothing_is_sent(self, kit, monkeypatch):
        def full(_new):
            raise LedgerError("The disk is full.")

        monkeypatch.setattr(kit.ledger, "add", full)
        key = kit.start()
        assert kit.wait_ended(key).message == "The disk is full."
        assert kit.recorded == []
        assert kit.provider.called("submit") == []

    def test_waiting_for_a_slot_is_told_and_recorded_at_once(self, kit):
        kit.provider.answers["submit"] = BUSY
        key = kit.start()
        kit.wait(lambda: kit.run(key).message == "Waiting for a free job slot…")
        assert kit.recorded == [key]
        kit.provider.answers["submit"] = kit.provider._take
        kit.wait(lambda: kit.run(key).job is not None)
        assert kit.recorded == [key]

    def test_a_lost_answer_is_looked_up_and_never_sent_again(self, kit):
        def lost(request):
            kit.provider._take(request)
            raise LOST

        kit.provider.answers["submit"] = lost
        kit.provider.hold("find")
        key = kit.start()
        kit.wait(lambda: kit.run(key).phase is Phase.CHECKING)
        assert kit.recorded == [key]
        kit.provider.let_go("find")
        kit.wait(lambda: kit.run(key).phase is Phase.ON_SERVICE)
        assert len(kit.provider.called("submit")) == 1
        assert len(kit.provider.jobs) == 1

    def test_a_job_the_service_never_saw_is_said_to_be_not_submitted(self, kit):
        kit.provider.answers["submit"] = LOST
        run = kit.wait_ended(kit.start())
        assert run.message == "Not submitted: the service does not know this job."

    def test_an_end_that_nobody_can_tell_now_is_found_out_later(self, kit):
        kit.provider.answers["submit"] = LOST
        kit.provider.answers["find"] = DOWN
        key = kit.start()
        kit.wait(lambda: len(kit.provider.called("find")) > 10)  # the pauses grow quickly
        assert kit.run(key).phase is Phase.CHECKING
        assert kit.ended == []
        kit.provider.answers["find"] = None
        assert kit.wait_ended(key).phase is Phase.NOT_SUBMITTED
        assert len(kit.provider.called("submit")) == 1

    def test_a_job_found_when_it_is_already_over_ends_its_run(self, kit):
        def lost(request):
            kit.provider._take(request)
            kit.provider.set("job-1", "SUCCEEDED")
            raise LOST

        kit.provider.answers["submit"] = lost
        run = kit.wait_ended(kit.start(Mode.TEST_QUERY))
        assert run.phase is Phase.LOADED

    def test_a_job_accepted_by_another_window_is_followed_and_not_said_to_be_lost(self, kit):
        def elsewhere(request):
            kit.provider._take(request)
            (job,) = kit.ledger.jobs("one")
            kit.ledger.accept(job.submissions[0], "job-1")
            raise LOST

        found = kit.provider.answers["job"]
        kit.provider.answers.update(submit=elsewhere, find=None, job=DOWN)
        key = kit.start()
        kit.wait(lambda: len(kit.provider.called("job")) >= 2)
        assert kit.run(key).phase is Phase.CHECKING
        assert kit.ended == []
        kit.provider.answers["job"] = found
        kit.wait(lambda: kit.run(key).phase is Phase.ON_SERVICE)

    def test_an_unexpected_error_after_the_record_is_settled_by_looking(self, kit):
        kit.provider.answers["submit"] = RuntimeError("odd")
        run = kit.wait_ended(kit.start())
        assert run.message == "Not submitted: the service does not know this job."


class TestTroubleAndGoneConnections:
    def test_no_network_is_told_quietly_and_goes_away_by_itself(self, kit):
        key = kit.on_service()
        listed = kit.provider.answers["jobs"]
        kit.provider.answers["jobs"] = DOWN
        kit.wait(lambda: kit.run(key).trouble == DOWN.user_message)
        assert kit.run(key).phase is Phase.ON_SERVICE
        assert kit.ended == []
        kit.provider.answers["jobs"] = listed
        kit.wait(lambda: kit.run(key).trouble == "")

    def test_a_vanished_job_ends_its_run(self, kit):
        key = kit.on_service()
        kit.provider.jobs.clear()
        assert kit.wait_ended(key).message == "The service no longer knows this job."

    def test_loading_without_a_connection_says_so(self, kit):
        key = kit.succeeded()
        del kit.providers["one"]
        kit.runs.load(key)
        assert kit.run(key).message == "Not connected to Coastal study."
        assert kit.run(key).loadable

    def test_cancelling_without_a_connection_says_so(self, kit):
        key = kit.on_service()
        del kit.providers["one"]
        kit.runs.cancel(key)
        assert kit.trouble == ["Not connected to Coastal study."]

    def test_a_run_waits_for_its_connection_to_come_back(self, kit):
        key = kit.on_service()
        del kit.providers["one"]
        kit.qtbot.wait(100)  # a look that is under way ends
        kit.provider.set("job-1", "SUCCEEDED")
        kit.qtbot.wait(100)
        assert not kit.run(key).succeeded
        kit.providers["one"] = kit.provider
        assert kit.wait_ended(key).succeeded

    @pytest.mark.parametrize("mode", list(Mode))
    def test_a_run_whose_connection_goes_at_its_end_still_ends(self, kit, mode):
        key = kit.on_service(mode)

        def gone(_page=0):
            kit.providers.clear()
            return listed(0)

        listed = kit.provider.answers["jobs"]
        kit.provider.set("job-1", "SUCCEEDED")
        kit.provider.answers["jobs"] = gone
        run = kit.wait_ended(key)
        assert not run.busy
        assert run.message == ("" if run.live else "Not connected to Coastal study.")

    def test_jobs_cancelled_in_the_task_manager_end_their_run(self, kit):
        kit.provider.hold("credits")
        key = kit.on_service(word="SUCCEEDED")
        kit.wait(lambda: kit.provider.called("credits"))
        QgsApplication.taskManager().cancelAll()
        assert kit.wait_ended(key).credits_charged is None
        kit.provider.let_go("credits")


def test_a_submission_of_an_earlier_session_is_told_as_such(kit):
    submission = kit.ledger.end_attempt(kit.ledger.add(new_job(connection_id="one")), SubmissionState.UNKNOWN, "Cut.")
    kit.settler.settle("one")
    kit.wait(lambda: kit.earlier)
    assert [outcome.submission.id for outcome in kit.earlier] == [submission.id]
    kit.succeeded()
    assert len(kit.earlier) == 1


def test_two_runs_at_once_do_not_mix(kit):
    kit.provider.answers["scenes"] = lambda job_id: (scene(1, job_id),) if job_id == "job-1" else ()
    first, second = kit.start(Mode.TEST_QUERY), kit.start(Mode.TEST_QUERY)
    kit.wait(lambda: kit.run(first).job is not None and kit.run(second).job is not None)
    for job_id in ("job-1", "job-2"):
        kit.provider.set(job_id, "SUCCEEDED")
    kit.wait(lambda: len(kit.ended) == 2)
    found = {kit.run(key).job.id: len(kit.run(key).scenes) for key in (first, second)}
    assert found == {"job-1": 1, "job-2": 0}
