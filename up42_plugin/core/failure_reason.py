"""Why a job failed, in a few words, from the end of the failed task's log."""

from __future__ import annotations

import re

# A failing block ends its log with "[CODE] message" (the service's contract, logs of job tasks).
_ENDING = re.compile(r"\[([A-Z_]{3,})\]\s*(.+)")
_OUT_OF_MEMORY = re.compile(r"\bout of memory\b|\bOOM\b|\bexit code 137\b", re.IGNORECASE)
_LONGEST = 160


def failure_reason(log: str, block_title: str) -> str:
    """Tell a person why: ``Failed: no images found`` or, without a reason, ``Failed in <block>.``."""
    if _OUT_OF_MEMORY.search(log):
        return "Failed: out of memory. A smaller area may help."
    endings = _ENDING.findall(log)
    if endings:
        message = endings[-1][1].strip().rstrip(".")
        if len(message) > _LONGEST:
            message = message[: _LONGEST - 1].rstrip() + "…"
        return f"Failed: {message[:1].lower()}{message[1:]}" if not message[1:2].isupper() else f"Failed: {message}"
    return f"Failed in {block_title}."
