"""What makes the price of a job, and what would lower it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.job_samples import DATA_TASK, SENTINEL, SR_TASK, SUPER_RESOLUTION, chain, taormina, workflow_of
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration
from up42_plugin.core.estimation import Estimation, Range, TaskEstimate
from up42_plugin.core.price_advice import price_advice
from up42_plugin.core.workflow import Price

N = "\u00a0"
FREE = Range(0, 0)
LEAST = Range(1, 1)
DEAR = Range(9, 12)
SMALLEST = {"clip_to_aoi": True, "copy_original_bands": False}
PER_MB = replace(SUPER_RESOLUTION, price=Price(1, "MEGABYTE", "OUTPUT"))


def share(task, block=FREE, machine=LEAST, unit="SQUARE_KM"):
    return TaskEstimate(task, block, machine, Range(60, 180), Range(2, 2), unit)


def advice(*changes, data=FREE, later=DEAR, machine=LEAST, block=PER_MB, first=SENTINEL, filter_=None, **how):
    configuration = JobConfiguration.of(workflow_of(first, block), how.get("aoi", taormina()))
    configuration = configuration.with_aoi(configuration.aoi, filter_ or GeometricFilter.CONTAINS)
    for task, values in changes:
        configuration = configuration.with_parameters(task, values)
    prices = (share(DATA_TASK, data), share(f"{block.name}:1", later, machine, "MEGABYTE"))
    return price_advice(configuration, Estimation(prices))


def test_a_block_paid_by_megabytes_is_cheaper_with_a_smaller_area():
    found = advice((SR_TASK, SMALLEST))
    assert found.blocks == (PER_MB,)
    assert found.sentences == ("A smaller area lowers the price.",)


def test_settings_that_make_the_output_larger_are_named():
    (sentence,) = advice((SR_TASK, {**SMALLEST, "clip_to_aoi": False})).sentences
    assert sentence == (
        "A smaller area or clipping the result of Super-resolution Sentinel-2 to the area lowers the price."
    )
    (sentence,) = advice((SR_TASK, {**SMALLEST, "copy_original_bands": True})).sentences
    assert sentence == "A smaller area or leaving out the original bands lowers the price."


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ({"limit": 5}, f"A smaller area or a limit below 5{N}scenes lowers the price."),
        ({"limit": 1}, "A smaller area lowers the price."),
        ({"ids": ["a", "b"], "limit": 2}, f"A smaller area or fewer than these 2{N}scenes lowers the price."),
        ({"ids": ["a"], "limit": 1}, "A smaller area lowers the price."),
    ],
)
def test_the_number_of_scenes(search, words):
    assert advice((SR_TASK, SMALLEST), (DATA_TASK, search)).sentences == (words,)


def test_a_price_by_scene_does_not_go_by_the_area():
    per_scene = replace(SENTINEL, price=Price(50, "SCENE", "OUTPUT"))
    priced = advice((DATA_TASK, {"limit": 3}), data=Range(50, 150), later=FREE, first=per_scene)
    assert priced.blocks == (per_scene,)
    assert priced.sentences == (f"A limit below 3{N}scenes lowers the price.",)
    assert advice(data=Range(50, 50), later=FREE, first=per_scene).sentences == ()


def test_a_box_that_is_larger_than_the_area_is_named():
    found = advice((SR_TASK, SMALLEST), filter_=GeometricFilter.BBOX)
    assert found.sentences[1] == (
        f"The filter Bounding Box asks for 2.12{N}km², the area has 2.01{N}km²: another filter lowers the price."
    )
    only_box = {name: schema for name, schema in SENTINEL.parameters.items() if name not in ("contains", "intersects")}
    forced = advice(filter_=GeometricFilter.BBOX, first=replace(SENTINEL, parameters=only_box))
    assert not any("Bounding Box" in sentence for sentence in forced.sentences)


def test_the_dearest_block_comes_first():
    per_km2 = replace(SENTINEL, price=Price(25, "SQUARE_KM", "OUTPUT"))
    assert advice(data=Range(50, 51), later=DEAR, first=per_km2).blocks == (per_km2, PER_MB)
    assert advice(data=Range(5, 6), later=DEAR, first=per_km2).blocks == (PER_MB, per_km2)


def test_machine_time_goes_by_the_area_too():
    found = advice(later=FREE, machine=Range(3, 12), block=SUPER_RESOLUTION)
    assert found.blocks == ()
    assert found.sentences == ("A smaller area lowers the price.",)


def test_the_least_price_is_not_to_be_lowered():
    found = advice(later=FREE, block=SUPER_RESOLUTION)
    assert found.sentences == (
        "Only machine time is charged, the least there is for each block. Nothing lowers this price.",
    )


def test_a_zoom_level_makes_tiles():
    tiles = replace(
        SENTINEL,
        price=Price(1, "TILE", "OUTPUT"),
        parameters={**SENTINEL.parameters, "zoom_level": {"type": "integer", "default": 17}},
    )
    found = advice(data=Range(9, 20), later=FREE, first=tiles)
    assert found.sentences == ("A smaller area or a zoom level below 17 lowers the price.",)


def test_a_chain_of_which_the_service_priced_one_block_only():
    configuration = JobConfiguration.of(chain(), taormina())
    found = price_advice(configuration, Estimation((share(DATA_TASK, Range(5, 5)),)))
    assert found.blocks == (SENTINEL,)
