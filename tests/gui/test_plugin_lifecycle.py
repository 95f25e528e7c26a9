"""Loading and unloading the plugin, at any moment: nothing is left behind, and nothing is asked before a click."""

from __future__ import annotations

import gc
import importlib
import os
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from plugin_kit import ANALYTIC, NDVI, SMALL, SPEED, TAORMINA, PluginKit, idle, plugin_in, turn, wait_for
from qgis.core import QgsApplication, QgsProject
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, Qt, QThreadPool, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAction, QApplication, QDockWidget, QPushButton, QToolBar
from remote_service import Remote
from sandbox_process import ROOT, sandbox_environment, start_sandbox
from strict_interface import StrictInterface

from up42_plugin import classFactory
from up42_plugin import plugin as plugin_module
from up42_plugin.core.connections import Connection, ConnectionKind
from up42_plugin.core.run import Phase
from up42_plugin.plugin import Up42Plugin
from up42_plugin.qgis_bridge import sandbox_process as sandbox_module
from up42_plugin.qgis_bridge.credentials import CredentialStore
from up42_plugin.qgis_bridge.hub import HubPhase
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.sandbox_process import SandboxProcess
from up42_plugin.qgis_bridge.settings import SANDBOX, PluginSettings

JOBS, ARTIFACTS, QUICKLOOKS, ESTIMATE = "*/workflows/*/jobs", "/artifacts/*", "*/outputs/quicklooks/*", "*/estimate/job"
LONG_S = 100
ENDS_WITHIN_S = 30


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("lifecycle") / "data", *SPEED) as running:
        remote = Remote(running)
        yield remote
        remote.close()


@pytest.fixture
def clean_service(service):
    service.disarm()
    yield service
    service.disarm()


@pytest.fixture(autouse=True)
def _own_machine(monkeypatch, tmp_path):
    """A temporary folder of its own, and a built-in sandbox whose jobs take no longer than their computing."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(sandbox_module, "SPEED", 2000)


# -- what there is


def children() -> List[int]:
    """The processes that this one has started and that have not ended."""
    found: List[int] = []
    for task in Path("/proc/self/task").iterdir():
        found += [int(number) for number in (task / "children").read_text().split()]
    return sorted(found)


def temporary() -> List[str]:
    """What is in the temporary folder of this test; QGIS keeps something of the project there."""
    names = sorted(path.name for path in Path(tempfile.gettempdir()).iterdir())
    return [name for name in names if not name.startswith("QGIS3")]


def objects() -> List[Any]:
    """Living Python objects; of Qt's those that still stand."""
    gc.collect()
    found = []
    for thing in gc.get_objects():
        kind = type(thing)
        if issubclass(kind, QObject) and not sip.isdeleted(thing):
            found.append(thing)
    return found


def ours() -> List[str]:
    """Classes of the plugin's own objects that live on."""
    return sorted(type(thing).__name__ for thing in objects() if type(thing).__module__.startswith("up42_plugin."))


def ticking() -> int:
    """How many of Python's timers run."""
    return sum(isinstance(thing, QTimer) and thing.isActive() for thing in objects())


def standing(interface: StrictInterface) -> Dict[str, Any]:
    """Everything that a plugin may leave behind, counted."""
    idle()
    window = interface.window
    return {
        "actions": len(window.findChildren(QAction)),
        "docks": len(window.findChildren(QDockWidget)),
        "tool bars": len(window.findChildren(QToolBar)),
        "tool bar icons": len(interface.tools.actions()),
        "menu entries": len(interface.menus),
        "children of the window": len(window.findChildren(QObject)),
        "on the map": len(interface.canvas.scene().items()),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "pool": QThreadPool.globalInstance().activeThreadCount(),
        "processes": children(),
        "temporary files": temporary(),
        "tasks": QgsApplication.taskManager().count(),
        "timers": ticking(),
        "windows": len([widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]),
    }


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


def gone(kit: PluginKit, before: Dict[str, Any], ends: List[bool]) -> None:
    """Unload, and see that all is as it was before, and that nothing had to be ended by force."""
    kit.unload()
    assert ends
    assert all(ends)
    as_before(kit.iface, before)
    assert ours() == []


def as_before(interface: StrictInterface, before: Dict[str, Any]) -> None:
    """Wait until all that stood, and nothing else, stands again; some of it ends a moment later."""
    end = time.monotonic() + ENDS_WITHIN_S
    while True:
        now = standing(interface)
        left = {what: (before[what], count) for what, count in now.items() if count != before[what]}
        if not left:
            return
        assert time.monotonic() < end, f"left behind, as (before, now): {left}"
        turn()


def opened(kit: PluginKit, service: Remote, workflow: str = ANALYTIC, wkt: str = SMALL) -> None:
    kit.connect(service.sandbox)
    kit.choose(workflow)
    kit.area(wkt)


