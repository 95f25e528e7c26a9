"""Whether a live job may rest on a test query: it must be of the same thing, and fresh."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Optional

from up42_plugin.core.configuration import JobConfiguration, differences
from up42_plugin.core.geometry.errors import NBSP

MAX_AGE = timedelta(hours=24)
NOT_TESTED = "Live job: run the free test query first."


@dataclass(frozen=True)
class TestedQuery:
    """A test query that succeeded: of what, where, when (aware) and how many scenes it found."""

    __test__: ClassVar[bool] = False  # pytest takes classes called Test… for tests

    configuration: JobConfiguration
    connection_id: str
    finished: datetime
    scenes: int


@dataclass(frozen=True)
class Freshness:
    """``fresh`` when a live job may run; ``text`` is the sentence for the line above the buttons, either way."""

    fresh: bool
    text: str

    @classmethod
    def check(
        cls, tested: Optional[TestedQuery], configuration: JobConfiguration, connection_id: str, now: datetime
    ) -> Freshness:
        """Compare a test query with what a live job would be.

        Fresh is a test query that found at least one scene, on the same connection, of the same configuration, at most
        24 hours old. ``now`` is aware; days and hours are told in the person's time zone.
        """
        if tested is None or tested.connection_id != connection_id:
            return cls(False, NOT_TESTED)
        changed = differences(tested.configuration, configuration)
        if changed:
            return cls(False, f"Changed since the test query: {', '.join(changed)}. Test again before a live job.")
        if now - tested.finished > MAX_AGE:
            return cls(False, "The test query is older than 24\u00a0hours. Test again before a live job.")
        if tested.scenes < 1:
            return cls(False, "The test query found no scenes.")
        found = f"1{NBSP}scene" if tested.scenes == 1 else f"{tested.scenes:,}{NBSP}scenes"
        return cls(True, f"Tested {when(tested.finished, now)}: {found} found.")


def when(moment: datetime, now: datetime) -> str:
    """``today 11:05``, in the person's time zone."""
    local, today = moment.astimezone(), now.astimezone().date()
    days = (today - local.date()).days
    day = "today" if days <= 0 else "yesterday"
    return f"{day} {local:%H:%M}"
