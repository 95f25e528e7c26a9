"""From an opening to what GDAL and OGR open, with files of ours made where those of the output alone will not do.

For workers only. Files of ours lie at the top of the output's folder, are made once, and put in place in one step.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from up42_plugin.core.archives.safe_names import slug
from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call, open_raster
from up42_plugin.core.imagery.grids import Variable, variables
from up42_plugin.core.imagery.mosaics import TILES_GROUP, footprints, mosaic
from up42_plugin.core.imagery.mosaics import TIME_FIELD as TILE_TIME
from up42_plugin.core.imagery.opening import Opening, OpeningKind, own_path
from up42_plugin.core.imagery.overviews import make_quick
from up42_plugin.core.imagery.portable import portable
from up42_plugin.core.imagery.products import FURTHER_BANDS, THERMAL
from up42_plugin.core.imagery.rasters import (
    RasterFacts,
    amplitude,
    describe,
    rectified,
    safe_subdatasets,
    stacked,
)
from up42_plugin.core.imagery.tables import table_as_layer
from up42_plugin.core.imagery.vectors import VectorSource, joined_sources, vector_sources
from up42_plugin.core.layer_plan import LayerKind
from up42_plugin.core.storage import system_path

_MOST_SUBDATASETS = 12
_MOST_PER_SIZE = 2
_FURTHER_SIZES = (("20m", "20 m"), ("60m", "60 m"))
_NO_COLOURS = "60m"  # of aerosol, water vapour and the like
_GEOPACKAGE = ".gpkg"


@dataclass(frozen=True)
class Source:
    """What becomes one layer. ``part`` and ``note`` tell it apart in the title, ``checked`` and ``group`` as planned.

    ``single``: its bands are to be looked at one at a time; ``times`` are theirs where the file says them. ``outlines``
    of tiles have their time in ``time_field``. ``joined``: a virtual raster of many files. ``variable`` and ``about``:
    what its values are, by name and in words.
    """

    name: str
    kind: LayerKind = LayerKind.RASTER
    part: str = ""
    note: str = ""
    checked: bool = True
    group: str = ""
    times: Tuple[datetime, ...] = ()
    single: bool = False
    outlines: bool = False
    time_field: str = ""
    joined: bool = False
    variable: str = ""
    about: str = ""


class Sources:
    """What the openings of one output come to. ``remarks`` collects what is for the log."""

    def __init__(self, folder: Path, context: JobContext) -> None:
        self._folder = folder
        self._context = context
        self.remarks: List[str] = []

    def of(self, opening: Opening) -> Sequence[Source]:
        """The sources of an opening, one at least.

        Raises:
            OutputError: there is nothing to open, and why.
        """
        makers: Dict[OpeningKind, Callable[[Opening], Sequence[Source]]] = {
            OpeningKind.BUNDLE: self._bundles,
            OpeningKind.MOSAIC: self._mosaic,
            OpeningKind.GRIDS: self._grids,
            OpeningKind.VECTOR: self._vectors,
            OpeningKind.TABLE: self._vectors,
        }
        return makers.get(opening.kind, self._raster)(opening)

    def _raster(self, opening: Opening) -> Sequence[Source]:
        facts = describe(opening.path)
        if facts.is_complex and facts.driver == "GTiff":
            facts = describe(self._own(opening, "amplitude", functools.partial(amplitude, facts)))
        if facts.in_sensor_geometry:
            self._make_quick(facts, joined=facts.driver == "VRT")
            return (Source(str(self._own(opening, "ground", functools.partial(rectified, facts)))),)
        if opening.kind is OpeningKind.PRODUCT and safe_subdatasets(facts):
            return self._sentinel2(facts, opening)
        if not facts.bands and facts.subdatasets:
            return [Source(name) for name in facts.subdatasets[:_MOST_SUBDATASETS]]
        return (Source(facts.source),)

    def _sentinel2(self, facts: RasterFacts, opening: Opening) -> Sequence[Source]:
        """The 10 m bands; those of 20 m and 60 m, where they are complete, wait unticked."""
        product = opening.path.parent.name
        found = [Source(self._portable(opening, _with_pixels(name, product))) for name in safe_subdatasets(facts)]
        for size, part in _FURTHER_SIZES:
            for name in safe_subdatasets(facts, size)[:_MOST_PER_SIZE]:
                try:
                    _with_pixels(name, product)
                except RasterError as error:
                    self.remarks.append(f"{error.user_message} {part}: {error.detail}")
                    continue
                single = size == _NO_COLOURS
                path = self._portable(opening, name)
                found.append(Source(path, part=part, checked=False, group=FURTHER_BANDS, single=single))
        return found

    def _portable(self, opening: Opening, subdataset: str) -> str:
        """A subdataset under a name that may move with the output."""
        purpose = slug(subdataset.rpartition(".xml:")[2] or "part", 40)
        return str(self._own(opening, purpose, functools.partial(portable, subdataset)))

    def _bundles(self, opening: Opening) -> Sequence[Source]:
        """One stack per CRS: tiles of two UTM zones do not fit into one."""
        by_crs: Dict[str, List[Tuple[str, Path]]] = {}
        for name, path in opening.bands:
            facts = describe(path)
            self._make_quick(facts)
            by_crs.setdefault(facts.crs, []).append((name, path))
        return [
            Source(
                str(self._own(opening, f"bands{number}", functools.partial(stacked, tuple(members)))),
                single=opening.part == THERMAL,
            )
            for number, members in enumerate(by_crs.values(), start=1)
        ]

    def _mosaic(self, opening: Opening) -> Sequence[Source]:
        tiles = opening.tiles
        joined = self._own(opening, "mosaic", lambda target: mosaic(tiles, target, self._context))
        image = Source(str(joined), joined=True)
        try:
            outlines = self._own(opening, "tiles", lambda target: footprints(tiles, target), ".geojson")
        except RasterError as error:
            self.remarks.append(f"The tiles of {opening.stem} have no outlines: {error.detail or error.user_message}")
            return (image,)
        return (
            image,
            Source(
                str(outlines),
                LayerKind.VECTOR,
                part=f"{len(tiles)} tiles",
                checked=False,
                group=TILES_GROUP,
                outlines=True,
                time_field=TILE_TIME if opening.item.acquired else "",
            ),
        )

    def _grids(self, opening: Opening) -> Sequence[Source]:
        found: List[Source] = []
        problem: Optional[RasterError] = None
        for variable in variables(opening.path, self._context):
            self._context.check()
            try:
                found.append(self._grid(opening, variable, first=not found))
            except RasterError as error:
                problem = error
        if not found and problem is not None:
            raise problem
        # files of one variable are called after it, with its unit
        only = len(found) == 1 and found[0].variable in opening.stem
        return [replace(found[0], part=opening.stem)] if only else found

    def _grid(self, opening: Opening, variable: Variable, *, first: bool) -> Source:
        purpose = f"variable-{slug(variable.name, 40)}"
        path = self._own(opening, purpose, variable.make, variable.ending, opens=True)
        return Source(
            str(path),
            part=variable.name,
            checked=first,
            times=variable.times,
            single=True,
            variable=variable.name,
            about=variable.about,
        )

    def _vectors(self, opening: Opening) -> Sequence[Source]:
        path = opening.path
        rasters = _raster_tables(path) if path.suffix.lower() == _GEOPACKAGE else ()
        shapes: Sequence[VectorSource] = ()
        try:
            shapes = self._shapes(opening)
        except RasterError:
            if not rasters:
                raise
        if not shapes and not rasters:
            raise RasterError(f"{path.name} holds no features with a geometry.")
        kinds = {(shape.layer, shape.geometry) for shape in shapes}
        mixed = len(kinds) > len({layer for layer, _ in kinds})
        return [
            *(
                Source(
                    shape.name,
                    LayerKind.VECTOR,
                    part=shape.layer,
                    note=f" ({shape.geometry})" if mixed else "",
                )
                for shape in shapes
            ),
            *(Source(name, part=name.rpartition(":")[2] if len(rasters) > 1 else "") for name in rasters),
        ]

    def _shapes(self, opening: Opening) -> Sequence[VectorSource]:
        if opening.tiles:
            paths = [tile.path for tile in opening.tiles]
            return joined_sources(paths, lambda make: self._own(opening, "tiles", make, _GEOPACKAGE), self._context)
        path, context = opening.path, self._context

        def copied(make: Callable[[Path], Path]) -> Path:
            return self._own(opening, "copy", make, _GEOPACKAGE)

        if opening.kind is OpeningKind.TABLE:
            path = copied(lambda target: table_as_layer(path, target, context))
        return vector_sources(path, copied, context)

    def _own(
        self, opening: Opening, purpose: str, make: Callable[[Path], Path], ending: str = ".vrt", *, opens: bool = False
    ) -> Path:
        """A file of ours, made once; with ``opens`` again when what it leads to has been moved away.

        At the top of the output: a VRT has relative paths to files beside and below it only.
        """
        relative = opening.path.relative_to(self._folder).as_posix()
        target = own_path(self._folder, opening.path.stem, relative, purpose, ending)
        if system_path(target).is_file() and (not opens or _leads_somewhere(target)):
            return target
        return make(target)

    def _make_quick(self, facts: RasterFacts, *, joined: bool = False) -> None:
        remark = make_quick(facts, self._context, averaged=True, joined=joined)
        if remark:
            self.remarks.append(remark)


def _leads_somewhere(path: Path) -> bool:
    """Whether the first pixel of a raster can be read."""
    try:
        gdal_call(open_raster(path).ReadAsArray, 0, 0, 1, 1, what=path.name)
    except RasterError:
        return False
    return True


def _raster_tables(path: Path) -> Sequence[str]:
    """The rasters of a GeoPackage."""
    try:
        facts = describe(path)
    except RasterError:
        return ()
    if facts.bands:
        return (facts.source,)
    return facts.subdatasets[:_MOST_SUBDATASETS]


def _with_pixels(subdataset: str, product: str) -> str:
    """GDAL shows bands whose files are missing as zeros: refuse such a product."""
    dataset: Any = open_raster(subdataset)
    images = [name for name in dataset.GetFileList() or [] if name.lower().endswith((".jp2", ".tif"))]
    labels = [dataset.GetRasterBand(index).GetDescription() or "" for index in range(1, dataset.RasterCount + 1)]
    needed = sum(re.match(r"B\d", label) is not None for label in labels)  # newer GDAL lists maps made of them too
    if len(images) < needed:
        raise RasterError(f"Band files are missing in {product}.", f"{len(images)} of {needed}")
    return subdataset
