"""Every benchmark after the other: one JSON object on standard output, what happens meanwhile on standard error.

A file in ``keys`` is one key of the object, by its name. It runs in a process of its own and writes its value, as JSON,
to the file that it is given. What QGIS and its libraries print goes to standard error. At the end the values are held
against the limits of ``limits.py``; one that is above its limit, or is not there, makes the exit code 1.

usage: run.py [KEY...]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List

sys.path.insert(0, str(Path(__file__).resolve().parent))

from limits import table, verdicts

KEYS = Path(__file__).resolve().parent / "keys"
LIMIT_S = 1800


def measured(key: str) -> Any:
    """The value of one key. Raises ``RuntimeError`` when there is none."""
    print(f"{key} …", file=sys.stderr, flush=True)  # noqa: T201
    with tempfile.TemporaryDirectory(prefix="up42-bench-") as folder:
        result = Path(folder) / "value.json"
        command = [sys.executable, "-u", str(KEYS / f"{key}.py"), str(result)]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), check=False, timeout=LIMIT_S
        )
        if not result.exists():
            raise RuntimeError(f"{key}: no value, the benchmark ended with {done.returncode}")
        return json.loads(result.read_text(encoding="utf-8"))


def main(arguments: List[str]) -> int:
    """Measure the keys asked for, or all; 1 when one has no value or is above its limit."""
    # The transfer comes last: it leaves gigabytes behind that the machine writes to its disk while others are measured.
    known = sorted((path.stem for path in KEYS.glob("*.py")), key=lambda key: (key == "transfer", key))
    unknown = [key for key in arguments if key not in known]
    if unknown:
        print(f"no such key: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)  # noqa: T201
        return 2
    values: Dict[str, Any] = {}
    keys = arguments or known
    failed = 0
    for key in keys:
        try:
            values[key] = measured(key)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            print(error, file=sys.stderr, flush=True)  # noqa: T201
            failed = 1
    held = verdicts(values, keys)
    print(f"\n{table(held)}", file=sys.stderr, flush=True)  # noqa: T201
    failed = failed or int(not all(verdict.kept for verdict in held))
    print(json.dumps(values))  # noqa: T201
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
