"""Connections: where jobs run, and the key of a project there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict, Mapping, Union
from urllib.parse import urlsplit

from up42_plugin.api.tokens import AccountGrant, Grant, ProjectKeyGrant

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class ConnectionKind(str, Enum):
    """What stands behind a connection: the built-in service, or an account with projects."""

    SANDBOX = "sandbox"
    CLASSIC = "classic"


class SignIn(str, Enum):
    """What a connection signs in with."""

    PROJECT_KEY = "project-key"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Connection:
    """One place where jobs run. ``id`` never changes and keys everything remembered about the connection.

    ``address`` is the service's base URL without a slash at its end; it is empty for the built-in sandbox, whose
    address is another at each start. ``authcfg`` names an entry of QGIS's authentication database: ``""`` where there
    is none (the sandbox, and a key kept for this session only). ``account`` is the e-mail where an account signs in.
    """

    id: str
    name: str
    kind: ConnectionKind
    address: str = ""
    project_id: str = ""
    authcfg: str = ""
    sign_in: SignIn = SignIn.PROJECT_KEY
    account: str = ""

    @property
    def costs(self) -> bool:
        """Whether live jobs of this connection are paid for."""
        return self.kind is not ConnectionKind.SANDBOX

    def to_json(self) -> Dict[str, Any]:
        """Plain values for :meth:`from_json`; holds no secret."""
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind.value,
            "address": self.address,
            "project_id": self.project_id,
            "authcfg": self.authcfg,
            "sign_in": self.sign_in.value,
            "account": self.account,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Connection:
        """Read what :meth:`to_json` wrote; raises ``ValueError`` naming the member that is wrong."""
        if not isinstance(values, Mapping):
            raise ValueError("a connection is not an object")  # noqa: TRY004 - bad data, not a bad call
        names = ("id", "name", "kind", "address", "project_id", "authcfg", "account")
        texts = {key: values.get(key, "") for key in names}
        texts["sign_in"] = values.get("sign_in", SignIn.PROJECT_KEY.value)
        for key, value in texts.items():
            if not isinstance(value, str):
                raise ValueError(f"connection: {key} is not a text")  # noqa: TRY004 - bad data, not a bad call
        if not _ID.fullmatch(texts["id"]):
            raise ValueError("connection: id is missing or has unusual characters")
        try:
            kind = ConnectionKind(texts["kind"])
        except ValueError:
            raise ValueError(f"connection: kind {texts['kind']!r} is not known") from None
        try:
            sign_in = SignIn(texts["sign_in"])
        except ValueError:
            raise ValueError(f"connection: sign_in {texts['sign_in']!r} is not known") from None
        address = normalized_address(texts["address"]) if texts["address"] else ""
        name = texts["name"] or texts["id"]
        return cls(texts["id"], name, kind, address, texts["project_id"], texts["authcfg"], sign_in, texts["account"])


def normalized_address(text: str) -> str:
    """A base URL as it is kept: http or https, no user, query or fragment, no slash at the end.

    Raises ``ValueError`` with a sentence for the person when ``text`` is none of that.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{text!r} is not an address.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("The address must begin with https:// and name a host, as in https://api.example.org.")
    if parts.username or parts.password:
        raise ValueError("The address must not hold a user name or key; they have fields of their own.")
    if parts.query or parts.fragment:
        raise ValueError("The address must end with its path, without ? or #.")
    netloc = f"[{host}]" if ":" in host else host
    if port is not None:
        netloc = f"{netloc}:{port}"
    return f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}"


@dataclass(frozen=True)
class ProjectKey:
    """A project's id and its API key, in memory only; printing it shows no key."""

    project_id: str
    api_key: str

    def __repr__(self) -> str:
        return f"ProjectKey(project_id={self.project_id!r}, api_key=…)"


@dataclass(frozen=True)
class AccountLogin:
    """An account's e-mail and password, and the project its jobs run in; in memory only, printing shows no password."""

    project_id: str
    email: str
    secret: str

    def __repr__(self) -> str:
        return f"AccountLogin(project_id={self.project_id!r}, email={self.email!r}, secret=…)"


Credentials = Union[ProjectKey, AccountLogin]


def secret_of(credentials: Credentials) -> str:
    """The one part of the credentials that nobody may see."""
    return credentials.secret if isinstance(credentials, AccountLogin) else credentials.api_key


def sign_in_of(credentials: Credentials) -> SignIn:
    """Which kind of credentials these are."""
    return SignIn.ACCOUNT if isinstance(credentials, AccountLogin) else SignIn.PROJECT_KEY


def grant_of(credentials: Credentials) -> Grant:
    """How these credentials ask the service for a token."""
    if isinstance(credentials, AccountLogin):
        return AccountGrant(credentials.email, credentials.secret)
    return ProjectKeyGrant(credentials.project_id, credentials.api_key)
