"""Find enum members of Qt and QGIS classes that are not spelled with their enum's name.

``Qt.AlignLeft`` works on Qt 5 only, ``Qt.AlignmentFlag.AlignLeft`` on both. The classes of combined members are told as
well: newer QGIS has no ``QgsMapLayerProxyModel.Filters``, and Qt 6 no ``Qt.ItemFlags``. Classes are looked up in the
QGIS at hand, so this runs with the Python that has it.

usage: .venv/bin/python .ci/check_enums.py FOLDER...
"""

from __future__ import annotations

import ast
import enum
import importlib
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from project import files_below, tell

Names = Dict[str, Any]


def imported_names(tree: ast.Module) -> Names:
    """Look up everything that a source imports from QGIS, by the name it has in the source."""
    names: Names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "qgis":
            for alias in node.names:
                found = _look_up(str(node.module), alias.name)
                if found is not None:
                    names[alias.asname or alias.name] = found
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".", 1)[0] == "qgis":
                    module = importlib.import_module(alias.name)
                    names[alias.asname or "qgis"] = module if alias.asname else importlib.import_module("qgis")
    return names


def _look_up(module: str, name: str) -> Any:
    try:
        found = getattr(importlib.import_module(module), name, None)
        return found if found is not None else importlib.import_module(f"{module}.{name}")
    except ImportError:
        return None


def is_member(value: object) -> bool:
    """Tell whether a value is a member of an enum, of Python's kind or of Qt's."""
    plain = type(value) in (int, bool)
    return isinstance(value, enum.Enum) or (isinstance(value, int) and not plain)


def unscoped(node: ast.Attribute, owner: Any) -> Optional[str]:
    """Return the right spelling of an attribute of a class, when it is a member reached without its enum."""
    value = getattr(owner, node.attr, None)
    if not isinstance(owner, type) or not is_member(value) or isinstance(value, owner):
        return None
    return f"{type(value).__qualname__}.{node.attr}"


def is_flags(value: object) -> bool:
    """Tell whether a value is Qt's class for combined members of an enum, as ``Qt.Alignment`` is."""
    return isinstance(value, type) and not issubclass(value, int) and {"__or__", "__int__"} <= set(vars(value))


def resolve(node: ast.expr, names: Names) -> Any:
    """Return the object that a dotted name stands for, or None."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = resolve(node.value, names)
        return None if owner is None else getattr(owner, node.attr, None)
    return None


def attributes(tree: ast.Module, names: Names) -> Iterator[Tuple[ast.Attribute, Any]]:
    """Yield each attribute whose owner is known: a class by its name, ``self`` by the bases of its class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = resolve(node.value, names)
            if owner is not None:
                yield node, owner
        elif isinstance(node, ast.ClassDef):
            bases = [base for base in (resolve(base, names) for base in node.bases) if isinstance(base, type)]
            for inner in ast.walk(node):
                if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == "self":
                    yield from ((inner, base) for base in bases if hasattr(base, inner.attr))


def problems(path: Path) -> List[str]:
    """List the unscoped enum members of one source file, and the classes of combined ones."""
    tree = ast.parse(path.read_text("utf-8"))
    found = []
    for node, owner in attributes(tree, imported_names(tree)):
        if isinstance(node.ctx, ast.Load) and isinstance(owner, type) and is_flags(getattr(owner, node.attr, None)):
            place = f"{path}:{node.lineno}:{node.col_offset + 1}"
            found.append(f"{place}: {ast.unparse(node)} is gone in newer versions; members are joined with | alone")
        right = unscoped(node, owner)
        if right:
            found.append(f"{path}:{node.lineno}:{node.col_offset + 1}: {ast.unparse(node)} is to be {right}")
    return found


def main(arguments: List[str]) -> int:
    """Check the files below the given folders."""
    files = list(files_below(map(Path, arguments), ".py"))
    return tell([line for file in files for line in problems(file)], f"enums of {len(files)} files")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
