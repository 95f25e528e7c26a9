"""Background jobs: real QGIS tasks, real threads."""

from __future__ import annotations

import socket
import threading

import pytest
from job_witness import WAIT_MS, Witness
from qgis.core import QgsApplication, QgsTask

from up42_plugin.api.errors import Cancelled, ServerError
from up42_plugin.qgis_bridge import jobs as jobs_module


def test_a_result_arrives_on_the_main_thread(runner, watch):
    seen_in_worker = []

    def work(context):
        seen_in_worker.append(threading.current_thread() is threading.main_thread())
        return ["a", "b"]

    witness = watch(runner.start("Fetch", work))
    assert witness.seen == [("succeeded", ["a", "b"]), ("ended", None)]
    assert witness.threads == {QgsApplication.instance().thread()}
    assert seen_in_worker == [False]


@pytest.mark.parametrize("result", [None, 0, [], False, ""])
def test_results_that_are_falsy_are_results(runner, watch, result):
    witness = watch(runner.start("Fetch", lambda context: result))
    assert witness.seen == [("succeeded", result), ("ended", None)]


@pytest.mark.parametrize("error", [ServerError("The service has a problem."), ValueError("odd"), SystemExit(3)])
def test_whatever_a_worker_raises_is_delivered_as_failure(runner, watch, panel_lines, error):
    def work(context):
        raise error

    witness = watch(runner.start("Estimate", work))
    assert witness.seen == [("failed", error), ("ended", None)]
    assert any("Estimate" in line for line in panel_lines)


def test_an_unexpected_error_is_logged_with_its_traceback_and_an_explained_one_without(runner, watch, panel_lines):
    def odd(context):
        raise KeyError("credits")

    def explained(context):
        raise ServerError("The service has a problem.", "status 503")

    watch(runner.start("Odd", odd))
    watch(runner.start("Explained", explained))
    odd_line, explained_line = panel_lines
    assert "Traceback" in odd_line
    assert "KeyError" in odd_line
    assert explained_line == "Explained: The service has a problem.\nstatus 503"


def test_cancelling_wakes_a_sleeping_worker(runner, watch):
    asleep = threading.Event()

    def work(context):
        asleep.set()
        context.sleep(3600)

    job = runner.start("Wait", work, long_running=True)
    assert asleep.wait(20)
    assert watch(job, after=job.cancel).words == ["cancelled", "ended"]
    assert not job.active


def test_cancelling_wakes_a_worker_that_is_blocked_in_a_read(runner, watch):
    reading = threading.Event()
    near, far = socket.socketpair()

    def work(context):
        undo = context.on_cancel(lambda: near.shutdown(socket.SHUT_RDWR))
        try:
            reading.set()
            near.recv(1)
            context.check()
        finally:
            undo()

    job = runner.start("Read", work, long_running=True)
    assert reading.wait(20)
    assert watch(job, after=job.cancel).words == ["cancelled", "ended"]
    near.close()
    far.close()


def test_cancelled_in_the_task_manager_means_cancelled_for_the_handle(runner, watch):
    asleep = threading.Event()

    def work(context):
        asleep.set()
        context.sleep(3600)

    job = runner.start("Wait", work, long_running=True)
    assert asleep.wait(20)
    (task,) = QgsApplication.taskManager().tasks()
    assert watch(job, after=task.cancel).words == ["cancelled", "ended"]


def test_a_worker_that_ignores_cancelling_still_ends_as_cancelled(runner, qtbot):
    working, go_on = threading.Event(), threading.Event()

    def work(context):
        working.set()
        go_on.wait(20)
        return "too late"

    job = runner.start("Stubborn", work, long_running=True)
    assert working.wait(20)
    witness = Witness(job)
    job.cancel()
    assert witness.words == []
    go_on.set()
    qtbot.waitUntil(lambda: witness.over, timeout=WAIT_MS)
    assert witness.words == ["cancelled", "ended"]


