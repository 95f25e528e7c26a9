"""Bearer tokens: JSON Web Tokens that live five minutes, signed with the key of this data folder."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Dict

from up42_plugin.sandbox.clock import now, seconds_stamp
from up42_plugin.sandbox.messages import ApiError, Principal

LIFE = timedelta(seconds=300)
_ACCESS = "ACCESS"


class Tokens:
    """Issues and checks tokens. The real service signs with RS512; a client reads no more than ``exp``."""

    def __init__(self, key: bytes, clock: Callable[[], datetime] = now) -> None:
        self._key = key
        self._clock = clock

    def issue(self, principal: Principal) -> str:
        """A new token for someone."""
        issued = int(self._clock().timestamp())
        subject = principal.project_id or principal.user_id
        claims = {
            "iss": "backend-core",
            "jti": str(uuid.uuid4()),
            "iat": issued,
            "sub": subject,
            "aud": "api.up42.com",
            "exp": issued + int(LIFE.total_seconds()),
            "authorities": ["VIEW_PROJECT", "RUN_JOB"],
            "client_id": subject,
            "client_type": principal.kind,
            "account_id": principal.account_id,
            "user_id": principal.user_id,
        }
        header = {"typ": "JWT", "kid": "1", "token_type": _ACCESS, "alg": "HS512"}
        signed = f"{_encode(header)}.{_encode(claims)}"
        return f"{signed}.{self._sign(signed)}"

    def check(self, authorization: str) -> Principal:
        """Who a header ``Authorization: Bearer …`` speaks for; raises 401."""
        scheme, _, text = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise _unauthorized("Full authentication is required to access this resource")
        signed, _, signature = text.strip().rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(signed).encode()):
            raise _unauthorized("Unable to decode token")
        try:
            claims = _decode(signed.rpartition(".")[2])
        except (TypeError, ValueError):
            raise _unauthorized("Unable to decode token") from None
        self._check_age(int(claims["exp"]))
        project = claims["sub"] if claims["client_type"] == "API_KEY" else None
        return Principal(claims["client_type"], claims["account_id"], claims["user_id"], project)

    def _check_age(self, expires: int) -> None:
        current = self._clock()
        late = int((current.timestamp() - expires) * 1000)
        if late < 0:
            return
        expired = datetime.fromtimestamp(expires, timezone.utc)
        raise _unauthorized(
            f"ACCESS_TOKEN_EXPIRED: JWT expired at {seconds_stamp(expired)}. Current time: {seconds_stamp(current)}, "
            f"a difference of {late} milliseconds.  Allowed clock skew: 0 milliseconds."
        )

    def _sign(self, text: str) -> str:
        return _base64(hmac.new(self._key, text.encode(), hashlib.sha512).digest())


def _unauthorized(message: str) -> ApiError:
    return ApiError(401, message, "UNAUTHORIZED")


def _encode(value: Dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _decode(text: str) -> Dict[str, Any]:
    padded = text + "=" * (-len(text) % 4)
    value = json.loads(base64.urlsafe_b64decode(padded))
    return dict(value)


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
