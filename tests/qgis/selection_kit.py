"""What the tests of the selection share: layers with selected features, and how QGIS measures them."""

from __future__ import annotations

from pathlib import Path

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsDistanceArea,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsVectorLayer,
)

from up42_plugin.qgis_bridge.selection import SelectionTracker

TAORMINA = (
    "POLYGON((15.282326 37.854051,15.281897 37.843275,15.301208 37.843139,15.301809 37.853577,15.282326 37.854051))"
)


def square(x, y, side=0.02):
    return f"POLYGON(({x} {y},{x + side} {y},{x + side} {y + side},{x} {y + side},{x} {y}))"


def layer_of(*wkts, crs="EPSG:4326", kind="Polygon", name="taormina"):
    layer = QgsVectorLayer(f"{kind}?crs={crs}" if crs else kind, name, "memory")
    if not crs:
        layer.setCrs(QgsCoordinateReferenceSystem())
    features = []
    for wkt in wkts:
        feature = QgsFeature()
        if wkt:
            feature.setGeometry(QgsGeometry.fromWkt(wkt))
        features.append(feature)
    assert layer.dataProvider().addFeatures(features)[0]
    return layer


@pytest.fixture
def project(qgis_app):
    project = QgsProject()
    yield project
    project.clear()


@pytest.fixture
def tracker(project):
    tracker = SelectionTracker(project)
    yield tracker
    tracker.close()


@pytest.fixture
def landsat():
    """Real Landsat 7 imagery (EPSG:31985), kept beside the checkout and not part of it."""
    path = Path(__file__).parents[2].parent / "shared" / "data" / "L7_ETMs.tif"
    if not path.is_file():
        pytest.skip(f"no real Landsat image at {path}")
    return path


def ellipsoidal_km2(rings, project):
    """The area as QGIS measures it, on the WGS84 ellipsoid."""
    measure = QgsDistanceArea()
    measure.setSourceCrs(QgsCoordinateReferenceSystem("EPSG:4326"), project.transformContext())
    measure.setEllipsoid("EPSG:7030")
    sizes = [measure.measurePolygon([QgsPointXY(x, y) for x, y in ring]) / 1e6 for ring in rings]
    return sizes[0] - sum(sizes[1:])


def added(project, layer):
    assert project.addMapLayer(layer) is layer
    return layer
