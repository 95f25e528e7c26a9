"""Which block fits behind which, by the capabilities that blocks declare: our own reading, to explain with.

The service's contract: for every key of a block's input capabilities the resolved output of the block before must hold
a matching value: an equal one, or any member of ``{"or": [...]}`` on either side. In an output ``">"`` takes the value
from the output before, ``"${name}"`` the value of a parameter. An empty input is for the first block only, an empty
output for the last one only. Two points are assumptions, for the contract does not tell: a list of bands matches when
every band needed is there, and an absent key matches nothing. The service has the last word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from up42_plugin.core.workflow import Block, BlockType

INHERIT = ">"
_PARAMETER = re.compile(r"\$\{(\w+)\}")

# A resolved output, flat: ``{"raster.up42_standard.format": "GTiff"}``.
Output = Mapping[str, Any]


@dataclass(frozen=True)
class Mismatch:
    """One input capability that the output before does not satisfy.

    ``wanted`` are the values of which one would do, ``offered`` those that come in: none where the key is absent.
    """

    key: str
    wanted: Tuple[Any, ...]
    offered: Tuple[Any, ...]

    @property
    def kind(self) -> str:
        """``raster``, ``vector`` or another kind of data."""
        return self.key.split(".")[0]

    @property
    def name(self) -> str:
        """The last part of the key, such as ``format``, ``sensor`` or ``bands``."""
        return self.key.split(".")[-1]


def resolved_output(block: Block, before: Output) -> Output:
    """What the block hands on, behind an output: inherited values and defaults of parameters are filled in.

    What should be inherited and does not come in is left out.
    """
    result: Dict[str, Any] = {}
    for key, value in _flat(_side(block, "output")).items():
        if value == INHERIT:
            if key in before:
                result[key] = before[key]
            continue
        named = _PARAMETER.fullmatch(value) if isinstance(value, str) else None
        result[key] = block.parameters.get(named.group(1), {}).get("default") if named else value
    return result


def output_of_chain(blocks: Sequence[Block]) -> Output:
    """What the last block of a chain hands on; nothing for an empty chain."""
    output: Output = {}
    for block in blocks:
        output = resolved_output(block, output)
    return output


def mismatches(block: Block, before: Output) -> Tuple[Mismatch, ...]:
    """The input capabilities of a processing block that an output does not satisfy, in the block's own order."""
    return tuple(
        Mismatch(key, choices(value), choices(before[key]) if key in before else ())
        for key, value in wanted_by(block).items()
        if key not in before or not _fits(value, before[key])
    )


def wanted_by(block: Block) -> Mapping[str, Any]:
    """The block's input capabilities, flat."""
    return _flat(_side(block, "input"))


def declares_nothing(block: Block) -> bool:
    """Whether nothing is known of what the block takes: lists of blocks leave the capabilities out."""
    return not block.capabilities


def first_misfit(blocks: Sequence[Block]) -> Optional[int]:
    """The place of the first block that cannot stand where it stands; None for a chain that is possible.

    A block that declares nothing, and what stands behind it, cannot be judged here and counts as possible.
    """
    output: Output = {}
    for place, block in enumerate(blocks):
        if not can_stand(block, place, output):
            return place
        if declares_nothing(block):
            rest = enumerate(blocks[place + 1 :], place + 1)
            return next((later for later, other in rest if other.type is BlockType.DATA), None)
        output = resolved_output(block, output)
    return None


def can_stand(block: Block, place: int, before: Output) -> bool:
    """Whether a block can stand at a place behind an output: data first, processing where its input is satisfied."""
    if place == 0 or block.type is BlockType.DATA:
        return place == 0 and block.type is BlockType.DATA
    if declares_nothing(block):
        return True
    return bool(before) and bool(wanted_by(block)) and not mismatches(block, before)


def choices(value: Any) -> Tuple[Any, ...]:
    """The members of ``{"or": [...]}``, else the one value."""
    if isinstance(value, Mapping) and isinstance(value.get("or"), list):
        return tuple(value["or"])
    return (value,)


def _side(block: Block, side: str) -> Mapping[str, Any]:
    tree = block.capabilities.get(side)
    return tree if isinstance(tree, Mapping) else {}


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Dict[str, Any]:
    flat: Dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping) and "or" not in value:
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _fits(wanted: Any, offered: Any) -> bool:
    return any(_equal(want, offer) for want in choices(wanted) for offer in choices(offered))


def _equal(wanted: Any, offered: Any) -> bool:
    if isinstance(wanted, list) and isinstance(offered, list):
        return all(member in offered for member in wanted)
    return bool(wanted == offered)
