"""One call and its answer, as plain values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Tuple
from urllib.parse import quote

from up42_plugin.api.errors import AnswerError, ValidationError
from up42_plugin.api.fields import UNREADABLE
from up42_plugin.api.redaction import redact

_NOTHING: Any = object()


def path_of(*segments: str) -> str:
    """A path from its parts, each escaped so that none can leave its place.

    Raises:
        AnswerError: a part is empty or a dot segment; ids come from the service's answers.
    """
    for segment in segments:
        if segment in ("", ".", ".."):
            raise AnswerError(UNREADABLE, f"{segment!r} is no identifier")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


@dataclass(frozen=True)
class Call:
    """A request to the service. ``path`` starts at the service's address, or is a whole address.

    ``json`` is sent as the body where given (None is a body, ``null``). ``subject`` is what is asked for, in a word a
    person knows (``workflow``), and ends up in the message of a 404. ``signed_in`` False sends no token.
    ``accepts`` are statuses besides 2xx whose answers are wanted rather than raised.
    """

    method: str
    path: str
    query: Tuple[Tuple[str, str], ...] = ()
    json: Any = field(default=_NOTHING, repr=False)
    form: Optional[Mapping[str, str]] = field(default=None, repr=False)
    basic: Optional[Tuple[str, str]] = field(default=None, repr=False)
    subject: str = ""
    signed_in: bool = True
    accept: str = "application/json"
    accepts: Tuple[int, ...] = ()

    @property
    def body(self) -> Optional[bytes]:
        """The JSON body in bytes, None for a call without one; raises ``ValidationError`` for what JSON cannot say."""
        if self.json is _NOTHING:
            return None
        try:
            return json.dumps(self.json, separators=(",", ":"), allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            problem = type(error).__name__
        raise ValidationError("The parameters hold a value that cannot be sent.", f"{self.method} body: {problem}")


@dataclass(frozen=True)
class Answer:
    """A complete answer. ``where`` names the call for the log."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    where: str = ""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004

    @property
    def redirect(self) -> bool:
        """Whether the answer points elsewhere."""
        return 300 <= self.status < 400  # noqa: PLR2004

    def json(self) -> Any:
        """The parsed body; raises ``AnswerError`` when it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            start = redact(self.body[:120].decode("utf-8", "replace"))
            kind = self.headers.get("Content-Type", "no type")
            detail = f"{self.where}: {self.status}, {kind}, {len(self.body)} bytes, no JSON: {start!r}"
        raise AnswerError(UNREADABLE, detail)
