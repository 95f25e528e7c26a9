"""The benchmarks' runner: standard output holds one JSON object and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
RUN = BENCH / "run.py"
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
    for name in ("run.py", "limits.py"):
        (folder / name).write_text((BENCH / name).read_text("utf-8"), "utf-8")

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


def test_a_value_above_its_limit_fails_and_is_named(run):
    good = run("gap_ms", gap_ms=GOOD)
    assert good.returncode == 0
    assert "MISSED" not in good.stderr
    done = run("gap_ms", "start_ms", gap_ms=GOOD.replace("7.5", "50.1"), start_ms=GOOD)
    assert json.loads(done.stdout) == {"gap_ms": 50.1, "start_ms": 7.5}
    assert done.returncode == 1
    assert [line.split()[0] for line in done.stderr.splitlines() if "MISSED" in line] == ["gap_ms"]


def test_a_part_that_has_no_value_is_missed(run):
    parts = {"ratio_sdk": 0.3, "ratio_curl_tar": 0.5, "ratio_zlib": 1.2, "peak_mb_512": 8.0, "peak_mb_4096": 8}
    assert run("transfer", transfer=GOOD.replace("7.5", json.dumps(parts))).returncode == 0
    del parts["ratio_sdk"]
    done = run("transfer", transfer=GOOD.replace("7.5", json.dumps({**parts, "ratio_zlib": None}).replace("'", '"')))
    assert done.returncode == 1
    missed = [line.split()[0] for line in done.stderr.splitlines() if "MISSED" in line]
    assert missed == ["transfer.ratio_sdk", "transfer.ratio_zlib"]


def test_every_limit_belongs_to_a_key_that_is_measured():
    names = {line.split('"')[1] for line in (BENCH / "limits.py").read_text("utf-8").splitlines() if '": ' in line}
    assert "gap_ms" in names
    assert {name.partition(".")[0] for name in names} == {path.stem for path in (BENCH / "keys").glob("*.py")}