@pytest.fixture
def bare(tmp_path, qgis_app):
    """The plugin made, and nothing more: what stands is what it must leave."""
    with plugin_in(tmp_path / "plugin", started=False) as kit:
        turn()
        yield kit


# -- coming and going


def test_loading_shows_one_button_one_menu_entry_and_a_closed_dock(bare):
    bare.start()
    assert [kind for kind, _ in bare.iface.present] == ["dock", "tool bar icon", "raster menu UP42"]
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


# -- going while something runs


def test_unloading_while_a_test_query_is_sent(bare, clean_service, ends):
    before = standing(bare.iface)
    bare.start()
    opened(bare, clean_service)
    clean_service.arm("POST", JOBS, times=1, delay_s=LONG_S)
    bare.begin_test_query()
    wait_for(lambda: clean_service.armed() == [], "the request")
    gone(bare, before, ends)
    # whether it arrived is found out with the next session
    assert bare.states() in (["UNKNOWN"], ["PENDING"])
    bare.start()
    key = (clean_service.sandbox.project_id, clean_service.sandbox.project_api_key)
    assert key


def test_unloading_while_a_test_query_runs(bare, clean_service, ends):
    before = standing(bare.iface)
    bare.start()
    opened(bare, clean_service)
    run = bare.begin_test_query()
    bare.wait(run, lambda now: now.job is not None, "the job")
    gone(bare, before, ends)
    assert bare.states() == ["ACCEPTED"]


def test_unloading_while_quicklooks_are_read(bare, clean_service, ends):
    before = standing(bare.iface)
    bare.start()
    opened(bare, clean_service)
    clean_service.arm("GET", QUICKLOOKS, times=1, delay_s=LONG_S)
    bare.begin_test_query()
    wait_for(lambda: clean_service.armed() == [], "the request")
    gone(bare, before, ends)
    assert bare.files() == []


def test_unloading_while_prices_are_read_and_the_confirmation_is_open(bare, clean_service, ends):
    before = standing(bare.iface)
    bare.start()
    opened(bare, clean_service)
    bare.test_query()
    clean_service.arm("POST", ESTIMATE, times=None, delay_s=LONG_S)
    files = bare.files()
    bare.click(bare.dock.foot.live_button)
    QgsProject.instance().clear()
    bare.loaded.clear()
    gone(bare, before, ends)
    assert bare.files() == files
    assert bare.states() == ["ACCEPTED"]


def test_unloading_while_a_live_job_runs(bare, clean_service, ends):
    before = standing(bare.iface)
    bare.start()
    opened(bare, clean_service, NDVI, TAORMINA)
    bare.test_query()
    run = bare.begin_live_job()
    run = bare.wait(run, lambda now: now.job is not None, "the job")
    QgsProject.instance().clear()
    bare.loaded.clear()
    gone(bare, before, ends)
    assert bare.states() == ["ACCEPTED", "ACCEPTED"]
    assert clean_service.job(run.job.id)["status"] in ("NOT_STARTED", "PENDING", "RUNNING", "SUCCEEDED")
    clean_service.cancel(run.job.id)


def test_unloading_in_the_middle_of_a_download(bare, clean_service, ends):
    before = standing(bare.iface)
    bare.start()
    opened(bare, clean_service)
    bare.test_query()
    run = bare.live_job()
    files = bare.files()
    clean_service.arm("GET", ARTIFACTS, times=1, cut_after_bytes=5000)
    clean_service.arm("GET", ARTIFACTS, times=1, delay_s=LONG_S)
    bare.click(bare.row(run).load_button)
    wait_for(lambda: clean_service.armed() == [], "the download")
    QgsProject.instance().clear()
    bare.loaded.clear()
    gone(bare, before, ends)
    assert bare.files() == files


# -- the project changes underneath


def test_project_cleared_while_jobs_run_and_download(bare, clean_service):
    bare.start()
    opened(bare, clean_service)
    run = bare.begin_test_query()
    bare.wait(run, lambda now: now.job is not None, "the job")
    QgsProject.instance().clear()
    bare.wait(run, lambda now: now.phase is Phase.LOADED, "the scenes")
    assert bare.dock.area.size_text == "No feature selected"
    assert bare.reason == "Choose an area first."
    bare.area(SMALL)
    bare.test_query()
    live = bare.live_job()
    clean_service.arm("GET", ARTIFACTS, times=1, delay_s=1)
    bare.click(bare.row(live).load_button)
    wait_for(lambda: clean_service.armed() == [], "the download")
    QgsProject.instance().clear()
    wait_for(lambda: bare.runs[live.key].phase is Phase.LOADED, "the layers")
    (layer,) = bare.loaded[-1][1]
    assert layer.isValid()
    assert QgsProject.instance().mapLayer(layer.id()) is layer
    del layer


