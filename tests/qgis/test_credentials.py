"""Keys in QGIS's authentication database. Each test is a QGIS of its own, with a fresh profile and database."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROLOGUE = """
from qgis.core import QgsApplication, QgsAuthMethodConfig
app = QgsApplication([], False)
app.initQgis()
from dataclasses import replace
from up42_plugin.core.connections import Connection, ConnectionKind, ProjectKey
from up42_plugin.qgis_bridge.credentials import CredentialStore, CredentialsError, CredentialsLockedError
manager = QgsApplication.authManager()
store = CredentialStore(manager)
account = Connection("a1", "Office", ConnectionKind.CLASSIC, "https://api.example.org", "project-1")
key = ProjectKey("project-1", "very-secret-key")
def unlock():
    assert manager.setMasterPassword("master", True)
def raises(kind, call, *arguments):
    try:
        call(*arguments)
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")
"""


@pytest.fixture
def in_a_fresh_profile(tmp_path):
    def run(script):
        environment = dict(os.environ)
        for variable, name in {
            "HOME": "home",
            "XDG_RUNTIME_DIR": "runtime",
            "QGIS_CUSTOM_CONFIG_PATH": "profile",
            "QGIS_AUTH_DB_DIR_PATH": "auth",
        }.items():
            (tmp_path / name).mkdir(mode=0o700, exist_ok=True)
            environment[variable] = str(tmp_path / name)
        code = PROLOGUE + textwrap.dedent(script) + "\napp.exitQgis()\nprint('done')\n"
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=False,
            cwd=ROOT,
            env={**environment, "QT_QPA_PLATFORM": "offscreen"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.rstrip().endswith("done"), done.stdout
        return done.stdout

    return run


def test_a_key_is_kept_read_changed_and_deleted(in_a_fresh_profile, tmp_path):
    in_a_fresh_profile(
        """
        unlock()
        assert store.usable and not store.locked
        authcfg = store.store(account, key)
        kept = replace(account, authcfg=authcfg)
        assert manager.configIds() == [authcfg]
        assert store.read(kept) == key
        assert CredentialStore(manager).read(kept) == key
        assert store.store(kept, ProjectKey("project-1", "another")) == authcfg
        assert store.read(kept).api_key == "another"
        assert manager.configIds() == [authcfg]
        loaded, config = manager.loadAuthenticationConfig(authcfg, QgsAuthMethodConfig(), False)
        assert (config.method(), config.name(), config.uri()) == ("Basic", "UP42: Office", "https://api.example.org")
        store.delete(kept)
        assert manager.configIds() == []
        store.delete(kept)
        error = raises(CredentialsError, store.read, kept)
        assert "no longer" in error.user_message, error
        """
    )
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "qgis-auth.db" for path in kept)
    assert not [path for path in kept if b"very-secret-key" in path.read_bytes()]


def test_a_key_survives_the_session_and_needs_the_master_password_again(in_a_fresh_profile, tmp_path):
    in_a_fresh_profile(
        f"""
        unlock()
        open({str(tmp_path / "authcfg")!r}, "w").write(store.store(account, key))
        """
    )
    in_a_fresh_profile(
        f"""
        kept = replace(account, authcfg=open({str(tmp_path / "authcfg")!r}).read())
        assert store.locked and not store.new
        assert store.needs_prompt(kept)
        error = raises(CredentialsLockedError, store.read, kept)
        assert "master password" in error.user_message and "this session only" in error.user_message
        unlock()
        assert not store.needs_prompt(kept)
        assert store.read(kept) == key
        """
    )


def test_without_a_master_password_nothing_is_stored_and_the_choice_is_told(in_a_fresh_profile):
    in_a_fresh_profile(
        """
        assert store.usable and store.locked and store.new
        error = raises(CredentialsLockedError, store.store, account, key)
        assert "this session only" in error.user_message
        assert "very-secret-key" not in error.user_message + error.detail
        assert manager.configIds() == []
        assert not store.needs_prompt(account)
        """
    )


def test_a_key_for_this_session_only_stays_in_memory(in_a_fresh_profile):
    in_a_fresh_profile(
        """
        raises(CredentialsError, store.read, account)
        store.keep_for_session(account, key)
        assert store.read(account) == key
        assert not store.needs_prompt(account)
        assert "very-secret-key" not in repr(store)
        assert manager.configIds() == []
        error = raises(CredentialsError, CredentialStore(manager).read, account)
        assert "There is no key" in error.user_message
        store.delete(account)
        raises(CredentialsError, store.read, account)
        store.keep_for_session(account, key)
        store.forget_session()
        raises(CredentialsError, store.read, account)
        unlock()
        store.keep_for_session(account, ProjectKey("project-1", "old"))
        kept = replace(account, authcfg=store.store(account, key))
        assert store.read(kept) == key
        """
    )


def test_the_sandbox_has_nothing_to_keep(in_a_fresh_profile):
    in_a_fresh_profile(
        """
        unlock()
        sandbox = Connection("sandbox", "Sandbox", ConnectionKind.SANDBOX)
        raises(ValueError, store.store, sandbox, key)
        assert manager.configIds() == []
        """
    )


def test_making_the_store_asks_nothing_of_the_database(in_a_fresh_profile):
    in_a_fresh_profile(
        """
        asked = []
        class Watched:
            def __getattr__(self, name):
                asked.append(name)
                return getattr(manager, name)
        quiet = CredentialStore(Watched())
        assert asked == []
        assert quiet.locked
        assert not {"setMasterPassword", "loadAuthenticationConfig", "storeAuthenticationConfig"} & set(asked)
        """
    )


def test_an_accounts_login_is_kept_and_read_with_the_connections_project(in_a_fresh_profile):
    in_a_fresh_profile("""
        from up42_plugin.core.connections import AccountLogin, SignIn
        unlock()
        office = replace(account, sign_in=SignIn.ACCOUNT, account="anna@example.org")
        login = AccountLogin("project-1", "anna@example.org", "very-secret-word")
        kept = replace(office, authcfg=store.store(office, login))
        assert store.read(kept) == login
        assert store.read(replace(kept, project_id="project-2")).project_id == "project-2"
        assert "very-secret-word" not in repr(login) + repr(kept) + str(kept.to_json())
    """)
