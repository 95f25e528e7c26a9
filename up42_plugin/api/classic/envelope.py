"""The envelope ``{"data": …, "error": …}`` around most answers of the classic API."""

from __future__ import annotations

from typing import Any, Callable, Tuple, TypeVar

from up42_plugin.api.errors import AnswerError
from up42_plugin.api.fields import UNREADABLE, Record, read_list, unreadable

T = TypeVar("T")


def data_of(answer: Any) -> Any:
    """What is inside the envelope; raises ``AnswerError`` when there is none, or an error in it."""
    if not isinstance(answer, dict):
        raise unreadable("answer", "an object", answer)
    if answer.get("error"):  # {} occurs in answers of success
        raise AnswerError(UNREADABLE, "a successful answer with an error inside")
    if "data" not in answer:
        raise unreadable("data", "there", None)
    return answer["data"]


def record_of(answer: Any) -> Record:
    """The object inside the envelope."""
    return Record(data_of(answer), "data")


def list_of(answer: Any, read: Callable[[Record], T]) -> Tuple[T, ...]:
    """The objects of the list inside the envelope."""
    return read_list(data_of(answer), "data", read)
