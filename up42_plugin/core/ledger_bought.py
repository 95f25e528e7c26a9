"""Whether the same images were bought before: same block, same area, same dates or scenes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from typing import Any, Iterable, Iterator, List, Mapping, Optional, Set, Tuple

from up42_plugin.core.aoi import bbox_ring
from up42_plugin.core.configuration import CONFIG, JobConfiguration
from up42_plugin.core.geometry.polygons import Rings, quiet_gdal, to_ogr
from up42_plugin.core.geometry.rounding import STEP
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_geopackage import rings_of
from up42_plugin.core.ledger_outputs import StoredOutput, outputs_of
from up42_plugin.core.ledger_rows import JOBS, RecordedJob, data_block_of, read_job
from up42_plugin.core.parameters import ASSET_IDS, IDS, TIME, TIME_SERIES
from up42_plugin.core.timerange import TimeRange, TimeRangeError
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS

_BOX = 4  # numbers


@dataclass(frozen=True)
class BoughtBefore:
    """A live job that brought the same images. ``exact`` when its whole configuration was the same.

    ``on_disk`` are its outputs that are there, newest first, as far as the ledger knows.
    """

    job: RecordedJob
    exact: bool
    on_disk: Tuple[StoredOutput, ...]


def bought_before(
    ledger: Ledger, connection_id: str, configuration: JobConfiguration, limit: int = 20
) -> Tuple[BoughtBefore, ...]:
    """The newest live jobs of a connection that succeeded and brought what this one asks for, newest first.

    That is: from the same data block, for an area that holds all of this one's, and for the same scenes, or a time that
    meets this one's where either did not name its scenes. Reads a file: for workers only. Raises ``LedgerError``.
    """
    inputs = configuration.inputs(Mode.LIVE)
    wanted = _Search(inputs)
    fingerprint = configuration.fingerprint
    with ledger.file.reading() as connection:
        rows = connection.execute(
            "SELECT jobs.id, configurations.fingerprint, configurations.inputs FROM jobs"
            " JOIN configurations ON configurations.id = jobs.configuration_id"
            " JOIN submissions ON submissions.job_id = jobs.id"
            " WHERE jobs.connection_id = ? AND jobs.mode = ? AND configurations.data_block = ?"
            " AND submissions.service_state = ? AND submissions.step = 0"
            " ORDER BY jobs.created DESC, jobs.rowid DESC",
            (connection_id, Mode.LIVE.value, data_block_of(configuration), JobState.SUCCEEDED.value),
        ).fetchall()
        found: List[BoughtBefore] = []
        for job_id, known, text in rows:
            if len(found) == limit:
                break
            exact = known == fingerprint
            if exact or wanted.was_in(_Search(json.loads(text))):
                job = read_job(connection, connection.execute(f"{JOBS} WHERE jobs.id = ?", (job_id,)).fetchone())
                outputs = {
                    output
                    for submission in job.submissions
                    for output in outputs_of(connection, connection_id, submission.service_job_id)
                    if output.complete and output.deleted is None
                }
                on_disk = sorted(outputs, key=lambda output: output.stored, reverse=True)
                found.append(BoughtBefore(job, exact, tuple(on_disk)))
    return tuple(found)


class _Search:
    """What the data task of a job's inputs asks for."""

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        tasks = [values for name, values in inputs.items() if name != CONFIG]
        self._values: Mapping[str, Any] = tasks[0] if tasks and isinstance(tasks[0], dict) else {}

    def was_in(self, bought: _Search) -> bool:
        """Whether ``bought`` asked for all of this area, and for some of these images."""
        return self._same_images(bought) and self._area_within(bought)

    def _same_images(self, bought: _Search) -> bool:
        for name in (ASSET_IDS, IDS):
            ours, theirs = self._ids(name), bought._ids(name)
            if ours and theirs:
                return bool(ours & theirs)
        ours_times, their_times = self._times(), bought._times()
        if ours_times is None or their_times is None:
            return True
        return any(one.start <= other.end and other.start <= one.end for one, other in product(ours_times, their_times))

    def _ids(self, name: str) -> Set[str]:
        ids = self._values.get(name)
        return set(map(str, ids)) if isinstance(ids, list) else set()

    def _times(self) -> Optional[List[TimeRange]]:
        """None for any time."""
        series = self._values.get(TIME_SERIES)
        texts = series if isinstance(series, list) and series else [self._values.get(TIME)]
        try:
            return [TimeRange.parse(text) for text in texts if isinstance(text, str)] or None
        except TimeRangeError:
            return None

    def _area_within(self, bought: _Search) -> bool:
        ours, theirs = list(self._areas()), list(bought._areas())
        if ours == theirs:
            return bool(ours) or self._ids(ASSET_IDS) != set()
        known = [rings for rings in theirs if isinstance(rings, tuple)]
        return bool(ours) and all(isinstance(area, tuple) and _within(area, known) for area in ours)

    def _areas(self) -> Iterator[Any]:
        """Polygons as rings; what is no polygon, as it is written."""
        for name in GEOMETRY_PARAMETERS:
            value = self._values.get(name)
            if isinstance(value, list) and len(value) == _BOX and all(isinstance(n, (int, float)) for n in value):
                west, south, east, north = map(float, value)
                yield (bbox_ring((west, south, east, north)),)
            elif value is not None:
                yield rings_of(value) or value


def _within(area: Rings, bought: Iterable[Rings]) -> bool:
    for other in bought:
        if area == other:
            return True
        if not _box_within(area, other):
            continue
        with quiet_gdal():
            # Coordinates are rounded: a corner may lie that much outside the edge it was drawn on
            if to_ogr(other).Buffer(STEP, 1).Contains(to_ogr(area)):
                return True
    return False


def _box_within(area: Rings, other: Rings) -> bool:
    for axis in (0, 1):
        inner, outer = [point[axis] for point in area[0]], [point[axis] for point in other[0]]
        if min(inner) < min(outer) - STEP or max(inner) > max(outer) + STEP:
            return False
    return True
