"""What the plugin remembers in QGIS's settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from qgis.core import QgsSettings

from up42_plugin.core.connections import Connection, ConnectionKind, ProjectKey, SignIn, normalized_address
from up42_plugin.core.spending import SpendingLimits
from up42_plugin.qgis_bridge.settings import SANDBOX, PluginSettings, new_connection_id

ACCOUNT = Connection("a1", "Office", ConnectionKind.CLASSIC, "https://api.example.org", "project-1", "abc1234")
OTHER = Connection("b2", "Héllo, “wörld”", ConnectionKind.CLASSIC, "http://127.0.0.1:8080/base", "project-2")


@pytest.fixture
def settings(log):
    QgsSettings().remove("plugins/up42")
    yield PluginSettings(log)
    QgsSettings().remove("plugins/up42")


def raw(key):
    return QgsSettings().value(f"plugins/up42/{key}")


def write(key, value):
    QgsSettings().setValue(f"plugins/up42/{key}", value)


def test_at_first_there_is_the_sandbox(settings):
    assert settings.connections() == (SANDBOX,)
    assert settings.current_connection() == SANDBOX
    assert not SANDBOX.costs


def test_connections_come_back_as_they_were_in_their_order(settings):
    settings.save_connections([OTHER, SANDBOX, ACCOUNT])
    assert PluginSettings(settings._log).connections() == (SANDBOX, OTHER, ACCOUNT)
    assert ACCOUNT.costs


def test_the_chosen_connection_is_remembered_and_the_sandbox_stands_in_when_it_is_gone(settings):
    settings.save_connections([ACCOUNT])
    settings.set_current_connection("a1")
    assert settings.current_connection() == ACCOUNT
    settings.save_connections([])
    assert settings.current_connection() == SANDBOX


def test_kinds_are_stored_as_words(settings):
    settings.save_connections([ACCOUNT])
    assert isinstance(raw("connections"), str)
    assert '"kind": "classic"' in raw("connections")


def test_an_entry_that_cannot_be_read_is_told_left_alone_and_kept(settings, panel_lines):
    write("connections", '[{"id": "x", "name": "Later", "kind": "platform"}, {"id": "a1", "kind": "classic"}, 7]')
    assert [connection.id for connection in settings.connections()] == ["sandbox", "a1"]
    assert any("'platform' is not known" in line for line in panel_lines)
    settings.save_connections([ACCOUNT])
    assert settings.connections() == (SANDBOX, ACCOUNT)
    assert '"platform"' in raw("connections")


@pytest.mark.parametrize("text", ["{broken", "null", '"text"', "[[]]"])
def test_broken_settings_are_told_and_count_as_empty(settings, panel_lines, text):
    write("connections", text)
    write("last_configuration", text)
    assert settings.connections() == (SANDBOX,)
    assert settings.last_configuration() == {}
    assert panel_lines or text in ("null", '"text"')


def test_the_output_folder_is_in_the_documents_until_one_is_chosen(settings, tmp_path):
    assert settings.output_folder().name == "UP42"
    assert settings.output_folder().is_absolute()
    settings.set_output_folder(tmp_path / "out, here")
    assert settings.output_folder() == tmp_path / "out, here"
    settings.set_output_folder(None)
    assert settings.output_folder().name == "UP42"


def test_the_last_configuration_comes_back(settings):
    values = {
        "workflow": "w",
        "limit": 3,
        "parameters": {"aws-s2-l2a:1": {"ids": None, "bbox": [15.2, 37.8, 15.3, 37.9]}},
    }
    settings.set_last_configuration(values)
    assert settings.last_configuration() == values


def test_nothing_secret_is_among_the_settings(settings):
    settings.save_connections([ACCOUNT, OTHER])
    assert "abc1234" in raw("connections")  # the id of an entry of the authentication database, not the key
    assert set(Connection.from_json(ACCOUNT.to_json()).to_json()) == {
        "id",
        "name",
        "kind",
        "address",
        "project_id",
        "authcfg",
        "sign_in",
        "account",
    }


def test_new_ids_differ_and_can_be_used():
    first, second = new_connection_id(), new_connection_id()
    assert first != second
    assert Connection.from_json({"id": first, "kind": "classic"}).id == first


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kind": "classic"}, "id"),
        ({"id": "../x", "kind": "classic"}, "id"),
        ({"id": "x"}, "kind"),
        ({"id": "x", "kind": "classic", "name": 3}, "name"),
        ({"id": "x", "kind": "classic", "address": "ftp://example.org"}, "https://"),
        ("text", "object"),
    ],
)
def test_a_connection_that_makes_no_sense_names_the_member(values, said):
    with pytest.raises(ValueError, match=said):
        Connection.from_json(values)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" https://api.example.org/ ", "https://api.example.org"),
        ("https://API.Example.org/base/", "https://api.example.org/base"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_addresses_are_kept_in_one_form(typed, kept):
    assert normalized_address(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "api.example.org",
        "file:///etc",
        "https://",
        "https://a@api.example.org",
        "https://x.org/?a=1",
        "https://x:99999",
        "http://[::1",
    ],
)
def test_addresses_that_are_none_are_refused(typed):
    with pytest.raises(ValueError, match=r"[Aa]ddress"):
        normalized_address(typed)


def test_a_project_key_does_not_show_itself():
    key = ProjectKey("project-1", "very-secret")
    assert "very-secret" not in f"{key} {key!r}"


def test_paths_are_paths(settings, tmp_path):
    settings.set_output_folder(tmp_path)
    assert isinstance(settings.output_folder(), Path)


def test_a_connection_of_an_account_is_remembered_and_an_older_entry_signs_in_with_a_key():
    office = Connection(
        "o1", "Office", ConnectionKind.CLASSIC, "https://api.example.org", "p-1", "cfg", SignIn.ACCOUNT, "anna@x.org"
    )
    assert Connection.from_json(office.to_json()) == office
    older = {key: value for key, value in office.to_json().items() if key not in {"sign_in", "account"}}
    assert Connection.from_json(older).sign_in is SignIn.PROJECT_KEY
    with pytest.raises(ValueError, match="sign_in"):
        Connection.from_json({**office.to_json(), "sign_in": "magic"})


def test_spending_limits_come_back_and_a_broken_one_lets_nothing_through(settings, panel_lines):
    assert settings.spending_limits() == SpendingLimits()
    settings.set_spending_limits(SpendingLimits(per_job=500, typed_above=100))
    assert PluginSettings(settings._log).spending_limits() == SpendingLimits(per_job=500, typed_above=100)
    write("spending_limits", '{"per_job": "many", "per_day": 7}')
    assert settings.spending_limits() == SpendingLimits(per_job=0, per_day=7)
    assert any("per_job" in line for line in panel_lines)
