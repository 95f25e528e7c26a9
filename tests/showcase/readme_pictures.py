"""Make the README's pictures from those of the demo, the desktop and the dock: small files, no wider than a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import List

import numpy as np
from osgeo import gdal
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QGuiApplication, QImage

ROOT = Path(__file__).resolve().parents[2]
HELP = ROOT / "resources" / "help"
STATES = "build/pictures/light"
SOURCES = {
    "map": "build/demo/map.png",
    "dock": "build/demo/dock.png",
    "desktop": "build/desktop.png",
    "area": f"{STATES}/02-new-job-area-problem.png",
    "json": f"{STATES}/03-new-job-json-error.png",
    "builder": f"{STATES}/04-workflow-builder.png",
    "confirm": f"{STATES}/07-confirm-live-job.png",
    "jobs": f"{STATES}/06-jobs.png",
    "downloads": f"{STATES}/06d-jobs-downloading.png",
    "stand_in": f"{STATES}/09b-quicklook-stands-in.png",
    "styles": f"{STATES}/09c-styles-menu.png",
    "sheet": "build/contact_sheet.png",
    "job_menu": f"{STATES}/06c-jobs-test-query-menu.png",
}
WIDEST = 1000
MOST_BYTES = 120_000
#: Pictures with images in them, whose colours are more than a table holds, and the bytes they may have.
MOST_BYTES_OF = {"desktop": 180_000, "map": 180_000, "sheet": 1_000_000, "stand_in": 180_000, "styles": 260_000}
_COLOURS, _EXACT = 256, 96
_LEVELS = 63  # of red, green and blue each


def frequent(pixels: np.ndarray) -> List[int]:
    """The colours that most of the picture is painted in: the median cut would tint them."""
    found, counts = np.unique(pixels[0] << 16 | pixels[1] << 8 | pixels[2], return_counts=True)
    return [0xFF000000 | int(colour) for colour in found[np.argsort(-counts)][:_EXACT]]


def few_colours(image: QImage) -> QImage:
    """The picture in the 256 colours that suit it best: a third of the bytes, and hardly to be told apart."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    content = rgb.constBits().asstring(rgb.sizeInBytes())
    name = "/vsimem/readme.ppm"
    rows = (content[row * rgb.bytesPerLine() :][: rgb.width() * 3] for row in range(rgb.height()))
    gdal.FileFromMemBuffer(name, f"P6 {rgb.width()} {rgb.height()} 255\n".encode() + b"".join(rows))
    bands = gdal.Open(name)
    table = gdal.ColorTable()
    gdal.ComputeMedianCutPCT(*(bands.GetRasterBand(band) for band in (1, 2, 3)), _COLOURS - _EXACT, table)
    colours = frequent(bands.ReadAsArray().astype(np.uint32))
    for index in range(table.GetCount()):
        red, green, blue, _ = table.GetColorEntry(index)
        colours.append(0xFF000000 | red << 16 | green << 8 | blue)
    del bands
    gdal.Unlink(name)
    return rgb.convertToFormat(QImage.Format.Format_Indexed8, colours, Qt.ImageConversionFlag.AvoidDither)


def rounded(image: QImage) -> QImage:
    """The picture in colours that are rounded where no eye sees it."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = rgb.constBits().asstring(rgb.sizeInBytes())
    values = np.frombuffer(rows, np.uint8) / 255.0
    content = np.round(np.round(values * _LEVELS) / _LEVELS * 255.0).astype(np.uint8).tobytes()
    return QImage(content, rgb.width(), rgb.height(), rgb.bytesPerLine(), QImage.Format.Format_RGB888).copy()


def main() -> int:
    """Write every picture; 1 when one is missing or too large."""
    application = QGuiApplication(sys.argv[:1])
    gdal.UseExceptions()
    HELP.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name, source in SOURCES.items():
        image = QImage(str(ROOT / source))
        if image.isNull():
            print(f"{source} is missing.", file=sys.stderr)  # noqa: T201
            failed = 1
            continue
        if image.width() > WIDEST:
            image = image.scaledToWidth(WIDEST, Qt.TransformationMode.SmoothTransformation)
        target = HELP / f"{name}.png"
        smaller = rounded if name in MOST_BYTES_OF else few_colours
        smaller(image).save(str(target), "PNG", 0)
        if target.stat().st_size > MOST_BYTES_OF.get(name, MOST_BYTES):
            print(f"{target.name} has {target.stat().st_size} bytes.", file=sys.stderr)  # noqa: T201
            failed = 1
    del application
    return failed


if __name__ == "__main__":
    sys.exit(main())
