"""Accounts, projects and their settings."""

from __future__ import annotations

import hmac
import sqlite3
import uuid
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Tuple

from up42_plugin.sandbox.clock import stamp
from up42_plugin.sandbox.store import Store

MAX_CONCURRENT_JOBS = "MAX_CONCURRENT_JOBS"
MAX_LIMIT = "JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE"
MAX_AOI = "JOB_QUERY_MAX_AOI_SIZE"
RANGES: Mapping[str, Tuple[int, int]] = {MAX_CONCURRENT_JOBS: (1, 10), MAX_LIMIT: (1, 20), MAX_AOI: (1, 1000)}


@dataclass(frozen=True)
class Account:
    """Who pays. ``login`` is what a person signs in with, beside the e-mail address."""

    id: str
    workspace_id: str
    user_id: str
    email: str
    login: str


@dataclass(frozen=True)
class Project:
    """A project of an account, with its key."""

    id: str
    account_id: str
    name: str
    description: str
    api_key: str
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class Setting:
    """One of the project's limits."""

    id: str
    name: str
    value: int
    created_at: str
    updated_at: str


class Accounts:
    """Accounts, projects and settings in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add_account(self, email: str, login: str) -> Account:
        """A new account with a workspace and one person."""
        account = Account(str(uuid.uuid4()), str(uuid.uuid4()), str(uuid.uuid4()), email, login)
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO accounts (id, workspace_id, user_id, email, login) VALUES (?, ?, ?, ?, ?)",
                (account.id, account.workspace_id, account.user_id, account.email, account.login),
            )
        return account

    def add_project(
        self, account: Account, name: str, description: str, api_key: str, values: Mapping[str, int]
    ) -> Project:
        """A new project with its settings."""
        moment = stamp()
        project = Project(str(uuid.uuid4()), account.id, name, description, api_key, moment, moment)
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO projects (id, account_id, name, description, api_key, created_at, updated_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (project.id, account.id, name, description, api_key, moment, moment),
            )
            db.executemany(
                "INSERT INTO settings (id, project_id, name, value, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
                [(str(uuid.uuid4()), project.id, key, values[key], moment, moment) for key in RANGES],
            )
        return project

    def account(self, account_id: str) -> Account:
        """The account with this id; raises ``KeyError``."""
        with self._store.reading() as db:
            row = db.execute("SELECT * FROM accounts WHERE id = ?", (account_id,)).fetchone()
        if row is None:
            raise KeyError(account_id)
        return _account(row)

    def project(self, project_id: str) -> Optional[Project]:
        """The project with this id."""
        with self._store.reading() as db:
            row = db.execute("SELECT * FROM projects WHERE id = ?", (project_id,)).fetchone()
        return None if row is None else Project(**dict(row))

    def project_with_key(self, project_id: str, api_key: str) -> Optional[Project]:
        """The project that this pair opens."""
        project = self.project(project_id)
        if project is None or not hmac.compare_digest(project.api_key.encode(), api_key.encode()):
            return None
        return project

    def account_with_login(self, email: str, login: str) -> Optional[Account]:
        """The account that a person's e-mail address and login word open."""
        with self._store.reading() as db:
            row = db.execute("SELECT * FROM accounts WHERE email = ?", (email,)).fetchone()
        if row is None or not hmac.compare_digest(str(row["login"]).encode(), login.encode()):
            return None
        return _account(row)

    def settings(self, project_id: str) -> List[Setting]:
        """The project's limits, in the order of :data:`RANGES`."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT id, name, value, created_at, updated_at FROM settings WHERE project_id = ?", (project_id,)
            ).fetchall()
        order = list(RANGES)
        return sorted((Setting(**dict(row)) for row in rows), key=lambda setting: order.index(setting.name))

    def limits(self, project_id: str) -> Dict[str, int]:
        """The project's limits by name."""
        return {setting.name: setting.value for setting in self.settings(project_id)}

    def set_limits(self, project_id: str, values: Mapping[str, int]) -> None:
        """Change limits; the caller has checked names and ranges."""
        moment = stamp()
        with self._store.transaction() as db:
            for name, value in values.items():
                db.execute(
                    "UPDATE settings SET value = ?, updated_at = ? WHERE project_id = ? AND name = ?",
                    (value, moment, project_id, name),
                )


def _account(row: sqlite3.Row) -> Account:
    return Account(**dict(row))
