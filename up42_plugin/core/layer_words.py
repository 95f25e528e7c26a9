"""What a layer says of itself in words: sentences for its metadata, rows for its notes."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from up42_plugin.core.configuration import CONFIG
from up42_plugin.core.imagery.scene_facts import flattened
from up42_plugin.core.jobs import Mode
from up42_plugin.core.layer_plan import BlockUsed, JobProvenance, LayerKind, LayerPlan
from up42_plugin.core.licences import Licence, licence_of
from up42_plugin.core.manifest import read_usage
from up42_plugin.core.storage import FINAL
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS

NBSP = "\u00a0"
SYNTHETIC_TEXT = "Synthetic: this image is made up and shows no real acquisition."
SYNTHETIC_ATTRIBUTION = "Synthetic image, no real acquisition"
SYNTHETIC_LICENCE = "None: the image is synthetic"
_LONGEST = 300

Box = Tuple[float, float, float, float]


def statement(plan: LayerPlan) -> List[str]:
    """That the image is made up, if it is."""
    if not plan.synthetic:
        return []
    return [SYNTHETIC_TEXT, plan.synthetic_note] if plan.synthetic_note else [SYNTHETIC_TEXT]


def terms(plan: LayerPlan, job: JobProvenance) -> Licence:
    """Licence and attribution. Those of a synthetic image say that it is one, whatever the block brings otherwise."""
    if plan.synthetic:
        return Licence(SYNTHETIC_LICENCE, SYNTHETIC_ATTRIBUTION)
    data = job.blocks[0] if job.blocks else BlockUsed("", "", "")
    moment = plan.acquired or job.created
    return licence_of(data.name, data.provider, moment.year if moment is not None else None)


def abstract(plan: LayerPlan, job: JobProvenance, box: Optional[Box] = None) -> str:
    """What it is, when and where it was taken, and which job made it. ``box``: west, south, east, north in degrees."""
    lines = [*statement(plan), _what(plan, job), _when(plan), _where(box), _job(job)]
    return "\n".join(line for line in lines if line)


def facts(plan: LayerPlan, job: JobProvenance) -> List[Tuple[str, str]]:
    """What people want to know, as (label, value); without what is not known."""
    known, licence = plan.provenance, terms(plan, job)
    cloud = known.get("cloud_cover")
    rows = [
        ("Job", job.job_name),
        ("Job ID", job.job_id),
        ("Task", job.task_name),
        ("Workflow", job.workflow_name),
        ("Blocks", " → ".join(map(_with_version, job.blocks)) or job.chain),
        ("Parameters", "; ".join(parameters(job))),
        ("Connection", job.connection_name),
        ("Provider", ", ".join(dict.fromkeys(block.provider for block in job.blocks if block.provider))),
        ("Licence", licence.name),
        ("Attribution", licence.attribution),
        ("Acquired", _written(plan)),
        ("Scene", str(known.get("scene_id") or "")),
        ("Cloud cover of the scene", _percent(cloud)),
        ("Bands", ", ".join(str(band) for band in known.get("bands", ()))),
        ("Job finished", _moment(job.finished)),
        ("Credits of the job", _charged(job)),
        ("Usage", usage_text(plan.usage)),
    ]
    return [(label, value) for label, value in rows if value]


def history(job: JobProvenance) -> List[str]:
    """How it came to be: each block with its version, provider and parameters, then the job."""
    lines = []
    for number, block in enumerate(job.blocks, start=1):
        about = ", ".join(filter(None, (block.name, _version(block), block.provider)))
        lines.append(f"{number}. {block.title} ({about})" if about else f"{number}. {block.title}")
        asked = _parameters(job.recipe.get(block.task))
        if asked:
            lines.append(f"{number}. {block.title}: {asked}")
    charged = _charged(job)
    end = "".join((f", finished {_moment(job.finished)}" if job.finished else "", f", {charged}" if charged else ""))
    lines.append(f"Made by job {job.job_id}{end}")
    return lines


def parameters(job: JobProvenance) -> List[str]:
    """What each block was asked for, without areas: ``aws-s2-l2a:1: limit 1, max_cloud_cover 20``."""
    tasks = [block.task for block in job.blocks] or [name for name in job.recipe if name != CONFIG]
    asked = [(task, _parameters(job.recipe.get(task))) for task in tasks]
    return [f"{task}: {text}" for task, text in asked if text]


def usage_text(usage: Mapping[str, Any]) -> str:
    """What ``usage.json`` says, in one line: ``credits used 0, area squareKm 2.01``."""
    told = [f"{name.replace('.', ' ')} {value}" for name, value in flattened(usage).items() if value is not None]
    return _shortened(", ".join(told))


def usage_on_disk(job_folder: Path) -> str:
    """The same of a job's own output in its folder; empty where there is none. For workers."""
    return usage_text(read_usage(job_folder / FINAL) or {})


