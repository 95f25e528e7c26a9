"""What a block's schema means, and its defaults by the rule of the vendor's client."""

from __future__ import annotations

import pytest

from tests.job_samples import GASES, RADAR, SENTINEL, STREETS, SUPER_RESOLUTION, TILING, VESSELS, chain
from up42_plugin.core.parameters import ParameterSchema, ParameterSpec, ParameterType, default_parameters
from up42_plugin.core.workflow import Block, BlockType, Workflow


def test_defaults_are_all_that_have_one_null_included():
    assert ParameterSchema.of(SENTINEL).defaults() == {
        "ids": None,
        "bbox": None,
        "time": "2018-01-01T00:00:00+00:00/2021-12-31T23:59:59+00:00",
        "time_series": None,
        "limit": 1,
        "max_cloud_cover": 100,
    }


def test_required_parameters_without_default_are_null():
    block = Block("b", "b", "B", BlockType.DATA, parameters={"bucket": {"type": "string", "required": True}})
    assert ParameterSchema.of(block).defaults() == {"bucket": None}


def test_defaults_of_a_workflow_leave_geometries_to_the_area():
    assert default_parameters(chain()) == {
        "aws-s2-l2a:1": {
            "ids": None,
            "time": "2018-01-01T00:00:00+00:00/2021-12-31T23:59:59+00:00",
            "time_series": None,
            "limit": 1,
            "max_cloud_cover": 100,
        },
        "s2-superresolution:1": {"clip_to_aoi": False, "copy_original_bands": True},
    }
    assert default_parameters(Workflow("w", "empty")) == {}


def test_defaults_are_copies():
    defaults = ParameterSchema.of(RADAR).defaults()
    defaults["polarisations"].append("HH")
    assert ParameterSchema.of(RADAR).defaults()["polarisations"] == ["VV"]


def test_a_parameter_is_read_whole():
    spec = ParameterSchema.of(RADAR).get("polarisations")
    assert spec.type is ParameterType.ARRAY
    assert spec.item_type is ParameterType.STRING
    assert spec.choices == ("VV", "VH")
    assert spec.default == ["VV"]
    clouds = ParameterSchema.of(SENTINEL).get("max_cloud_cover")
    assert (clouds.type, clouds.minimum, clouds.maximum) == (ParameterType.INTEGER, 0, 100)
    assert not clouds.required
    assert ParameterSchema.of(GASES).get("layer").required


def test_null_as_default_is_not_no_default():
    schema = ParameterSchema.of(SENTINEL)
    assert schema.get("ids").has_default
    assert not schema.get("contains").has_default


def test_an_unknown_type_is_kept_as_it_came():
    spec = ParameterSchema.of(TILING).get("odd")
    assert spec.type is ParameterType.OTHER
    assert spec.raw == {"type": "colour", "default": "red"}
    assert spec.default == "red"


@pytest.mark.parametrize(
    "raw", [None, 5, [], {}, {"type": None}, {"items": 5}, {"minimum": "0", "maximum": True}, {"items": {"enum": 1}}]
)
def test_an_odd_schema_narrows_nothing(raw):
    spec = ParameterSpec.parse("x", raw)
    assert spec.type is ParameterType.OTHER
    assert (spec.minimum, spec.maximum, spec.choices, spec.required) == (None, None, (), False)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("copy_original_bands", "Copy original bands"),
        ("clip_to_aoi", "Clip to area"),
        ("output_epsg_code", "Output EPSG code"),
        ("ids", "IDs"),
        ("linear_to_db", "Linear to dB"),
    ],
)
def test_labels_for_people(name, label):
    assert ParameterSpec.parse(name, {}).label == label


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({"minimum": 0, "maximum": 100}, "0 to 100"),
        ({"minimum": 1}, "at least 1"),
        ({"maximum": 720}, "at most 720"),
        ({"minimum": 0.07}, "at least 0.07"),
        ({}, ""),
    ],
)
def test_ranges_for_people(raw, text):
    assert ParameterSpec.parse("x", raw).range_text == text


def test_geometries_a_block_takes():
    assert ParameterSchema.of(SENTINEL).geometries == ("bbox", "intersects", "contains")
    assert ParameterSchema.of(STREETS).geometries == ("bbox",)
    assert ParameterSchema.of(VESSELS).geometries == ()
    assert "clip_to_aoi" in ParameterSchema.of(SUPER_RESOLUTION)
    assert ParameterSchema.of(SENTINEL).get("nothing") is None
    assert [spec.name for spec in ParameterSchema.of(STREETS)] == ["bbox", "time"]
