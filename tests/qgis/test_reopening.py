"""Saved projects: opened again elsewhere they show the same, and nothing is added twice."""

from __future__ import annotations

import re

import numpy as np
import pytest
from osgeo import gdal, ogr, osr
from qgis.core import Qgis, QgsLayerNotesUtils, QgsProject, QgsSingleBandGrayRenderer
from qgis.PyQt.QtGui import QColor

from tests.raster_samples import analytic, data_json, feature, pleiades_primary, safe, superresolution, wkt
from tests.rendering import BACKGROUND, rendered
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.layer_plan import JobProvenance
from up42_plugin.core.outputs import prepare_output
from up42_plugin.qgis_bridge.layer_metadata import identity
from up42_plugin.qgis_bridge.layers import LayerLoader

JOB = JobProvenance("job-1", "Taormina", "sandbox")


@pytest.fixture
def project(qgis_app):
    project = QgsProject()
    yield project
    project.clear()


def netcdf(path):
    """Two variables, so that GDAL gives subdatasets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    multi = gdal.GetDriverByName("netCDF").CreateMultiDimensional(str(path))
    root = multi.GetRootGroup()
    axes = []
    for name, kind, values in (
        ("lat", "HORIZONTAL_Y", np.linspace(38, 37, 11)),
        ("lon", "HORIZONTAL_X", np.linspace(15, 16, 11)),
    ):
        axis = root.CreateDimension(name, kind, None, len(values))
        coordinate = root.CreateMDArray(name, [axis], gdal.ExtendedDataType.Create(gdal.GDT_Float64))
        unit = coordinate.CreateAttribute("units", [], gdal.ExtendedDataType.CreateString())
        unit.Write("degrees_north" if name == "lat" else "degrees_east")
        coordinate.Write(values)
        axes.append(axis)
    for name in ("t_2m", "wind"):
        array = root.CreateMDArray(name, axes, gdal.ExtendedDataType.Create(gdal.GDT_Float32))
        array.Write(np.arange(121, dtype=np.float32).reshape(11, 11))
    return path


def geopackage(path):
    """Points and polygons in one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    reference = osr.SpatialReference()
    reference.ImportFromWkt(wkt(4326))
    for name, kind, text in (
        ("a", ogr.wkbPoint, "POINT (15.2 37.8)"),
        ("b", ogr.wkbPolygon, "POLYGON ((15 37,16 37,16 38,15 37))"),
    ):
        layer = dataset.CreateLayer(name, reference, kind)
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(ogr.CreateGeometryFromWkt(text))
        layer.CreateFeature(feature)
    dataset = None
    return path


def everything(folder):
    """An output of each kind that needs more than a plain path."""
    superresolution(folder / "a_superresolution.tif")
    bands = [path.name for path in analytic(folder)]
    pleiades_primary(folder)
    safe(folder / "uuid")
    netcdf(folder / "weather.nc")
    geopackage(folder / "v.gpkg")
    moment = {"datetime": "2021-09-18T09:50:31Z"}
    names = ("a_superresolution.tif", "0123_pan.tif", "uuid", "weather.nc", "v.gpkg", *bands)
    return data_json(folder, *(feature(name, name, **moment) for name in names))


def facts(layer):
    """What must be the same afterwards."""
    temporal, served = layer.temporalProperties(), layer.serverProperties()
    return (
        layer.name(),
        identity(layer),
        layer.metadata().title(),
        layer.metadata().abstract(),
        layer.metadata().history(),
        layer.metadata().rights(),
        QgsLayerNotesUtils.layerNotes(layer),
        layer.crs().authid(),
        temporal.isActive(),
        temporal.fixedTemporalRange().begin(),
        (served if hasattr(served, "attribution") else layer).attribution(),
    )


def test_a_project_moved_with_its_outputs_is_the_same_elsewhere(project, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    plans = prepare_output(everything(here / "UP42" / "taormina-job1" / "final"), ThreadContext())
    assert not [plan.problem for plan in plans if plan.problem]
    layers = LayerLoader(project).add(plans, "x", JOB)
    own = layers[0]
    own.setRenderer(QgsSingleBandGrayRenderer(own.dataProvider(), 3))
    before = sorted(map(facts, layers))
    assert project.filePathStorage() == Qgis.FilePathType.Relative
    assert project.write(str(here / "project.qgs"))
    sources = re.findall(r"<datasource>(.*?)</datasource>", (here / "project.qgs").read_text(encoding="utf-8"))
    assert len([source for source in sources if source.count("./UP42/taormina-job1/final/")]) == len(layers)
    assert not [source for source in sources if str(tmp_path) in source]
    project.clear()
    here.rename(there)

    assert project.read(str(there / "project.qgs"))
    found = list(project.mapLayers().values())
    broken = [layer.source() for layer in found if not layer.isValid()]
    assert not broken
    assert not [layer.source() for layer in found if str(there) not in layer.source()]
    assert sorted(map(facts, found)) == before
    (again,) = [layer for layer in found if layer.name() == own_name(plans)]
    assert again.renderer().usesBands() == [3]
    for layer in found:
        if layer.name().startswith(("Super-resolution", "Sentinel-2", "S2B", "0123")):
            assert rendered([layer], 40, 40).pixel(20, 20) != QColor(BACKGROUND).rgb(), layer.name()

    folder = there / "UP42" / "taormina-job1" / "final"
    plans = prepare_output(folder, ThreadContext())
    assert sorted(layer.id() for layer in LayerLoader(project).add(plans, "x", JOB)) == sorted(
        layer.id() for layer in found
    )
    assert len(project.mapLayers()) == len(found)


def own_name(plans):
    return plans[0].title


def test_outputs_elsewhere_are_found_by_a_project_that_moves_alone(project, tmp_path):
    """The general outputs folder is not beside the project."""
    outputs, here, there = tmp_path / "data" / "outputs", tmp_path / "a" / "b", tmp_path / "c"
    for folder in (here, there):
        folder.mkdir(parents=True)
    plans = prepare_output(everything(outputs), ThreadContext())
    LayerLoader(project).add(plans, "x", JOB)
    project.setFilePathStorage(Qgis.FilePathType.Absolute)
    assert project.write(str(here / "project.qgz"))
    project.clear()
    (here / "project.qgz").rename(there / "project.qgz")
    assert project.read(str(there / "project.qgz"))
    assert not [layer.source() for layer in project.mapLayers().values() if not layer.isValid()]
