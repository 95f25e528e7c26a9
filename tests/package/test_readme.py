"""What the README tells in numbers is so."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from up42_plugin.sandbox.catalogue import Catalogue
from up42_plugin.sandbox.runners.registry import RUNNERS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def limits():
    spec = importlib.util.spec_from_file_location("bench_limits", ROOT / "tests/bench/limits.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, spec.name, module)
        spec.loader.exec_module(module)
    return module.LIMITS


def test_the_blocks_are_counted():
    blocks, computed = map(int, re.search(r"lists (\d+) blocks and computes (\d+) of them", README).groups())
    assert (blocks, computed) == (len(Catalogue.load().blocks), len(RUNNERS))


def test_each_measurement_is_told_with_its_limit():
    told = dict(re.findall(r"^\|.*\| `([\w.]+)` \|.*\| ([\d.,]+)(?: \w+)? \|$", README, re.MULTILINE))
    assert {name: float(most.replace(",", "")) for name, most in told.items()} == dict(limits())


def test_each_command_of_the_makefile_that_a_developer_needs_is_in_the_table():
    offered = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert [name for name in offered if f"make {name}" not in README and name != "help"] == []
