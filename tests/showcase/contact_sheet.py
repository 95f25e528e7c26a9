"""Every block's output as it looks when it is loaded, side by side in one picture.

Runs one live job for each block that the sandbox can compute, brings its output down, loads it through the plugin's
own code and draws it untouched. Rasters given by name come behind. Leaves ``build/contact_sheet.png``; ends with 1 when
a block has no chain, a job fails, an output has no layer, or a picture shows nothing.

usage: contact_sheet.py [RASTER...]
"""

from __future__ import annotations

import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from headless import start_qgis  # noqa: E402
from qgis.core import (  # noqa: E402
    QgsCoordinateTransform,
    QgsMapLayer,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QRect, QSize, Qt  # noqa: E402
from qgis.PyQt.QtGui import QColor, QImage, QPainter  # noqa: E402
from sheet_chains import CHAINS, TEXT_ONLY, Chain  # noqa: E402

from tests.sandbox_process import RunningSandbox, start_sandbox  # noqa: E402
from up42_plugin.api.errors import Up42Error  # noqa: E402
from up42_plugin.api.exchange import plain_session  # noqa: E402
from up42_plugin.api.tokens import ProjectKeyGrant, TokenProvider  # noqa: E402
from up42_plugin.core.aoi import AOI  # noqa: E402
from up42_plugin.core.configuration import KEEP, GeometricFilter, JobConfiguration  # noqa: E402
from up42_plugin.core.context import ThreadContext  # noqa: E402
from up42_plugin.core.dialects.classic import ClassicProvider  # noqa: E402
from up42_plugin.core.fetching import fetch_live_output  # noqa: E402
from up42_plugin.core.jobs import JobState, Mode  # noqa: E402
from up42_plugin.core.layer_plan import JobProvenance, LayerPlan  # noqa: E402
from up42_plugin.core.outputs import prepare_output  # noqa: E402
from up42_plugin.core.parameters import CLOUDS, LIMIT, TIME, ParameterSchema  # noqa: E402
from up42_plugin.core.service import JobService, Output, SubmissionRequest  # noqa: E402
from up42_plugin.core.tags import make_tag, tagged_name  # noqa: E402
from up42_plugin.qgis_bridge.layers import LayerLoader  # noqa: E402

BUILD = ROOT / "build"
OUT = BUILD / "contact_sheet"
PICTURE = BUILD / "contact_sheet.png"
SAMPLE = ROOT / "resources" / "sample" / "taormina.geojson"
SPEED = "1000"
AT_ONCE = 3
AFFORDED = 6  # chains that one account's credits pay for
TIMES = (datetime(2023, 5, 1, tzinfo=timezone.utc), datetime(2023, 9, 30, tzinfo=timezone.utc))
CLOUDS_AT_MOST = 5
COLUMNS = 5
CELL = QSize(236, 216)
MAP = QRect(6, 6, 224, 168)
EACH_AT_MOST = timedelta(minutes=3)
COLOURS_AT_LEAST = 2  # a mask, and the paper around it
BACKGROUND = QColor("#ffffff")


class SheetError(Exception):
    """A picture that cannot be made, or shows nothing; the text says which."""


@dataclass(frozen=True)
class Shown:
    """One cell of the sheet."""

    title: str
    note: str
    plans: Tuple[LayerPlan, ...]


def say(text: str) -> None:
    """One line of what happens, at once."""
    print(text, flush=True)  # noqa: T201 - the command talks to the person


def missing_chains() -> List[str]:
    """The names of blocks that the sandbox runs and no chain ends with."""
    return sorted(set(runnable_blocks()) - {chain.blocks[-1] for chain in CHAINS} - TEXT_ONLY)


def runnable_blocks() -> Dict[str, str]:
    """Names of the blocks that the sandbox can compute, with their ids."""
    from up42_plugin.sandbox.catalogue import Catalogue  # noqa: PLC0415 - needed by this command alone
    from up42_plugin.sandbox.runners.registry import RUNNERS  # noqa: PLC0415

    catalogue = Catalogue.load()
    return {block.name: block.id for block in (catalogue.get(id_) for id_ in RUNNERS) if block is not None}


class Maker:
    """Makes the output of one chain after the other at a sandbox."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        tokens = TokenProvider(ProjectKeyGrant(sandbox.project_id, sandbox.project_api_key))
        self._provider = ClassicProvider("sandbox", sandbox.base_url, sandbox.project_id, tokens, plain_session)
        self._blocks = runnable_blocks()
        self._area = AOI.from_geojson(SAMPLE.read_text(encoding="utf-8"))

    def make(self, chain: Chain) -> Shown:
        """Run the chain as a live job, fetch its output and prepare it. Blocks."""
        name = chain.blocks[-1]
        try:
            with self._provider.open(ThreadContext()) as service:
                plans, title = self._output(service, chain)
        except (Up42Error, SheetError) as error:
            raise SheetError(f"{name}: {error}") from error
        say(f"  {name}: {', '.join(plan.title for plan in plans)}")
        return Shown(title, name, plans)

    def _output(self, service: JobService, chain: Chain) -> Tuple[Tuple[LayerPlan, ...], str]:
        context = ThreadContext()
        ids = tuple(self._blocks[block] for block in chain.blocks)
        workflow = service.create_workflow(" → ".join(chain.blocks), "", ids)
        schema = ParameterSchema.of(workflow.data_step.block)
        geometric = GeometricFilter.INTERSECTS if "intersects" in schema else GeometricFilter.BBOX
        configuration = JobConfiguration.of(workflow, self._area, geometric)
        configuration = configuration.with_search(
            time=TIMES if TIME in schema else KEEP,
            limit=1 if LIMIT in schema else KEEP,
            max_cloud_cover=CLOUDS_AT_MOST if CLOUDS in schema else KEEP,
        )
        for step in workflow.steps:
            configuration = configuration.with_parameters(step.name, chain.parameters.get(step.block.name, {}))
        tag = make_tag()
        name = chain.blocks[-1]
        job = service.submit(SubmissionRequest(configuration, Mode.LIVE, tag, tagged_name(name, tag)))
        end = time.monotonic() + EACH_AT_MOST.total_seconds()
        while not job.state.terminal:
            if time.monotonic() > end:
                raise SheetError(f"the job did not end within {EACH_AT_MOST}")
            time.sleep(0.2)
            job = service.job(job.id)
        if job.state is not JobState.SUCCEEDED:
            raise SheetError(f"the job ended as {job.word}: {self._why(service, job.id)}")
        folder = OUT / f"{len(chain.blocks)}-{name}"
        step = workflow.steps[-1]
        return fetch_live_output(service, Output(job.id), step, folder, context), step.block.title

    @staticmethod
    def _why(service: JobService, job_id: str) -> str:
        tasks = service.tasks(job_id)
        return service.logs(job_id, tasks[-1].id)[-500:] if tasks else "no task"


def own_raster(path: Path) -> Shown:
    """A raster of somebody's, prepared like an output."""
    folder = OUT / path.stem
    folder.mkdir(parents=True)
    shutil.copy(path, folder / path.name)
    return Shown(path.name, "your own raster", prepare_output(folder, ThreadContext()))


def drawn(shown: Shown) -> QImage:
    """The layers of one output as they come onto a map. Raises :class:`SheetError` when they show nothing."""
    project = QgsProject.instance()
    project.clear()
    loader = LayerLoader(project)
    layers = loader.add(shown.plans, shown.title, JobProvenance(shown.note, shown.title, "sandbox"))
    root = project.layerTreeRoot()
    visible = [layer for layer in root.layerOrder() if root.findLayer(layer.id()).isVisible()]
    if loader.problems or not visible:
        raise SheetError(f"{shown.note}: {'; '.join(loader.problems) or 'no layer is visible'} ({len(layers)} layers)")
    settings = QgsMapSettings()
    settings.setLayers(visible)
    settings.setDestinationCrs(visible[0].crs())
    settings.setTransformContext(project.transformContext())
    settings.setExtent(_extent(visible))
    settings.setOutputSize(MAP.size())
    settings.setBackgroundColor(BACKGROUND)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    if job.errors():
        raise SheetError(f"{shown.note}: {job.errors()[0].message}")
    return job.renderedImage()


def _extent(layers: Sequence[QgsMapLayer]) -> QgsRectangle:
    first = layers[0]
    whole = QgsRectangle(first.extent())
    for layer in layers[1:]:
        change = QgsCoordinateTransform(layer.crs(), first.crs(), QgsProject.instance())
        whole.combineExtentWith(change.transformBoundingBox(layer.extent()))
    return whole.buffered(0.01 * max(whole.width(), whole.height(), 1e-9))


def colours(image: QImage) -> int:
    """How many colours a picture has, looked at in every third pixel."""
    return len({image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)})


