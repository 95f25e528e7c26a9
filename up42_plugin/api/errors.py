"""One error tree for everything that can go wrong with the service.

``user_message`` is a sentence (or two) for the person: what happened and what to do. ``detail`` is for the log
panel: status, code, the service's own words. Neither ever holds a token, a key or a signed URL.
"""

from __future__ import annotations

from typing import Optional


class Up42Error(Exception):
    """Base of all errors of this plugin that a person is shown."""

    def __init__(self, user_message: str, detail: str = "") -> None:
        super().__init__(user_message)
        self.user_message = user_message
        self.detail = detail


class Cancelled(Up42Error):  # noqa: N818 - an outcome, not a mistake
    """The person cancelled; nothing to report."""

    def __init__(self) -> None:
        super().__init__("Cancelled.")


class ServiceError(Up42Error):
    """The service answered, and said no. ``status`` is the HTTP status, ``code`` the service's own word."""

    def __init__(self, user_message: str, detail: str = "", status: int = 0, code: str = "") -> None:
        super().__init__(user_message, detail)
        self.status = status
        self.code = code


class AuthError(ServiceError):
    """401 that a new token does not cure, or a wrong project ID or key."""


class QuotaError(ServiceError):
    """403: not enough credits."""


class AccessError(ServiceError):
    """403 for another reason: the account may not do this."""


class ValidationError(ServiceError):
    """400, 415 or 422: the service does not accept what was sent."""


class NotFoundError(ServiceError):
    """404: gone, or not visible to this key."""


class TooManyJobsError(ServiceError):
    """429: the project has as many unfinished jobs as it may have."""


class RateLimitedError(ServiceError):
    """429: too many requests. ``retry_after`` in seconds, when the service named it."""

    def __init__(
        self,
        user_message: str,
        detail: str = "",
        status: int = 429,
        code: str = "",
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(user_message, detail, status, code)
        self.retry_after = retry_after


class ServerError(ServiceError):
    """5xx: the service has a problem."""


class AnswerError(Up42Error):
    """An answer that cannot be read: broken JSON, a missing member (named in ``detail``), a redirect."""


class NetworkError(Up42Error):
    """No answer: time-out, reset, cut connection."""


class NotSentError(NetworkError):
    """The request never left: DNS, refused connection, proxy or TLS failure before its first byte."""


class OutcomeUnknownError(NetworkError):
    """A request that creates something may or may not have arrived. Never send it again: look it up."""
