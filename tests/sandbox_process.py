"""Starts the built-in service as its own process, the way everybody outside of it uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 60.0
END_TIMEOUT_S = 30.0


@dataclass
class RunningSandbox:
    """A sandbox process and how to get into it. Leaving the context ends it."""

    base_url: str
    project_id: str
    project_api_key: str
    username: str
    password: str
    workflows: Mapping[str, str]
    data_dir: Path
    process: subprocess.Popen
    line: str = field(repr=False, default="")

    def __enter__(self) -> RunningSandbox:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> int:
        """End it as told; returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self._wait()

    def kill(self) -> int:
        """End it as a crash would."""
        if self.process.poll() is None:
            self.process.kill()
        return self._wait()

    def _wait(self) -> int:
        try:
            code = self.process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code


def sandbox_command(data_dir: Path, *args: str, module: str = "up42_plugin.sandbox") -> List[str]:
    """The command line of a sandbox on the Python that runs the tests."""
    return [sys.executable, "-m", module, "--data-dir", str(data_dir), *args]


def sandbox_environment() -> Dict[str, str]:
    """The environment of a sandbox: this one's, and the package can be found."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def start_sandbox(
    data_dir: Path, *args: str, stdin: Optional[int] = subprocess.DEVNULL, module: str = "up42_plugin.sandbox"
) -> RunningSandbox:
    """Start a sandbox and wait for its line. Raises ``RuntimeError`` with what it said when it does not come."""
    log = Path(data_dir).with_suffix(".stderr")
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            sandbox_command(data_dir, *args, module=module),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=sandbox_environment(),
        )
    timer = threading.Timer(START_TIMEOUT_S, process.kill)
    timer.start()
    line = process.stdout.readline().decode("utf-8")
    timer.cancel()
    if not line:
        code = process.wait(END_TIMEOUT_S)
        process.stdout.close()
        raise RuntimeError(f"the sandbox ended with {code}: {log.read_text(encoding='utf-8')}")
    entrance: Mapping[str, Any] = json.loads(line)
    return RunningSandbox(data_dir=Path(data_dir), process=process, line=line, **entrance)
