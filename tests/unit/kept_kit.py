"""What the tests of kept downloads share: an archive, a line that dies, and what is left then."""

from __future__ import annotations

import pytest

from tests.byte_sources import MemorySource, MemoryStream, seeded, tar_gz, tree
from up42_plugin.api.errors import NetworkError
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.transfer import TransferPolicy, fetch_output
from up42_plugin.core.unpack import RECEIPT

QUICK = TransferPolicy(attempts=2, first_wait=0.001, longest_wait=0.002)
CAME = 300_000


FILES = {"data.json": b"{}", "one/image.tif": seeded(1).randbytes(500_000), "two.tif": seeded(2).randbytes(200_000)}
ARCHIVE = tar_gz(FILES)


def unpacked(folder):
    found = tree(folder)
    assert found.pop(RECEIPT)
    return found


def names(final):
    return sorted(path.name for path in final.parent.iterdir())


def dead_after(content, came=CAME, **stream):
    """A source whose line dies for good after ``came`` bytes."""

    def plan(number, offset):
        if number > 1:
            raise NetworkError("No answer.")
        return MemoryStream(content, offset, cut_at=came, **{"total": len(content), **stream})

    return MemorySource(content, plan)


def begin(final, content, came=CAME, **stream):
    """Leave the first ``came`` bytes of a download."""
    with pytest.raises(NetworkError):
        fetch_output(dead_after(content, came, **stream), final, ThreadContext(), policy=QUICK)
    assert names(final) == ["final.part", "final.part.json"]


def fetch(source, final, context=None, **more):
    return fetch_output(source, final, context or ThreadContext(), policy=QUICK, **more)
