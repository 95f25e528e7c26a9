"""Tokens and the caller's own account."""

from __future__ import annotations

import base64
import binascii
from typing import Dict, List, Optional, Tuple
from urllib.parse import parse_qs

from up42_plugin.sandbox.messages import ApiError, Principal, Request, Response, bare, wrapped
from up42_plugin.sandbox.router import Route
from up42_plugin.sandbox.routes.access import Access
from up42_plugin.sandbox.services import Services

_FORM = "application/x-www-form-urlencoded"
_BEARER = "bearer"
# There is nothing to renew a token with: ask again.
_NO_RENEWAL = None


class Identity:
    """Gives tokens to project keys and persons."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._access = Access(services)

    def token(self, request: Request) -> Response:
        """``POST /oauth/token``: grants ``client_credentials`` (project key) and ``password`` (person)."""
        form = self._form(request)
        grant = form.get("grant_type")
        if grant == "client_credentials":
            principal = self._by_key(request)
        elif grant == "password":
            principal = self._by_person(form)
        else:
            raise ApiError(415, "grant_type is missing or not supported")
        if principal is None:
            return Response(401)
        token = self._services.tokens.issue(principal)
        # No member `error`: OAuth libraries take its presence for a failure.
        return bare(
            {"data": {"accessToken": token}, "access_token": token, "token_type": _BEARER, "refresh_token": _NO_RENEWAL}
        )

    def me(self, request: Request) -> Response:
        """``GET /users/me``: its id serves as workspace id."""
        account = self._access.account(request)
        return wrapped(
            {"id": account.workspace_id, "email": account.email, "firstName": "Sandbox", "lastName": "Analyst"}
        )

    @staticmethod
    def _form(request: Request) -> Dict[str, str]:
        content_type = request.headers.get("content-type") or ""
        if content_type.split(";")[0].strip().lower() != _FORM:
            raise ApiError(415, f"Content type '{content_type}' not supported")
        fields = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[-1] for name, values in {**request.query, **fields}.items()}

    def _by_key(self, request: Request) -> Optional[Principal]:
        user, key = _basic(request.headers.get("authorization") or "")
        project = self._services.accounts.project_with_key(user, key)
        if project is None:
            return None
        account = self._services.accounts.account(project.account_id)
        return Principal("API_KEY", account.id, account.user_id, project.id)

    def _by_person(self, form: Dict[str, str]) -> Optional[Principal]:
        account = self._services.accounts.account_with_login(form.get("username", ""), form.get("password", ""))
        return None if account is None else Principal("USER", account.id, account.user_id)


def _basic(header: str) -> Tuple[str, str]:
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, key = base64.b64decode(text.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, key


def routes(services: Services) -> List[Route]:
    """The endpoints of this area."""
    identity = Identity(services)
    return [
        Route("POST", "/oauth/token", identity.token, token=False),
        Route("GET", "/users/me", identity.me),
    ]
