"""Which chains of blocks are possible: the rules of capabilities, and the service's word before them."""

from __future__ import annotations

import json

import pytest

from up42_plugin.core.capability_check import can_stand, first_misfit, mismatches, output_of_chain, resolved_output
from up42_plugin.core.capability_words import produces_text, takes_text, why_not, why_not_short
from up42_plugin.core.chain_verdict import (
    ACCEPTED,
    CHECKING,
    COULD_NOT_ASK,
    DECIDED_LATER,
    Knowledge,
    Standing,
    ids_of,
    offers_behind,
    verdict_of,
)
from up42_plugin.core.workflow import Block, BlockType, Step, Workflow
from up42_plugin.sandbox import capabilities as service_rules
from up42_plugin.sandbox.catalogue import Catalogue

PLACE = "raster.up42_standard"


def block(name, takes=None, gives=None, data=False, title="", **more):
    """A block; ``takes`` and ``gives`` are members of the standard raster capabilities, None for none."""
    capabilities = {
        "input": {} if takes is None else {"raster": {"up42_standard": takes}},
        "output": {} if gives is None else {"raster": {"up42_standard": gives}},
    }
    kind = BlockType.DATA if data else BlockType.PROCESSING
    return Block(name, name, title or name, kind, capabilities=capabilities, **more)


def saved(*blocks, workflow_id="w"):
    return Workflow(workflow_id, workflow_id, "", tuple(Step(f"{one.name}:1", one) for one in blocks))


SAFE = block(
    "safe", gives={"format": "SAFE", "sensor": "Sentinel2", "bands": ["red", "nir"]}, data=True, title="SAFE S2"
)
TIFF = block("tiff", gives={"format": "GTiff", "sensor": "Sentinel2"}, data=True)
ENHANCE = block("enhance", {"format": "SAFE", "sensor": "Sentinel2"}, {"format": "GTiff", "sensor": ">", "bands": ">"})
NDVI = block(
    "ndvi",
    {"format": "GTiff", "sensor": {"or": ["Pleiades", "SPOT"]}, "bands": ["red", "nir"]},
    {"format": "GTiff", "bands": ["ndvi"]},
    title="NDVI",
)
SHARPEN = block("sharpen", {"format": "GTiff"}, {"format": "GTiff", "sensor": ">", "bands": ">"}, title="Sharpening")
EXPORT = block("export", {"format": {"or": ["GTiff", "SAFE"]}})
MUTE = Block("mute", "mute", "Mute", BlockType.PROCESSING)
ALL = (SAFE, TIFF, ENHANCE, NDVI, SHARPEN, EXPORT)


def core_block(of):
    kind = BlockType.DATA if of.is_data else BlockType.PROCESSING
    return Block(of.id, of.name, of.title, kind, parameters=of.parameters, capabilities=of.capabilities)


def test_our_check_agrees_with_the_service_on_every_pair_of_its_blocks():
    """Both are readings of the same contract and share no code."""
    blocks = Catalogue.load().blocks
    fitting = 0
    for before in blocks:
        first = core_block(before)
        theirs = service_rules.resolved_output(before, {})
        ours = resolved_output(first, {})
        for after in blocks:
            expected = service_rules.fits_behind(after, theirs)
            fitting += expected
            assert can_stand(core_block(after), 1, ours) == expected, (before.name, after.name)
    assert fitting > 100


@pytest.mark.parametrize(
    ("chain", "misfit"),
    [
        ((SAFE,), None),
        ((SAFE, ENHANCE, SHARPEN), None),
        ((SAFE, EXPORT), None),
        ((ENHANCE,), 0),
        ((SAFE, SHARPEN), 1),
        ((SAFE, ENHANCE, ENHANCE), 2),
        ((SAFE, TIFF), 1),
        ((SAFE, EXPORT, SHARPEN), 2),
        ((SAFE, MUTE, ENHANCE), None),
        ((SAFE, MUTE, TIFF), 2),
    ],
)
def test_the_first_block_that_cannot_stand_where_it_stands(chain, misfit):
    assert first_misfit(chain) == misfit


def test_inherited_values_parameters_and_gaps():
    assert output_of_chain((SAFE, ENHANCE)) == {
        f"{PLACE}.format": "GTiff",
        f"{PLACE}.sensor": "Sentinel2",
        f"{PLACE}.bands": ["red", "nir"],
    }
    assert f"{PLACE}.bands" not in output_of_chain((TIFF, SHARPEN))
    tiles = block("tile", {}, {"tile_width": "${width}"}, parameters={"width": {"type": "integer", "default": 768}})
    assert resolved_output(tiles, {}) == {f"{PLACE}.tile_width": 768}
    (gap,) = mismatches(SHARPEN, output_of_chain((SAFE,)))
    assert (gap.kind, gap.name, gap.wanted, gap.offered) == ("raster", "format", ("GTiff",), ("SAFE",))


