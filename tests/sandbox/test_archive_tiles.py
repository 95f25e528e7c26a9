from __future__ import annotations

import pytest
from archive_kit import exact_lonlat
from osgeo import ogr

from up42_plugin.sandbox import tiles
from up42_plugin.sandbox.footprints import polygon
from up42_plugin.sandbox.geodesy import WGS84, transform


def ids_at(lon: float, lat: float) -> set:
    """Ids of the tiles that contain a point."""
    point = ogr.CreateGeometryFromWkt(f"POINT ({lon} {lat})")
    found = tiles.tiles_around(lon - 1e-6, lat - 1e-6, lon + 1e-6, lat + 1e-6)
    return {tile.id for tile in found if polygon(tile.outline).Contains(point)}


@pytest.mark.parametrize(
    ("lon", "lat", "tile_id"),
    [
        (15.29, 37.85, "33SWB"),  # Taormina
        (13.38, 52.50, "33UUU"),  # Berlin
        (13.70, 52.50, "33UVU"),
        (2.35, 48.86, "31UDQ"),  # Paris
        (-0.12, 51.50, "30UXC"),  # London
        (-74.0, 40.70, "18TWL"),  # New York
        (151.2, -33.87, "56HLH"),  # Sydney
        (139.7, 35.68, "54SUE"),  # Tokyo
        (2.17, 41.38, "31TDF"),  # Barcelona
        (134.9, 7.6, "53NMJ"),
        (11.58, 48.14, "32UPU"),  # Munich
        (-46.6, -23.6, "23KLP"),  # Sao Paulo
    ],
)
def test_known_places_lie_in_the_tiles_of_the_real_grid(lon, lat, tile_id):
    assert tile_id in ids_at(lon, lat)


@pytest.mark.parametrize(
    ("tile_id", "left", "top"),
    [
        ("33SWB", 499980, 4200000),
        ("31TDF", 399960, 4600020),
        ("33UUU", 300000, 5900040),
        ("56HLH", 300000, 6300040),
        ("51LXF", 600000, 8600020),
        ("32UPV", 600000, 5500020),
    ],
)
def test_tiles_have_their_real_origin_and_size(tile_id, left, top):
    grid = tiles.tile_by_id(tile_id).grid
    assert (grid.left, grid.top) == (left, top)
    assert (grid.width, grid.height, grid.pixel) == (10980, 10980, 10.0)
    assert grid.epsg == {"33": 32633, "31": 32631, "32": 32632, "56": 32756, "51": 32751}[tile_id[:2]]


def test_neighbours_overlap_by_ten_kilometres():
    here, east, south = (tiles.tile_by_id(tile_id).grid for tile_id in ("33SWB", "33SXB", "33SWA"))
    assert here.left + 109_800 - east.left == pytest.approx(9_800, abs=60)
    assert south.top - (here.top - 109_800) == pytest.approx(9_800, abs=60)


def test_norway_and_svalbard_have_their_wider_zones():
    assert tiles.zone_bounds(32, "V") == (3, 12)
    assert tiles.zone_bounds(31, "V") == (0, 3)
    assert all(tile_id.startswith("32V") for tile_id in ids_at(5.33, 60.39))  # Bergen, 3 to 6 degrees east
    assert {tile_id[:3] for tile_id in ids_at(15.65, 78.22)} == {"33X"}  # Longyearbyen, in what would be zone 33
    zones = {tile_id[:3] for tile_id in ids_at(11.0, 78.5)}  # in what would be zone 32
    assert "33X" in zones
    assert "32X" not in zones
    assert {tile_id[:3] for tile_id in ids_at(11.0, 60.0)} == {"32V"}


@pytest.mark.parametrize("lon", [-179.99, -120.3, -0.02, 0.02, 5.99, 6.01, 95.4, 179.99])
@pytest.mark.parametrize("lat", [-55.0, -8.02, -0.03, 0.03, 7.98, 40.0, 63.9, 71.99, 79.0])
def test_every_point_of_the_land_lies_in_a_tile_whose_id_leads_back_to_it(lon, lat):
    found = ids_at(lon, lat)
    assert found
    for tile_id in found:
        tile = tiles.tile_by_id(tile_id)
        assert tile.id == tile_id
        assert tile.south == (tile.band < "N")


def test_tile_ids_are_unique():
    found = [tile.id for tile in tiles.tiles_around(-3.0, 34.0, 9.0, 45.0)]
    assert len(found) > 100
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "tile_id", ["33SWO", "00SWB", "61SWB", "33SAB", "33swb", "33SW", "33SWBB", "", "33IWB", "32XMG"]
)
def test_what_is_no_tile_is_refused(tile_id):
    with pytest.raises(ValueError, match="tile"):
        tiles.tile_by_id(tile_id)


def test_outline_follows_the_edges_of_the_tile():
    tile = tiles.tile_by_id("33SWB")
    ring = tile.outline
    assert ring[0] == ring[-1]
    shape = polygon(ring)
    assert shape.IsValid()
    assert shape.Area() > 0
    for x, y, inside in (
        (500_000, 4_199_980, True),
        (554_000, 4_199_980, True),
        (554_000, 4_200_020, False),
        (554_000, 4_090_220, True),
        (554_000, 4_090_180, False),
        (609_760, 4_150_000, True),
        (609_800, 4_150_000, False),
        (499_960, 4_150_000, False),
    ):
        ((lon, lat),) = transform([(x, y)], 32633, WGS84)
        assert shape.Contains(ogr.CreateGeometryFromWkt(f"POINT ({lon} {lat})")) == inside


def test_outline_runs_past_the_antimeridian_without_a_jump():
    names = [name for name in ids_at(179.995, -16.5) if name.startswith("60")]
    assert names
    for name in names:
        lons = [lon for lon, _ in tiles.tile_by_id(name).outline]
        assert max(lons) - min(lons) < 2
        assert max(lons) > 179.9


def test_transformed_points_keep_x_before_y():
    ((x, y),) = transform([(15.29, 37.85)], WGS84, 32633)
    assert (round(x, -4), round(y, -4)) == (530_000, 4_190_000)
    assert exact_lonlat([x], [y], 32633)[0] == pytest.approx((15.29, 37.85))
