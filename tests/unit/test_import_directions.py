"""Imports run one way: gui and processing to qgis_bridge to core to api; the sandbox stands alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Iterator, List, NamedTuple

import pytest

PACKAGE = "up42_plugin"
ROOT = Path(__file__).resolve().parents[2]

#: What each room may import of the others. A file at the top of the package is a room of its own.
MAY_IMPORT = {
    "api": {"api"},
    "core": {"core", "api"},
    "qgis_bridge": {"qgis_bridge", "core", "api", "resources"},
    "processing": {"processing", "qgis_bridge", "core", "api", "resources"},
    "gui": {"gui", "qgis_bridge", "core", "api", "resources"},
    "plugin": {"plugin", "gui", "processing", "qgis_bridge", "core", "api", "resources"},
    "sandbox": {"sandbox"},
    "resources": {"resources"},
    "__init__": {"plugin"},
}
QT_BINDINGS = {"PyQt5", "PyQt6", "PySide2", "PySide6"}
#: Besides the standard library; every QGIS brings these.
LIBRARIES = {"requests", "urllib3", "numpy", "osgeo", "qgis"}
NOT_IN_ROOM = {
    "api": {"qgis", "osgeo"},
    "core": {"qgis"},
    "sandbox": {"qgis", "requests", "urllib3"},
    "resources": {"qgis", "osgeo", "requests", "urllib3", "numpy"},
}


class Import(NamedTuple):
    line: int
    module: str
    at_module_level: bool


def imports(source: str, package: str) -> Iterator[Import]:
    """Every module a source names in an import, those inside functions and ``import_module("...")`` included."""
    tree = ast.parse(source)
    outermost = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        at_module_level = id(node) in outermost
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, at_module_level)
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            for alias in node.names:
                yield Import(node.lineno, f"{prefix}.{alias.name}", at_module_level)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"import_module", "__import__"}:
            yield Import(node.lineno, known_part(node.args[0], package), at_module_level)


def known_part(argument: ast.expr, package: str) -> str:
    """As much of a computed module name as stands in the source; ``__package__`` is known, too."""
    text = ""
    for part in argument.values if isinstance(argument, ast.JoinedStr) else [argument]:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        elif isinstance(part, ast.FormattedValue) and ast.unparse(part.value) == "__package__":
            text += package
        else:
            return text if text.count(".") > 1 else "<computed>"
    return text


def room_of(path: Path) -> str:
    """Name the room of a file, its path being relative to the package."""
    return path.parts[0] if len(path.parts) > 1 else path.stem


def complaint(room: str, module: str) -> str:
    """Say what is wrong with a room importing a module; nothing when it may."""
    top, _, rest = module.partition(".")
    if not top:
        return "imports relatively"
    if top == PACKAGE:
        target = rest.partition(".")[0]
        return "" if target in MAY_IMPORT[room] else f"imports {PACKAGE}.{target}"
    if top in QT_BINDINGS:
        return f"imports {top}: use qgis.PyQt"
    if top not in LIBRARIES and top not in sys.stdlib_module_names:
        return f"imports {top}, which a user's QGIS may not have"
    if top in NOT_IN_ROOM.get(room, set()):
        return f"imports {top}"
    return ""


def violations(root: Path) -> List[str]:
    """List every import under ``root/up42_plugin`` that the rules forbid."""
    found = []
    for path in sorted((root / PACKAGE).rglob("*.py")):
        inside = path.relative_to(root / PACKAGE)
        room = room_of(inside)
        if room not in MAY_IMPORT:
            found.append(f"{inside}: {room} is no room of the plugin")
            continue
        for line, module, at_module_level in imports(path.read_text("utf-8"), ".".join([PACKAGE, *inside.parts[:-1]])):
            problem = complaint(room, module)
            if not problem and inside.as_posix() == "__init__.py" and at_module_level and module[:10] != "__future__":
                problem = f"imports {module} at module level"
            if problem:
                found.append(f"{inside}:{line}: {room} {problem}")
    return found


def test_rooms_import_one_way_only():
    assert violations(ROOT) == []


def test_every_room_is_looked_at():
    rooms = {room_of(path.relative_to(ROOT / PACKAGE)) for path in (ROOT / PACKAGE).rglob("*.py")}
    assert {"api", "core", "qgis_bridge", "gui", "sandbox", "__init__", "plugin", "resources"} <= rooms


@pytest.mark.parametrize(
    ("path", "source", "said"),
    [
        ("api/client.py", "from up42_plugin.core.jobs import Job", "api imports up42_plugin.core"),
        ("api/client.py", "import qgis.core", "api imports qgis"),
        ("api/client.py", "def f():\n    from osgeo import gdal", "api imports osgeo"),
        ("core/jobs.py", "from up42_plugin.qgis_bridge import log", "core imports up42_plugin.qgis_bridge"),
        ("core/jobs.py", "from qgis.PyQt.QtCore import QObject", "core imports qgis"),
        ("core/jobs.py", "from up42_plugin import gui", "core imports up42_plugin.gui"),
        ("qgis_bridge/layers.py", "import up42_plugin.gui.dock", "qgis_bridge imports up42_plugin.gui"),
        ("gui/dock.py", "from PyQt5.QtWidgets import QWidget", "gui imports PyQt5: use qgis.PyQt"),
        ("gui/dock.py", "from up42_plugin.sandbox import server", "gui imports up42_plugin.sandbox"),
        ("gui/dock.py", "import importlib\nimportlib.import_module('up42_plugin.sandbox')", "up42_plugin.sandbox"),
        ("gui/dock.py", "import importlib\nimportlib.import_module(name)", "imports <computed>"),
        ("gui/dock.py", "import importlib\nimportlib.import_module(f'up42_plugin.{name}')", "imports <computed>"),
        ("gui/dock.py", "import importlib\nimportlib.import_module(f'up42_plugin.sandbox.{name}')", "sandbox"),
        ("gui/dock.py", "from . import texts", "gui imports relatively"),
        ("plugin.py", "from up42_plugin.sandbox.server import Server", "plugin imports up42_plugin.sandbox"),
        ("sandbox/server.py", "from up42_plugin.api import wire", "sandbox imports up42_plugin.api"),
        ("sandbox/server.py", "import shapely", "sandbox imports shapely, which a user's QGIS may not have"),
        ("__init__.py", "from up42_plugin.plugin import Up42Plugin", "at module level"),
        ("extras/new.py", "", "extras is no room"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path, path, source, said):
    file = tmp_path / PACKAGE / path
    file.parent.mkdir(parents=True)
    file.write_text(source, "utf-8")
    (found,) = violations(tmp_path)
    assert said in found


def test_allowed_imports_pass(tmp_path):
    for path, source in {
        "gui/dock.py": "from up42_plugin.qgis_bridge.jobs import JobRunner\nfrom qgis.PyQt.QtCore import Qt",
        "sandbox/runners/registry.py": "import importlib\nimportlib.import_module(f'{__package__}.{name}')",
        "core/output.py": "import json\nfrom osgeo import gdal\nfrom up42_plugin.api.errors import Up42Error",
        "__init__.py": "def classFactory(iface):\n    from up42_plugin.plugin import Up42Plugin\n",
    }.items():
        file = tmp_path / PACKAGE / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, "utf-8")
    assert violations(tmp_path) == []