def test_a_failing_waker_is_logged_and_the_job_is_cancelled(runner, watch, panel_lines):
    ready = threading.Event()

    def work(context):
        context.on_cancel(lambda: 1 // 0)
        ready.set()
        context.sleep(3600)

    job = runner.start("Wait", work, long_running=True)
    assert ready.wait(20)
    assert watch(job, after=job.cancel).words == ["cancelled", "ended"]
    assert any("ZeroDivisionError" in line for line in panel_lines)


def test_progress_reaches_the_task_manager_and_the_handle(runner, qtbot):
    proceed = threading.Event()

    def work(context):
        for percent in range(0, 60, 2):
            context.progress(percent, f"{percent} %")
        context.progress(-1, "waiting for a slot")
        proceed.wait(20)

    job = runner.start("Download", work, long_running=True)
    witness = Witness(job)
    (task,) = QgsApplication.taskManager().tasks()
    qtbot.waitUntil(lambda: witness.progress[-1:] == [(-1.0, "waiting for a slot")], timeout=WAIT_MS)
    assert task.progress() == 58
    proceed.set()
    qtbot.waitUntil(lambda: witness.over, timeout=WAIT_MS)


def test_many_reports_are_thinned_out_but_the_last_one_always_comes(runner, qtbot):
    proceed = threading.Event()

    def work(context):
        for step in range(20_000):
            context.progress(step / 200, f"step {step}")
        proceed.wait(20)

    witness = Witness(runner.start("Count", work, long_running=True))
    qtbot.waitUntil(lambda: witness.progress[-1:] == [(99.995, "step 19999")], timeout=WAIT_MS)
    assert len(witness.progress) < 2_000
    percents = [percent for percent, _ in witness.progress]
    assert percents == sorted(percents)
    proceed.set()
    qtbot.waitUntil(lambda: witness.over, timeout=WAIT_MS)


def test_reporting_progress_stops_a_cancelled_worker(runner, watch):
    begun = threading.Event()

    def work(context):
        while True:
            begun.set()
            context.progress(1)

    job = runner.start("Count", work, long_running=True)
    assert begun.wait(20)
    assert watch(job, after=job.cancel).words == ["cancelled", "ended"]


def test_a_handle_can_be_dropped_and_cancelled_after_the_end(runner, watch):
    job = runner.start("Fetch", lambda context: 1)
    watch(job)
    job.cancel()
    runner.cancel(job)
    assert not job.active
    assert runner.active == 0


def test_a_job_may_start_another_from_its_result(runner, qtbot):
    results = []
    first = runner.start("First", lambda context: 1)
    first.succeeded.connect(
        lambda number: runner.start("Second", lambda context: number + 1).succeeded.connect(results.append)
    )
    qtbot.waitUntil(lambda: results == [2], timeout=WAIT_MS)


def test_jobs_are_started_on_the_main_thread_only(runner):
    errors = []

    def elsewhere():
        try:
            runner.start("Wrong", lambda context: None)
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(20)
    assert errors == ["Background jobs are started on the main thread."]


def test_hidden_and_silent_are_used_where_this_qgis_has_them():
    cancellable = QgsTask.Flag.CanCancel
    flags = jobs_module._flags(hidden=True, resumable=False)
    for name in ("Silent", "Hidden"):
        flag = getattr(QgsTask.Flag, name, None)
        assert flag is None or flags & flag
    assert flags & cancellable
    assert not flags & QgsTask.Flag.CancelWithoutPrompt
    assert jobs_module._flags(hidden=False, resumable=True) & QgsTask.Flag.CancelWithoutPrompt


def test_cancelled_raised_by_the_work_itself_is_no_failure(runner, watch, panel_lines):
    def work(context):
        raise Cancelled

    assert watch(runner.start("Stop", work)).words == ["cancelled", "ended"]
    assert panel_lines == []
