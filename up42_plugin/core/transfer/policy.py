"""How stubborn a download is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TransferPolicy:
    """How stubborn a download is.

    ``attempts`` failures in a row are borne; progress of ``progress_bytes`` starts the count anew. Waits double from
    ``first_wait`` to ``longest_wait`` seconds. ``restarts`` times a server that cannot continue is asked for all of it
    again. ``idle_seconds`` without a byte are a cut. ``expansion`` estimates unpacked bytes per archived byte before
    anything is known. ``report_every`` is the time between two reports, in seconds.
    """

    attempts: int = 6
    progress_bytes: int = 1 << 16
    first_wait: float = 0.5
    longest_wait: float = 20.0
    restarts: int = 3
    idle_seconds: float = 60.0
    expansion: float = 1.5
    report_every: float = 0.1
