"""Real widgets for these tests, and a desk over staged services."""

from __future__ import annotations

import time

import pytest
from desk_kit import DeskKit
from qgis.core import QgsApplication, QgsProject, QgsSettings
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QSettings
from qgis.PyQt.QtWidgets import QApplication

from up42_plugin.qgis_bridge import pricing
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog

TASKS_END_WITHIN_S = 20


@pytest.fixture(scope="session", autouse=True)
def settings_of_this_run(qgis_app, tmp_path_factory):
    """QGIS's settings in a folder of this run: another run in the same checkout must not change them."""
    folder = tmp_path_factory.mktemp("settings")
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))


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