def test_reasons_are_told_in_words():
    s2 = output_of_chain((TIFF,))
    assert why_not(NDVI, s2) == "NDVI needs Pléiades or SPOT, Sentinel-2 comes in."
    assert why_not_short(NDVI, s2) == "Needs Pléiades or SPOT"
    assert why_not_short(ENHANCE, output_of_chain((SAFE, ENHANCE))) == "Needs SAFE, gets GeoTIFF"
    assert why_not(SHARPEN, s2) == ""
    shapes = {"vector.up42_standard.format": "GeoJSON"}
    assert why_not(SHARPEN, shapes) == "Sharpening needs a raster, vector data comes in."
    few = block("few", {"bands": ["red", "nir"]}, title="Few")
    assert why_not(few, {f"{PLACE}.bands": ["red"]}) == "Few needs the bands red, nir, the band red comes in."
    assert why_not(few, {f"{PLACE}.format": "GTiff"}) == "Few needs the bands red, nir, none comes in."
    assert takes_text(NDVI) == "GeoTIFF raster, Pléiades or SPOT, the bands red, nir"
    assert produces_text(output_of_chain((SAFE,))) == "SAFE, 2 bands"


def test_the_service_is_believed_before_our_own_check():
    """It may accept what we would not, and refuse what we would accept."""
    known = Knowledge().hears(("safe",), frozenset({"ndvi"}))
    assert verdict_of((SAFE, NDVI), known).text == ACCEPTED
    refusal = verdict_of((SAFE, ENHANCE), known)
    assert (refusal.standing, refusal.text) == (Standing.IMPOSSIBLE, "Not possible: enhance cannot follow SAFE S2.")
    offers = {offer.block.id: offer for offer in offers_behind((SAFE,), ALL, known)}
    assert {name for name, offer in offers.items() if offer.fits} == {"ndvi"}
    assert offers["sharpen"].reason == "Sharpening needs GeoTIFF, SAFE comes in."
    assert "tiff" not in offers


def test_verdicts_on_the_way_to_a_chain():
    nothing = Knowledge()
    assert verdict_of((), nothing).standing is Standing.EMPTY
    assert verdict_of((SAFE,), nothing).text == ACCEPTED
    assert verdict_of((SAFE, ENHANCE), nothing).text == DECIDED_LATER
    assert verdict_of((SAFE, ENHANCE), nothing.asks(("safe",))).text == CHECKING
    assert not verdict_of((SAFE, ENHANCE), nothing.asks(("safe",))).possible
    missed = nothing.asks(("safe",)).misses(("safe",))
    assert verdict_of((SAFE, ENHANCE), missed).text == COULD_NOT_ASK
    assert verdict_of((SAFE, ENHANCE), missed).possible
    assert verdict_of((SAFE, ENHANCE), missed.asks_again()).text == DECIDED_LATER
    assert verdict_of((TIFF, NDVI), missed).text == "Not possible: NDVI needs Pléiades or SPOT, Sentinel-2 comes in."
    assert verdict_of((ENHANCE,), nothing).text.startswith("Not possible: a workflow begins with a data block")
    assert verdict_of((SAFE, TIFF), nothing).text == "Not possible: tiff is a data block and can only come first."


def test_a_chain_refused_when_saved_stays_refused_in_the_services_words():
    known = Knowledge().hears_no(("safe", "enhance"), "The service does not accept this: no.")
    assert verdict_of((SAFE, ENHANCE), known).text == "Not possible: The service does not accept this: no."
    assert verdict_of((SAFE, ENHANCE, SHARPEN), known).possible
    mismatch = Knowledge().hears_no(("tiff", "ndvi"), "The service does not accept this: errors.")
    assert verdict_of((TIFF, NDVI), mismatch).text.endswith("NDVI needs Pléiades or SPOT, Sentinel-2 comes in.")


def test_saved_workflows_answer_for_chains_that_begin_the_same():
    known = Knowledge(saved=(saved(TIFF, workflow_id="other"), saved(SAFE, ENHANCE, SHARPEN)))
    chain = (SAFE, ENHANCE, SHARPEN)
    assert verdict_of(chain, known).text == ACCEPTED
    assert verdict_of(chain[:2], known).text == ACCEPTED
    questions = list(known.open_questions(ids_of((SAFE, ENHANCE, EXPORT))))
    assert questions == [(("safe",), "w", "safe:1"), (("safe", "enhance"), "w", "enhance:1")]
    assert list(known.asks(("safe",)).open_questions(("safe",))) == []
    assert list(known.asks(("safe",)).misses(("safe",)).open_questions(("safe",))) == []
    assert list(known.hears(("safe",), frozenset()).open_questions(("safe",))) == []


def test_data_blocks_are_offered_until_one_stands_in_front():
    for chain in ((), (ENHANCE,)):
        assert [offer.block.id for offer in offers_behind(chain, ALL, Knowledge())] == ["safe", "tiff"]


def test_blocks_of_which_nothing_is_known_count_as_possible():
    unread = Block("safe", "safe", "SAFE S2", BlockType.DATA)
    assert all(offer.fits for offer in offers_behind((unread,), ALL, Knowledge()))
    assert verdict_of((unread, ENHANCE), Knowledge()).text == DECIDED_LATER
    assert verdict_of((SAFE, MUTE), Knowledge()).text == DECIDED_LATER


def test_capabilities_of_odd_shapes_do_no_harm():
    odd = Block(
        "odd", "odd", "Odd", BlockType.PROCESSING, capabilities={"input": ["x"], "output": {"raster": {"or": 3}}}
    )
    assert not can_stand(odd, 1, output_of_chain((SAFE,)))
    assert json.dumps(dict(resolved_output(odd, {}))) == '{"raster": {"or": 3}}'
