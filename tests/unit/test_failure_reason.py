"""Why a job failed, from the log of its failed task."""

from __future__ import annotations

import pytest

from up42_plugin.core.failure_reason import failure_reason

LINE = "2026-11-20 10:42:07,123 - blockutils - ERROR - "


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (f"{LINE}[NO_INPUT_ERROR] No images found.", "Failed: no images found"),
        (f"{LINE}[NO_INPUT_ERROR] first\n{LINE}[API_CONNECTION_ERROR] Second try failed", "Failed: second try failed"),
        (f"{LINE}[WRONG_INPUT_ERROR] NDVI needs a red band.", "Failed: NDVI needs a red band"),
        (f"{LINE}[INPUT_PARAMETERS_ERROR]   limit is 0  ", "Failed: limit is 0"),
        ("Command exited with exit code 137", "Failed: out of memory. A smaller area may help."),
        ("java: Out of memory", "Failed: out of memory. A smaller area may help."),
        ("pod was OOM killed", "Failed: out of memory. A smaller area may help."),
        ("", "Failed in NDVI."),
        ("Traceback (most recent call last):", "Failed in NDVI."),
        (f"{LINE}[x] no code", "Failed in NDVI."),
    ],
)
def test_the_reason_in_a_few_words(log, reason):
    assert failure_reason(log, "NDVI") == reason


def test_words_that_hold_the_letters_are_no_memory_problem():
    log = f"Rendering zoom level 12 in the bathroom\n{LINE}[NO_OUTPUT_ERROR] nothing made"
    assert failure_reason(log, "Tiling") == "Failed: nothing made"


def test_a_long_message_is_cut():
    text = failure_reason(f"{LINE}[NO_OUTPUT_ERROR] {'very ' * 100}long", "NDVI")
    assert len(text) <= 170
    assert text.endswith("…")
