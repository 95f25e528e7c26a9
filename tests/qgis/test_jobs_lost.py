"""Background jobs that QGIS loses on their way to a thread: begun again, once."""

from __future__ import annotations

import threading

import pytest
from job_witness import WAIT_MS, Witness
from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import QRunnable, QThreadPool
from qgis.PyQt.QtTest import QTest

from up42_plugin.qgis_bridge import jobs as jobs_module
from up42_plugin.qgis_bridge.jobs import JobRunner

LOOK_MS = 50


class LosingManager:
    """QGIS's task manager, which forgets the first tasks it is given."""

    def __init__(self, losses):
        self._losses = losses
        self.lost = []

    def addTask(self, task):  # noqa: N802 - QGIS's name
        if len(self.lost) < self._losses:
            self.lost.append(task)
            task.statusChanged.connect(lambda status: self._changed(task, status))
        else:
            QgsApplication.taskManager().addTask(task)

    def _changed(self, task, status):
        """What it still does for a lost task."""
        if status == QgsTask.TaskStatus.Terminated:
            task.finished(False)

    def __getattr__(self, name):
        return getattr(QgsApplication.taskManager(), name)


@pytest.fixture
def losing(monkeypatch, log):
    """Makes a runner at a manager that loses so many tasks."""
    runners = []

    def make(losses):
        manager = LosingManager(losses)
        monkeypatch.setattr(jobs_module, "LOOK_FOR_LOST_MS", LOOK_MS)
        monkeypatch.setattr(
            jobs_module, "QgsApplication", type("Application", (), {"taskManager": staticmethod(lambda: manager)})
        )
        runners.append(JobRunner(log))
        return runners[-1], manager

    yield make
    for runner in runners:
        assert runner.shutdown()


@pytest.mark.parametrize("long_running", [False, True])
def test_lost_job_is_begun_again_and_those_behind_it_follow(losing, watch, long_running):
    runner, manager = losing(1)
    done = []
    started = [runner.start("Job", lambda _context, n=n: done.append(n), long_running=long_running) for n in range(4)]
    witnesses = watch(*started)
    assert len(manager.lost) == 1
    assert [witness.words for witness in witnesses] == [["succeeded", "ended"]] * 4
    assert sorted(done) == [0, 1, 2, 3]
    assert runner.active == 0


def test_job_lost_again_and_again_is_begun_at_last(losing, watch):
    runner, manager = losing(3)
    witness = watch(runner.start("Job", lambda _context: 42))
    assert len(manager.lost) == 3
    assert witness.seen == [("succeeded", 42), ("ended", None)]


def test_lost_job_can_be_cancelled(losing, watch):
    runner, _manager = losing(1)
    done = []
    job = runner.start("Job", lambda _context: done.append(True))
    witness = watch(job, after=job.cancel)
    assert witness.words == ["cancelled", "ended"]
    assert done == []


def test_lost_job_ends_with_the_plugin(losing):
    runner, manager = losing(100)
    done = []
    witness = Witness(runner.start("Job", lambda _context: done.append(True)))
    assert runner.shutdown()
    assert witness.words == []
    assert manager.lost
    assert done == []


def test_job_that_waits_for_a_thread_is_left_alone(losing, qtbot, watch):
    """All threads draw the map: the job is not lost, and comes later."""
    runner, manager = losing(0)
    release = threading.Event()
    pool = QThreadPool.globalInstance()
    busy = [_Busy(release) for _ in range(pool.maxThreadCount())]
    for runnable in busy:
        pool.start(runnable)
    qtbot.waitUntil(lambda: all(runnable.begun.is_set() for runnable in busy), timeout=WAIT_MS)
    done = []
    job = runner.start("Job", lambda _context: done.append(True))
    QTest.qWait(6 * LOOK_MS)
    if done:
        release.set()
        pool.waitForDone()
        pytest.skip("the tasks of this QGIS have threads of their own")
    known = QgsApplication.taskManager().count()
    witness = watch(job, after=release.set)
    assert known == 1
    assert witness.words == ["succeeded", "ended"]
    assert done == [True]
    assert manager.lost == []


class _Busy(QRunnable):
    def __init__(self, release):
        super().__init__()
        self.begun = threading.Event()
        self._release = release

    def run(self):
        self.begun.set()
        self._release.wait(WAIT_MS / 1000)


def test_job_that_begins_while_it_is_looked_for_runs_once(losing, watch):
    """The old task comes to a thread after all, when its work is already with the new one."""
    runner, manager = losing(1)
    done = []
    witness = watch(runner.start("Job", lambda _context: done.append(True)))
    assert witness.words == ["succeeded", "ended"]
    assert manager.lost[0].run() is False
    assert done == [True]
