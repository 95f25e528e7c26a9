from __future__ import annotations

import pytest

from up42_plugin.core.tags import ALPHABET, NAME_LIMIT, TAG_LENGTH, has_tag, make_tag, split_name, tagged_name

TAG = "k3f9x2ab"


def test_tags_are_short_unlike_each_other_and_not_misread() -> None:
    tags = {make_tag() for _ in range(2000)}
    assert len(tags) == 2000
    assert all(len(tag) == TAG_LENGTH and set(tag) <= set(ALPHABET) for tag in tags)
    assert not set("il1o0") & set(ALPHABET)


def test_the_tag_stands_at_the_end_of_the_name() -> None:
    assert tagged_name("Taormina super-resolution", TAG) == "Taormina super-resolution #k3f9x2ab"
    assert split_name("Taormina super-resolution #k3f9x2ab") == ("Taormina super-resolution", TAG)


@pytest.mark.parametrize(
    "name", ["", "  ", "a", "Straße am Ätna 🌋", "x" * 500, "two\nlines\tand\x00more", "#1", "a #b c"]
)
def test_any_name_keeps_its_tag_and_the_services_limit(name: str) -> None:
    tagged = tagged_name(name, TAG)
    assert len(tagged) <= NAME_LIMIT
    assert split_name(tagged)[1] == TAG
    assert has_tag(tagged, TAG)
    assert "\n" not in tagged
    assert "\x00" not in tagged


def test_another_tag_replaces_the_first() -> None:
    again = tagged_name(tagged_name("Coast", TAG), "mnpqrstu")
    assert again == "Coast #mnpqrstu"


@pytest.mark.parametrize("name", ["Coast", "Coast #short", "Coast #k3f9x2abc", "Coast#k3f9x2ab", "Coast #k3f9x2a0", ""])
def test_names_without_a_tag_of_ours_have_none(name: str) -> None:
    assert split_name(name) == (name, "")


def test_a_tag_is_recognized_wherever_somebody_left_it() -> None:
    assert has_tag("Coast #k3f9x2ab (old)", TAG)
    assert has_tag("#k3f9x2ab", TAG)
    assert not has_tag("Coast #k3f9x2abc", TAG)
    assert not has_tag("Coast k3f9x2ab", TAG)
    assert not has_tag("", TAG)
