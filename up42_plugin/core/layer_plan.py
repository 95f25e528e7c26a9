"""What a layer is to be, decided by a worker: plain values that the main thread turns into a layer.

Band numbers count from 1, values are in the raster's own units, colours are ``#rrggbb``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, Mapping, Optional, Sequence, Tuple, Union

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


@dataclass(frozen=True)
class LookStyle:
    """A raster drawn as ``resources/styles/<look>.qml`` says, with the numbers of this layer.

    ``minimum`` and ``maximum`` are what the ends of the look's ramp stand for; None keeps the look's own. ``values``
    are the classes that occur: others are left out of the legend (empty: all stay). ``unit`` is written behind the
    legend's numbers. ``z_factor`` of a hillshade makes heights and pixels comparable.
    """

    look: str
    band: int = 1
    alpha: Optional[int] = None
    minimum: Optional[float] = None
    maximum: Optional[float] = None
    values: Tuple[float, ...] = ()
    unit: str = ""
    z_factor: Optional[float] = None


class VectorStyle(str, Enum):
    """How a vector layer is drawn that has no attributes to be drawn by."""

    PLAIN = "plain"
    FOOTPRINTS = "footprints"


@dataclass(frozen=True)
class VectorClass:
    """One value of an attribute with its meaning; ``value`` None stands for all other values."""

    value: Union[str, float, None]
    colour: str
    label: str


@dataclass(frozen=True)
class VectorLook:
    """Features drawn as ``resources/styles/<look>.qml`` says, by one of their attributes.

    ``field`` is the attribute; empty for a look without one. ``limits`` are the borders of the look's steps, ascending,
    one more than there are steps; ``classes`` what values mean. ``unit`` is written behind the legend's numbers.
    """

    look: str
    field: str = ""
    limits: Tuple[float, ...] = ()
    classes: Tuple[VectorClass, ...] = ()
    unit: str = ""


RasterStyle = Union[RgbStyle, GreyStyle, ClassStyle, LookStyle]
Style = Union[RasterStyle, VectorStyle, VectorLook]


@dataclass(frozen=True)
class NamedStyle:
    """One of several ways to look at a layer, under the name that menus show (``False Colour (NIR)``)."""

    name: str
    style: Style


@dataclass(frozen=True)
class Spectral:
    """What the bands of an image are: ``roles`` to band numbers (``nir``, ``swir1``, see ``imagery.bands``).

    ``reflectance`` is what a value of 1 is as a reflectance, None where that is not known, ``added`` what was added to
    all values before that. ``picture`` when values are made to be looked at and measure nothing.
    """

    roles: Mapping[str, int]
    reflectance: Optional[float] = None
    picture: bool = False
    added: float = 0.0


@dataclass(frozen=True)
class LayerPlan:
    """One layer to be. ``source`` is what GDAL or OGR opens: an absolute path or a subdataset's name.

    ``style`` is how it is drawn first, ``style_name`` the name of that; ``other_styles`` can be switched to.
    ``key`` tells it from the other layers of the same output, equal whenever that output is prepared again. ``nodata``
    is a value to be transparent although the file does not say so. ``acquired_until`` ends the time of acquisition
    where only a day is known. ``time_field`` of a vector layer holds each feature's time. ``smooth`` where
    pixels are to blend when they are drawn larger than they are. ``problem`` says why there
    is nothing to open; such a plan is reported, not loaded. ``checked`` whether the layer is to be seen at once,
    ``group`` names a group of its own inside the job's. ``remark`` is a sentence for the log.
    ``band_times`` are the moments of a raster's bands (UTC), where they are moments. ``usage`` is what the output's
    ``usage.json`` holds. ``spectral`` of an image with several bands is what they are.
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
    checked: bool = True
    group: str = ""
    remark: str = ""
    band_times: Tuple[datetime, ...] = ()
    synthetic: bool = False
    synthetic_note: str = ""
    problem: str = ""
    style_name: str = ""
    other_styles: Tuple[NamedStyle, ...] = ()
    usage: Mapping[str, Any] = field(default_factory=dict)
    spectral: Optional[Spectral] = None

    def styled(self, styles: Sequence[NamedStyle], nodata: Optional[float] = None) -> LayerPlan:
        """This plan, drawn in the first of the styles, with the others to switch to."""
        if not styles:
            return replace(self, nodata=nodata)
        first = styles[0]
        return replace(self, style=first.style, style_name=first.name, other_styles=tuple(styles[1:]), nodata=nodata)


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
