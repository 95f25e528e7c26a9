"""Quicklooks in their place, footprints with their properties."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import numpy as np
import pytest
from osgeo import gdal

from up42_plugin.api.errors import Cancelled
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.layer_plan import GreyStyle, LayerKind, RgbStyle, VectorStyle
from up42_plugin.core.output_errors import FolderError
from up42_plugin.core.quicklooks import prepare_footprints, prepare_quicklook, prepare_test_query
from up42_plugin.core.scenes import Quicklook, Scene

FRAME = (15.0, 37.0, 16.0, 38.0)


def scene(feature_id="f1", day=18, **fields):
    ring = [[15.156, 38.0], [16.0, 38.0], [15.85, 37.0], [15.006, 37.0], [15.156, 38.0]]
    values = {
        "feature_id": feature_id,
        "scene_id": f"S2B_{feature_id}",
        "job_id": "job",
        "footprint": {"type": "Polygon", "coordinates": [ring]},
        "bbox": FRAME,
        "acquired": datetime(2021, 9, day, 9, 50, 31, tzinfo=timezone.utc),
        "cloud_cover": 1.5,
        "provider": "ESA",
        "properties": {"sun": {"azimuth": 150.0}, "bands": ["B4", "B3"], "provider": "not mine"},
    }
    return Scene(**{**values, **fields})


def picture(values, form="PNG"):
    """An image file's bytes."""
    bands = values if values.ndim == 3 else values[np.newaxis]
    memory = gdal.GetDriverByName("MEM").Create("", bands.shape[2], bands.shape[1], len(bands), gdal.GDT_Byte)
    for index, band in enumerate(bands, start=1):
        memory.GetRasterBand(index).WriteArray(band)
    if len(bands) in (2, 4):
        memory.GetRasterBand(len(bands)).SetColorInterpretation(gdal.GCI_AlphaBand)
    name = "/vsimem/test_picture"
    gdal.GetDriverByName(form).CreateCopy(name, memory)
    size = gdal.VSIStatL(name).size
    file = gdal.VSIFOpenL(name, "rb")
    content = bytes(gdal.VSIFReadL(1, size, file))
    gdal.VSIFCloseL(file)
    gdal.Unlink(name)
    return content


def tilted(width=64, height=48, dark=(40, 20, 30)):
    """A scene that leans in its frame: a parallelogram of colour, black outside, a black lake inside."""
    y, x = np.mgrid[0:height, 0:width]
    inside = (x > 10 - y / 5) & (x < width - y / 5)
    lake = (abs(x - 30) < 4) & (abs(y - 24) < 4)
    bands = [np.where(inside, level, 0).astype(np.uint8) for level in dark]
    for band in bands:
        band[lake] = 0
    return np.stack(bands), inside


def pixels(plan):
    """The picture's own pixels: it is laid out three times as fine, and blending leaves the middle ones alone."""
    return gdal.Open(plan.source).ReadAsArray()[..., 1::3, 1::3]


def test_a_quicklook_fills_its_frame(tmp_path):
    values, _ = tilted()
    plan = prepare_quicklook(Quicklook(scene(), picture(values), ".png", FRAME), tmp_path)
    dataset = gdal.Open(plan.source)
    assert dataset.GetGeoTransform() == pytest.approx((15.0, 1 / 64 / 3, 0, 38.0, 0, -1 / 48 / 3))
    assert dataset.GetSpatialRef().GetAuthorityCode(None) == "4326"
    assert np.array_equal(pixels(plan)[:3], values)
    assert (plan.title, plan.kind, plan.problem) == ("Quicklook 2021-09-18", LayerKind.RASTER, "")
    assert plan.acquired == scene().acquired
    assert isinstance(plan.style, RgbStyle)
    assert plan.style.alpha == 4


