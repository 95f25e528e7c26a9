"""When a call that may be repeated is repeated, and after how long."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Callable, Optional


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential back-off with full jitter.

    ``tries`` counts the first attempt. Waits grow from ``base`` seconds up to ``longest``; a wait the service asks for
    (``Retry-After``) is kept when it is at most ``patience`` seconds, else the error is told at once. No new attempt
    starts ``patience`` seconds after the first.
    """

    tries: int = 4
    base: float = 0.5
    longest: float = 20.0
    patience: float = 60.0
    chance: Callable[[], float] = field(default=random.random, repr=False)

    def wait(self, attempt: int, elapsed: float, asked: Optional[float] = None) -> Optional[float]:
        """Seconds before the attempt after number ``attempt`` (from 1), None when there is to be none."""
        if attempt >= self.tries:
            return None
        ceiling: float = min(self.longest, self.base * 2 ** (attempt - 1))
        wait = ceiling * (0.5 + 0.5 * self.chance())
        if asked is not None:
            wait = max(asked, wait * 0.1)
        return wait if elapsed + wait <= self.patience else None
