"""Takes secrets out of texts that go to the log: tokens, keys in addresses, queries of signed URLs."""

from __future__ import annotations

import re
from typing import Iterable
from urllib.parse import urlsplit

HIDDEN = "…"
SHORTEST_SECRET = 6  # shorter ones would blot out ordinary words

_JWT = re.compile(r"\beyJ[\w-]+(?:\.[\w-]*){1,2}")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
_ADDRESS = re.compile(r"(?i)\b(https?://)(?:[^\s/@\"'<>]+@)?([^\s/?#\"'<>]+)([^\s?#\"'<>]*)(\?[^\s\"'<>]*)?")
_MEMBER = re.compile(
    r"(?i)([\"']?(?:signature|x-goog-[\w-]+|x-amz-[\w-]+|googleaccessid|\w*token|secret|password|api_?key)[\"']?\s*[=:]\s*)"
    r"(\"(?:\\.|[^\"\\])*\"?|'[^']*'?|[^\s&,;}]+)"
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without the given secrets and without what looks like one."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, HIDDEN)
    text = _ADDRESS.sub(lambda m: f"{m[1]}{m[2]}{m[3]}{'?' + HIDDEN if m[4] else ''}", text)
    text = _JWT.sub(HIDDEN, text)
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    return _MEMBER.sub(rf"\1{HIDDEN}", text)


def origin(url: str) -> str:
    """Scheme, host and port of an address, without user, path and query."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{parts.scheme}://{host}{port}"
