"""Check metadata.txt by the rules of QGIS and of its plugin site.

usage: python3 .ci/check_metadata.py FOLDER   (the folder that holds metadata.txt and resources/)
"""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path
from typing import Iterator, List, Mapping

from project import tell

REQUIRED = (
    "name",
    "description",
    "about",
    "version",
    "qgisMinimumVersion",
    "qgisMaximumVersion",
    "author",
    "email",
    "homepage",
    "tracker",
    "repository",
    "license",
    "category",
    "icon",
    "tags",
)
CATEGORIES = frozenset({"Raster", "Vector", "Database", "Mesh", "Web"})
#: Ignored by QGIS and by the site since the list for QGIS 4 goes by qgisMaximumVersion.
DEAD = ("supportsQt6", "qgisSupportedVersion")
PNG_START = b"\x89PNG\r\n\x1a\n"
_VERSION = re.compile(r"\d+\.\d+\.\d+$")
_HTML = re.compile(r"<\s*/?\s*[a-zA-Z][^>]*>")


def problems(folder: Path) -> List[str]:
    """List what is wrong with the metadata in a folder."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string((folder / "metadata.txt").read_text("utf-8"))
        fields = dict(parser["general"])
    except (OSError, KeyError, configparser.Error, UnicodeDecodeError) as error:
        return [f"metadata.txt cannot be read: {error}"]
    return [*_fields(fields), *_values(fields), *_files(fields, folder)]


def _fields(fields: Mapping[str, str]) -> Iterator[str]:
    for name in REQUIRED:
        if not fields.get(name, "").strip():
            yield f"{name} is missing"
    for name in DEAD:
        if name in fields:
            yield f"{name} has no meaning any more"


def _values(fields: Mapping[str, str]) -> Iterator[str]:
    for name in ("about", "description", "changelog"):
        if _HTML.search(fields.get(name, "")):
            yield f"{name} holds HTML"
    for name in ("homepage", "tracker", "repository"):
        if not fields.get(name, "").startswith("https://"):
            yield f"{name} is no https address"
    if not _VERSION.match(fields.get("version", "")):
        yield "version is not of the form 1.2.3"
    if fields.get("category") not in CATEGORIES:
        yield f"category is none of {', '.join(sorted(CATEGORIES))}"
    if "plugin" in fields.get("name", "").lower():
        yield "name holds the word plugin"
    least, most = (_number(fields.get(name, "")) for name in ("qgisMinimumVersion", "qgisMaximumVersion"))
    if not (least and most and least < most):
        yield "qgisMinimumVersion and qgisMaximumVersion are no range"
    if "unofficial" not in fields.get("about", ""):
        yield "about does not say that the plugin is unofficial"


def _number(version: str) -> List[int]:
    return [int(part) for part in version.split(".")] if re.match(r"\d+(\.\d+)+$", version) else []


def _files(fields: Mapping[str, str], folder: Path) -> Iterator[str]:
    icon = folder / fields.get("icon", "missing")
    if not icon.is_file() or not icon.read_bytes().startswith(PNG_START):
        yield "icon is no PNG file of the plugin"
    if not (folder / "LICENSE").is_file():
        yield "LICENSE is missing"
    changelog = folder / "CHANGELOG.md"
    headings = re.findall(r"^## \[(.+?)\]", changelog.read_text("utf-8"), re.M) if changelog.is_file() else []
    if not {fields.get("version", ""), "Unreleased"} & set(headings):
        yield "CHANGELOG.md has no section for this version"


def main(arguments: List[str]) -> int:
    """Check the metadata in the given folder."""
    return tell(problems(Path(arguments[0])), "metadata.txt")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
