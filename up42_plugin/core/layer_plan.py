"""What a layer is to be, decided by a worker: plain values that the main thread turns into a layer.

Band numbers count from 1, values are in the raster's own units, colours are ``#rrggbb``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Mapping, Optional, Tuple, Union

from up42_plugin.core.jobs import Mode


class LayerKind(str, Enum):
    """The two kinds of layers an output becomes."""

    RASTER = "raster"
    VECTOR = "vector"


@dataclass(frozen=True)
class BandRange:
    """A band and the values shown as black and white; None where values are shown as they are."""

    band: int
    minimum: Optional[float] = None
    maximum: Optional[float] = None


@dataclass(frozen=True)
class RgbStyle:
    """Three bands as red, green and blue. ``natural`` when they are what they are shown as."""

    red: BandRange
    green: BandRange
    blue: BandRange
    alpha: Optional[int] = None
    natural: bool = True


@dataclass(frozen=True)
class GreyStyle:
    """One band from black to white."""

    band: BandRange
    alpha: Optional[int] = None


@dataclass(frozen=True)
class RampStep:
    """All values up to and with ``up_to`` (above the step before) in one colour."""

    up_to: float
    colour: str
    label: str


@dataclass(frozen=True)
class RampStyle:
    """One band in steps of colour between ``minimum`` and ``maximum``."""

    band: int
    minimum: float
    maximum: float
    steps: Tuple[RampStep, ...]
    alpha: Optional[int] = None


@dataclass(frozen=True)
class ColourClass:
    """One pixel value with its meaning."""

    value: float
    colour: str
    label: str


@dataclass(frozen=True)
class ClassStyle:
    """One band of classes."""

    band: int
    classes: Tuple[ColourClass, ...]
    alpha: Optional[int] = None


class VectorStyle(str, Enum):
    """How a vector layer is drawn."""

    PLAIN = "plain"
    FOOTPRINTS = "footprints"


RasterStyle = Union[RgbStyle, GreyStyle, RampStyle, ClassStyle]
Style = Union[RasterStyle, VectorStyle]


@dataclass(frozen=True)
class LayerPlan:
    """One layer to be. ``source`` is what GDAL or OGR opens: an absolute path or a subdataset's name.

    ``key`` tells it from the other layers of the same output, equal whenever that output is prepared again. ``nodata``
    is a value to be transparent although the file does not say so. ``acquired_until`` ends the time of acquisition
    where only a day is known. ``time_field`` of a vector layer holds each feature's time. ``smooth`` where
    pixels are to blend when they are drawn larger than they are. ``problem`` says why there
    is nothing to open; such a plan is reported, not loaded. ``group`` names a group inside of the job's, empty for
    none; ``checked`` says whether the layer is shown at first. ``usage`` is what the output's ``usage.json`` holds.
    """

    key: str
    title: str
    source: str
    kind: LayerKind
    style: Optional[Style] = None
    nodata: Optional[float] = None
    acquired: Optional[datetime] = None
    acquired_until: Optional[datetime] = None
    time_field: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    smooth: bool = False
    synthetic: bool = False
    synthetic_note: str = ""
    problem: str = ""
    group: str = ""
    checked: bool = True
    usage: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BlockUsed:
    """A block that a layer went through: its task's name, its own, and what is told of it (empty where nothing is)."""

    task: str
    name: str
    title: str
    version: str = ""
    provider: str = ""


@dataclass(frozen=True)
class JobProvenance:
    """Where layers come from. ``recipe`` is the job's configuration as JSON, without any secret.

    ``task_name`` is empty for the job's own output; ``blocks`` are those up to the one whose output this is, ``chain``
    names all blocks of the workflow for people; ``link`` is the job's page in the service's console, empty where there
    is none.
    """

    job_id: str
    job_name: str
    connection_id: str
    connection_name: str = ""
    mode: Mode = Mode.LIVE
    task_name: str = ""
    workflow_name: str = ""
    chain: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    created: Optional[datetime] = None
    finished: Optional[datetime] = None
    credits: Optional[int] = None
    link: str = ""
    blocks: Tuple[BlockUsed, ...] = ()