def test_its_black_border_is_transparent_but_dark_things_inside_are_not(tmp_path):
    values, inside = tilted()
    plan = prepare_quicklook(Quicklook(scene(), picture(values), ".png", FRAME), tmp_path)
    dataset = gdal.Open(plan.source)
    alpha = pixels(plan)[3]
    assert dataset.GetRasterBand(4).GetColorInterpretation() == gdal.GCI_AlphaBand
    assert (alpha[~inside] == 0).all()
    assert (alpha[inside] == 255).all()


def test_noise_of_jpeg_at_the_border_is_transparent_too(tmp_path):
    values, inside = tilted(512, 400, (120, 100, 80))
    plan = prepare_quicklook(Quicklook(scene(), picture(values, "JPEG"), ".jpg", FRAME), tmp_path)
    alpha = pixels(plan)[3]
    assert (alpha[~inside] == 0).mean() > 0.97
    assert (alpha[inside] == 255).mean() > 0.97


def test_a_dark_sea_at_the_edge_of_a_scene_stays(tmp_path):
    values, inside = tilted(dark=(9, 14, 30))
    plan = prepare_quicklook(Quicklook(scene(footprint={"type": "Point"}), picture(values), ".png", FRAME), tmp_path)
    assert (pixels(plan)[3][inside] == 255).mean() > 0.99


def test_outside_the_footprint_dark_noise_goes_and_bright_things_stay(tmp_path):
    values = np.full((3, 100, 100), 40, np.uint8)
    values[:, :, :10] = 200
    ring = [[15.5, 37.0], [16.0, 37.0], [16.0, 38.0], [15.5, 38.0], [15.5, 37.0]]
    footprint = {"type": "Polygon", "coordinates": [ring]}
    plan = prepare_quicklook(Quicklook(scene(footprint=footprint), picture(values), ".png", FRAME), tmp_path)
    alpha = pixels(plan)[3]
    assert (alpha[:, 51:] == 255).all()
    assert (alpha[:, 10:49] == 0).all()
    assert (alpha[:, :10] == 255).all()


def test_a_large_picture_is_not_enlarged(tmp_path):
    values = np.full((3, 20, 1300), 90, np.uint8)
    plan = prepare_quicklook(Quicklook(scene(), picture(values), ".png", FRAME), tmp_path)
    assert gdal.Open(plan.source).RasterXSize == 1300


def test_a_full_picture_stays_whole(tmp_path):
    values = np.full((3, 20, 30), 90, np.uint8)
    plan = prepare_quicklook(Quicklook(scene(), picture(values), ".png", FRAME), tmp_path)
    assert (pixels(plan)[3] == 255).all()


@pytest.mark.parametrize(("bands", "style"), [(1, GreyStyle), (2, GreyStyle), (3, RgbStyle), (4, RgbStyle)])
def test_grey_and_transparent_pictures_are_laid_out(tmp_path, bands, style):
    values = np.full((bands, 20, 30), 90, np.uint8)
    plan = prepare_quicklook(Quicklook(scene(), picture(values), ".png", FRAME), tmp_path)
    assert isinstance(plan.style, style)
    alpha = pixels(plan)[-1]
    assert (alpha == (90 if bands in (2, 4) else 255)).all()


def test_a_frame_across_the_date_line_stays_narrow(tmp_path):
    values = np.full((3, 20, 20), 90, np.uint8)
    plan = prepare_quicklook(Quicklook(scene(), picture(values), ".png", (179.5, 10.0, -179.5, 11.0)), tmp_path)
    assert gdal.Open(plan.source).GetGeoTransform() == pytest.approx((179.5, 0.05 / 3, 0, 11.0, 0, -0.05 / 3))


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x89PNG\r\n\x1a\n broken"])
def test_a_picture_that_cannot_be_read_is_named(tmp_path, content):
    plan = prepare_quicklook(Quicklook(scene(), content, ".png", FRAME), tmp_path)
    assert plan.problem.startswith("The quicklook of S2B_f1 cannot be read.")
    assert not list(tmp_path.iterdir())


