from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from up42_plugin.api.calls import Answer, Call, path_of
from up42_plugin.api.errors import AnswerError, ValidationError
from up42_plugin.api.fields import Record, parse_time, read_list

UTC = timezone.utc


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-06-15T08:10:00.482868Z", datetime(2022, 6, 15, 8, 10, 0, 482868, UTC)),
        ("2022-06-15T08:10:00.482Z", datetime(2022, 6, 15, 8, 10, 0, 482000, UTC)),
        ("2022-06-15T08:00:00.1Z", datetime(2022, 6, 15, 8, 0, 0, 100000, UTC)),
        ("2022-06-15T08:10:30Z", datetime(2022, 6, 15, 8, 10, 30, 0, UTC)),
        ("2022-06-15T08:10:30", datetime(2022, 6, 15, 8, 10, 30, 0, UTC)),
        ("2022-06-15 08:10", datetime(2022, 6, 15, 8, 10, 0, 0, UTC)),
        ("2022-06-15T08:10:30.123456789Z", datetime(2022, 6, 15, 8, 10, 30, 123456, UTC)),
        ("2022-06-15T10:10:30+02:00", datetime(2022, 6, 15, 8, 10, 30, 0, UTC)),
        ("2022-06-15T03:40:30-0430", datetime(2022, 6, 15, 8, 10, 30, 0, UTC)),
        ("2022-06-15T08:10:30+00:00", datetime(2022, 6, 15, 8, 10, 30, 0, UTC)),
    ],
)
def test_times_become_aware_utc_whatever_their_fraction_and_offset(text: str, expected: datetime) -> None:
    moment = parse_time(text)
    assert moment == expected
    assert moment.utcoffset() == timezone.utc.utcoffset(None)


@pytest.mark.parametrize("text", ["", "yesterday", "2022-06-15", "2022-13-45T00:00:00Z", "1655280000"])
def test_texts_that_are_no_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_time(text)


def test_a_missing_member_is_named_with_its_path() -> None:
    with pytest.raises(AnswerError) as caught:
        read_list([{"status": "A"}, {"status": "B"}, {}], "data", lambda record: record.text("status"))
    assert caught.value.detail == "data[2].status is missing"
    assert caught.value.user_message == "The answer could not be read. Details are in the log."


@pytest.mark.parametrize(
    ("value", "read", "detail"),
    [
        ({"a": None}, lambda r: r.text("a"), "data.a is missing"),
        ({"a": ""}, lambda r: r.text("a"), "data.a is missing"),
        ({"a": 3}, lambda r: r.text("a"), "data.a is not a text but int"),
        ({"a": True}, lambda r: r.number("a"), "data.a is not a number but bool"),
        ({"a": "x"}, lambda r: r.number("a"), "data.a is not a number but str"),
        ({"a": 1.5}, lambda r: r.integer("a"), "data.a is not a whole number but float"),
        ({"a": "soon"}, lambda r: r.time("a"), "data.a is not a time"),
        ({"a": []}, lambda r: r.record("a"), "data.a is not an object but list"),
        ({"a": {}}, lambda r: r.records("a", lambda e: e), "data.a is not a list but dict"),
        ({"a": [1]}, lambda r: r.records("a", lambda e: e), "data.a[0] is not an object but int"),
        ({"a": {"b": {}}}, lambda r: r.record("a").record("b").number("c"), "data.a.b.c is missing"),
        ({"a": float("nan")}, lambda r: r.number("a"), "data.a is not a number but float"),
    ],
)
def test_what_is_wrong_is_named(value, read, detail) -> None:
    with pytest.raises(AnswerError) as caught:
        read(Record(value, "data"))
    assert caught.value.detail == detail


def test_optional_members_of_other_types_count_as_absent_and_unknown_ones_are_ignored() -> None:
    record = Record({"a": 1, "b": "x", "c": [1, "y"], "d": "7", "new": object()}, "data")
    assert record.text_or("a", "none") == "none"
    assert record.number_or("b") is None
    assert record.texts("c") == ("y",)
    assert record.integer("d") == 7
    assert record.flag("a") is None
    assert record.mapping("b") == {}
    assert record.time_or_none("b") is None


def test_a_record_needs_an_object() -> None:
    with pytest.raises(AnswerError, match="could not be read"):
        Record([], "data")


def test_path_segments_are_escaped_and_cannot_leave_their_place() -> None:
    assert path_of("projects", "a/b c?d#e", "ü") == "/projects/a%2Fb%20c%3Fd%23e/%C3%BC"
    for bad in ("", ".", ".."):
        with pytest.raises(AnswerError):
            path_of("projects", bad)


def test_a_body_that_json_cannot_say_is_a_validation_error() -> None:
    for value in ({"a": float("nan")}, {"a": object()}):
        with pytest.raises(ValidationError):
            _ = Call("POST", "/x", json=value).body
    assert Call("POST", "/x", json=None).body == b"null"
    assert Call("GET", "/x").body is None


@pytest.mark.parametrize("body", [b"", b"<html>Sign in</html>", b'{"data": ', b"\xff\xfe", b"[" * 100_000])
def test_broken_json_is_an_answer_error_that_names_the_call(body: bytes) -> None:
    answer = Answer(200, {"Content-Type": "text/html"}, body, "GET /blocks")
    with pytest.raises(AnswerError) as caught:
        answer.json()
    assert "GET /blocks: 200, text/html" in caught.value.detail
    assert len(caught.value.detail) < 400
    assert caught.value.__context__ is None


def test_the_start_of_a_broken_answer_is_shown_without_secrets() -> None:
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln"
    with pytest.raises(AnswerError) as caught:
        Answer(200, {}, f"oops {token}".encode(), "GET /x").json()
    assert token not in caught.value.detail
    assert "oops" in caught.value.detail
    assert "eyJ" not in repr(Answer(200, {"Set-Cookie": token}, json.dumps(token).encode(), "GET /x"))
