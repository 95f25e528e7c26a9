"""Sentences that end with what a person can do: the sentence, and the text of the button beside it."""

from __future__ import annotations

from typing import Tuple

TRY_AGAIN = "Try Again"
REFRESH = "Refresh"
OPTIONS = "Options…"
SHOW_LOG = "Show Log"
SHOW_LOGS = "Show Logs"
CHANGE_FOLDER = "Change Folder…"
DOWNLOAD_AGAIN = "Download Again"
OPEN_FOLDER = "Open Folder"
SUBMIT_AGAIN = "Submit Again"
FORGET = "Forget It"
SHOW_JOB = "Show Job"

_AT_THE_END = (TRY_AGAIN, REFRESH, OPTIONS, SHOW_LOGS, SHOW_LOG, CHANGE_FOLDER, DOWNLOAD_AGAIN)


def split_action(text: str) -> Tuple[str, str]:
    """``The archive is damaged.`` and ``Download Again``; an empty action where the text ends with none."""
    bare = text.rstrip(".")
    for action in _AT_THE_END:
        cut = len(bare) - len(action)
        if cut > 0 and bare[cut:].lower() == action.lower() and bare[:cut].endswith(". "):
            return bare[:cut].rstrip(), action
    return text, ""


def sentence_of(text: str) -> str:
    """The text without the action at its end, for places that have no button for it."""
    return split_action(text)[0]
