"""Tags: the mark in a job's name by which a submission is found again."""

from __future__ import annotations

import re
import secrets
from typing import Tuple

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without i, l, o, 0 and 1, which are misread
TAG_LENGTH = 8
NAME_LIMIT = 100  # characters the service takes

_TAGGED = re.compile(rf"(?:^|\s+)#([{ALPHABET}]{{{TAG_LENGTH}}})\s*$")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f]+")


def make_tag() -> str:
    """A new tag: 8 characters, some 8 * 10^11 possibilities."""
    return "".join(secrets.choice(ALPHABET) for _ in range(TAG_LENGTH))


def tagged_name(name: str, tag: str) -> str:
    """``name`` with ``tag`` at its end (``Taormina super-resolution #k3f9x2ab``), cut to what the service takes.

    A tag that the name carries already is replaced.
    """
    title = _SPACE.sub(" ", split_name(name)[0]).strip()
    title = title[: NAME_LIMIT - len(tag) - 2].rstrip()
    return f"{title} #{tag}" if title else f"#{tag}"


def split_name(name: str) -> Tuple[str, str]:
    """What people call the job, and its tag; an empty tag where the name carries none."""
    match = _TAGGED.search(name)
    if match is None:
        return name, ""
    return name[: match.start()].rstrip(), match.group(1)


def has_tag(name: str, tag: str) -> bool:
    """Whether the name carries the tag, wherever in it: somebody may have renamed the job."""
    return re.search(rf"#{re.escape(tag)}(?![{ALPHABET}])", name) is not None
