"""The codes a block stops with, as in its log line ``[CODE] message``."""

from __future__ import annotations

INPUT_PARAMETERS_ERROR = "INPUT_PARAMETERS_ERROR"
NO_INPUT_ERROR = "NO_INPUT_ERROR"
WRONG_INPUT_ERROR = "WRONG_INPUT_ERROR"
NO_OUTPUT_ERROR = "NO_OUTPUT_ERROR"
