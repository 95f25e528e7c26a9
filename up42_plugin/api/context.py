"""What a blocking call may ask of its worker: whether to stop, how to wait, and how to be woken."""

from __future__ import annotations

from typing import Callable, Protocol


class CallContext(Protocol):
    """Cancellation as the API clients see it. Implementations are thread-safe and know no Qt."""

    def check(self) -> None:
        """Raise :class:`~up42_plugin.api.errors.Cancelled` when the person cancelled."""

    def sleep(self, seconds: float) -> None:
        """Wait, but wake at once and raise ``Cancelled`` when the person cancels."""

    def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call ``wake`` (from any thread) on cancellation, at once if already cancelled; returns the undo.

        Blocked reads register a function that shuts their socket down: closing a response does not wake them.
        """
