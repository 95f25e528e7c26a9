"""Background jobs: real QGIS tasks, real threads."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import QObject, QThread, QThreadPool

from up42_plugin.api.errors import Cancelled, ServerError
from up42_plugin.qgis_bridge import jobs as jobs_module
from up42_plugin.qgis_bridge.jobs import LONG_RUNNING_LIMIT, JobRunner

ROOT = Path(__file__).parents[2]
WAIT_MS = 20_000


class Witness(QObject):
    """Notes every signal of a job and the thread it came in."""

    def __init__(self, job):
        super().__init__()
        self.seen = []
        self.threads = set()
        self.progress = []
        job.succeeded.connect(lambda result: self._note("succeeded", result))
        job.failed.connect(lambda error: self._note("failed", error))
        job.cancelled.connect(lambda: self._note("cancelled"))
        job.ended.connect(lambda: self._note("ended"))
        job.progressed.connect(lambda percent, text: self.progress.append((percent, text)))

    def _note(self, what, value=None):
        self.seen.append((what, value))
        self.threads.add(QThread.currentThread())

    @property
    def words(self):
        return [what for what, _ in self.seen]

    @property
    def over(self):
        return "ended" in self.words


@pytest.fixture
def watch(qtbot):
    def watch(*jobs, after=None):
        """Wait for the end of jobs and tell what they said since now; ``after`` is what makes them end."""
        witnesses = [Witness(job) for job in jobs]
        if after is not None:
            after()
        qtbot.waitUntil(lambda: all(witness.over for witness in witnesses), timeout=WAIT_MS)
        return witnesses if len(witnesses) != 1 else witnesses[0]

    return watch


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


def _blocked(runner, count, **options):
    """``count`` jobs that run until the event is set; the events tell that each has begun."""
    release = threading.Event()
    begun = [threading.Event() for _ in range(count)]

    def make(event):
        def work(context):
            event.set()
            while not release.is_set():
                context.sleep(0.01)
            return event

        return work

    return release, begun, [runner.start("Blocked", make(event), **options) for event in begun]


def test_short_jobs_leave_a_thread_to_the_map_and_wait_their_turn(runner, qtbot, watch):
    limit = max(1, QThreadPool.globalInstance().maxThreadCount() - 1)
    release, begun, jobs = _blocked(runner, limit + 2)
    qtbot.waitUntil(lambda: all(event.is_set() for event in begun[:limit]), timeout=WAIT_MS)
    held = [task for task in QgsApplication.taskManager().tasks() if task.status() == QgsTask.TaskStatus.OnHold]
    assert len(held) == 2
    assert not any(event.is_set() for event in begun[limit:])
    witnesses = watch(*jobs, after=release.set)
    assert [witness.words for witness in witnesses] == [["succeeded", "ended"]] * (limit + 2)


def test_a_waiting_job_that_is_cancelled_never_begins_and_others_follow(runner, qtbot, watch):
    limit = max(1, QThreadPool.globalInstance().maxThreadCount() - 1)
    release, begun, jobs = _blocked(runner, limit + 2)
    qtbot.waitUntil(lambda: all(event.is_set() for event in begun[:limit]), timeout=WAIT_MS)
    witness = Witness(jobs[limit])
    jobs[limit].cancel()
    qtbot.waitUntil(lambda: witness.over, timeout=WAIT_MS)
    assert witness.words == ["cancelled", "ended"]
    assert watch(jobs[-1], after=release.set).words == ["succeeded", "ended"]
    assert not begun[limit].is_set()


def test_long_running_jobs_do_not_hold_up_short_ones(runner, qtbot, watch):
    release, begun, long_ones = _blocked(runner, LONG_RUNNING_LIMIT, long_running=True)
    qtbot.waitUntil(lambda: all(event.is_set() for event in begun), timeout=WAIT_MS)
    quick = runner.start("Quick", lambda context: "done")
    assert watch(quick).seen[0] == ("succeeded", "done")
    assert all(job.active for job in long_ones)
    watch(*long_ones, after=release.set)


def test_the_pool_has_as_many_threads_after_a_long_running_job_as_before(runner, qtbot, watch):
    pool = QThreadPool.globalInstance()
    qtbot.waitUntil(lambda: pool.activeThreadCount() == 0, timeout=WAIT_MS)

    def fail(context):
        raise ValueError

    watch(*(runner.start("Long", work, long_running=True) for work in (fail, lambda context: None, fail)))
    qtbot.waitUntil(lambda: pool.activeThreadCount() == 0, timeout=WAIT_MS)


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


def test_shutdown_ends_running_held_and_sleeping_jobs_and_tells_nobody(log, qtbot):
    runner = JobRunner(log)
    _, begun, _ = _blocked(runner, 3, long_running=True)
    _, _, _ = _blocked(runner, 4)
    qtbot.waitUntil(lambda: all(event.is_set() for event in begun), timeout=WAIT_MS)
    witnesses = [Witness(job) for job in list(runner._live)]
    assert runner.shutdown(20_000)
    assert runner.active == 0
    assert QgsApplication.taskManager().count() == 0
    qtbot.wait(20)  # anything still posted would come now
    assert [witness.words for witness in witnesses] == [[]] * 7


def test_shutdown_says_when_a_worker_did_not_end_in_time(log):
    runner = JobRunner(log)
    begun, go_on = threading.Event(), threading.Event()

    def work(context):
        begun.set()
        go_on.wait(20)

    runner.start("Stubborn", work, long_running=True)
    assert begun.wait(20)
    assert not runner.shutdown(50)
    go_on.set()


def test_nothing_starts_after_shutdown(log):
    runner = JobRunner(log)
    runner.shutdown()
    with pytest.raises(RuntimeError, match="unloaded"):
        runner.start("Late", lambda context: None)


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
    flags = jobs_module._flags(hidden=True)
    for name in ("Silent", "Hidden"):
        flag = getattr(QgsTask.Flag, name, None)
        assert flag is None or flags & flag
    assert flags & cancellable


def test_cancelled_raised_by_the_work_itself_is_no_failure(runner, watch, panel_lines):
    def work(context):
        raise Cancelled

    assert watch(runner.start("Stop", work)).words == ["cancelled", "ended"]
    assert panel_lines == []


def _run_alone(script):
    """A process without any exception hook, as a script has it: there PyQt aborts when a slot raises."""
    prologue = """
        import sys, threading
        from qgis.core import QgsApplication
        from qgis.PyQt.QtCore import QCoreApplication, QEventLoop
        app = QgsApplication([], False)
        app.initQgis()
        from up42_plugin.qgis_bridge.jobs import JobRunner
        from up42_plugin.qgis_bridge.log import PanelLog
        QgsApplication.messageLog().messageReceived.connect(lambda text, tab, level: print("LOG", text.splitlines()[0]))
        runner = JobRunner(PanelLog())
        def until(condition):
            while not condition():
                QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
    """
    code = textwrap.dedent(prologue) + textwrap.dedent(script)
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_slots_that_raise_do_not_end_qgis_and_do_not_keep_others_from_hearing():
    lines = _run_alone(
        """
        heard = []
        job = runner.start("Estimate", lambda context: context.progress(5, "x"))
        job.progressed.connect(lambda percent, text: [][1])
        job.succeeded.connect(lambda result: 1 // 0)
        job.succeeded.connect(heard.append)
        job.ended.connect(lambda: {}["none"])
        job.ended.connect(lambda: heard.append("ended"))
        until(lambda: "ended" in heard)
        assert heard == [None, "ended"], heard
        assert sys.excepthook is sys.__excepthook__
        assert runner.shutdown()
        print("survived")
        """
    )
    assert "LOG Estimate: integer division or modulo by zero" in lines
    assert "LOG Estimate: 'none'" in lines
    assert lines[-1] == "survived"


def test_leaving_with_jobs_running_is_clean():
    lines = _run_alone(
        """
        begun = threading.Event()
        def work(context):
            begun.set()
            context.sleep(3600)
        jobs = [runner.start("Wait", work, long_running=True) for _ in range(3)]
        until(begun.is_set)
        assert runner.shutdown()
        app.exitQgis()
        print("left")
        """
    )
    assert lines[-1] == "left"
