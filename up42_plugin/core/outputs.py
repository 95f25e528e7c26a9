"""From an unpacked output to plans of layers: everything slow is done here, in a worker."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from up42_plugin.core.context import JobContext, Part
from up42_plugin.core.imagery.bands import BandFacts, split_band_name
from up42_plugin.core.imagery.indices import spectral_of
from up42_plugin.core.imagery.openings import Opening, OpeningKind, find_openings
from up42_plugin.core.imagery.overviews import make_quick
from up42_plugin.core.imagery.raster_styles import choose_style, holds_classes
from up42_plugin.core.imagery.rasters import RasterFacts, describe
from up42_plugin.core.imagery.scene_facts import flattened, moments
from up42_plugin.core.imagery.sources import Source, Sources
from up42_plugin.core.imagery.tiles import joined_tiles
from up42_plugin.core.imagery.vector_facts import read_vector_facts
from up42_plugin.core.imagery.vector_styles import choose_vector_style
from up42_plugin.core.layer_plan import JobProvenance, LayerKind, LayerPlan, RgbStyle, VectorStyle
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
# Files that people gave names themselves
_STORED_BY_USERS = ("geotiff-custom", "dimap-custom", "up42-import-geojson")
_ELEVATION_MODELS = ("DSM", "DTM")
_STEM_TITLES = (("_superresolution", "Super-resolution"), ("_ndvi", "NDVI"), ("_kmeans", "Clusters"))
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
    openings = joined_tiles(find_openings(manifest), context)
    plans: List[LayerPlan] = []
    for number, opening in enumerate(openings):
        part = Part(context, 100.0 * number / len(openings), 100.0 * (number + 1) / len(openings))
        part.progress(0.0, f"Preparing {opening.path.name}")
        plans.extend(_Preparation(folder, opening, block_name, block_title, part).plans())
    context.progress(100.0, "Prepared")
    if manifest.usage:
        plans = [replace(plan, usage=manifest.usage) for plan in plans]
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
            sources = Sources(self._folder, self._context)
            plans = [self._layer(source) for source in sources.of(self._opening)]
        except OutputError as error:
            return (self._failed(_reason(error)),)
        remark = "\n".join([*sources.remarks, plans[0].remark]).strip()
        return [replace(plans[0], remark=remark), *plans[1:]]

    def _layer(self, source: Source) -> LayerPlan:
        """One that cannot be read does not take the others with it."""
        self._context.check()
        try:
            return self._vector(source) if source.kind is LayerKind.VECTOR else self._raster(source)
        except OutputError as error:
            return replace(self._plan(source), problem=_reason(error))

    def _raster(self, source: Source) -> LayerPlan:
        facts, stem = describe(source.name), self._opening.stem
        times = source.times or moments([band.description for band in facts.data_bands])
        source = replace(source, times=times, single=source.single or bool(times))
        averaged = not holds_classes(facts, self._block, stem)
        remark = make_quick(facts, self._context, averaged=averaged, joined=source.joined)
        if not facts.crs and not facts.has_grid:
            remark = f"{self._opening.path.name} does not say where on the ground it lies.\n{remark}".strip()
        shown = _to_be_shown(facts, source)
        series = [band.index for band in facts.data_bands] if times else ()
        styles, nodata = choose_style(source.name, shown, self._block, source.variable or stem, series)
        style, note = styles[0].style, ""
        if isinstance(style, RgbStyle) and not style.natural:
            labels = [_band_label(facts.bands[band.band - 1]) for band in (style.red, style.green, style.blue)]
            note = f" ({', '.join(labels)})"
        spectral = spectral_of(shown, self._block, source.variable or stem, self._item.scene_id)
        provenance = self._provenance(facts)
        plan = replace(self._plan(source, note), provenance=provenance, remark=remark, spectral=spectral)
        return plan.styled(styles, nodata)

    def _vector(self, source: Source) -> LayerPlan:
        plan = replace(self._plan(source, source.note), provenance=self._provenance(None))
        if source.outlines:
            return replace(plan, style=VectorStyle.FOOTPRINTS)
        return plan.styled(choose_vector_style(read_vector_facts(source.name), self._block, self._opening.stem))

    def _plan(self, source: Source, note: str = "") -> LayerPlan:
        first, last = self._item.acquired, self._item.acquired_until
        if source.times:
            first, last = min(source.times), max(source.times)
        day = f" {first:%Y-%m-%d}" if first else ""
        title = self._base_title()
        parts = "".join(f", {part}" for part in (self._opening.part, source.part) if part and part != title)
        return LayerPlan(
            key=_key(source.name, self._folder),
            title=f"{title}{day}{parts}{note}",
            source=source.name,
            kind=source.kind,
            acquired=first,
            acquired_until=last,
            time_field=source.time_field,
            band_times=source.times,
            checked=self._opening.checked and source.checked,
            group=self._opening.group or source.group,
            synthetic=self._item.synthetic,
            synthetic_note=self._item.synthetic_note,
        )

    def _failed(self, problem: str) -> LayerPlan:
        name = self._item.data_path or self._opening.path.name
        return replace(self._plan(Source(name)), problem=problem)

    def _base_title(self) -> str:
        stem = self._opening.stem
        if self._block in _STORED_BY_USERS:
            return stem
        if self._opening.kind is OpeningKind.BUNDLE:
            stem = (split_band_name(stem) or (stem, ""))[0]
        if self._opening.kind in (OpeningKind.VECTOR, OpeningKind.TABLE):
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


def _reason(error: OutputError) -> str:
    return f"{error.user_message} {error.detail[:_LONGEST_REASON]}".strip()


def _to_be_shown(facts: RasterFacts, source: Source) -> RasterFacts:
    """Of a series of moments, for example, one band: no three of them make a colour."""
    if not source.single:
        return facts
    first = facts.bands[0]
    return replace(facts, bands=(replace(first, description=source.about or first.description),))


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
    """Behind the title: the tile of a Sentinel scene, or which model of the elevation it is."""
    scene = str(plan.provenance.get("scene_id") or "")
    tile = re.search(r"(?:^|_)T?(\d{2}[A-Z]{3})(?:_|$)", scene)
    words = plan.provenance.get("properties", {}).values()
    name = tile.group(1) if tile else next((word for word in words if word in _ELEVATION_MODELS), "")
    return replace(plan, title=f"{plan.title}, {name}") if name else plan


def _numbered(plans: Sequence[LayerPlan]) -> List[LayerPlan]:
    seen: Dict[str, int] = {}
    result = []
    for plan, count in _counted(plans):
        if count > 1:
            seen[plan.title] = seen.get(plan.title, 0) + 1
            plan = replace(plan, title=f"{plan.title} ({seen[plan.title]})")  # noqa: PLW2901 - the same plan, named
        result.append(plan)
    return result
