"""What features are called when each becomes a job."""

from __future__ import annotations

import pytest

from up42_plugin.core.feature_labels import label_field, label_in, numbered, tidy_label


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("north field", "south field"), ("north field", "south field")),
        (("", "", ""), ("1 of 3", "2 of 3", "3 of 3")),
        (("field", "Field", "coast"), ("1 of 3", "2 of 3", "coast")),
        (("a", "", "c"), ("a", "2 of 3", "c")),
    ],
)
def test_a_name_is_a_label_where_it_tells_one_from_the_others(names, labels):
    assert numbered(names) == labels


def test_the_name_is_found_among_the_attributes():
    assert label_field(["code", "NAME", "title"]) == "NAME"
    assert label_field(["code", "area"]) is None
    assert label_in({"id": 7, "title": " My\nfield "}) == "My field"
    assert label_in({"name": None}) == ""


def test_only_short_text_is_a_name():
    assert tidy_label(7) == ""
    assert tidy_label(None) == ""
    assert len(tidy_label("x" * 100)) == 40
    assert tidy_label("x" * 100).endswith("…")
