"""Block ``up42-countobjects``: how many features of each kind the vector files of the task before hold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import List

from up42_plugin.sandbox.runners import data_json, geojson_files
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import WRONG_INPUT_ERROR

NAME = "count_objects.json"


def run(task: Task) -> Usage:
    """``count_objects.json``: a list with a ``Counter`` per file, as Python text, which is what the service writes."""
    counts: List[Counter[str]] = []
    sources = data_json.read_source(task)
    seen = set()
    for source in sources:
        for path in _files(data_json.source_path(task, source)):
            task.check()
            if path not in seen:
                seen.add(path)
                counts.append(_count(path))
    (task.target / NAME).write_text(f"{counts!r}\n", encoding="utf-8")
    task.log("INFO", f"Counted {sum(sum(count.values()) for count in counts)} objects in {len(counts)} files")
    data_json.write(task, [data_json.passed_on(sources[0], NAME)])
    return Usage(scenes=len(counts), output_bytes=data_json.output_bytes(task))


def _files(path: Path) -> List[Path]:
    return sorted(path.glob("*.geojson")) if path.is_dir() else [path]


def _count(path: Path) -> Counter[str]:
    try:
        features = geojson_files.read(path)
        return Counter(str((feature.get("geometry") or {}).get("type", "None")) for feature in features)
    except ValueError as error:
        raise RunnerError(WRONG_INPUT_ERROR, str(error)) from error
