"""Which assets a data block can work on, as far as that can be known here."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tests.job_samples import SENTINEL, STORED
from up42_plugin.api.classic.assets import AssetInfo, AssetItemInfo
from up42_plugin.core.dialects.classic_mapping import assets_of
from up42_plugin.core.service import StorageAsset
from up42_plugin.core.stored_data import misfit, product_text, search_words, several, takes_assets


def asset(**members):
    return StorageAsset("a1", "DS_PHR1A", **members)


@pytest.mark.parametrize(
    ("collection", "reason"),
    [
        ("phr", ""),
        ("PHR", ""),
        ("", ""),
        ("spot", "Pléiades Display takes Pléiades only, not SPOT 6/7."),
        ("pneo", "Pléiades Display takes Pléiades only, not pneo."),
    ],
)
def test_a_block_takes_its_providers_product(collection, reason):
    assert misfit(STORED, asset(collection=collection)) == reason


def test_what_is_shown_and_found():
    found = asset(collection="spot", title="Coast", acquired=datetime(2021, 6, 1, tzinfo=timezone.utc))
    assert product_text(found) == "SPOT 6/7"
    assert all(word in search_words(found) for word in ("coast", "2021-06-01", "spot", "ds_phr1a", "a1"))
    assert product_text(asset(producer="somebody")) == "somebody"
    assert [several(["a"]), several(["a", "b"])] == ["1 asset", "2 assets"]
    assert takes_assets(STORED)
    assert not takes_assets(SENTINEL)


def test_place_and_time_come_from_the_images_else_the_time_from_the_name():
    square = {"type": "Polygon", "coordinates": []}
    taken = datetime(2021, 10, 23, 9, 57, tzinfo=timezone.utc)
    infos = [
        AssetInfo("a1", "one", None, 5, collection="phr"),
        AssetInfo("a2", "DS_SPOT6_202206240959075_FR1_FR1_SV1_SV1_E013N52_01709", None, None),
        AssetInfo("a3", "", None, None),
    ]
    first, second, third = assets_of(infos, [AssetItemInfo("a1", square, taken), AssetItemInfo("", {}, taken)])
    assert (first.acquired, first.footprint, first.size) == (taken, square, 5)
    assert second.acquired is not None
    assert f"{second.acquired:%Y-%m-%d}" == "2022-06-24"
    assert second.footprint is None
    assert (third.name, third.acquired) == ("a3", None)