def composed(cells: Sequence[Tuple[Shown, QImage]]) -> QImage:
    """All cells in one picture, a name below each."""
    rows = -(-len(cells) // COLUMNS)
    sheet = QImage(CELL.width() * COLUMNS, CELL.height() * rows, QImage.Format.Format_RGB32)
    sheet.fill(BACKGROUND)
    painter = QPainter(sheet)
    font = painter.font()
    for number, (shown, image) in enumerate(cells):
        painter.save()
        painter.translate(CELL.width() * (number % COLUMNS), CELL.height() * (number // COLUMNS))
        painter.drawImage(MAP.topLeft(), image)
        font.setBold(True)
        painter.setFont(font)
        below = MAP.bottom() + 4
        below = _line(painter, below, shown.title)
        font.setBold(False)
        painter.setFont(font)
        painter.setPen(QColor("#606060"))
        _line(painter, below, shown.note)
        painter.restore()
    painter.end()
    return sheet


def _line(painter: QPainter, top: int, text: str) -> int:
    """Write a line; gives where the next one begins."""
    place = QRect(MAP.left(), top, MAP.width(), painter.fontMetrics().height())
    short = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
    painter.drawText(place, Qt.AlignmentFlag.AlignLeft, short)
    return top + place.height()


def outputs() -> Iterator[Shown]:
    """The output of every chain, in their order; a new sandbox, with all its credits, for some of them at a time."""
    for first in range(0, len(CHAINS), AFFORDED):
        folder = OUT / f"service{first}"
        with start_sandbox(folder, "--speed", SPEED) as sandbox, ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(Maker(sandbox).make, CHAINS[first : first + AFFORDED])


def main(rasters: Sequence[str]) -> int:
    """Make the sheet."""
    for name in missing_chains():
        say(f"{name}: no chain ends with this block")
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    started = time.monotonic()
    application = start_qgis()
    cells: List[Tuple[Shown, QImage]] = []
    poor = list(missing_chains())
    try:
        for shown in (*outputs(), *(own_raster(Path(name)) for name in rasters)):
            image = drawn(shown)
            cells.append((shown, image))
            if colours(image) < COLOURS_AT_LEAST:
                say(f"{shown.note}: shows next to nothing")
                poor.append(shown.note)
        composed(cells).save(str(PICTURE))
    except SheetError as error:
        say(str(error))
        return 1
    finally:
        QgsProject.instance().clear()
        application.exitQgis()
    say(f"{len(cells)} outputs in {time.monotonic() - started:.0f} s: {PICTURE.relative_to(ROOT)}")
    return 1 if poor else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
