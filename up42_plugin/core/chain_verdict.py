"""Whether a chain of blocks can be saved: by the service's word as far as it has been heard, else by our own check."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, FrozenSet, Iterator, Mapping, Optional, Sequence, Tuple

from up42_plugin.core.capability_check import can_stand, declares_nothing, first_misfit, output_of_chain
from up42_plugin.core.capability_words import why_not
from up42_plugin.core.workflow import Block, BlockType, Workflow

Ids = Tuple[str, ...]

CHECKING = "Checking…"
ACCEPTED = "The service accepts this chain."
COULD_NOT_ASK = "Could not ask the service; checked here only."
DECIDED_LATER = "Checked here; the service decides when you save."
NO_TEST_QUERY = "This block offers no test query; its live jobs cannot be tried first."


class Standing(str, Enum):
    """How a chain stands."""

    EMPTY = "EMPTY"
    CHECKING = "CHECKING"
    ACCEPTED = "ACCEPTED"
    HERE_ONLY = "HERE_ONLY"
    IMPOSSIBLE = "IMPOSSIBLE"


@dataclass(frozen=True)
class Verdict:
    """The standing, and the sentence for the person."""

    standing: Standing
    text: str

    @property
    def possible(self) -> bool:
        """Whether the chain may be saved."""
        return self.standing in (Standing.ACCEPTED, Standing.HERE_ONLY)


@dataclass(frozen=True)
class Knowledge:
    """What has been heard of the service. Beginnings and chains are tuples of block ids.

    ``saved`` are the project's workflows, whose chains it has accepted; ``followers`` the blocks that it lets follow a
    beginning; ``refused`` whole chains with its words; ``asking`` and ``unanswered`` beginnings asked about.
    """

    saved: Tuple[Workflow, ...] = ()
    followers: Mapping[Ids, FrozenSet[str]] = field(default_factory=dict)
    refused: Mapping[Ids, str] = field(default_factory=dict)
    asking: FrozenSet[Ids] = frozenset()
    unanswered: FrozenSet[Ids] = frozenset()

    def asks(self, beginning: Ids) -> Knowledge:
        """The same, with a question under way."""
        return replace(self, asking=self.asking | {beginning}, unanswered=self.unanswered - {beginning})

    def hears(self, beginning: Ids, followers: FrozenSet[str]) -> Knowledge:
        """The same, with an answer."""
        known = {**self.followers, beginning: followers}
        return replace(self, followers=known, asking=self.asking - {beginning})

    def misses(self, beginning: Ids) -> Knowledge:
        """The same, with a question that got no answer."""
        return replace(self, asking=self.asking - {beginning}, unanswered=self.unanswered | {beginning})

    def asks_again(self) -> Knowledge:
        """The same, with everything without an answer open once more."""
        return replace(self, unanswered=frozenset())

    def hears_no(self, chain: Ids, words: str) -> Knowledge:
        """The same, with a chain that was not accepted."""
        return replace(self, refused={**self.refused, chain: words})

    def accepts(self, chain: Ids, block_id: str) -> Optional[bool]:
        """The service's word on a block behind a chain, None while it is not known."""
        if chain in self.followers:
            return block_id in self.followers[chain]
        longer = (*chain, block_id)
        return True if any(ids_of(one.steps)[: len(longer)] == longer for one in self.saved) else None

    def witness(self, beginning: Ids) -> Optional[Tuple[str, str]]:
        """The id of a saved workflow that begins so, and the name of the task there: by them the service is asked."""
        for one in self.saved:
            if beginning and ids_of(one.steps)[: len(beginning)] == beginning:
                return one.id, one.steps[len(beginning) - 1].name
        return None

    def open_questions(self, chain: Ids) -> Iterator[Tuple[Ids, str, str]]:
        """The beginnings of a chain that can be asked about and were not: with workflow id and task name."""
        for length in range(1, len(chain) + 1):
            beginning = chain[:length]
            heard = beginning in self.followers or beginning in self.asking or beginning in self.unanswered
            witness = None if heard else self.witness(beginning)
            if witness is not None:
                yield (beginning, *witness)


