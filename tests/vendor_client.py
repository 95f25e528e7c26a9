"""The vendor's own client, up42-py, in its environment."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Mapping

import pytest
from sandbox_process import ROOT, RunningSandbox

VENDOR_VENV = ROOT / ".venv-vendor"


def vendor_interpreter() -> Path:
    """The Python of the environment that holds the client, made when it is missing; skips the test if that fails."""
    command = [str(ROOT / ".ci/make-venv"), str(VENDOR_VENV), str(ROOT / ".ci/requirements-vendor.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        pytest.skip(f"the vendor's client cannot be installed here: {reason}")
    return VENDOR_VENV / "bin/python"


def vendor_report(
    python: Path, script: Path, sandbox: RunningSandbox, folder: Path, within_s: float, **more: Any
) -> Mapping[str, Any]:
    """Run a script of the client against a sandbox; what it wrote as ``report.json`` into ``folder``."""
    order = {
        "base_url": sandbox.base_url,
        "project_id": sandbox.project_id,
        "project_api_key": sandbox.project_api_key,
        "folder": str(folder),
        **more,
    }
    done = subprocess.run(
        [str(python), str(script)],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=False,
        timeout=within_s,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    report: Mapping[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return report
