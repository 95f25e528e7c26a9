"""Keys and passwords: nothing is asked before a click, and nothing is written down."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from leftovers import opened
from plugin_kit import SMALL, idle, wait_for
from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QPushButton

from up42_plugin import plugin as plugin_module
from up42_plugin.core.connections import Connection, ConnectionKind
from up42_plugin.qgis_bridge.credentials import CredentialStore
from up42_plugin.qgis_bridge.hub import HubPhase
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.settings import PluginSettings


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
