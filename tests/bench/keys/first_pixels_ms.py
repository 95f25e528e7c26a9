"""first_pixels_ms: from the click on Load Output until the map shows the scene, in ms.

The real plugin runs in a real QGIS application; the output is the one of 512 MB, the map shows its place and nothing
else. What is looked at is the map itself, fifty times a second: pixels of the scene are there when two fifths of the
map have changed and there are many colours; neither an outline nor a filled area has that. Whether they come from a
picture that stands in or from the raster does not matter; which layers the map has then is told.

What is above the goal is measured again, with another job, up to three times, and the least is the value.

usage: first_pixels_ms.py RESULT
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import List, Optional

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "showcase"), str(ROOT / "tests"), str(ROOT / "tests" / "bench")]

import numpy as np  # noqa: E402
from limits import LIMITS  # noqa: E402
from live_output import LiveOutput, passes, until  # noqa: E402
from qgis.gui import QgsMapCanvas  # noqa: E402
from qgis.PyQt.QtCore import QObject, QTimer  # noqa: E402
from qgis.PyQt.QtGui import QImage  # noqa: E402

LOOK_EVERY_MS = 20
CHANGED, COLOURS, STEP = 0.4, 50, 4


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def picture_of(canvas: QgsMapCanvas) -> np.ndarray:
    """What the map shows, every fourth pixel, as 32-bit colours."""
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    whole = np.frombuffer(bytes(bits), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return whole[::STEP, : image.width() : STEP].copy()


class FirstPixels(QObject):
    """Looks at a map until it shows a picture."""

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__()
        self._canvas = canvas
        self._before = picture_of(canvas)
        if np.unique(self._before).size >= COLOURS:
            raise RuntimeError(f"the map shows something before the click: {canvas.layers()}")
        self.moment: Optional[float] = None
        self.layers: List[str] = []
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        seen = picture_of(self._canvas)
        changed = seen != self._before
        if changed.mean() >= CHANGED and np.unique(seen[changed]).size >= COLOURS:
            self._timer.stop()
            self.layers = [layer.name() for layer in self._canvas.layers()]
            self.moment = time.perf_counter()


def measure(live: LiveOutput) -> float:
    """Load once; ms to the first pixels."""
    run = live.succeed()
    pixels = FirstPixels(live.iface.canvas)
    began = time.perf_counter()
    live.click_load(run)
    until(lambda: pixels.moment is not None, "a picture on the map")
    assert pixels.moment is not None
    milliseconds = (pixels.moment - began) * 1000
    say(f"  after {milliseconds:.0f} ms, with the layers {', '.join(pixels.layers)}")
    until(lambda: live.loaded(run), "the layer")
    say(f"  all is loaded after {(time.perf_counter() - began) * 1000:.0f} ms")
    live.forget(run)
    return milliseconds


def main(arguments: List[str]) -> int:
    result = Path(arguments[0])
    values = passes(measure, LIMITS["first_pixels_ms"])
    result.write_text(json.dumps(round(min(values), 1)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
