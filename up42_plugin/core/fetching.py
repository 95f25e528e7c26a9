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
from up42_plugin.core.transfer import Bandwidth, fetch_output
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

    When it is cancelled, ``discard`` is asked whether what has come of the download goes too (the person does not want
    it), or is kept to be continued (paused, or QGIS is closing).

    An output that is on disk already is not downloaded again, unless its description can no longer be read.
    """

    def prepared() -> Tuple[LayerPlan, ...]:
        part = Part(context, _DOWNLOAD_SHARE, 100.0)
        return prepare_output(folder, part, block_name=step.block.name, block_title=step.block.title)

    if (folder / "data.json").is_file():
        try:
            return prepared()
        except ManifestError:
            context.check()
    part = Part(context, 0.0, _DOWNLOAD_SHARE)
    fetch_output(service.open_output(output), folder, part, discard=discard, bandwidth=bandwidth)
    return prepared()
