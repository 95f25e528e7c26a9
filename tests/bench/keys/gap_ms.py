"""gap_ms: the longest gap of the event loop, in ms, while an output of 512 MB becomes a layer.

The real plugin runs in a real QGIS application, its map shows the place. From the click on Load Output until the map
has drawn the layer - fetched, unpacked, looked at, with overviews and value ranges, and added - a timer that is due
every millisecond notes how long it was kept waiting.

What the plugin does itself happens each time. A machine that is busy with something else keeps QGIS waiting too: what
is above the goal is measured again, with another job, up to three times, and the least is the value.

usage: gap_ms.py RESULT [--culprits MS]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import List, Optional

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "showcase"), str(ROOT / "tests"), str(ROOT / "tests" / "bench")]

from limits import LIMITS  # noqa: E402
from live_output import LiveOutput, passes, rest, until  # noqa: E402
from loop_watch import Culprits, LoopWatch  # noqa: E402

from up42_plugin.core.run import Run  # noqa: E402


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def measure(live: LiveOutput, culprits_over_ms: Optional[float]) -> float:
    """Load once; the longest gap in ms."""
    run = live.succeed()
    watch = LoopWatch()
    stage = Stage(watch)
    live.desk.runs.changed.connect(stage.told)
    culprits = Culprits(watch, culprits_over_ms) if culprits_over_ms else None
    watch.what = "the click"
    watch.start()
    if culprits is not None:
        culprits.start()
    live.click_load(run)
    until(lambda: live.loaded(run), "the layer")
    watch.what = "drawing"
    until(lambda: not live.iface.canvas.isDrawing(), "the map", 60)
    rest(2000)
    watch.stop()
    if culprits is not None:
        culprits.stop()
    live.desk.runs.changed.disconnect(stage.told)
    say(f"  {watch.turns} turns; 99 of 100 below {watch.quantile(0.99):.1f} ms; the longest:")
    for gap in watch.longest(8):
        parts = f"{gap.computing:5.1f} computing, {gap.queueing:5.1f} queueing for a processor"
        say(f"  {gap.milliseconds:6.1f} ms ({parts}): {gap.what}")
    live.forget(run)
    return watch.longest()[0].milliseconds if watch.gaps else 0.0


class Stage:
    """Names what goes on as the run tells it."""

    def __init__(self, watch: LoopWatch) -> None:
        self._watch = watch

    def told(self, run: Run) -> None:
        self._watch.what = f"{run.phase.value}, {run.percent:.0f} %, {run.message}"


def main(arguments: List[str]) -> int:
    result = Path(arguments[0])
    culprits_over_ms = float(arguments[2]) if arguments[1:2] == ["--culprits"] else None
    values = passes(lambda live: measure(live, culprits_over_ms), LIMITS["gap_ms"])
    say(f"  passes: {', '.join(f'{value:.1f}' for value in values)} ms")
    result.write_text(json.dumps(round(min(values), 1)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
