"""The number that all randomness of a run comes from: another one each time, shown in the report's header."""

from __future__ import annotations

import os
import random

#: Given in ``UP42_SEED`` to have a run again, as far as threads and processes can be had again.
SEED = int(os.environ.get("UP42_SEED") or random.randrange(1_000_000))  # noqa: S311 - to be repeated, not secret


def chance_of(seed: float) -> random.Random:
    """Chance that can be had again."""
    return random.Random(seed)  # noqa: S311 - to be repeated, not secret
