"""The test queries of this session, and whether live jobs may rest on them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Dict, Optional, Sequence, Tuple

from up42_plugin.core.batch import Batch, BatchJob
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.freshness import MAX_AGE, Freshness, TestedQuery, when
from up42_plugin.core.run import Run


def tested_by(run: Run) -> TestedQuery:
    """What a test query whose scenes were read says of its configuration."""
    finished = run.job.finished if run.job is not None else None
    return TestedQuery(run.configuration, run.connection_id, finished or datetime.now(timezone.utc), len(run.scenes))


class TestedQueries:
    """Every test query that succeeded, by connection and configuration; the last of each."""

    __test__ = False  # pytest takes classes called Test… for tests

    def __init__(self) -> None:
        self._last: Dict[str, TestedQuery] = {}
        self._all: Dict[Tuple[str, str], TestedQuery] = {}

    def add(self, tested: TestedQuery) -> None:
        """One more."""
        self._last[tested.connection_id] = tested
        self._all[tested.connection_id, tested.configuration.fingerprint] = tested

    def last(self, connection_id: str) -> Optional[TestedQuery]:
        """The one that ended last on a connection."""
        return self._last.get(connection_id)

    def fresh(self, connection_id: str, configuration: JobConfiguration, now: datetime) -> Optional[TestedQuery]:
        """The test query of this configuration, unless it is too old or found nothing."""
        found = self._of(connection_id, configuration, now)
        return found if found is not None and found.scenes else None

    def to_ask(self, connection_id: str, batch: Batch, now: datetime) -> Tuple[BatchJob, ...]:
        """The jobs of a batch that need a test query; all of them when none does, for somebody asks again."""
        wanting = tuple(job for job in batch.jobs if self.fresh(connection_id, job.configuration, now) is None)
        return wanting or batch.jobs

    def freshness(self, connection_id: str, batch: Batch, now: datetime) -> Freshness:
        """Fresh is a batch of which every area has a fresh test query that found at least one scene."""
        found = [self._of(connection_id, job.configuration, now) for job in batch.jobs]
        tested = [query for query in found if query is not None]
        if not tested:
            return self._changed(connection_id, batch, now)
        of = f"{len(batch.jobs):,} areas"
        if len(tested) < len(batch.jobs):
            return Freshness(False, f"{len(tested):,} of {of} are tested. Run the test query for the others.")
        empty = [job.label for job, query in zip(batch.jobs, found) if query is not None and not query.scenes]
        text = f"Tested {when(min(query.finished for query in tested), now)}: {len(tested) - len(empty):,} of {of}"
        if empty:
            return Freshness(False, f"{text} have scenes. None in {_listed(empty)}.")
        return Freshness(True, f"{text} have scenes.")

    def _of(self, connection_id: str, configuration: JobConfiguration, now: datetime) -> Optional[TestedQuery]:
        query = self._all.get((connection_id, configuration.fingerprint))
        return query if query is not None and now - query.finished <= MAX_AGE else None

    def _changed(self, connection_id: str, batch: Batch, now: datetime) -> Freshness:
        """What is to be said of a batch of which nothing is tested: compared with the job in the same area."""
        last = self.last(connection_id)
        aoi = last.configuration.aoi if last is not None else None
        same = [job.configuration for job in batch.jobs if job.configuration.aoi == aoi]
        return Freshness.check(last, (same or [batch.jobs[0].configuration])[0], connection_id, now)


def _listed(labels: Sequence[str]) -> str:
    more = len(labels) - 1
    return labels[0] if not more else f"{labels[0]} and {more} more"
