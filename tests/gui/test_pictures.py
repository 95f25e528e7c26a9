"""The pictures of the dock: each that is promised has a way to it, and one that is missing is an error."""

from __future__ import annotations

import inspect
import json
import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "showcase"))
    return import_module


def test_each_promised_picture_has_one_state_that_takes_it(module):
    states = module("picture_states").STATES
    assert sorted(state.name for state in states) == sorted(module("picture_names").PICTURES)
    for state in states:
        assert f'"{state.name}"' in inspect.getsource(state.steps)


def test_a_state_that_was_not_reached_fails_the_command(module, tmp_path, monkeypatch):
    pictures = module("pictures")
    monkeypatch.setattr(pictures, "OUT", tmp_path)
    (tmp_path / "light").mkdir()
    first, *others = module("picture_names").PICTURES
    for name in others:
        (tmp_path / "light" / f"{name}.png").touch()
    report = tmp_path / "report.json"
    assert pictures.problems("light", report, 1) == ["QGIS ended with 1 and left no report."]
    report.write_text(json.dumps({"problems": [], "log": []}), "utf-8")
    assert pictures.problems("light", report, 0) == [f"{first}.png is missing."]
    report.write_text(json.dumps({"problems": ["It could not be reached."], "log": []}), "utf-8")
    assert pictures.problems("light", report, 0)[0] == "It could not be reached."


def test_the_readme_shows_pictures_that_are_there_and_small(module):
    made = module("readme_pictures")
    shown = re.findall(r"\]\((resources/help/\w+\.png)\)", (ROOT / "README.md").read_text("utf-8"))
    assert len(shown) > 3
    for path in shown:
        assert 0 < (ROOT / path).stat().st_size <= made.MOST_BYTES_OF.get(Path(path).stem, made.MOST_BYTES), path


def test_every_block_that_the_sandbox_computes_is_on_the_contact_sheet(module):
    sheet = module("contact_sheet")
    assert not sheet.missing_chains()
    known = sheet.runnable_blocks()
    for chain in sheet.CHAINS:
        assert set(chain.blocks) | set(chain.parameters) <= set(known), chain
        assert set(chain.parameters) <= set(chain.blocks), chain
