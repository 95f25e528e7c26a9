"""Which block fits behind which: the service's rules of capabilities.

For every key in a block's input capabilities the output of the block before must hold a matching value: an equal one,
or any member of ``{"or": [...]}`` on either side; a list of bands matches when every band needed is there. ``">"`` in
an output takes the value from the output before, ``"${name}"`` the value of a parameter (its default, as long as no
job gives one). Empty input means first block, empty output means last block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from up42_plugin.sandbox.catalogue import Block, Catalogue

INHERIT = ">"
_PARAMETER = re.compile(r"\$\{(\w+)\}")
Capabilities = Mapping[str, Any]


@dataclass(frozen=True)
class Link:
    """One task of a chain: its name, its block and the name of the task before it (None for the first)."""

    name: str
    block: Block
    parent: Optional[str] = None


@dataclass(frozen=True)
class ChainCheck:
    """What is wrong with a chain: the tasks concerned and, for some, the input capabilities that nothing provides."""

    invalid: Tuple[str, ...]
    missing: Mapping[str, Tuple[str, ...]]

    @property
    def valid(self) -> bool:
        """Whether the chain can be saved."""
        return not self.invalid


def check_chain(links: Sequence[Link]) -> ChainCheck:
    """Check tasks in chain order. Parents must come before their children; see :mod:`capabilities` for the rules."""
    missing: Dict[str, Tuple[str, ...]] = {}
    invalid: List[str] = []
    outputs: Dict[str, Capabilities] = {}
    for position, link in enumerate(links):
        parent = outputs.get(link.parent) if link.parent is not None else None
        gaps = _first_gaps(link) if position == 0 else _gaps(link, parent)
        if gaps is not None:
            invalid.append(link.name)
            if gaps:
                missing[link.name] = gaps
        outputs[link.name] = resolved_output(link.block, parent or {})
    return ChainCheck(tuple(invalid), missing)


def _first_gaps(link: Link) -> Optional[Tuple[str, ...]]:
    """None when the block may come first."""
    wanted = _flat(link.block.capabilities.get("input", {}))
    if link.parent is None and link.block.is_data and not wanted:
        return None
    return tuple(sorted(wanted))


def _gaps(link: Link, parent: Optional[Capabilities]) -> Optional[Tuple[str, ...]]:
    """None when the block fits behind an output, else the input capabilities nothing provides."""
    wanted = _flat(link.block.capabilities.get("input", {}))
    if parent is None or not wanted or link.block.is_data:
        return tuple(sorted(wanted))
    gaps = unmatched(link.block, parent)
    return gaps or None


def unmatched(block: Block, output: Capabilities) -> Tuple[str, ...]:
    """The input capabilities of ``block`` (like ``raster.up42_standard.format``) that a resolved output lacks."""
    offered = _flat(output)
    wanted = _flat(block.capabilities.get("input", {}))
    return tuple(sorted(key for key, value in wanted.items() if key not in offered or not _fits(value, offered[key])))


def fits_behind(block: Block, output: Capabilities) -> bool:
    """Whether a processing block may follow a resolved output."""
    return not block.is_data and bool(block.capabilities.get("input")) and bool(output) and not unmatched(block, output)


def resolved_output(block: Block, parent: Capabilities, parameters: Optional[Mapping[str, Any]] = None) -> Capabilities:
    """The block's output with everything inherited and every parameter filled in; inherited gaps are left out."""
    inherited = _flat(parent)
    values = block.with_defaults(parameters or {})
    result: Dict[str, Any] = {}
    for key, value in _flat(block.capabilities.get("output", {})).items():
        if value == INHERIT:
            if key in inherited:
                _put(result, key, inherited[key])
            continue
        named = _PARAMETER.fullmatch(value) if isinstance(value, str) else None
        _put(result, key, values.get(named.group(1)) if named else value)
    return result


def candidates_behind(catalogue: Catalogue, output: Capabilities) -> List[Block]:
    """Every block that may follow a resolved output."""
    return [block for block in catalogue.blocks if fits_behind(block, output)]


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Dict[str, Any]:
    """``{"raster": {"up42_standard": {"format": …}}}`` as ``{"raster.up42_standard.format": …}``."""
    flat: Dict[str, Any] = {}
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and "or" not in value:
            flat.update(_flat(value, f"{key}."))
        else:
            flat[key] = value
    return flat


def _put(tree: Dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        tree = tree.setdefault(parent, {})
    tree[last] = value


def _fits(wanted: Any, offered: Any) -> bool:
    return any(_equal(want, offer) for want in _choices(wanted) for offer in _choices(offered))


def _choices(value: Any) -> Sequence[Any]:
    if isinstance(value, Mapping) and "or" in value:
        return list(value["or"])
    return [value]


def _equal(wanted: Any, offered: Any) -> bool:
    if isinstance(wanted, list) and isinstance(offered, list):
        return set(wanted) <= set(offered)
    return bool(wanted == offered)
