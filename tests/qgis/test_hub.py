"""The connections and the way to their services: nothing is asked without a click, nothing secret is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from qgis.core import QgsApplication, QgsSettings

from tests.staged_connections import ADDRESS, ENTRANCE, KEY, SESSION, STORED, StagedCredentials, StagedSandbox
from tests.staged_provider import StagedProvider
from up42_plugin.api.errors import Up42Error
from up42_plugin.core.connections import ConnectionKind, ProjectKey
from up42_plugin.qgis_bridge.credentials import CredentialsError, CredentialStore
from up42_plugin.qgis_bridge.hub import ConnectionHub, HubPhase
from up42_plugin.qgis_bridge.network import QgisNetwork
from up42_plugin.qgis_bridge.settings import SANDBOX, PluginSettings


class HubKit:
    def __init__(self, log):
        self.settings = PluginSettings(log)
        self.credentials = StagedCredentials()
        self.sandbox = StagedSandbox()
        self.network = QgisNetwork("1.0")
        self.made = []
        self.refuses = None
        self.hub = ConnectionHub(
            settings=self.settings,
            credentials=self.credentials,
            network=self.network,
            sandbox=self.sandbox,
            make_provider=self._make,
            log=log,
        )
        self.states, self.wanted, self.lists = [], [], []
        self.hub.state_changed.connect(self.states.append)
        self.hub.key_wanted.connect(self.wanted.append)
        self.hub.connections_changed.connect(lambda: self.lists.append(self.hub.current.id))

    def _make(self, connection_id, address, key, sessions):
        if self.refuses is not None:
            raise self.refuses
        self.made.append((connection_id, address, key))
        return StagedProvider(connection_id)

    def phases(self):
        return [state.phase for state in self.states]


@pytest.fixture
def kit(qgis_app, log):
    QgsSettings().remove("plugins/up42")
    kit = HubKit(log)
    kit.settings.save_connections([STORED, SESSION])
    yield kit
    kit.network.close()
    QgsSettings().remove("plugins/up42")


class TestTheSandbox:
    def test_it_is_there_first_and_at_once(self, kit):
        assert kit.hub.current == SANDBOX
        assert [connection.id for connection in kit.hub.connections] == ["sandbox", "account", "guest"]
        assert kit.hub.current_provider() is None
        assert kit.hub.state.phase is HubPhase.IDLE

    def test_opening_starts_it_and_connects_when_it_serves(self, kit):
        kit.hub.open(clicked=False)
        assert (kit.hub.state.phase, kit.hub.state.message) == (HubPhase.STARTING, "Starting the sandbox…")
        assert kit.sandbox.starts == 1
        kit.sandbox.started.emit(ENTRANCE)
        assert kit.hub.state.phase is HubPhase.READY
        assert kit.made == [("sandbox", "http://127.0.0.1:8042", ProjectKey("sandbox-project", "known-to-all"))]
        assert kit.credentials.read_count == 0

    def test_a_new_address_is_taken_over(self, kit):
        kit.hub.open(clicked=False)
        kit.sandbox.started.emit(ENTRANCE)
        first = kit.hub.current_provider()
        kit.sandbox.started.emit({**ENTRANCE, "base_url": "http://127.0.0.1:8043"})
        assert kit.hub.current_provider() is not first
        assert kit.phases() == [HubPhase.STARTING, HubPhase.READY, HubPhase.READY]

    def test_its_failure_is_told_and_it_can_be_tried_again(self, kit):
        kit.hub.open(clicked=False)
        kit.sandbox.started.emit(ENTRANCE)
        kit.sandbox.failed.emit("The sandbox could not start. Show Log", "exit code 1")
        assert (kit.hub.state.phase, kit.hub.state.message) == (
            HubPhase.FAILED,
            "The sandbox could not start. Show Log",
        )
        assert kit.hub.current_provider() is None
        kit.hub.reopen()
        assert kit.sandbox.starts == 2

    def test_answers_of_the_sandbox_do_not_disturb_another_connection(self, kit):
        kit.hub.open(clicked=False)
        kit.hub.choose("account")
        before = list(kit.states)
        kit.sandbox.started.emit(ENTRANCE)
        kit.sandbox.failed.emit("Gone.", "")
        assert kit.states == before
        assert kit.hub.state.phase is HubPhase.READY

    def test_it_can_be_neither_removed_nor_forgotten(self, kit):
        kit.hub.remove(SANDBOX)
        assert kit.hub.connections[0] == SANDBOX
        assert kit.credentials.deleted == []


class TestAccounts:
    def test_choosing_one_signs_in_and_is_remembered(self, kit):
        kit.hub.choose("account")
        assert kit.hub.state.phase is HubPhase.READY
        assert kit.made == [("account", ADDRESS, KEY)]
        assert kit.settings.current_connection().id == "account"
        assert kit.lists == ["account"]

    def test_coming_back_opens_nothing_anew(self, kit):
        kit.hub.choose("account")
        kit.hub.choose("guest")
        kit.hub.choose("account")
        assert len(kit.made) == 1
        assert kit.hub.state.phase is HubPhase.READY

    def test_nothing_is_asked_without_a_click(self, kit):
        kit.settings.set_current_connection("account")
        kit.credentials.locked = True
        kit.hub.open(clicked=False)
        assert kit.credentials.read_count == 0
        assert (kit.hub.state.phase, kit.hub.state.message) == (
            HubPhase.NEEDS_SIGN_IN,
            "Not signed in to Coastal study.",
        )

    def test_after_a_click_a_locked_database_is_told_and_may_be_tried_again(self, kit):
        kit.credentials.locked = True
        kit.hub.choose("account")
        assert kit.hub.state.phase is HubPhase.NEEDS_SIGN_IN
        assert "locked" in kit.hub.state.message
        assert kit.wanted == []
        kit.credentials.locked = False
        kit.hub.reopen()
        assert kit.hub.state.phase is HubPhase.READY

    def test_a_key_that_is_not_kept_is_asked_for_after_a_click_only(self, kit):
        kit.settings.set_current_connection("guest")
        kit.hub.open(clicked=False)
        assert kit.wanted == []
        assert kit.hub.state.phase is HubPhase.NEEDS_SIGN_IN
        kit.hub.reopen()
        assert [connection.id for connection in kit.wanted] == ["guest"]

    def test_the_key_typed_anew_opens_it(self, kit):
        kit.hub.choose("guest")
        kit.hub.sign_in(SESSION, KEY, keep=False)
        assert kit.hub.state.phase is HubPhase.READY
        assert kit.hub.current.authcfg == ""
        assert len(kit.hub.connections) == 3

    def test_the_key_typed_anew_may_be_kept_now(self, kit):
        kit.hub.sign_in(SESSION, replace(KEY, project_id="p-2"), keep=True)
        assert kit.hub.current == replace(SESSION, authcfg="cfg0002", project_id="p-2")

    def test_a_new_connection_becomes_the_current_one(self, kit):
        added = kit.hub.add("Forest", ADDRESS, KEY, keep=True)
        assert kit.hub.current == added
        assert (added.name, added.kind, added.authcfg) == ("Forest", ConnectionKind.CLASSIC, "cfg0002")
        assert kit.hub.name_of(added.id) == "Forest"
        assert kit.hub.name_of("gone") == "gone"

    def test_when_the_key_cannot_be_kept_nothing_is_added(self, kit):
        kit.credentials.refuses = CredentialsError("QGIS could not write the key.")
        with pytest.raises(CredentialsError):
            kit.hub.add("Forest", ADDRESS, KEY, keep=True)
        assert len(kit.hub.connections) == 3
        assert kit.hub.current == SANDBOX

    def test_removing_the_current_one_goes_back_to_the_sandbox(self, kit):
        kit.hub.choose("account")
        kit.hub.remove(STORED)
        assert kit.hub.current == SANDBOX
        assert kit.hub.provider_of("account") is None
        assert kit.credentials.deleted == ["account"]

    def test_removing_another_one_changes_nothing_else(self, kit):
        kit.hub.choose("account")
        kit.hub.remove(SESSION)
        assert kit.hub.current.id == "account"
        assert kit.lists == ["account", "account"]
        assert kit.sandbox.starts == 0

    def test_a_way_that_cannot_be_built_is_told(self, kit):
        kit.refuses = Up42Error("The proxy needs something this QGIS lacks.")
        kit.hub.choose("account")
        assert (kit.hub.state.phase, kit.hub.state.message) == (HubPhase.FAILED, kit.refuses.user_message)

    def test_jobs_of_the_sandbox_are_looked_after_more_often(self, kit):
        assert kit.hub.pace_of("sandbox").fastest < kit.hub.pace_of("account").fastest
        assert kit.hub.pace_of("gone") == kit.hub.pace_of("account")


def test_a_key_that_was_read_never_reaches_the_log(kit, log, panel_lines):
    kit.hub.choose("account")
    log.info(f"the answer held {KEY.api_key} in it")
    assert len(panel_lines) == 1
    assert KEY.api_key not in panel_lines[0]


def test_with_the_real_store_a_session_key_is_gone_in_the_next_session(kit, log):
    store = CredentialStore(QgsApplication.authManager())
    hub = ConnectionHub(
        settings=kit.settings,
        credentials=store,
        network=kit.network,
        sandbox=kit.sandbox,
        make_provider=kit._make,
        log=log,
    )
    wanted = []
    hub.key_wanted.connect(wanted.append)
    added = hub.add("Forest", ADDRESS, KEY, keep=False)
    assert hub.state.phase is HubPhase.READY
    store.forget_session()
    hub.reopen()
    assert (hub.state.phase, wanted) == (HubPhase.NEEDS_SIGN_IN, [added])
    hub.sign_in(added, KEY, keep=False)
    assert hub.state.phase is HubPhase.READY


class TestOpeningQuietly:
    """For jobs that are looked after without anybody having clicked."""

    @pytest.fixture
    def opened(self, kit):
        seen = []
        kit.hub.opened.connect(seen.append)
        return seen

    def test_another_connection_than_the_current_one(self, kit, opened):
        assert kit.hub.open_quietly("account")
        assert opened == ["account"]
        assert kit.hub.provider_of("account") is not None
        assert kit.states == []
        assert kit.hub.open_quietly("account")
        assert (opened, kit.credentials.read_count) == (["account"], 1)

    def test_the_current_one_is_ready_then(self, kit, opened):
        kit.settings.set_current_connection("account")
        assert kit.hub.open_quietly("account")
        assert kit.phases() == [HubPhase.READY]
        assert opened == ["account"]

    def test_what_would_ask_for_the_master_password_stays_shut(self, kit, opened):
        kit.credentials.locked = True
        assert not kit.hub.open_quietly("account")
        assert (opened, kit.credentials.read_count, kit.states, kit.wanted) == ([], 0, [], [])

    @pytest.mark.parametrize("connection_id", ["guest", "removed"])
    def test_without_a_key_nobody_is_asked_for_one(self, kit, opened, connection_id):
        assert not kit.hub.open_quietly(connection_id)
        assert (opened, kit.states, kit.wanted) == ([], [], [])

    def test_the_sandbox_is_started(self, kit, opened):
        kit.settings.set_current_connection("account")
        assert kit.hub.open_quietly("sandbox")
        assert (kit.sandbox.starts, opened) == (1, [])
        kit.sandbox.started.emit(ENTRANCE)
        assert opened == ["sandbox"]
        assert kit.states == []

    def test_opening_with_a_click_is_told_too(self, kit, opened):
        kit.hub.choose("account")
        assert opened == ["account"]