def keywords(plan: LayerPlan, job: JobProvenance) -> List[str]:
    """Words to find the layer by."""
    words = ["UP42", *(block.title for block in job.blocks), job.workflow_name, "synthetic" if plan.synthetic else ""]
    return [word for word in dict.fromkeys(words) if word]


def _what(plan: LayerPlan, job: JobProvenance) -> str:
    kind = "raster" if plan.kind is LayerKind.RASTER else "vector"
    made_by = f", made by {job.blocks[-1].title}" if job.blocks and "block" in plan.provenance else ""
    bands = [str(band) for band in plan.provenance.get("bands", ())]
    with_bands = ""
    if bands:
        with_bands = (
            f", with {len(bands)} bands: {', '.join(bands)}" if len(bands) > 1 else f", with the band {bands[0]}"
        )
    return f"{plan.title}: {kind} data{made_by}{with_bands}."


def _when(plan: LayerPlan) -> str:
    if plan.acquired is None:
        return ""
    scene = str(plan.provenance.get("scene_id") or "")
    clouds = _percent(plan.provenance.get("cloud_cover"))
    of_scene = f" as part of scene {scene}" if scene else ""
    with_clouds = f", with clouds over {clouds} of the scene" if clouds else ""
    return f"Acquired on {_written(plan)}{of_scene}{with_clouds}."


def _where(box: Optional[Box]) -> str:
    if box is None:
        return ""
    west, south, east, north = box
    longitudes = f"{_degrees(west, 'E', 'W')} and {_degrees(east, 'E', 'W')}"
    return f"It lies between {longitudes}, and between {_degrees(south, 'N', 'S')} and {_degrees(north, 'N', 'S')}."


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):.3f}°{NBSP}{positive if value >= 0 else negative}"


def _job(job: JobProvenance) -> str:
    kind = "live job" if job.mode is Mode.LIVE else "test query"
    where = f" on the connection {job.connection_name}" if job.connection_name else ""
    flow = job.workflow_name or "a workflow"
    chain = f" ({job.chain})" if job.chain else ""
    end = f", finished on {_moment(job.finished)}" if job.finished else ""
    charged = _charged(job)
    cost = f", {charged} charged" if charged else ""
    return f"Output of the {kind} {job.job_name} ({job.job_id}){where}, with the workflow {flow}{chain}{end}{cost}."


def _parameters(values: object) -> str:
    if not isinstance(values, Mapping):
        return ""
    told = [
        f"{name} {_plain(value)}"
        for name, value in values.items()
        if value is not None and name not in GEOMETRY_PARAMETERS and not _is_geometry(value)
    ]
    return _shortened(", ".join(told))


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " and ".join(map(_plain, value))
    return str(value)


def _is_geometry(value: object) -> bool:
    return isinstance(value, Mapping) and ("coordinates" in value or "features" in value)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _with_version(block: BlockUsed) -> str:
    return f"{block.title} {block.version}" if block.version else block.title


def _version(block: BlockUsed) -> str:
    return f"version {block.version}" if block.version else ""


def _charged(job: JobProvenance) -> str:
    if job.credits is None or job.mode is Mode.TEST_QUERY:
        return ""
    return f"{job.credits}{NBSP}credit{'' if job.credits == 1 else 's'}"


def _percent(value: object) -> str:
    return f"{value:g}{NBSP}%" if isinstance(value, (int, float)) else ""


def _written(plan: LayerPlan) -> str:
    if plan.acquired is None:
        return ""
    if plan.acquired_until is not None and plan.acquired_until != plan.acquired:
        return f"{plan.acquired:%Y-%m-%d}"
    return _moment(plan.acquired)


def _moment(moment: Optional[datetime]) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC" if moment is not None else ""
