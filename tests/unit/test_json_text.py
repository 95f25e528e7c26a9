"""JSON that people type: what it holds, on which line, and what is wrong with it."""

from __future__ import annotations

import json
import random

import pytest

from up42_plugin.core.json_text import JsonTextError, parse, write

TEXT = """{
  "aws-s2-l2a:1": {
    "limit": 1,
    "ids": null,
    "contains": {"type": "Polygon",
      "coordinates": [[[15.28, 37.85],
        [15.29, 37.85]]]}
  },
  "s2-superresolution:1": {}
}
"""


def test_every_member_and_item_has_its_line():
    document = parse(TEXT)
    assert document.value == json.loads(TEXT)
    assert document.line_of(()) == 1
    assert document.line_of(("aws-s2-l2a:1",)) == 2
    assert document.line_of(("aws-s2-l2a:1", "ids")) == 4
    assert document.line_of(("aws-s2-l2a:1", "contains", "coordinates", 0, 1)) == 7
    assert document.line_of(("s2-superresolution:1",)) == 9


def test_what_is_not_there_has_the_line_around_it():
    document = parse(TEXT)
    assert document.line_of(("s2-superresolution:1", "clip_to_aoi")) == 9
    assert document.line_of(("ndvi:1", "x")) == 1


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "a value is expected, not the end of the text."),
        ('{\n"a": 1,\n}', 3, "there is a comma before } and nothing after it."),
        ('{\n"a": 1\n"b": 2}', 3, 'a comma or } is expected, not ".'),
        ('{"a" 1}', 1, "a colon is expected after the name, not 1."),
        ("{a: 1}", 1, "a name in double quotes is expected, not a."),
        ('{"a": 1,\n "a": 2}', 2, "a is there twice."),
        ("[1, 2", 1, "a comma or ] is expected, not the end of the text."),
        ('[1,\n\n"x]', 3, "this text has no closing quote, or a character or escape that JSON does not allow."),
        ('["\\x"]', 1, "this text has no closing quote, or a character or escape that JSON does not allow."),
        ("NaN", 1, "a value is expected, not NaN."),
        ("[1,\n 1e999]", 2, "1e999 is too large."),
        ("01", 1, "01 is not a number."),
        ("1.", 1, "1. is not a number."),
        ("9" * 400, 1, "99999999999999999999 is not a number."),
        ("true false", 1, "nothing is expected here, not false."),
        ("[" * 5000, 1, "this is nested too deep."),
    ],
)
def test_what_is_wrong_and_where(text, line, reason):
    with pytest.raises(JsonTextError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.reason) == (line, reason)
    assert str(caught.value) == f"Line {line}: {reason}"


def _value(dice: random.Random, depth: int = 0):
    kind = dice.randrange(9 if depth < 4 else 6)
    if kind < 6:
        return dice.choice(
            [None, True, False, 0, -7, 10**30, 1.5, -2.25e-9, 1e300, "", 'ü "\\\n\u2028😀', "\x00 \x7f", "a: b"]
        )
    if kind < 8:
        return {
            dice.choice(["a", "ü", "", "x y", '"']) + str(n): _value(dice, depth + 1) for n in range(dice.randrange(4))
        }
    return [_value(dice, depth + 1) for _ in range(dice.randrange(5))]


def test_reading_what_was_written_gives_the_same():
    dice = random.Random(7)  # noqa: S311 - the same cases every time
    for _ in range(500):
        value = _value(dice)
        text = write(value)
        assert repr(parse(text).value) == repr(value)
        assert repr(parse(json.dumps(value)).value) == repr(value)


def test_broken_texts_are_refused_where_the_standard_reader_refuses_them():
    dice = random.Random(11)  # noqa: S311 - the same cases every time
    seen = 0
    for _ in range(2000):
        text = list(TEXT)
        for _ in range(dice.randrange(1, 4)):
            text[dice.randrange(len(text))] = dice.choice('{}[]",:0a \n-.e')
        broken = "".join(text)
        try:
            expected = json.loads(broken, object_pairs_hook=_unique)
        except ValueError:
            seen += 1
            with pytest.raises(JsonTextError):
                parse(broken)
        else:
            assert parse(broken).value == expected
    assert seen > 500


def _unique(pairs):
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("twice")
    return dict(pairs)


def test_points_are_written_on_one_line():
    text = write({"a": {"coordinates": [[[15.282326, 37.854051], [15.281897, 37.843275], [15.301208, 37.843139]]]}})
    assert "        [15.282326, 37.854051],\n" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    "text",
    ["[1, 2.5,-3]", "[ 0.0000001 , 12 ]", "[[1,2],[3,4.0]]", "[-0]", "[1e3, 2]", "[1,\n2]", "[123456789012345678]"],
)
def test_lists_of_numbers_are_what_the_standard_reader_makes_of_them(text):
    assert repr(parse(text).value) == repr(json.loads(text))


@pytest.mark.parametrize("text", ["[01, 2]", "[1, 2,]", "[1 2]", "[1., 2]", "[.5]", "[+1]", "[1, 2", "[1,, 2]", "[-]"])
def test_and_what_it_refuses_is_refused(text):
    with pytest.raises(JsonTextError):
        parse(text)


def test_the_line_of_a_number_is_that_of_its_list():
    document = parse('{\n"a": [\n[1, 2],\n[3, 4]]}')
    assert [document.line_of(("a", 1, place)) for place in (0, 1)] == [4, 4]


def test_long_lists_are_broken_and_short_ones_are_not():
    assert write({"a": list(range(10))}) == '{\n  "a": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n}\n'
    assert len(write(list(range(1000))).splitlines()) == 1002
    assert write([[], [[]]]) == "[[], [[]]]\n"
