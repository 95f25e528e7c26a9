"""Make the README's pictures from what the demo and the desktop left: the same ones, no wider than a page."""

from __future__ import annotations

import sys
from pathlib import Path

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QGuiApplication, QImage

ROOT = Path(__file__).resolve().parents[2]
HELP = ROOT / "resources" / "help"
SOURCES = {"map": "build/demo/map.png", "dock": "build/demo/dock.png", "desktop": "build/desktop.png"}
WIDEST = 1000


def main() -> int:
    """Write every picture; 1 when one is missing."""
    application = QGuiApplication(sys.argv[:1])
    HELP.mkdir(parents=True, exist_ok=True)
    missing = 0
    for name, source in SOURCES.items():
        image = QImage(str(ROOT / source))
        if image.isNull():
            print(f"{source} is missing.", file=sys.stderr)  # noqa: T201
            missing = 1
            continue
        if image.width() > WIDEST:
            image = image.scaledToWidth(WIDEST, Qt.TransformationMode.SmoothTransformation)
        image.save(str(HELP / f"{name}.png"), "PNG", 0)
    del application
    return missing


if __name__ == "__main__":
    sys.exit(main())
