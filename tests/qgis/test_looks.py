"""Looks as QML: each is valid, drawn in its colours, put on without reading pixels, and switched like any style."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsGraduatedSymbolRenderer,
    QgsHillshadeRenderer,
    QgsLayerTreeLayer,
    QgsMapLayerLegend,
    QgsPalettedRasterRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsSingleBandGrayRenderer,
    QgsSingleBandPseudoColorRenderer,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

from tests.raster_samples import geotiff, output_of, superresolution
from tests.rendering import BACKGROUND, colour, hexadecimal, rendered
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.layer_plan import (
    JobProvenance,
    LayerKind,
    LayerPlan,
    LookStyle,
    NamedStyle,
    VectorClass,
    VectorLook,
)
from up42_plugin.core.outputs import prepare_output
from up42_plugin.qgis_bridge.layer_metadata import identity
from up42_plugin.qgis_bridge.layers import LayerLoader
from up42_plugin.qgis_bridge.looks import LookError, look_path, put_look, put_vector_look
from up42_plugin.qgis_bridge.stretching import box_in_layer, hidden_value, shown_bands, stretch
from up42_plugin.qgis_bridge.styles import style_names

JOB = JobProvenance("job", "Job", "sandbox")
FOLDER = look_path("ndvi").parent
GEOMETRIES = {"point": "Point", "line": "LineString", "polygon": "Polygon"}
VECTOR_LOOKS = sorted(path.stem for path in FOLDER.glob("*.qml") if "<renderer-v2" in path.read_text(encoding="utf-8"))
RASTER_LOOKS = sorted({path.stem for path in FOLDER.glob("*.qml")} - set(VECTOR_LOOKS))
RENDERERS = {
    QgsPalettedRasterRenderer: {
        "ndvi_threshold", "land_cover_5", "land_cover_4", "clusters", "water_mask", "water_and_land", "flood_mask",
        "flood_and_land", "cloud_mask", "mask", "scene_classes",
    },
    QgsSingleBandPseudoColorRenderer: {
        "ndvi", "ndvi_classes", "index", "change", "elevation", "continuous", "temperature", "amount", "probability",
        "direction", "ndwi", "ndmi", "nbr", "ndbi",
    },
    QgsSingleBandGrayRenderer: {"radar"},
    QgsHillshadeRenderer: {"hillshade"},
}  # fmt: skip
MOST_MS = 10.0


@pytest.fixture
def project(qgis_app):
    project = QgsProject()
    yield project
    project.clear()


@pytest.fixture
def load(project):
    def loaded(plan):
        (layer,) = LayerLoader(project).add([plan], "x", JOB)
        return layer

    return loaded


@pytest.fixture
def raster(tmp_path, qgis_app):
    return QgsRasterLayer(str(geotiff(tmp_path / "a.tif", [np.arange(100, dtype=np.float32).reshape(10, 10)])), "a")


@pytest.fixture
def complaints():
    """What GDAL says it could not do: a pixel that is asked for in a raster without pixels is such a thing."""
    found = []
    gdal.PushErrorHandler(lambda _kind, _number, text: found.append(text))
    yield found
    gdal.PopErrorHandler()


def without_pixels(tmp_path):
    """A raster of which everything but the pixels is there: it opens, but nothing can be read from it."""
    path = geotiff(tmp_path / "cut.tif", [np.ones((500, 500), np.float32)], options=("TILED=YES",))
    with path.open("r+b") as file:
        file.truncate(8192)
    return str(path)


def geometry_of(look):
    return "polygon" if look == "footprints" else look.rpartition("_")[2]


def vector(look):
    return QgsVectorLayer(f"{GEOMETRIES[geometry_of(look)]}?crs=EPSG:4326&field=value:double", "v", "memory")


def drawn(tmp_path, values, look, **numbers):
    """The colours of a row of values in a look; each pixel ten wide."""
    row = np.repeat(np.array([values]), 10, axis=0)
    layer = QgsRasterLayer(str(geotiff(tmp_path / "drawn.tif", [row], options=())), "drawn")
    put_look(layer, LookStyle(look, **numbers))
    image = rendered([layer], len(values) * 10, 100)
    return [hexadecimal(image, at * 10 + 5, 50) for at in range(len(values))]


def legend(layer):
    legend = QgsMapLayerLegend.defaultRasterLegend(layer)
    nodes = legend.createLayerTreeModelLegendNodes(QgsLayerTreeLayer(layer))
    return [text for text in (node.data(0) for node in nodes[1:]) if text]


def test_every_look_of_a_raster_is_listed_here():
    assert sorted(set().union(*RENDERERS.values())) == RASTER_LOOKS


@pytest.mark.parametrize("look", RASTER_LOOKS)
def test_raster_looks_are_valid_and_quick(raster, look):
    began = time.thread_time()
    put_look(raster, LookStyle(look))
    assert (time.thread_time() - began) * 1000 < MOST_MS
    assert look in RENDERERS[type(raster.renderer())]
    assert raster.renderer().usesBands() == [1]


@pytest.mark.parametrize("look", VECTOR_LOOKS)
def test_vector_looks_are_valid_and_quick(qgis_app, look):
    layer = vector(look)
    began = time.thread_time()
    put_vector_look(layer, VectorLook(look))
    assert (time.thread_time() - began) * 1000 < MOST_MS
    kinds = {"confidence": QgsGraduatedSymbolRenderer, "counts": QgsGraduatedSymbolRenderer}
    kinds.update({"classes": QgsCategorizedSymbolRenderer, "roads": QgsCategorizedSymbolRenderer})
    assert type(layer.renderer()) is kinds.get(look.partition("_")[0], QgsSingleSymbolRenderer)


def test_a_look_for_points_is_none_for_polygons(qgis_app):
    with pytest.raises(LookError, match="plain_point"):
        put_vector_look(vector("plain_polygon"), VectorLook("plain_point"))
    with pytest.raises(FileNotFoundError):
        look_path("no such look")


@pytest.mark.parametrize("look", RASTER_LOOKS)
def test_no_pixel_is_read(tmp_path, load, complaints, look):
    first = LookStyle(look, minimum=0.0, maximum=9.0) if look in ("elevation", "radar") else LookStyle(look)
    plan = LayerPlan("k", "t", without_pixels(tmp_path), LayerKind.RASTER, first, style_name="One")
    began = time.thread_time()
    layer = load(plan.styled([NamedStyle("One", first), NamedStyle("Two", LookStyle("hillshade"))]))
    layer.styleManager().setCurrentStyle("Two")
    layer.styleManager().setCurrentStyle("One")
    assert (time.thread_time() - began) * 1000 < 200
    assert not complaints
    layer.dataProvider().sample(layer.extent().center(), 1)
    assert complaints, "a pixel that is asked for is noticed"


@pytest.mark.parametrize(
    ("look", "values", "numbers", "colours"),
    [
        ("ndvi_classes", [-0.3, 0.3, 0.5, 0.7, 0.95], {}, ["#a97c50", "#e2d49a", "#a8cf6a", "#3f9a45", "#00441b"]),
        ("ndvi", [-1.0, 0.0, 0.2, 1.0], {}, ["#4d3319", "#a97c50", "#e2d49a", "#00441b"]),
        ("index", [-1.0, 0.0, 1.0], {}, ["#543005", "#f5f5f5", "#003c30"]),
        ("ndwi", [-1.0, 0.0, 1.0], {}, ["#8c510a", "#f6f3e8", "#08306b"]),
        ("ndmi", [-1.0, 0.0, 1.0], {}, ["#a50026", "#ffffbf", "#313695"]),
        ("nbr", [-1.0, 0.1, 1.0], {}, ["#8e0152", "#f7f7f7", "#276419"]),
        ("ndbi", [-1.0, 0.0, 1.0], {}, ["#2d004b", "#f7f7f7", "#7f3b08"]),
        ("change", [-5.0, 0.0, 5.0, 9.0], {"minimum": -5, "maximum": 5}, ["#b2182b", "#f7f7f7", "#2166ac", "#2166ac"]),
        ("elevation", [100.0, 300.0, 900.0], {"minimum": 100, "maximum": 300}, ["#0d4a3a", "#ffffff", "#ffffff"]),
        ("continuous", [2.0, 4.0], {"minimum": 2, "maximum": 4}, ["#440154", "#fde725"]),
        ("temperature", [-10.0, 10.0, 30.0], {"minimum": -10, "maximum": 30}, ["#313695", "#ffffbf", "#a50026"]),
        ("radar", [-25.0, -12.5, 0.0], {}, ["#000000", "#7f7f7f", "#ffffff"]),
        ("radar", [10.0, 20.0], {"minimum": 10, "maximum": 20}, ["#000000", "#ffffff"]),
    ],
)
def test_values_have_the_colours_of_the_look(tmp_path, look, values, numbers, colours):
    assert drawn(tmp_path, np.array(values, np.float32), look, **numbers) == colours


@pytest.mark.parametrize(
    ("look", "values", "colours"),
    [
        ("land_cover_5", [1, 2, 3, 4, 5, 0], ["#2b83ba", "#1a7837", "#a6d96a", "#d8b365", "#c51b7d", BACKGROUND]),
        ("water_mask", [0, 1, 255], [BACKGROUND, "#2b83ba", "#2b83ba"]),
        ("water_and_land", [0, 1, 255], ["#e5dcc3", "#2b83ba", "#2b83ba"]),
        ("clusters", [0, 1, 200], ["#332288", "#88ccee", BACKGROUND]),
    ],
)
def test_classes_have_the_colours_of_the_look_and_the_rest_is_transparent(tmp_path, qgis_app, look, values, colours):
    assert drawn(tmp_path, np.array(values, np.uint8), look) == colours


def test_clouds_are_half_transparent(tmp_path, qgis_app):
    clear, cloud, valid = (QColor(text) for text in drawn(tmp_path, np.array([0, 1, 255], np.uint8), "cloud_mask"))
    assert clear.name() == valid.name() == BACKGROUND
    assert (cloud.red(), cloud.green(), cloud.blue()) == pytest.approx((241, 13, 141), abs=2)


def test_the_legend_names_the_classes_that_occur(raster):
    put_look(raster, LookStyle("land_cover_5", values=(2, 5, 9)))
    assert legend(raster) == ["High vegetation", "Urban"]
    put_look(raster, LookStyle("clusters", values=(0, 3, 31)))
    assert legend(raster) == ["Cluster 0", "Cluster 3", "Cluster 31"]
    put_look(raster, LookStyle("ndvi_classes"))
    assert legend(raster)[1] == "0.2 to 0.4: sparse"


def test_the_legend_has_the_unit(raster):
    put_look(raster, LookStyle("elevation", minimum=-3.0, maximum=812.5, unit="m"))
    function = raster.renderer().shader().rasterShaderFunction()
    assert function.legendSettings().suffix() == " m"
    labels = [item.label for item in function.colorRampItemList()]
    assert (labels[0], labels[-1]) == ("-3 m", "812.5 m")
    assert (raster.renderer().classificationMin(), raster.renderer().classificationMax()) == (-3.0, 812.5)


def test_bands_and_transparency_are_those_of_the_layer(tmp_path, qgis_app):
    bands = [np.full((10, 10), value, np.uint8) for value in (1, 2, 255)]
    bands[2][:, :5] = 0
    layer = QgsRasterLayer(str(geotiff(tmp_path / "a.tif", bands)), "a")
    put_look(layer, LookStyle("land_cover_5", band=2, alpha=3))
    image = rendered([layer], 100, 100)
    assert (hexadecimal(image, 20, 50), hexadecimal(image, 80, 50)) == (BACKGROUND, "#1a7837")


def test_slopes_are_shaded_alike_in_metres_and_in_degrees(tmp_path, qgis_app):
    heights = np.tile(np.abs(np.arange(40) - 20) * 5.0, (40, 1)).astype(np.float32)
    degree = {"epsg": 4326, "pixel": 10 / 111_320, "left": 15.0, "top": 37.0}
    shades = []
    for name, factor, place in (("metres", 1.0, {}), ("degrees", 1.0 / 111_320, degree)):
        layer = QgsRasterLayer(str(geotiff(tmp_path / f"{name}.tif", [heights], **place)), name)
        put_look(layer, LookStyle("hillshade", z_factor=factor))
        image = rendered([layer], 40, 40)
        shades.append((colour(image, 10, 20)[0], colour(image, 30, 20)[0]))
    assert shades[0] == pytest.approx(shades[1], abs=2)
    assert abs(shades[0][0] - shades[0][1]) > 40


def test_steps_of_an_attribute_have_its_borders(qgis_app):
    layer = vector("counts_polygon")
    put_vector_look(layer, VectorLook("counts_polygon", "value", (0.0, 1.25, 7.0, 12.5)))
    steps = layer.renderer().ranges()
    assert layer.renderer().classAttribute() == "value"
    assert [step.label() for step in steps] == ["0.0 to 1.2", "1.2 to 7.0", "7.0 to 12.5"]
    assert [step.upperValue() for step in steps] == [1.25, 7.0, 12.5]
    assert steps[0].symbol().color() != steps[2].symbol().color()
    sure = vector("confidence_polygon")
    put_vector_look(sure, VectorLook("confidence_polygon", "value", (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)))
    assert [step.label() for step in sure.renderer().ranges()][::4] == ["50 to 60 %", "90 to 100 %"]


def test_classes_of_an_attribute_are_drawn_in_their_colours(tmp_path, load):
    squares = [
        {
            "type": "Feature",
            "properties": {"DN": number},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[number, 0], [number + 1, 0], [number + 1, 1], [number, 1], [number, 0]]],
            },
        }
        for number in (0, 1, 2)
    ]
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": squares}))
    classes = (
        VectorClass(0.0, "#ff0000", "None"),
        VectorClass(1.0, "#00ff00", "Some"),
        VectorClass(None, "#0000ff", "x"),
    )
    style = VectorLook("classes_polygon", "DN", classes=classes)
    layer = load(LayerPlan("k", "t", str(tmp_path / "a.geojson"), LayerKind.VECTOR, style))
    image = rendered([layer], 90, 30)
    shown = [colour(image, x, 15) for x in (15, 45, 75)]
    assert all(levels[at] > max(levels[:at] + levels[at + 1 :]) for at, levels in enumerate(shown))


@pytest.fixture
def superresolved(tmp_path, project):
    superresolution(tmp_path / "x_superresolution.tif")
    plans = prepare_output(output_of(tmp_path, "x_superresolution.tif"), ThreadContext())
    LayerLoader(project).add(plans, "x", JOB)
    return project


def only_layer(project):
    (layer,) = project.mapLayers().values()
    return layer


def bands_of(layer):
    return layer.renderer().redBand(), layer.renderer().greenBand(), layer.renderer().blueBand()


def test_styles_are_qgis_styles_in_the_order_of_the_plan(superresolved):
    layer = only_layer(superresolved)
    assert style_names(layer)[:3] == ["True Colour", "False Colour (NIR)", "Bare Soil (SWIR, NIR, Red Edge)"]
    assert sorted(style_names(layer)) == sorted(layer.styleManager().styles())
    assert layer.styleManager().currentStyle() == "True Colour"
    assert bands_of(layer) == (1, 2, 3)


def test_switching_changes_the_picture_and_nothing_else(superresolved):
    layer = only_layer(superresolved)
    known, when, notes = identity(layer), layer.temporalProperties().isActive(), layer.customProperty("userNotes")
    layer.setCustomProperty("mine", "later")
    before = rendered([layer], 100, 100)
    for name in style_names(layer):
        began = time.thread_time()
        assert layer.styleManager().setCurrentStyle(name)
        assert (time.thread_time() - began) * 1000 < 50
        assert identity(layer) == known
        assert layer.temporalProperties().isActive() == when
        assert layer.customProperty("userNotes") == notes
        assert layer.customProperty("mine") == "later"
        assert hidden_value(layer) == 0.0
    layer.styleManager().setCurrentStyle("False Colour (NIR)")
    assert bands_of(layer) == (4, 1, 2)
    assert rendered([layer], 100, 100) != before


def test_own_changes_stay_with_their_style_and_in_the_project(superresolved, tmp_path):
    layer = only_layer(superresolved)
    manager = layer.styleManager()
    manager.setCurrentStyle("False Colour (NIR)")
    layer.renderer().setOpacity(0.4)
    manager.setCurrentStyle("True Colour")
    assert layer.renderer().opacity() == 1.0
    manager.setCurrentStyle("False Colour (NIR)")
    names = style_names(layer)
    superresolved.write(str(tmp_path / "p.qgz"))
    again = QgsProject()
    assert again.read(str(tmp_path / "p.qgz"))
    layer = only_layer(again)
    assert style_names(layer) == names
    assert layer.styleManager().currentStyle() == "False Colour (NIR)"
    assert layer.renderer().opacity() == pytest.approx(0.4)
    layer.styleManager().setCurrentStyle("True Colour")
    assert (bands_of(layer), layer.renderer().opacity()) == ((1, 2, 3), 1.0)
    again.clear()


def test_a_stretch_moves_the_ends_and_keeps_the_rest(superresolved):
    layer = only_layer(superresolved)
    layer.renderer().setOpacity(0.5)
    assert shown_bands(layer) == (1, 2, 3)
    stretch(layer, {1: (10.0, 20.0), 2: (30.0, 40.0), 3: (50.0, 60.0)})
    green = layer.renderer().greenContrastEnhancement()
    assert (green.minimumValue(), green.maximumValue()) == (30.0, 40.0)
    assert (layer.renderer().opacity(), bands_of(layer)) == (0.5, (1, 2, 3))
    layer.renderer().setBlueBand(-1)  # "Not set" in the layer's properties
    assert shown_bands(layer) == ()


def test_ramps_are_stretched_and_fixed_colours_are_not(raster):
    put_look(raster, LookStyle("elevation", minimum=0.0, maximum=100.0, unit="m"))
    raster.renderer().setOpacity(0.5)
    assert shown_bands(raster) == (1,)
    stretch(raster, {1: (20.0, 60.0)})
    assert (raster.renderer().classificationMin(), raster.renderer().classificationMax()) == (20.0, 60.0)
    assert raster.renderer().opacity() == 0.5
    put_look(raster, LookStyle("change", minimum=-4.0, maximum=4.0))
    stretch(raster, {1: (-1.0, 3.0)})
    assert (raster.renderer().classificationMin(), raster.renderer().classificationMax()) == (-3.0, 3.0)
    for look in ("ndvi_classes", "land_cover_5", "hillshade"):
        put_look(raster, LookStyle(look))
        assert shown_bands(raster) == ()
    put_look(raster, LookStyle("radar"))
    stretch(raster, {1: (-9.0, -3.0)})
    assert raster.renderer().contrastEnhancement().minimumValue() == -9.0


def test_what_the_map_shows_is_found_in_the_layers_own_crs(raster, project):
    extent = raster.extent()
    box = box_in_layer(raster, extent, raster.crs())
    assert box == (extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum())
    assert box_in_layer(raster, extent.buffered(-20), raster.crs())[0] == extent.xMinimum() + 20
    extent.set(0, 0, 10, 10)
    assert box_in_layer(raster, extent, raster.crs()) is None


def test_every_style_in_a_file_is_used_and_every_used_style_has_a_file():
    code = "".join(path.read_text("utf-8") for path in (Path(__file__).parents[2] / "up42_plugin").rglob("*.py"))
    for look in (*RASTER_LOOKS, *VECTOR_LOOKS):
        stem = look if look in RASTER_LOOKS else look.rpartition("_")[0] or look
        assert f'"{look}"' in code or f'f"{stem}_{{' in code, look
