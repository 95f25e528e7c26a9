"""What the tests of the area share: polygons as text, and both ways in which GDAL tells of errors."""

from __future__ import annotations

import pytest
from osgeo import ogr

from up42_plugin.core.aoi import AOI, AoiError

SAMPLE = [
    [15.282325744628906, 37.85405097280397],
    [15.281896591186525, 37.84327477258804],
    [15.301208496093748, 37.843139212870334],
    [15.301809310913086, 37.85357658203691],
    [15.282325744628906, 37.85405097280397],
]


def wkb(text):
    return bytes(ogr.CreateGeometryFromWkt(text).ExportToWkb())


def aoi_of(*texts, **options):
    return AOI.from_wkbs([wkb(text) for text in texts], **options)


def refusal(*texts, **options):
    with pytest.raises(AoiError) as caught:
        aoi_of(*texts, **options)
    return caught.value


def box(west, south, east, north):
    return f"(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"


@pytest.fixture(params=[False, True], ids=["gdal returns codes", "gdal raises"], autouse=True)
def gdal_style(request):
    """QGIS and other plugins decide how GDAL tells of errors; both must do."""
    before = ogr.GetUseExceptions()
    (ogr.UseExceptions if request.param else ogr.DontUseExceptions)()
    yield
    (ogr.UseExceptions if before else ogr.DontUseExceptions)()
