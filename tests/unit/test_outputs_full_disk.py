"""A disk that is full while files of ours are written: none of them is taken for whole, and the person is told."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from osgeo import gdal, ogr

from tests.output_samples import swath
from tests.raster_samples import coast, geotiff, output_of
from tests.unit.test_outputs_quicklooks import picture, scene
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.outputs import prepare_output
from up42_plugin.core.quicklooks import prepare_quicklook
from up42_plugin.core.scenes import Quicklook

resource = pytest.importorskip("resource")


@contextlib.contextmanager
def files_of_at_most(size: int):
    """No file can grow beyond so many bytes, as on a disk that is full then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(params=[True, False], ids=["exceptions", "return codes"], autouse=True)
def mode(request):
    """Both ways in which GDAL reports errors; what was switched last has to be switched back first."""
    modules = [module for module in (gdal, ogr) if request.param and not module.GetUseExceptions()]
    for module in modules:
        module.UseExceptions()
    yield
    for module in reversed(modules):
        module.DontUseExceptions()


# what GDAL's own destructors say of a file that could not be ended
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def prepared(folder):
    return prepare_output(folder, ThreadContext())


def ours(folder):
    return [path.name for path in folder.rglob("*") if path.name.startswith((".", "up42_layer_"))]


def test_a_table_is_not_shown_with_a_part_of_its_rows(tmp_path):
    rows = "\n".join(f"{number % 180},{number % 90},{'x' * 50}{number}" for number in range(20_000))
    (tmp_path / "a.csv").write_text(f"lon,lat,name\n{rows}")
    output_of(tmp_path, "a.csv")
    with files_of_at_most(300_000):
        (plan,) = prepared(tmp_path)
    assert "could not be written" in plan.problem
    assert ours(tmp_path) == []
    (plan,) = prepared(tmp_path)
    assert gdal.OpenEx(plan.source.partition("|")[0]).GetLayer(0).GetFeatureCount() == 20_000


def test_a_large_vector_file_is_opened_as_it_is(tmp_path):
    point = {"type": "Point", "coordinates": [15.0, 37.0]}
    features = [{"type": "Feature", "properties": {"name": "x" * 100}, "geometry": point} for _ in range(20_000)]
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    output_of(tmp_path, "a.geojson")
    with files_of_at_most(300_000):
        (plan,) = prepared(tmp_path)
    assert plan.source == str(tmp_path / "a.geojson")
    assert ours(tmp_path) == []


def test_a_quicklook_is_none_rather_than_half_of_one(tmp_path):
    noise = np.random.default_rng(1).integers(30, 255, (3, 600, 600), np.uint8)
    quicklook = Quicklook(scene(), picture(noise), ".png", scene().bbox)
    with files_of_at_most(300_000):
        plan = prepare_quicklook(quicklook, tmp_path)
    assert "could not be written" in plan.problem or "cannot be read" in plan.problem
    assert list(tmp_path.iterdir()) == []


def test_overviews_are_none_rather_than_half_of_them(tmp_path):
    noise = np.random.default_rng(1).integers(1, 4000, (2300, 2300)).astype(np.uint16)
    geotiff(tmp_path / "large.tif", [noise], options=("TILED=YES",))
    output_of(tmp_path, "large.tif")
    with files_of_at_most(2_000_000):
        (plan,) = prepared(tmp_path)
    assert "large.tif has no overviews" in plan.remark
    assert not plan.problem
    assert {path.name for path in tmp_path.iterdir()} <= {"data.json", "large.tif", "large.tif.aux.xml"}


def test_a_swath_is_not_laid_on_the_ground_in_part(tmp_path):
    swath(tmp_path / "swath.nc")
    output_of(tmp_path, "swath.nc")
    with files_of_at_most(2_000):
        (plan,) = prepared(tmp_path)
    assert "could not be written" in plan.problem or "could not be read" in plan.problem
    assert ours(tmp_path) == []


def test_a_stack_of_bands_is_whole_or_not_there(tmp_path):
    for name in ("B04", "B03", "B02"):
        geotiff(tmp_path / f"scene_{name}.tif", [coast()[name]])
    output_of(tmp_path, *(f"scene_{name}.tif" for name in ("B04", "B03", "B02")))
    with files_of_at_most(700):
        (plan,) = prepared(tmp_path)
    assert plan.problem
    assert ours(tmp_path) == []
