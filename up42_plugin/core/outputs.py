"""From an unpacked output to plans of layers: everything slow is done here, in a worker."""

from __future__ import annotations

import functools
import re
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from up42_plugin.core.archives.safe_names import slug
from up42_plugin.core.context import JobContext, Part
from up42_plugin.core.imagery.bands import BandFacts, split_band_name
from up42_plugin.core.imagery.gdal_access import RasterError, open_raster
from up42_plugin.core.imagery.openings import OWN_PREFIX, Opening, OpeningKind, find_openings
from up42_plugin.core.imagery.raster_styles import choose_style, holds_classes
from up42_plugin.core.imagery.rasters import (
    RasterFacts,
    describe,
    ensure_overviews,
    rectified,
    safe_subdatasets,
    stacked,
)
from up42_plugin.core.imagery.scene_facts import flattened
from up42_plugin.core.imagery.vector_facts import read_vector_facts
from up42_plugin.core.imagery.vector_styles import choose_vector_style
from up42_plugin.core.imagery.vectors import vector_sources
from up42_plugin.core.layer_plan import JobProvenance, LayerKind, LayerPlan, RgbStyle
from up42_plugin.core.manifest import Manifest, OutputItem, read_manifest
from up42_plugin.core.output_errors import OutputError

__all__ = ["JobProvenance", "LayerKind", "LayerPlan", "Manifest", "OutputItem", "prepare_output", "read_manifest"]

# Short names for the layer tree; other blocks appear under the title the service gives them.
SHORT_TITLES = {
    "s2-superresolution": "Super-resolution",
    "superresolution": "Super-resolution",
    "ndvi": "NDVI",
    "sharpening": "Sharpened",
    "pansharpen": "Pansharpened",
    "aws-s2-l2a": "Sentinel-2 L2A",
    "esa-s2-l2a-gtiff-visual": "Sentinel-2 L2A visual",
    "esa-s2-l2a-gtiff": "Sentinel-2 L2A visual",
    "esa-s2-l2a-gtiff-analytic": "Sentinel-2 L2A analytic",
    "oneatlas-pleiades-primary": "Pléiades primary",
    "kmeans-clustering": "Clusters",
    "landcover": "Land cover",
}
_STEM_TITLES = (("_superresolution", "Super-resolution"), ("_ndvi", "NDVI"), ("_kmeans", "Clusters"))
_MOST_SUBDATASETS = 12
_LONGEST_REASON = 160


def prepare_output(
    folder: Path, context: JobContext, *, block_name: str = "", block_title: str = ""
) -> Tuple[LayerPlan, ...]:
    """Make an unpacked output ready for the map: overviews, value ranges, virtual rasters, styles.

    Blocks; for workers. ``block_name`` (``s2-superresolution``) and ``block_title`` are those of the block that made
    the output; both may be empty. Newest first. What cannot be opened comes as a plan with a ``problem``. Preparing
    again gives equal plans and is quick. Reports 0 to 100.

    Raises:
        Cancelled: the person cancelled; files half-made are gone, the output stays.
        ManifestError: ``data.json`` cannot be read.
    """
    context.check()
    manifest = read_manifest(folder)
    openings = find_openings(manifest)
    plans: List[LayerPlan] = []
    for number, opening in enumerate(openings):
        part = Part(context, 100.0 * number / len(openings), 100.0 * (number + 1) / len(openings))
        part.progress(0.0, f"Preparing {opening.path.name}")
        plans.extend(_Preparation(folder, opening, block_name, block_title, part).plans())
    context.progress(100.0, "Prepared")
    return _named_apart(_newest_first(plans))


