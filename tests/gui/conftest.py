"""Real widgets for these tests, and a desk over staged services."""

from __future__ import annotations

import tempfile
import time
from typing import Any, Callable, List

import pytest
from desk_kit import DeskKit
from plugin_kit import SPEED, plugin_in, turn
from qgis.core import QgsApplication, QgsProject, QgsSettings
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QSettings
from qgis.PyQt.QtWidgets import QApplication
from remote_service import Remote
from sandbox_process import start_sandbox

from up42_plugin.qgis_bridge import pricing
from up42_plugin.qgis_bridge import sandbox_process as sandbox_module
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.sandbox_process import SandboxProcess

TASKS_END_WITHIN_S = 20


@pytest.fixture(scope="session", autouse=True)
def settings_of_this_run(qgis_app, tmp_path_factory):
    """QGIS's settings in a folder of this run: another run in the same checkout must not change them."""
    folder = tmp_path_factory.mktemp("settings")
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))


@pytest.fixture(autouse=True)
def sections_as_on_the_first_day(qgis_app):
    """QGIS remembers which groups were collapsed: no test begins with what another one left."""
    QgsSettings().remove("QgsCollapsibleGroupBox/Up42Dock")


@pytest.fixture
def log():
    return PanelLog()


@pytest.fixture
def runner(log):
    """Background jobs, all of them over at the end of the test."""
    runner = JobRunner(log)
    yield runner
    assert runner.shutdown()
    manager = QgsApplication.taskManager()
    until = time.monotonic() + TASKS_END_WITHIN_S
    while manager.count() and time.monotonic() < until:
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        time.sleep(0.005)
    assert not manager.count(), [task.description() for task in manager.tasks()]


@pytest.fixture
def fresh_settings(qgis_app):
    QgsSettings().remove("plugins/up42")
    yield
    QgsSettings().remove("plugins/up42")


@pytest.fixture
def shown(qtbot):
    """Shows a widget for the test, in a window of the size that the dock is designed for."""

    def show(widget, width=380, height=700):
        qtbot.addWidget(widget)
        widget.resize(width, height)
        widget.show()
        qtbot.waitExposed(widget)
        return widget

    return show


@pytest.fixture
def desk_kit(  # noqa: PLR0917 - fixtures
    fresh_settings, runner, log, tmp_path, qtbot, monkeypatch
):
    """The dock and all behind it, over staged services; the sandbox is connected, nothing is selected."""
    monkeypatch.setattr(pricing, "DEBOUNCE_MS", 20)
    QgsProject.instance().clear()
    kit = DeskKit(runner, log, tmp_path, qtbot)
    yield kit
    kit.close()
    QgsProject.instance().clear()
    QApplication.processEvents()


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """A sandbox in a process of its own, for tests that begin and end a plugin; see ``clean_service``."""
    with start_sandbox(tmp_path_factory.mktemp("service") / "data", *SPEED) as running:
        remote = Remote(running)
        yield remote
        remote.close()


@pytest.fixture
def clean_service(service):
    """The sandbox without faults, before and after."""
    service.disarm()
    yield service
    service.disarm()


@pytest.fixture
def own_machine(monkeypatch, tmp_path):
    """A temporary folder of its own, and a built-in sandbox whose jobs take no longer than their computing."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(sandbox_module, "SPEED", 2000)


@pytest.fixture
def ends(monkeypatch):
    """Notes whether the background work and the sandbox ended by themselves, in time."""
    noted: List[bool] = []

    def note(owner: type, name: str) -> None:
        whole: Callable[..., bool] = getattr(owner, name)

        def noting(self: Any, *args: Any) -> bool:
            noted.append(whole(self, *args))
            return noted[-1]

        monkeypatch.setattr(owner, name, noting)

    note(JobRunner, "shutdown")
    note(SandboxProcess, "stop")
    return noted


@pytest.fixture
def bare(own_machine, tmp_path, qgis_app):
    """The plugin made, and nothing more: what stands is what it must leave."""
    with plugin_in(tmp_path / "plugin", started=False) as kit:
        turn()
        yield kit
