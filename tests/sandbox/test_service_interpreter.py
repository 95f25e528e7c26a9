"""The sandbox started with a Python that lacks GDAL goes on in one that has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from up42_plugin.sandbox import interpreter

ROOT = Path(__file__).resolve().parents[2]
# A Python without site-packages stands for one that QGIS was not installed for.
BARE = [sys.executable, "-S", "-m", "up42_plugin.sandbox"]


def environment(**values):
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    return {**kept, **values}


def test_this_python_lacks_nothing():
    assert interpreter.missing() == []
    assert interpreter.hand_over([]) is None


def test_the_first_able_one_on_the_path_is_taken(tmp_path):
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        python = folder / "python3"
        python.write_text("#!/bin/sh\n")
        python.chmod(0o755)
    path = [str(tmp_path / "none"), str(tmp_path / "first"), str(tmp_path / "second")]
    found = interpreter.better_python(path, able=lambda python: "second" in python)
    assert found == str(tmp_path / "second" / "python3")


def test_a_program_that_is_no_python_is_not_able(tmp_path):
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    assert not interpreter.has_all(str(broken))
    assert not interpreter.has_all(str(tmp_path / "none"))
    assert interpreter.has_all(sys.executable)


@pytest.mark.skipif(os.name != "posix", reason="the other Python stands in a folder of its own on PATH")
def test_a_bare_python_hands_over(tmp_path):
    able = tmp_path / "python3"
    able.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    able.chmod(0o755)
    process = subprocess.Popen(
        [*BARE, "--data-dir", str(tmp_path / "data"), "--exit-with-parent"],
        cwd=ROOT,
        env=environment(PATH=str(tmp_path)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert json.loads(process.stdout.readline())["base_url"].startswith("http://127.0.0.1:")
    finally:
        process.stdin.close()
        process.stdout.close()
        assert process.wait(30) == 0


def test_without_any_able_python_it_says_what_is_missing(tmp_path):
    done = subprocess.run(
        [*BARE, "--data-dir", str(tmp_path / "data")],
        cwd=ROOT,
        env=environment(PATH=str(tmp_path), UP42_SANDBOX_HANDED_OVER="1"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "numpy" in done.stderr
    assert "/usr/bin/python3" in done.stderr
    assert done.stdout == ""
