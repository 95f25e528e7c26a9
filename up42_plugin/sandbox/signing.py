"""Signed download addresses: they need no token, and expire 15 minutes after they were given out."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Callable, Optional
from urllib.parse import quote, urlencode

from up42_plugin.sandbox.clock import now

LIFE = timedelta(minutes=15)
_ACCESS_ID = "sandbox@example.org"


class UrlSigner:
    """Signs paths with the key of this data folder, and checks what comes back."""

    def __init__(self, key: bytes, clock: Callable[[], datetime] = now) -> None:
        self._key = key
        self._clock = clock

    def sign(self, base_url: str, path: str, already_expired: bool = False) -> str:
        """The address of ``path`` on this host."""
        life = -LIFE if already_expired else LIFE
        expires = str(int((self._clock() + life).timestamp()))
        query = {"GoogleAccessId": _ACCESS_ID, "Expires": expires, "Signature": self._signature(path, expires)}
        return f"{base_url}{quote(path)}?{urlencode(query)}"

    def refusal(self, path: str, expires: Optional[str], signature: Optional[str]) -> Optional[str]:
        """Why an address is not good, as the store's error code, or None when it is."""
        if not expires or not signature or not expires.isdigit():
            return "AccessDenied"
        if not hmac.compare_digest(signature.encode(), self._signature(path, expires).encode()):
            return "SignatureDoesNotMatch"
        if self._clock().timestamp() >= int(expires):
            return "ExpiredToken"
        return None

    def _signature(self, path: str, expires: str) -> str:
        digest = hmac.new(self._key, f"{path}\n{expires}".encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()
