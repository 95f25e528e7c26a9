"""Check that every Qt name and enum member which a source takes from qgis.PyQt exists in PyQt6 as well.

No QGIS on Qt 6 is needed, only PyQt6: this is a reading of the sources, not a run on QGIS 4.

usage: .venv-lint/bin/python .ci/check_qt6.py FOLDER...
"""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

from project import files_below, tell

#: Qt 6 moved these to QtGui; qgis.PyQt.QtWidgets of QGIS 4 still offers them.
MOVED_TO_GUI = frozenset(
    {"QAction", "QActionGroup", "QFileSystemModel", "QShortcut", "QUndoCommand", "QUndoGroup", "QUndoStack"}
)
#: Methods that Qt 6 or PyQt6 dropped, with what to call instead.
DROPPED_METHODS = {
    "exec_": "exec()",
    "print_": "print()",
    "globalPos": "globalPosition().toPoint() where it exists",
    "toTime_t": "toSecsSinceEpoch()",
    "fromTime_t": "fromSecsSinceEpoch()",
}
BINDINGS = frozenset({"PyQt5", "PyQt6", "PySide2", "PySide6"})


class Reader:
    """Reads one source file and collects what would fail on Qt 6."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: Dict[str, Any] = {}
        self.problems: List[str] = []

    def read(self) -> List[str]:
        """Return the file's problems."""
        tree = ast.parse(self._path.read_text("utf-8"))
        nodes = list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self._module(node, alias.name)
                    self._take_module(node, alias)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                self._module(node, str(node.module))
                self._take(node)
        owners = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
        for node in nodes:
            if isinstance(node, ast.Attribute) and id(node) not in owners:
                self._follow(node)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                self._call(node, node.func.attr)
        return self.problems

    def _say(self, node: ast.AST, text: str) -> None:
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        self.problems.append(f"{self._path}:{line}:{column + 1}: {text}")

    def _module(self, node: ast.AST, module: str) -> None:
        if module.split(".", 1)[0] in BINDINGS:
            self._say(node, f"{module} is bound to one Qt: import from qgis.PyQt")

    def _take(self, node: ast.ImportFrom) -> None:
        parts = str(node.module).split(".")
        if parts[:2] != ["qgis", "PyQt"] or parts[2:] == ["uic"]:
            return
        for alias in node.names:
            try:
                self._names[alias.asname or alias.name] = _from_pyqt6(".".join(parts[2:]), alias.name)
            except (AttributeError, ImportError):
                self._say(node, f"{node.module}.{alias.name} does not exist in PyQt6")

    def _take_module(self, node: ast.Import, alias: ast.alias) -> None:
        if not alias.name.startswith("qgis.PyQt."):
            return
        if alias.asname is None:
            self._say(node, f"{alias.name} is to be imported by name, so that what is used of it can be read")
        else:
            self._names[alias.asname] = importlib.import_module(alias.name.replace("qgis.PyQt", "PyQt6", 1))

    def _follow(self, node: ast.Attribute) -> None:
        root, attributes = _dotted(node)
        if root not in self._names:
            return
        owner, spelled = self._names[root], root
        for attribute in attributes:
            if not (isinstance(owner, type) or hasattr(owner, "__path__") or hasattr(owner, "__spec__")):
                return
            spelled += f".{attribute}"
            if not hasattr(owner, attribute):
                self._say(node, f"{spelled} does not exist in PyQt6")
                return
            owner = getattr(owner, attribute)

    def _call(self, node: ast.Call, method: str) -> None:
        if method in DROPPED_METHODS:
            self._say(node, f".{method}() is gone in PyQt6: {DROPPED_METHODS[method]}")


def _from_pyqt6(module: str, name: str) -> Any:
    if not module:
        return importlib.import_module(f"PyQt6.{name}")
    if module == "QtWidgets" and name in MOVED_TO_GUI:
        module = "QtGui"
    return getattr(importlib.import_module(f"PyQt6.{module}"), name)


def _dotted(node: ast.expr) -> Tuple[str, List[str]]:
    attributes: List[str] = []
    while isinstance(node, ast.Attribute):
        attributes.insert(0, node.attr)
        node = node.value
    return (node.id if isinstance(node, ast.Name) else "", attributes)


def main(arguments: List[str]) -> int:
    """Check the files below the given folders."""
    files = list(files_below(map(Path, arguments), ".py"))
    return tell([line for file in files for line in Reader(file).read()], f"Qt 6 names of {len(files)} files")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
