"""The areas of a batch: one job for each."""

from __future__ import annotations

from dataclasses import dataclass

from up42_plugin.core.aoi import AOI


@dataclass(frozen=True)
class JobArea:
    """One area of a batch. ``label`` tells it from the others in names and messages (``north field``, ``2 of 3``)."""

    label: str
    aoi: AOI
