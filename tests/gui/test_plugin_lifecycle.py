"""Loading and unloading the plugin: one button, one menu entry, a closed dock, and nothing is left behind."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from leftovers import as_before, children, gone, opened, standing
from plugin_kit import ANALYTIC, SMALL, turn, wait_for
from qgis.core import QgsProject
from qgis.PyQt.QtWidgets import QApplication
from sandbox_process import ROOT, sandbox_environment

from up42_plugin import classFactory
from up42_plugin import plugin as plugin_module
from up42_plugin.plugin import Up42Plugin


def test_loading_shows_one_button_one_menu_entry_and_a_closed_dock(bare):
    bare.start()
    shown = [kind for kind, _ in bare.iface.present if kind != "shortcut"]
    assert len(shown) < len(bare.iface.present)
    assert shown == [
        "dock",
        "tool bar icon",
        "raster menu UP42",
        *["layer action"] * 6,
        "options page",
    ]
    assert not bare.dock.isVisible()
    (_, action) = bare.iface.present[1]
    action.trigger()
    assert bare.dock.isVisible()
    action.trigger()
    assert not bare.dock.isVisible()


def test_five_times_in_and_out_leaves_nothing(bare, ends):
    before = standing(bare.iface)
    for _ in range(5):
        bare.start()
        bare.area(SMALL)
        gone(bare, before, ends)
        QgsProject.instance().clear()


def test_five_times_with_the_dock_open_at_a_service(bare, clean_service, ends):
    before = standing(bare.iface)
    for _ in range(5):
        bare.start()
        opened(bare, clean_service)
        wait_for(lambda: "credit" in bare.dock.foot.estimation.text(), "the estimation", of=bare.situation)
        gone(bare, before, ends)
        QgsProject.instance().clear()


def test_the_sandbox_starts_with_the_dock_and_ends_with_the_plugin(bare, ends):
    before = standing(bare.iface)
    for _ in range(2):
        bare.start()
        assert children() == before["processes"]
        bare.dock.setUserVisible(True)
        bare.wait_until_ready()
        assert len(children()) == len(before["processes"]) + 1
        gone(bare, before, ends)


def test_unloading_while_the_sandbox_starts(bare, ends):
    before = standing(bare.iface)
    bare.start()
    bare.dock.setUserVisible(True)
    wait_for(lambda: len(children()) > len(before["processes"]), "the process")
    gone(bare, before, ends)


def test_whole_job_in_the_built_in_sandbox(bare, ends):
    before = standing(bare.iface)
    bare.start()
    bare.dock.setUserVisible(True)
    bare.wait_until_ready()
    bare.choose(ANALYTIC)
    bare.click(bare.dock.area.sample_button)
    bare.test_query()
    run = bare.live_job()
    (layer,) = bare.load(run)
    assert layer.isValid()
    assert bare.dock.header.combo.currentText() == "Sandbox"
    QgsProject.instance().clear()
    del layer
    bare.loaded.clear()
    gone(bare, before, ends)


def test_form_is_remembered(bare, clean_service):
    bare.start()
    opened(bare, clean_service)
    bare.dock.search.clouds.setValue(37)
    bare.unload()
    bare.start()
    bare.connect(clean_service.sandbox)
    wait_for(lambda: bare.dock.workflow.combo.currentText() == ANALYTIC, "the workflow of last time")
    assert bare.dock.search.clouds.value() == 37


def test_failing_to_load_leaves_nothing(bare, monkeypatch):
    before = standing(bare.iface)

    def broken() -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(plugin_module, "AreaOutline", lambda *_: broken())
    with pytest.raises(PermissionError):
        bare.start()
    bare.iface.check()
    as_before(bare.iface, before)


def test_modules_can_be_loaded_anew(bare, ends):
    """As the Plugin Reloader does: unload, forget the modules, import them again."""
    before = standing(bare.iface)
    bare.start()
    gone(bare, before, ends)
    kept = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "up42_plugin"}
    try:
        for name in kept:
            del sys.modules[name]
        again = importlib.import_module("up42_plugin").classFactory(bare.iface)
        assert type(again) is not Up42Plugin
        again.initGui()
        again.desk.dock.setUserVisible(True)
        wait_for(lambda: again.desk.dock.workflow.current is not None, "the sandbox's workflows")
        again.unload()
        turn()
        bare.iface.check()
        as_before(bare.iface, before)
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "up42_plugin"]:
            del sys.modules[name]
        sys.modules.update(kept)


def test_without_an_interface_nothing_is_built(qgis_app):
    before = (len(QApplication.topLevelWidgets()), children(), threading.active_count())
    plugin = classFactory(None)
    assert isinstance(plugin, Up42Plugin)
    assert plugin.desk is None
    plugin.unload()
    assert (len(QApplication.topLevelWidgets()), children(), threading.active_count()) == before


def test_without_a_graphical_application(tmp_path):
    """As ``qgis_process`` does: there is not even a QApplication."""
    script = textwrap.dedent(
        """
        from qgis.core import QgsApplication
        application = QgsApplication([], False)
        application.initQgis()
        from up42_plugin import classFactory
        plugin = classFactory(None)
        plugin.unload()
        from qgis.PyQt.QtWidgets import QApplication
        assert not isinstance(QgsApplication.instance(), QApplication) or not QApplication.allWidgets()
        application.exitQgis()
        print("fine")
        """
    )
    environment = {**sandbox_environment(), "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        cwd=ROOT,
        check=False,
    )
    assert done.stdout.split() == ["fine"], done.stderr
    assert done.returncode == 0, done.stderr
