"""Which band means what."""

from __future__ import annotations

import pytest

from tests.raster_samples import SUPERRESOLUTION_BANDS
from up42_plugin.core.imagery.bands import BandFacts, band_roles, bundle_order, role_of_description, split_band_name


def bands(*descriptions, dtype="UInt16", colours=()):
    colours = (*colours, *("",) * len(descriptions))
    return [BandFacts(i, dtype, text, colours[i - 1]) for i, text in enumerate(descriptions, start=1)]


@pytest.mark.parametrize(
    ("description", "role"),
    [
        ("B4", "red"),
        ("B04", "red"),
        ("b08", "nir"),
        ("B8A", "nir2"),
        ("SR B5 (705 nm)", "re1"),
        ("SR B8A (865 nm)", "nir2"),
        ("SR B11 (1610 nm)", "swir1"),
        ("B2, central wavelength 490 nm", "blue"),
        ("Red", "red"),
        ("red edge 1", "re1"),
        ("Vegetation Red-Edge", "re1"),
        ("NIR", "nir"),
        ("near infrared", "nir"),
        ("AOT, Aerosol Optical Thickness map (at 550nm)", ""),
        ("Panchromatic", "pan"),
        ("VV", "vv"),
        ("Band 1", ""),
        ("", ""),
        ("infrared", ""),
        ("scored", ""),
    ],
)
def test_descriptions_tell_their_role(description, role):
    assert role_of_description(description) == role


def test_band_numbers_of_landsat_are_not_those_of_sentinel():
    assert role_of_description("B4", "LC08_L1TP_188033_20210918_B4") == "red"
    assert role_of_description("B5", "LC08_L1TP_188033_20210918_B5") == "nir"
    assert role_of_description("B4", "LE07_L1TP_188033_20010918_B4") == "nir"
    assert role_of_description("B1", "LT05_L1TP_188033_20010918_B1") == "blue"


def test_super_resolution_by_its_descriptions():
    roles = band_roles(bands(*SUPERRESOLUTION_BANDS))
    assert [roles[name] for name in ("red", "green", "blue", "nir", "re1", "swir1")] == [1, 2, 3, 4, 5, 9]


def test_super_resolution_by_position_when_nothing_is_described():
    whole = band_roles(bands(*[""] * 12), block="s2-superresolution")
    assert [whole[name] for name in ("red", "green", "blue", "nir")] == [1, 2, 3, 4]
    new = band_roles(bands(*[""] * 8), file_stem="x_superresolution")
    assert "red" not in new
    assert [new[name] for name in ("swir1", "nir2", "re1")] == [5, 4, 1]


def test_pansharpened_sentinel_by_position():
    roles = band_roles(bands(*[""] * 13), block="pansharpen")
    assert [roles[name] for name in ("red", "green", "blue", "nir")] == [4, 3, 2, 8]


def test_descriptions_beat_position_and_colour():
    colours = ("Red", "Green", "Blue")
    assert band_roles(bands("B2", "B3", "B4", colours=colours))["red"] == 3


def test_colours_tell_when_descriptions_do_not():
    roles = band_roles(bands("", "", "", "", colours=("Blue", "Green", "Red", "Undefined")))
    assert roles == {"red": 3, "green": 2, "blue": 1, "nir": 4}


def test_the_fourth_band_of_streamed_pleiades_is_panchromatic():
    colours = ("Red", "Green", "Blue", "Undefined", "Alpha")
    for described in (bands("", "", "", "", "", colours=colours), bands("", "", "", "")):
        assert band_roles(described, block="oneatlas-pleiades-aoiclipped")["pan"] == 4
        assert "nir" not in band_roles(described, block="oneatlas-pleiades-aoiclipped")


def test_band_numbers_of_airbus_count_from_zero():
    assert band_roles(bands("B2", "B1", "B0", "B3")) == {"red": 1, "green": 2, "blue": 3, "nir": 4}


@pytest.mark.parametrize(("count", "rgb"), [(3, (1, 2, 3)), (4, (1, 2, 3)), (5, (1, 2, 3)), (6, (3, 2, 1))])
def test_the_number_of_bands_is_the_last_resort(count, rgb):
    roles = band_roles(bands(*[""] * count))
    assert (roles["red"], roles["green"], roles["blue"]) == rgb


def test_nothing_is_made_up_for_other_numbers():
    assert band_roles(bands(*[""] * 7)) == {}


def test_an_alpha_band_does_not_count():
    roles = band_roles(bands("", "", "", "", colours=("", "", "", "Alpha")))
    assert roles == {"red": 1, "green": 2, "blue": 3}


@pytest.mark.parametrize(
    ("stem", "split"),
    [
        ("S2B_31TDF_20201228_0_L2A_B04", ("S2B_31TDF_20201228_0_L2A", "B04")),
        ("S2B_31TDF_20201228_0_L2A_B8A", ("S2B_31TDF_20201228_0_L2A", "B8A")),
        ("x_WVP", ("x", "WVP")),
        ("LC08_X_B10", ("LC08_X", "B10")),
        ("S2B_31TDF_20201228_0_L2A", None),
        ("B04", None),
        ("x_ndvi", None),
    ],
)
def test_single_bands_of_a_bundle_are_recognised(stem, split):
    assert split_band_name(stem) == split


def test_a_bundle_begins_with_the_bands_people_look_at():
    names = ("B01", "B02", "B03", "B04", "B08", "B11", "B8A", "WVP")
    assert bundle_order(names, "S2B_x")[:4] == ("B04", "B03", "B02", "B08")
    assert set(bundle_order(names, "S2B_x")) == set(names)
