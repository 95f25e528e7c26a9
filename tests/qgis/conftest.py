"""QGIS for these tests: throw-away folders, and no task that outlives its test."""

from __future__ import annotations

import time

import pytest
from job_witness import WAIT_MS, Witness
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QSettings
from selection_kit import landsat, project, tracker  # noqa: F401 - fixtures

from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog

TASKS_END_WITHIN_S = 20


@pytest.fixture(scope="session", autouse=True)
def throw_away_folders(qgis_app, tmp_path_factory):
    """Home, runtime folder and settings of this session; child processes get the authentication database too."""
    folder = tmp_path_factory.mktemp("session")
    patch = pytest.MonkeyPatch()
    for variable, name in {
        "HOME": "home",
        "XDG_RUNTIME_DIR": "runtime",
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
        "XDG_CACHE_HOME": "cache",
        "QGIS_AUTH_DB_DIR_PATH": "auth",
    }.items():
        (folder / name).mkdir(mode=0o700)
        patch.setenv(variable, str(folder / name))
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder / "config"))
    yield folder
    patch.undo()


@pytest.fixture(autouse=True)
def no_task_outlives_its_test(qgis_app):
    yield
    manager = QgsApplication.taskManager()
    manager.cancelAll()
    until = time.monotonic() + TASKS_END_WITHIN_S
    while manager.count() and time.monotonic() < until:
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        time.sleep(0.005)
    assert not manager.count(), [task.description() for task in manager.tasks()]


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


@pytest.fixture
def panel_lines(qgis_app):
    """The lines written to the log panel's tab of the plugin during the test."""
    lines = []

    def note(message, tab, level):
        if tab == "UP42":
            lines.append(message)

    QgsApplication.messageLog().messageReceived.connect(note)
    yield lines
    QgsApplication.messageLog().messageReceived.disconnect(note)


@pytest.fixture
def log():
    return PanelLog()


@pytest.fixture
def runner(log):
    runner = JobRunner(log)
    yield runner
    assert runner.shutdown()
