"""From a job that succeeded to plans of layers: what a worker does between the service and the map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, ClassVar, List, Optional, Sequence, Tuple

from up42_plugin.api.errors import AnswerError, NetworkError, ServiceError
from up42_plugin.core.context import JobContext, Part
from up42_plugin.core.layer_plan import LayerPlan
from up42_plugin.core.output_errors import ManifestError
from up42_plugin.core.outputs import prepare_output
from up42_plugin.core.quicklooks import prepare_test_query
from up42_plugin.core.scenes import Quicklook, Scene
from up42_plugin.core.service import JobService, Output
from up42_plugin.core.storage import system_path
from up42_plugin.core.transfer import Bandwidth, fetch_output
from up42_plugin.core.unpack import RECEIPT
from up42_plugin.core.workflow import Step

_DOWNLOAD_SHARE = 80.0


@dataclass(frozen=True)
class TestQueryFinds:
    """What a test query found, ready for the map."""

    __test__: ClassVar[bool] = False  # pytest takes classes called Test… for tests

    scenes: Tuple[Scene, ...]
    plans: Tuple[LayerPlan, ...]


def fetch_test_query(service: JobService, job_id: str, folder: Path, context: JobContext) -> TestQueryFinds:
    """Read the scenes of a test query and their quicklooks.

    The scenes are what was asked for: a quicklook that the service cannot give is left out, and so are all that follow
    when the network goes.
    """
    context.progress(-1, "Reading scenes")
    scenes = service.scenes(job_id)
    quicklooks = _quicklooks(service, scenes, context)
    plans = prepare_test_query(scenes, quicklooks, folder, Part(context, _DOWNLOAD_SHARE, 100.0))
    return TestQueryFinds(scenes, plans)


def _quicklooks(service: JobService, scenes: Sequence[Scene], context: JobContext) -> List[Quicklook]:
    found: List[Quicklook] = []
    for number, scene in enumerate(scenes, start=1):
        percent = _DOWNLOAD_SHARE * (number - 1) / len(scenes)
        context.progress(percent, f"Loading quicklooks, {number} of {len(scenes)}")
        try:
            quicklook = service.quicklook(scene)
        except (ServiceError, AnswerError):
            continue
        except NetworkError:
            break
        if quicklook is not None:
            found.append(quicklook)
    return found


def fetch_live_output(
    service: JobService,
    output: Output,
    step: Step,
    folder: Path,
    context: JobContext,
    *,
    discard: Callable[[], bool] = lambda: False,
    bandwidth: Optional[Bandwidth] = None,
) -> Tuple[LayerPlan, ...]:
    """Bring an output down, unpack it and make it ready; ``step`` is the block that made it.

    Reports 0 to 100 twice: of the download, in bytes, and of the making ready.

    When it is cancelled, ``discard`` is asked whether what has come of the download goes too (the person does not want
    it), or is kept to be continued (paused, or QGIS is closing).

    An output that is on disk already is not downloaded again, unless its description can no longer be read.
    """
    plans = stored_output(step, folder, context)
    if plans is None:
        fetch_output(service.open_output(output), folder, context, discard=discard, bandwidth=bandwidth)
        plans = _prepared(step, folder, context)
    return plans


def stored_output(step: Step, folder: Path, context: JobContext) -> Optional[Tuple[LayerPlan, ...]]:
    """An output that is on disk already, made ready; None when it is not, or its description cannot be read.

    Those of orders come without a description: then what was left when they were unpacked tells that they are there.
    """
    if not any(system_path(folder / name).is_file() for name in ("data.json", RECEIPT)):
        return None
    try:
        return _prepared(step, folder, context)
    except ManifestError:
        context.check()
        return None


def _prepared(step: Step, folder: Path, context: JobContext) -> Tuple[LayerPlan, ...]:
    return prepare_output(folder, context, block_name=step.block.name, block_title=step.block.title)