@dataclass(frozen=True)
class Offer:
    """A block that could be added. ``reason`` says why it does not fit."""

    block: Block
    fits: bool
    reason: str = ""


def ids_of(parts: Sequence[Any]) -> Ids:
    """The block ids of blocks or of steps."""
    return tuple(part.id if isinstance(part, Block) else part.block.id for part in parts)


def verdict_of(blocks: Sequence[Block], known: Knowledge) -> Verdict:
    """Judge a chain: what the service said counts, and where it said nothing, our own check."""
    if not blocks:
        return Verdict(Standing.EMPTY, "Add a data block first.")
    ids = ids_of(blocks)
    words = [known.accepts(ids[:place], ids[place]) for place in range(1, len(ids))]
    refusal = _misplaced(blocks) or _refused(blocks, words, known)
    if refusal:
        return Verdict(Standing.IMPOSSIBLE, f"Not possible: {refusal}")
    if None not in words:
        return Verdict(Standing.ACCEPTED, ACCEPTED)
    return _unheard(blocks, words, known)


def offers_behind(blocks: Sequence[Block], catalogue: Sequence[Block], known: Knowledge) -> Tuple[Offer, ...]:
    """What can be added to a chain, in the catalogue's order: data blocks where it has none yet in front."""
    if needs_data(blocks):
        return tuple(Offer(block, True) for block in catalogue if block.type is BlockType.DATA)
    ids, output = ids_of(blocks), output_of_chain(blocks)
    unjudged = any(declares_nothing(block) for block in blocks)
    offers = []
    for block in catalogue:
        if block.type is BlockType.DATA:
            continue
        word = known.accepts(ids, block.id)
        fits = word if word is not None else unjudged or can_stand(block, len(blocks), output)
        offers.append(Offer(block, fits, "" if fits else _refusal((*blocks, block), len(blocks))))
    return tuple(offers)


def needs_data(blocks: Sequence[Block]) -> bool:
    """Whether the chain lacks the data block in front."""
    return not blocks or blocks[0].type is not BlockType.DATA


def _misplaced(blocks: Sequence[Block]) -> str:
    if needs_data(blocks):
        return f"a workflow begins with a data block, not with {blocks[0].title}."
    second = next((block for block in blocks[1:] if block.type is BlockType.DATA), None)
    return "" if second is None else f"{second.title} is a data block and can only come first."


def _refusal(blocks: Sequence[Block], place: int) -> str:
    """Why a block cannot follow: by our own check, or that the service says so."""
    block, before = blocks[place], blocks[place - 1]
    explained = why_not(block, output_of_chain(blocks[:place]))
    return explained or f"{block.title} cannot follow {before.title}."


def _refused(blocks: Sequence[Block], words: Sequence[Optional[bool]], known: Knowledge) -> str:
    """Why the service does not accept the chain, as far as it said so."""
    if False in words:
        return _refusal(blocks, words.index(False) + 1)
    said = known.refused.get(ids_of(blocks), "")
    misfit = first_misfit(blocks) if said else None
    return said if misfit is None else _refusal(blocks, misfit)


def _unheard(blocks: Sequence[Block], words: Sequence[Optional[bool]], known: Knowledge) -> Verdict:
    """The verdict where the service has not said yes to every step, and not no."""
    ids = ids_of(blocks)
    beginnings = [ids[:place] for place in range(1, len(ids)) if words[place - 1] is None]
    if any(beginning in known.asking for beginning in beginnings):
        return Verdict(Standing.CHECKING, CHECKING)
    misfit = first_misfit(blocks)
    if misfit is not None and words[misfit - 1] is None:
        return Verdict(Standing.IMPOSSIBLE, f"Not possible: {_refusal(blocks, misfit)}")
    failed = any(beginning in known.unanswered for beginning in beginnings)
    return Verdict(Standing.HERE_ONLY, COULD_NOT_ASK if failed else DECIDED_LATER)
