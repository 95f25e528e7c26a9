"""Bands that are moments, as the temporal controller of newer QGIS goes through them."""

from __future__ import annotations

import pytest
from qgis.core import Qgis, QgsDateTimeRange, QgsProject
from qgis.PyQt.QtCore import QDateTime, Qt

from tests.output_samples import weather
from tests.raster_samples import output_of
from tests.rendering import BACKGROUND, hexadecimal, rendered
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.layer_plan import JobProvenance
from up42_plugin.core.outputs import prepare_output
from up42_plugin.qgis_bridge.layers import LayerLoader
from up42_plugin.qgis_bridge.stretching import shown_bands

JOB = JobProvenance(job_id="job-1", job_name="Job", connection_id="sandbox")
HOURS = (0, 6, 12)

pytestmark = pytest.mark.skipif(
    not hasattr(Qgis.RasterTemporalMode, "FixedRangePerBand"), reason="this QGIS shows no bands by their times"
)


@pytest.fixture
def project(qgis_app):
    project = QgsProject()
    yield project
    project.clear()


def at(hour):
    """The frame of the temporal controller that begins then, of an hour."""
    start = QDateTime.fromString(f"2020-06-15T{hour:02}:00:00Z", Qt.DateFormat.ISODate)
    return QgsDateTimeRange(start, start.addSecs(3600), True, False)


def drawn(layer, when=None):
    return hexadecimal(rendered([layer], 30, 20, when=when), 15, 10)


def by_band(layer):
    """What the middle of each band looks like, shown without any time."""
    original, colours = layer.renderer().clone(), []
    for band in range(1, layer.bandCount() + 1):
        renderer = original.clone()
        renderer.setInputBand(band)
        layer.setRenderer(renderer)
        colours.append(drawn(layer))
    layer.setRenderer(original)
    return colours


def test_each_moment_shows_its_band_also_in_a_project_opened_again(project, tmp_path):
    weather(tmp_path / "output" / "a.nc")
    plans = prepare_output(output_of(tmp_path / "output", "a.nc"), ThreadContext())
    (layer,) = LayerLoader(project).add(plans, "Job", JOB)
    colours = by_band(layer)
    assert len(set(colours)) == len(HOURS)
    assert shown_bands(layer) == (1,)
    assert project.write(str(tmp_path / "project.qgz"))
    again = QgsProject()
    assert again.read(str(tmp_path / "project.qgz"))
    (reopened,) = again.mapLayers().values()
    for shown in (layer, reopened):
        assert [drawn(shown, at(hour)) for hour in HOURS] == colours
        assert drawn(shown, at(17)) == colours[-1], "the last moment lasts as long as the one before"
        assert drawn(shown, at(18)) == BACKGROUND
    again.clear()
