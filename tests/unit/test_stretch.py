"""The stretch that is asked for later: of the whole image or of what the map shows."""

from __future__ import annotations

import numpy as np
import pytest

from tests.raster_samples import LEFT, PIXEL, TOP, coast, geotiff, superresolution
from up42_plugin.core.imagery.gdal_access import RasterError
from up42_plugin.core.imagery.stretch import stretch_again

EAST = np.tile(np.arange(200, dtype=np.float32), (100, 1))


def box(first, last, rows=(0, 100)):
    """West, south, east, north around columns and rows."""
    return (LEFT + first * PIXEL, TOP - rows[1] * PIXEL, LEFT + last * PIXEL, TOP - rows[0] * PIXEL)


def test_only_what_the_map_shows_counts(tmp_path):
    path = str(geotiff(tmp_path / "a.tif", [EAST]))
    assert stretch_again(path, (1,))[1] == (pytest.approx(4, abs=1), pytest.approx(195, abs=1))
    assert stretch_again(path, (1,), box=box(100, 150))[1] == (pytest.approx(101, abs=1), pytest.approx(148, abs=1))
    beyond = stretch_again(path, (1,), box=box(150, 900, (-50, 50)))[1]
    assert beyond == (pytest.approx(151, abs=1), pytest.approx(198, abs=1))


def test_hidden_values_do_not_count(tmp_path):
    values = EAST.copy()
    values[:50] = -9999
    path = str(geotiff(tmp_path / "a.tif", [values]))
    assert stretch_again(path, (1,), nodata=-9999)[1][0] > 0


def test_beside_the_raster_and_without_pixels_there_is_nothing_to_read(tmp_path):
    path = str(geotiff(tmp_path / "a.tif", [EAST]))
    with pytest.raises(RasterError):
        stretch_again(path, (1,), box=box(300, 400))
    empty = str(geotiff(tmp_path / "b.tif", [np.zeros((10, 10), np.float32)], nodata=0))
    with pytest.raises(RasterError):
        stretch_again(empty, (1,))


def test_the_whole_image_is_stretched_as_it_was_at_first(tmp_path):
    path = str(superresolution(tmp_path / "x_superresolution.tif"))
    ranges = stretch_again(path, (1, 2, 3), 0.0)
    assert len(set(ranges.values())) == 1, "natural colours of reflectances have one range"
    false = stretch_again(path, (4, 1, 2), 0.0)
    assert false[4] == tuple(pytest.approx(value) for value in np.percentile(coast()["B08"], (2, 98)))
