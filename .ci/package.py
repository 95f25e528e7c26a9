"""Stage the plugin and pack it into a zip that QGIS and the plugin site accept.

usage: python3 .ci/package.py [FOLDER]

Leaves FOLDER/up42_plugin/ (a plugin folder QGIS can load, FOLDER being its QGIS_PLUGINPATH) and FOLDER/up42_plugin.zip.
The same sources always give the same bytes: names are sorted, times and modes fixed.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path
from typing import Iterator, List, Tuple

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = "up42_plugin"
BESIDE_THE_CODE = ("metadata.txt", "LICENSE", "CHANGELOG.md")
#: What may be in the zip. The plugin site refuses scripts, libraries and compiled files.
SHIPPED = frozenset({".py", ".txt", ".md", ".svg", ".png", ".qml", ".qm", ".geojson", ".json", ".html"})
#: What stands beside it in a checkout and stays there: translation sources and what tools leave behind.
LEFT_OUT = frozenset({".ts", ".pyc"})
#: The earliest time a zip can hold.
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644 << 16


def wanted(inside: Path) -> bool:
    """Tell whether a file found in a source folder belongs into the plugin.

    Raises:
        SystemExit: it is of a kind that is neither shipped nor known to be left out.
    """
    if any(part.startswith(".") or part == "__pycache__" for part in inside.parts) or inside.suffix in LEFT_OUT:
        return False
    if inside.suffix not in SHIPPED:
        raise SystemExit(f"{inside}: a file of this kind has no place in the plugin")
    return True


def is_of_the_readme_only(path: Path) -> bool:
    """Tell whether a picture among the help pages is shown by none of them."""
    if path.parent.name != "help" or path.suffix != ".png":
        return False
    return not any(f'"{path.name}"' in page.read_text("utf-8") for page in path.parent.glob("*.html"))


def sources(root: Path) -> Iterator[Tuple[Path, Path]]:
    """Yield each source file with its path inside the plugin folder."""
    for folder, target in ((root / PLUGIN, Path()), (root / "resources", Path("resources"))):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_file() and wanted(inside) and not is_of_the_readme_only(path):
                yield path, target / inside
    for name in BESIDE_THE_CODE:
        yield root / name, Path(name)


def stage(root: Path, build: Path) -> Path:
    """Copy the plugin into ``build/up42_plugin``, replacing what is there."""
    folder = build / PLUGIN
    if folder.exists():
        shutil.rmtree(folder)
    for source, inside in sources(root):
        target = folder / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return folder


def pack(folder: Path, archive: Path) -> None:
    """Write a folder into a zip whose only top folder it is."""
    names: List[Path] = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for path in names:
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), FIXED_TIME)
            entry.external_attr = FILE_MODE
            entry.create_system = 3  # Unix on every system, so that the bytes do not differ
            out.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)


def main(arguments: List[str]) -> int:
    """Stage and pack, and tell where and how large."""
    build = Path(arguments[0] if arguments else "build").resolve()
    build.mkdir(parents=True, exist_ok=True)
    archive = build / f"{PLUGIN}.zip"
    pack(stage(ROOT, build), archive)
    sys.stdout.write(f"{archive} ({archive.stat().st_size / 1e6:.2f} MB)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
