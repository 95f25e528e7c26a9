"""What is known of parameters beyond their schema: values the blocks take, and what to bear in mind.

The service declares hardly any enumeration. These are suggestions of the form: any other value can be typed, and only
what the schema itself forbids is refused.
"""

from __future__ import annotations

from typing import Any, Mapping, Tuple

from up42_plugin.core.parameters import ParameterSpec

_L3_GASES = (
    "L3__AER_AI",
    "L3__CH4___",
    "L3__CLOUD_",
    "L3__CO____",
    "L3__HCHO__",
    "L3__NO2___",
    "L3__O3____",
    "L3__SO2___",
)
_L2_GASES = (
    *("L2__AER_AI", "L2__CLOUD_", "L2__CO____", "L2__NO2___", "L2__O3____", "L2__SO2___", "L2__HCHO__", "L2__CH4___"),
    *("L2__AER_LH", "L2__NP_BD3", "L2__NP_BD6", "L2__NP_BD7"),
    *(f"L1B_RA_BD{number}" for number in range(1, 9)),
)
_SENTINEL_3 = (
    *("SL_1_RBT___", "OL_1_EFR___", "OL_2_LFR___", "OL_2_WFR___", "SL_2_WST___", "SL_2_LST___", "SY_2_SYN___"),
    *("SR_2_LAN___", "SR_2_WAT___", "OL_1_ERR___", "OL_2_LRR___", "OL_2_WRR___", "SY_2_VGP___", "SY_2_VG1___"),
    "SY_2_V10___",
)
_SEEPS = ("Ships_Rigs", "Scenes", "Slick_Points", "Slick_Outlines")
_RESAMPLING = ("nearest", "bilinear", "cubic", "cubicspline", "lanczos", "average", "mode")
_STATISTICS = (
    *("min", "max", "mean", "median", "sum", "std", "count", "range"),
    *("majority", "minority", "unique", "nodata", "percentile_90"),
)
_ORBITS = ("ASCENDING", "DESCENDING")
_CLOUD_PROVIDERS = ("gcs", "aws")

_CHOICES: Mapping[Tuple[str, str], Tuple[Any, ...]] = {
    ("", "orbit_direction"): _ORBITS,
    ("", "acquisition_mode"): ("IW", "EW", "SM"),
    ("", "mission_code"): ("S1A", "S1B"),
    ("", "cloud_provider"): _CLOUD_PROVIDERS,
    ("", "object_types"): _SEEPS,
    ("esa-s5p-l3-gtiff", "layer"): _L3_GASES,
    ("esa-s5p-l3-gtiff", "qa_mask"): ("nomask", "mask50", "mask75"),
    ("sobloo-s3", "imagery_layer"): _SENTINEL_3,
    ("sobloo-s5p", "imagery_layer"): _L2_GASES,
    ("sharpening", "strength"): ("light", "medium", "strong"),
    ("crs-conversion", "resampling_method"): _RESAMPLING,
    ("zonal-statistics", "stats"): _STATISTICS,
    ("vectorising", "n_connectivity_pixels"): (4, 8),
    ("pansharpen", "method"): ("SFIM", "Brovey", "Esri"),
    ("snap-polarimetric", "polarisations"): ("VV", "VH", "HH", "HV"),
    ("snap-polarimetric", "calibration_band"): ("sigma", "beta", "gamma"),
    ("superresolution", "model"): ("SRCNN", "AESR", "RedNet"),
    ("landcover", "nclasses"): (4, 5),
    ("up42-timeseries-image-statistics", "method"): ("mean", "min", "max", "std", "median", "sum"),
}
_NOTES: Mapping[Tuple[str, str], str] = {
    ("", "ids"): "Exactly these scenes; time, limit and clouds are not used then.",
    ("", "time_series"): "Several time ranges, used instead of Time; the limit then counts for each range.",
    ("", "asset_ids"): "Images that are in storage already; nothing is searched then.",
    ("", "zoom_level"): "Web Mercator zoom: one more halves the pixel size.",
    ("", "stereo_images_only"): "Wants a high limit, such as 500, to find pairs; run a test query first.",
    ("", "filenames"): "Exactly these files; the other filters are not used then.",
    ("", "time_interval"): "In hours.",
    ("esa-s5p-l3-gtiff", "time"): "31 days at most.",
    ("data-conversion-dimap", "ms"): "Exactly one of ms and pan can be true.",
    ("data-conversion-dimap", "pan"): "Exactly one of ms and pan can be true.",
    ("openstreetmap", "osm_tags"): "key=value, or key=* for all values.",
    ("openstreetmap", "time"): "Only the end counts; one in the future means the latest.",
    ("zonal-statistics", "zones"): "GeoJSON features with polygons in EPSG:4326; none means the image's outline.",
    ("crs-conversion", "resampling_method"): "nearest for images of classes.",
    ("s2-superresolution", "clip_to_aoi"): "Clips to the area above; the whole scene is computed otherwise.",
}


def choices_of(block_name: str, spec: ParameterSpec) -> Tuple[Any, ...]:
    """Values to offer: those of the schema, else those known of this block or of the parameter anywhere."""
    return spec.choices or _CHOICES.get((block_name, spec.name)) or _CHOICES.get(("", spec.name), ())


def note_of(block_name: str, spec: ParameterSpec) -> str:
    """A sentence about the parameter; the schema's own description comes first. Empty where nothing is known."""
    return spec.description or _NOTES.get((block_name, spec.name)) or _NOTES.get(("", spec.name), "")