class _Preparation:
    """One opening on its way to plans."""

    def __init__(self, folder: Path, opening: Opening, block: str, title: str, context: JobContext) -> None:
        self._folder = folder
        self._opening = opening
        self._item = opening.item
        self._block = block
        self._title = title
        self._context = context

    def plans(self) -> Sequence[LayerPlan]:
        """The plans; one with a problem in place of an error."""
        try:
            if self._opening.problem:
                return (self._failed(self._opening.problem),)
            if self._opening.kind is OpeningKind.VECTOR:
                return self._vectors()
            return [self._raster(source) for source in self._sources()]
        except OutputError as error:
            return (self._failed(f"{error.user_message} {error.detail[:_LONGEST_REASON]}".strip()),)

    def _sources(self) -> Sequence[str]:
        """What to open, with virtual rasters made where the files alone will not do."""
        path = self._opening.path
        if self._opening.kind is OpeningKind.BUNDLE:
            return self._bundles()
        facts = describe(path)
        if facts.in_sensor_geometry:
            ensure_overviews(facts, self._context, averaged=True)
            return (str(self._virtual("ground", functools.partial(rectified, facts))),)
        if self._opening.kind is OpeningKind.PRODUCT and safe_subdatasets(facts):
            return [_with_pixels(name, path.parent.name) for name in safe_subdatasets(facts)]
        if not facts.bands and facts.subdatasets:
            return facts.subdatasets[:_MOST_SUBDATASETS]
        return (str(path),)

    def _bundles(self) -> Sequence[str]:
        """One stack per CRS: tiles of two UTM zones do not fit into one."""
        by_crs: Dict[str, List[Tuple[str, Path]]] = {}
        for name, path in self._opening.bands:
            facts = describe(path)
            ensure_overviews(facts, self._context, averaged=True)
            by_crs.setdefault(facts.crs, []).append((name, path))
        return [
            str(self._virtual(f"bands{number}", functools.partial(stacked, tuple(members))))
            for number, members in enumerate(by_crs.values(), start=1)
        ]

    def _virtual(self, purpose: str, make: Callable[[Path], Path]) -> Path:
        """A VRT of the output, made once."""
        relative = self._opening.path.relative_to(self._folder).as_posix()
        name = f"{OWN_PREFIX}{slug(self._opening.path.stem, 60)}-{zlib.crc32(relative.encode()):08x}-{purpose}.vrt"
        target = self._folder / name  # not deeper: a VRT has relative paths to files beside and below it only
        return target if target.is_file() else make(target)

    def _raster(self, source: str) -> LayerPlan:
        self._context.check()
        facts = describe(source)
        stem = self._opening.path.stem
        ensure_overviews(facts, self._context, averaged=not holds_classes(facts, self._block, stem))
        styles, nodata = choose_style(source, facts, self._block, stem)
        style, note = styles[0].style, ""
        if isinstance(style, RgbStyle) and not style.natural:
            shown = [_band_label(facts.bands[band.band - 1]) for band in (style.red, style.green, style.blue)]
            note = f" ({', '.join(shown)})"
        plan = replace(self._plan(source, LayerKind.RASTER, note), provenance=self._provenance(facts))
        return plan.styled(styles, nodata)

    def _vectors(self) -> Sequence[LayerPlan]:
        sources = vector_sources(self._opening.path)
        plans = []
        for source, geometry in sources:
            note = f" ({geometry})" if len(sources) > 1 else ""
            plan = replace(self._plan(source, LayerKind.VECTOR, note), provenance=self._provenance(None))
            styles = choose_vector_style(read_vector_facts(source), self._block, self._opening.path.stem)
            plans.append(plan.styled(styles))
        return plans

    def _plan(self, source: str, kind: LayerKind, note: str = "") -> LayerPlan:
        day = f" {self._item.acquired:%Y-%m-%d}" if self._item.acquired else ""
        part = f", {self._opening.part}" if self._opening.part else ""
        return LayerPlan(
            key=_key(source, self._folder),
            title=f"{self._base_title()}{day}{part}{note}",
            source=source,
            kind=kind,
            acquired=self._item.acquired,
            acquired_until=self._item.acquired_until,
            synthetic=self._item.synthetic,
            synthetic_note=self._item.synthetic_note,
        )

    def _failed(self, problem: str) -> LayerPlan:
        source = self._item.data_path or self._opening.path.name
        return replace(self._plan(source, LayerKind.RASTER), problem=problem)

    def _base_title(self) -> str:
        stem = self._opening.path.stem
        if self._opening.kind is OpeningKind.BUNDLE:
            stem = (split_band_name(stem) or (stem, ""))[0]
        if self._opening.kind is OpeningKind.VECTOR:
            return self._title or stem
        by_stem = next((title for ending, title in _STEM_TITLES if stem.lower().endswith(ending)), "")
        product = "Sentinel-2" if re.match(r"MTD_MSIL", stem, re.IGNORECASE) else ""
        return SHORT_TITLES.get(self._block, "") or self._title or by_stem or product or stem

    def _provenance(self, facts: Optional[RasterFacts]) -> Dict[str, Any]:
        item = self._item
        provenance: Dict[str, Any] = {
            "block": self._block,
            "feature_id": item.feature_id,
            "scene_id": item.scene_id,
            "data_path": item.data_path,
            "cloud_cover": item.cloud_cover,
            "properties": flattened(item.properties),
        }
        if facts is not None:
            provenance["bands"] = [_band_label(band) for band in facts.bands]
        return provenance


