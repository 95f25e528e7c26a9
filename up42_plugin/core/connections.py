"""Connections: where jobs run, and the key of a project there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict, Mapping
from urllib.parse import urlsplit

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class ConnectionKind(str, Enum):
    """What stands behind a connection: the built-in service, or an account with projects."""

    SANDBOX = "sandbox"
    CLASSIC = "classic"


@dataclass(frozen=True)
class Connection:
    """One place where jobs run. ``id`` never changes and keys everything remembered about the connection.

    ``address`` is the service's base URL without a slash at its end; it is empty for the built-in sandbox, whose
    address is another at each start. ``authcfg`` names an entry of QGIS's authentication database: ``""`` where there
    is none (the sandbox, and a key kept for this session only).
    """

    id: str
    name: str
    kind: ConnectionKind
    address: str = ""
    project_id: str = ""
    authcfg: str = ""

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
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Connection:
        """Read what :meth:`to_json` wrote; raises ``ValueError`` naming the member that is wrong."""
        if not isinstance(values, Mapping):
            raise ValueError("a connection is not an object")  # noqa: TRY004 - bad data, not a bad call
        texts = {key: values.get(key, "") for key in ("id", "name", "kind", "address", "project_id", "authcfg")}
        for key, value in texts.items():
            if not isinstance(value, str):
                raise ValueError(f"connection: {key} is not a text")  # noqa: TRY004 - bad data, not a bad call
        if not _ID.fullmatch(texts["id"]):
            raise ValueError("connection: id is missing or has unusual characters")
        try:
            kind = ConnectionKind(texts["kind"])
        except ValueError:
            raise ValueError(f"connection: kind {texts['kind']!r} is not known") from None
        address = normalized_address(texts["address"]) if texts["address"] else ""
        name = texts["name"] or texts["id"]
        return cls(texts["id"], name, kind, address, texts["project_id"], texts["authcfg"])


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
