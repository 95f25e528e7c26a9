"""Background jobs: how many at once, and how they end with the plugin or with QGIS."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from job_witness import WAIT_MS, Witness
from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import QThreadPool

from up42_plugin.qgis_bridge.jobs import LONG_RUNNING_LIMIT, JobRunner

ROOT = Path(__file__).parents[2]


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