def test_layers_and_groups_deleted_while_more_is_loaded(bare, clean_service):
    project = QgsProject.instance()
    bare.start()
    opened(bare, clean_service)
    bare.test_query()
    live = bare.live_job()
    clean_service.arm("GET", ARTIFACTS, times=1, delay_s=1)
    bare.click(bare.row(live).load_button)
    wait_for(lambda: clean_service.armed() == [], "the download")
    project.layerTreeRoot().removeAllChildren()
    project.removeAllMapLayers()
    wait_for(lambda: bare.runs[live.key].phase is Phase.LOADED, "the layers")
    (layer,) = bare.loaded[-1][1]
    group = project.layerTreeRoot().findLayer(layer.id()).parent()
    assert group.name() == live.name
    project.layerTreeRoot().removeChildNode(group)
    bare.load(live)
    assert len(bare.layers()) == 1
    del layer, group


def test_selected_layer_deleted(bare, clean_service):
    bare.start()
    opened(bare, clean_service)
    wait_for(bare.dock.foot.test_button.isEnabled, "the button")
    bands = len(bare.iface.canvas.scene().items())
    QgsProject.instance().removeAllMapLayers()
    wait_for(lambda: bare.reason == "Choose an area first.", "the reason")
    assert not bare.dock.foot.test_button.isEnabled()
    assert len(bare.iface.canvas.scene().items()) == bands


def test_another_window_chooses_another_connection(bare, clean_service):
    """Windows share their settings; what is shown here is what runs here."""
    bare.start()
    opened(bare, clean_service)
    wait_for(bare.dock.foot.test_button.isEnabled, "the button")
    settings = PluginSettings(PanelLog())
    settings.set_current_connection(SANDBOX.id)
    settings.save_connections([])
    run = bare.test_query()
    assert run.connection_id == bare.connection.id
    assert bare.dock.header.combo.currentText() == "Test service"
    assert bare.live_job().succeeded


# -- how QGIS and others load it


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


# -- the master password


class AskingManager:
    """An authentication manager whose database is locked: setting the password is asking the person."""

    def __init__(self) -> None:
        self.asked = 0

    def isDisabled(self) -> bool:  # noqa: N802
        return False

    def masterPasswordIsSet(self) -> bool:  # noqa: N802
        return False

    def masterPasswordHashInDatabase(self) -> bool:  # noqa: N802
        return True

    def setMasterPassword(self, _verify: bool) -> bool:  # noqa: N802
        self.asked += 1
        return False

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} would ask for the master password")


@pytest.fixture
def asking(monkeypatch):
    manager = AskingManager()
    monkeypatch.setattr(plugin_module, "CredentialStore", lambda _manager: CredentialStore(manager))
    return manager


def test_nobody_is_asked_for_the_master_password_before_a_click(bare, asking, clean_service):
    stored = Connection(
        "stored", "My account", ConnectionKind.CLASSIC, clean_service.sandbox.base_url, "project", "abc1234"
    )
    settings = PluginSettings(PanelLog())
    settings.save_connections([stored])
    settings.set_current_connection(stored.id)
    bare.start()
    bare.area(SMALL)
    bare.dock.setUserVisible(True)
    wait_for(lambda: bare.desk.hub.state.phase is HubPhase.NEEDS_SIGN_IN, "the hint")
    bare.dock.setUserVisible(False)
    bare.dock.setUserVisible(True)
    idle()
    assert asking.asked == 0
    assert bare.reason == "Not signed in to My account."
    button = bare.dock.foot.again_button
    assert isinstance(button, QPushButton)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asking.asked == 1
    assert "master password" in bare.reason
    bare.unload()
    assert asking.asked == 1


def test_sandbox_never_needs_the_authentication_database(bare, asking):
    bare.start()
    bare.dock.setUserVisible(True)
    bare.wait_until_ready()
    bare.click(bare.dock.header.refresh_button)
    bare.wait_until_ready()
    assert asking.asked == 0


def test_settings_ledger_and_log_hold_no_key(bare, clean_service):
    """Nor any token or signed address, after a whole job."""
    bare.start()
    opened(bare, clean_service)
    bare.test_query()
    bare.load(bare.live_job())
    bare.loaded.clear()
    key = clean_service.sandbox.project_api_key
    folders = [bare.folder, Path(QgsApplication.qgisSettingsDirPath()), Path(os.environ.get("HOME", "."))]
    texts = ["\n".join(bare.lines), "\n".join(bare.told), QgsProject.instance().layerTreeRoot().dump()]
    texts += [layer.source() + layer.metadata().abstract() for layer in QgsProject.instance().mapLayers().values()]
    assert not [text for text in texts if key in text or "Signature=" in text]
    for folder in folders[:2]:
        for path in folder.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                assert key.encode() not in data, path
                assert b"Signature=" not in data, path
                assert b"eyJ" not in data or path.suffix in (".tif", ".jpg", ".png", ".ovr", ".vrt"), path
