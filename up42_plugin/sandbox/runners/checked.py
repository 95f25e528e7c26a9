"""Parameters of blocks, checked as the blocks do it when they start; what is wrong with one stops the block."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR


def whole_number(parameters: Mapping[str, Any], name: str, low: int, high: int) -> int:
    """A whole number in a range, also when it is written ``6.0``."""
    value = parameters.get(name)
    whole = isinstance(value, (int, float)) and not isinstance(value, bool) and float(value).is_integer()
    if not whole or not low <= value <= high:  # type: ignore[operator]
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"{name} must be a whole number from {low} to {high}, got {value!r}")
    return int(value)  # type: ignore[arg-type]


def one_of(parameters: Mapping[str, Any], name: str, choices: Sequence[Any]) -> Any:
    """One of some values."""
    value = parameters.get(name)
    if value not in choices or isinstance(value, bool):
        listed = ", ".join(map(str, choices))
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"{name} must be one of {listed}, got {value!r}")
    return value


def texts(parameters: Mapping[str, Any], name: str) -> Sequence[str]:
    """A list of texts, each once, in their order; empty when there is none."""
    value = parameters.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"{name} must be a list of texts")
    return list(dict.fromkeys(item.strip() for item in value))
