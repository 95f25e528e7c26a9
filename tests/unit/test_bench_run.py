"""The benchmarks' runner: standard output holds one JSON object and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / "bench" / "run.py"
GOOD = """
import os, sys
from pathlib import Path
print("noise")
os.write(1, b"more")
Path(sys.argv[1]).write_text('7.5')
"""
BAD = "import sys; print('noise'); sys.exit(3)\n"


@pytest.fixture
def run(tmp_path):
    """A copy of the runner with keys of the test's own."""
    folder = tmp_path / "bench"
    (folder / "keys").mkdir(parents=True)
    (folder / "run.py").write_text(RUN.read_text("utf-8"), "utf-8")

    def run(*arguments, **keys):
        for name, code in keys.items():
            (folder / "keys" / f"{name}.py").write_text(code, "utf-8")
        return subprocess.run(
            [sys.executable, str(folder / "run.py"), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def test_every_key_has_its_value_and_noise_goes_elsewhere(run):
    done = run(first_ms=GOOD, second=GOOD.replace("7.5", '{"ratio": 1.2}'))
    assert json.loads(done.stdout) == {"first_ms": 7.5, "second": {"ratio": 1.2}}
    assert len(done.stdout.splitlines()) == 1
    assert "noise" in done.stderr
    assert done.returncode == 0


def test_a_key_without_a_value_fails_and_the_others_are_told(run):
    done = run(first_ms=GOOD, second=BAD)
    assert json.loads(done.stdout) == {"first_ms": 7.5}
    assert "second: no value, the benchmark ended with 3" in done.stderr
    assert done.returncode == 1


def test_one_key_can_be_asked_for(run):
    assert json.loads(run("first_ms", first_ms=GOOD, second=BAD).stdout) == {"first_ms": 7.5}
    assert run("third").returncode == 2


def test_the_time_that_typing_takes_is_a_key():
    assert "typing_gap_ms" in [path.stem for path in (RUN.parent / "keys").glob("*.py")]
