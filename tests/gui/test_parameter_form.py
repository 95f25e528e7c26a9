"""The form of a task's parameters: made from any schema, says what is set, loses nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, Dict

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QCheckBox

import up42_plugin
from up42_plugin.core.parameters import ParameterSchema
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS, Block, BlockType, Step
from up42_plugin.gui.parameter_editors import NOT_SET
from up42_plugin.gui.parameter_form import ParameterForm
from up42_plugin.gui.search_binding import SEARCHED

ODD = (
    None,
    True,
    False,
    0,
    140,
    -1.5,
    10**12,
    0.1 + 0.2,
    "text",
    'ü "q", x',
    [],
    ["VV", "x,y"],
    [1, None],
    {"a": [1.0]},
)


@pytest.fixture(scope="module")
def blocks(qgis_app) -> Dict[str, Block]:
    path = Path(up42_plugin.__file__).parent / "sandbox" / "catalogue.json"
    return {
        raw["id"]: Block(
            raw["id"], raw["name"], raw["displayName"], BlockType(raw["type"]), parameters=raw["parameters"]
        )
        for raw in json.loads(path.read_text(encoding="utf-8"))["blocks"]
    }


def form_of(block: Block) -> ParameterForm:
    first = block.type is BlockType.DATA
    return ParameterForm(Step(f"{block.name}:1", block), first, SEARCHED if first else ())


def named(blocks: Dict[str, Block], name: str) -> ParameterForm:
    return form_of(next(block for block in blocks.values() if block.name == name))


def test_every_block_has_its_form_and_any_value_goes_through_it(blocks):
    dice = random.Random(5)  # noqa: S311 - the same cases every time
    for block in blocks.values():
        form = form_of(block)
        told = []
        form.edited.connect(told.append)
        asked = [name for name in block.parameters if name not in GEOMETRY_PARAMETERS]
        if block.type is BlockType.DATA:
            asked = [name for name in asked if name not in SEARCHED]
        assert list(form.editors) == asked
        for _ in range(4):
            values: Dict[str, Any] = {name: dice.choice(ODD) for name in asked}
            values["only_in_json"] = dice.choice(ODD)
            form.set_values(values)
            assert repr(sorted(form.values.items())) == repr(sorted(values.items()))
        defaults = ParameterSchema.of(block).defaults()
        form.set_values(defaults)
        assert form.values == defaults
        assert form.changed == 0
        assert not told, "showing a value is no edit"
        form.deleteLater()


def test_a_change_is_bold_counted_and_told(blocks):
    form = named(blocks, "s2-superresolution")
    form.set_values({"clip_to_aoi": False, "copy_original_bands": True})
    told = []
    form.edited.connect(told.append)
    assert form.title() == "Super-resolution Sentinel-2: parameters"
    assert form.isCollapsed()
    editor = form.editors["copy_original_bands"]
    assert form.labels["copy_original_bands"].text() == "Copy original bands"
    assert form.labels["copy_original_bands"].toolTip().startswith("copy_original_bands, boolean, default true")
    editor.findChild(QCheckBox).click()
    assert told == ["copy_original_bands"]
    assert form.values["copy_original_bands"] is False
    assert form.labels["copy_original_bands"].font().bold()
    assert not form.labels["clip_to_aoi"].font().bold()
    assert form.title() == "Super-resolution Sentinel-2: 1 changed"
    assert not {"bbox", "intersects", "contains"} & set(form.editors)
    hint = next(label for label in form.findChildren(type(form.only_in_json)) if label.objectName() == "handedOn")
    assert hint.text() == "The area above is handed on to this block."
    assert not hint.isHidden()


def test_the_data_block_is_asked_for_what_the_search_does_not_ask(blocks):
    form = named(blocks, "aws-s2-l2a")
    form.set_values({"ids": None, "time_series": None})
    assert form.title().endswith(": more parameters")
    assert list(form.editors) == ["ids", "time_series"]
    line = form.editors["ids"].line
    assert line.placeholderText() == NOT_SET
    QTest.keyClicks(line, "S2A_1, S2B_2")
    assert form.values["ids"] == ["S2A_1", "S2B_2"]
    line.clear()
    assert form.values["ids"] is None
    QTest.keyClicks(form.editors["time_series"].line, "2021-05-01 to 2021-06-30; 2022-05-01 to 2022-06-30")
    assert form.values["time_series"] == [
        "2021-05-01T00:00:00+00:00/2021-06-30T23:59:59+00:00",
        "2022-05-01T00:00:00+00:00/2022-06-30T23:59:59+00:00",
    ]


def test_an_opened_group_shows_only_what_holds(blocks):
    form = named(blocks, "aws-s2-l2a")
    form.set_values({"ids": None, "time_series": None})
    form.show()
    form.setCollapsed(False)
    hidden = {label.objectName() for label in form.findChildren(type(form.only_in_json)) if not label.isVisible()}
    assert {"handedOn", "onlyInJson"} <= hidden
    assert form.editors["ids"].isVisible()
    form.close()


def test_numbers_keep_to_their_kind_and_their_bounds(blocks):
    form = named(blocks, "tiling")
    form.set_values({"tile_width": 768, "nodata": None})
    width = form.editors["tile_width"]
    width.box.setValue(512)
    assert repr(form.values["tile_width"]) == "512"
    nodata = form.editors["nodata"]
    assert nodata.box.text() == NOT_SET
    QTest.keyClick(nodata.box, Qt.Key.Key_Up)
    assert form.values["nodata"] == 0
    nodata.box.setValue(-9999.5)
    assert form.values["nodata"] == -9999.5
    nodata.box.clear()
    assert form.values["nodata"] is None


def test_a_value_out_of_bounds_is_shown_as_it_is(blocks):
    form = named(blocks, "s5p-lvl3")
    form.set_values({"min_quality_threshold": 140, "resolution": "fine"})
    assert form.editors["min_quality_threshold"].box.value() == 140
    assert form.editors["resolution"].box.text() == '"fine"'
    assert form.values == {"min_quality_threshold": 140, "resolution": "fine"}
    form.editors["resolution"].box.setValue(0.5)
    assert form.values["resolution"] == 0.5


def test_known_values_are_offered_and_others_can_be_typed(blocks):
    form = named(blocks, "sharpening")
    form.set_values({"strength": "medium"})
    combo = form.editors["strength"].combo
    assert [combo.itemText(n) for n in range(combo.count())] == ["light", "medium", "strong"]
    combo.setCurrentIndex(2)
    assert form.values["strength"] == "strong"
    combo.lineEdit().setText("gentle")
    assert form.values["strength"] == "gentle"


def test_lists_of_known_values_are_ticked(blocks):
    form = named(blocks, "zonal-statistics")
    form.set_values({"stats": ["max", "percentile_5"], "zones": []})
    combo = form.editors["stats"].combo
    assert combo.checkedItems() == ["max", "percentile_5"]
    combo.toggleItemCheckState(combo.findText("min"))
    assert form.values["stats"] == ["max", "percentile_5", "min"]
    combo.toggleItemCheckState(combo.findText("max"))
    assert form.values["stats"] == ["percentile_5", "min"]


def test_what_the_form_does_not_know_is_kept_and_counted(blocks):
    form = named(blocks, "sharpening")
    form.set_values({"strength": "medium", "edge": 1.7, "weights": [0.1]})
    assert form.only_in_json.text().replace("\u00a0", " ") == "2 parameters only in JSON"
    assert form.only_in_json.toolTip() == "edge, weights"
    form.editors["strength"].combo.setCurrentIndex(0)
    assert form.values == {"strength": "light", "edge": 1.7, "weights": [0.1]}
