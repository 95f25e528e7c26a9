"""Under which terms images come."""

from __future__ import annotations

import pytest

from up42_plugin.core.licences import licence_of


@pytest.mark.parametrize(
    ("block", "provider", "attribution"),
    [
        ("aws-s2-l2a", "ESA", "Contains modified Copernicus Sentinel data 2021"),
        ("esa-s2-l2a-gtiff-analytic", "ESA", "Contains modified Copernicus Sentinel data 2021"),
        ("sobloo-s1-grd-fullscene", "Sobloo", "Contains modified Copernicus Sentinel data 2021"),
        ("esa-s5p-l3-gtiff", "ESA", "Contains modified Copernicus Sentinel data 2021"),
        ("sentinelhub-s2-aoiclipped", "Sentinel Hub", "Contains modified Copernicus Sentinel data 2021"),
        ("sentinelhub-landsat8-aoiclipped", "Sentinel Hub", "Landsat image courtesy of the U.S. Geological Survey"),
        ("oneatlas-pleiades-aoiclipped", "OneAtlas", "© CNES 2021, Distribution Airbus DS"),
        ("oneatlas-spot-fullscene", "OneAtlas", "© Airbus DS 2021"),
        ("openstreetmap", "OpenStreetMap", "© OpenStreetMap contributors"),
        ("meteomatics", "Meteomatics", "Meteomatics"),
        ("ais-hvp", "exactEarth", "exactEarth"),
        ("geotiff-custom", "UP42", ""),
        ("a-block-of-tomorrow", "", ""),
    ],
)
def test_attributions(block, provider, attribution):
    found = licence_of(block, provider, 2021)
    assert found.attribution == attribution
    assert bool(found.name) == bool(attribution)


def test_without_a_year_none_is_written():
    assert licence_of("oneatlas-pleiades-display", "OneAtlas").attribution == "© CNES, Distribution Airbus DS"