def _with_pixels(subdataset: str, product: str) -> str:
    """GDAL shows bands whose files are missing as zeros: refuse such a product."""
    dataset = open_raster(subdataset)
    images = [name for name in dataset.GetFileList() or [] if name.lower().endswith((".jp2", ".tif"))]
    labels = [dataset.GetRasterBand(index).GetDescription() or "" for index in range(1, dataset.RasterCount + 1)]
    needed = sum(re.match(r"B\d", label) is not None for label in labels)  # newer GDAL lists maps made of them too
    if len(images) < needed:
        raise RasterError(f"Band files are missing in {product}.", f"{len(images)} of {needed}")
    return subdataset


def _band_label(band: BandFacts) -> str:
    return band.description.split(",")[0] or f"band {band.index}"


def _key(source: str, folder: Path) -> str:
    """The same wherever the outputs folder lies."""
    return source.replace(str(folder), "").replace("\\", "/").replace("//", "/").strip("/")


def _newest_first(plans: Sequence[LayerPlan]) -> List[LayerPlan]:
    """Stable: plans of one moment, and those without one (last), stay in the order of ``data.json``."""
    dated = [plan for plan in plans if plan.acquired is not None]
    dated.sort(key=lambda plan: plan.acquired.timestamp() if plan.acquired else 0.0, reverse=True)
    return dated + [plan for plan in plans if plan.acquired is None]


def _named_apart(plans: Sequence[LayerPlan]) -> Tuple[LayerPlan, ...]:
    """Equal titles get their scene, and a number where that does not help."""
    plans = _numbered([_with_scene(plan) if count > 1 else plan for plan, count in _counted(plans)])
    return tuple(plans)


def _counted(plans: Sequence[LayerPlan]) -> List[Tuple[LayerPlan, int]]:
    counts = Counter(plan.title for plan in plans if not plan.problem)
    return [(plan, 0 if plan.problem else counts[plan.title]) for plan in plans]


def _with_scene(plan: LayerPlan) -> LayerPlan:
    scene = str(plan.provenance.get("scene_id") or "")
    tile = re.search(r"(?:^|_)T?(\d{2}[A-Z]{3})(?:_|$)", scene)
    return replace(plan, title=f"{plan.title}, {tile.group(1)}") if tile else plan


def _numbered(plans: Sequence[LayerPlan]) -> List[LayerPlan]:
    seen: Dict[str, int] = {}
    result = []
    for plan, count in _counted(plans):
        if count > 1:
            seen[plan.title] = seen.get(plan.title, 0) + 1
            plan = replace(plan, title=f"{plan.title} ({seen[plan.title]})")  # noqa: PLW2901 - the same plan, named
        result.append(plan)
    return result