def test_a_frame_without_height_is_named(tmp_path):
    values = np.full((3, 20, 20), 90, np.uint8)
    plan = prepare_quicklook(Quicklook(scene(), picture(values), ".png", (15, 37, 16, 37)), tmp_path)
    assert plan.problem
    assert not list(tmp_path.iterdir())


def test_ids_with_odd_characters_become_file_names(tmp_path):
    values = np.full((3, 20, 20), 90, np.uint8)
    plan = prepare_quicklook(Quicklook(scene("../a:b/c"), picture(values), ".png", FRAME), tmp_path)
    assert [path.parent for path in tmp_path.iterdir()] == [tmp_path]
    assert not plan.problem


def test_footprints_carry_everything_known_as_columns(tmp_path):
    plan = prepare_footprints([scene("a"), scene("b", 19, synthetic=True)], tmp_path)
    assert (plan.kind, plan.style, plan.time_field) == (LayerKind.VECTOR, VectorStyle.FOOTPRINTS, "acquired")
    assert plan.synthetic
    collection = json.loads((tmp_path / "scene_footprints.geojson").read_text())
    properties = collection["features"][0]["properties"]
    assert properties["sun.azimuth"] == 150.0
    assert properties["bands"] == '["B4", "B3"]'
    assert properties["provider"] == "ESA"
    assert properties["acquired"] == "2021-09-18T09:50:31Z"
    dataset = gdal.OpenEx(plan.source, gdal.OF_VECTOR)
    layer = dataset.GetLayer(0)
    definition = layer.GetLayerDefn()
    assert layer.GetFeatureCount() == 2
    assert definition.GetFieldDefn(definition.GetFieldIndex("acquired")).GetTypeName() == "DateTime"


def test_a_scene_without_time_takes_the_time_from_the_layer(tmp_path):
    assert prepare_footprints([scene("a"), scene("b", acquired=None)], tmp_path).time_field == ""


def test_a_test_query_is_footprints_above_quicklooks_newest_first(tmp_path):
    values = picture(np.full((3, 20, 20), 90, np.uint8))
    scenes = [scene("old", 1), scene("new", 18), scene("same", 18, acquired=scene().acquired)]
    quicklooks = [Quicklook(found, values, ".png", FRAME) for found in scenes]
    plans = prepare_test_query(scenes, quicklooks, tmp_path / "quicklooks", ThreadContext())
    assert [plan.title for plan in plans] == [
        "Scene footprints",
        "Quicklook 2021-09-18, S2B_new",
        "Quicklook 2021-09-18, S2B_same",
        "Quicklook 2021-09-01",
    ]
    assert len({plan.key for plan in plans}) == 4


def test_no_scenes_no_layers(tmp_path):
    assert prepare_test_query([], [], tmp_path / "quicklooks", ThreadContext()) == ()
    assert not list(tmp_path.iterdir())


def test_cancelling_between_quicklooks_stops(tmp_path):
    context = ThreadContext()
    context.cancel()
    with pytest.raises(Cancelled):
        prepare_test_query([scene()], [Quicklook(scene(), b"", ".png", FRAME)], tmp_path, context)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError):
        prepare_footprints([scene()], tmp_path / "file" / "below")


def test_odd_numbers_and_characters_of_one_scene_do_not_take_the_others_with_them(tmp_path):
    odd = {"sun": float("nan"), "clouds": float("inf"), "name": "\ud800", "plain": 1.5}
    plan = prepare_footprints([scene("f1", properties=odd), scene("f2", cloud_cover=float("nan"))], tmp_path)
    dataset = gdal.OpenEx(plan.source)
    first, second = dataset.GetLayer(0)
    assert first.GetField("plain") == 1.5
    assert [first.GetField("sun"), first.GetField("scene_id"), second.GetField("cloud_cover")] == [None, "S2B_f1", None]
