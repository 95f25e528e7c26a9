"""What the vendor's support needs to know of a job: its ID first, everything else without any secret."""

from __future__ import annotations

import json
from datetime import datetime
from typing import List, Mapping, Optional, Sequence, Tuple

from up42_plugin.api.redaction import origin, redact
from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.recipes import without_secrets
from up42_plugin.core.run import Run


def support_report(entry: JobEntry, run: Run, address: str, versions: Mapping[str, str]) -> str:
    """The report as text; ``address`` is the service's, ``versions`` names programs and their versions."""
    workflow = run.configuration.workflow
    rows: List[Tuple[str, str]] = [
        ("Job ID", entry.job_id or "none: the service does not have this job"),
        ("Name", entry.name),
        ("Mode", "live job" if entry.live else "test query"),
        ("State", " → ".join(run.words) or entry.word or entry.phase.value),
        ("Reason", entry.message),
        ("Created", _moment(entry.created)),
        ("Started", _moment(entry.started)),
        ("Finished", _moment(entry.finished)),
        ("Workflow", f"{workflow.name} ({workflow.id})"),
        ("Blocks", ", ".join(f"{step.name} {step.block.version}".rstrip() for step in workflow.steps)),
        ("Credits", "" if entry.charged is None else f"{entry.charged:g} charged"),
        ("Service", origin(address) if address else "built-in sandbox"),
        *versions.items(),
    ]
    lines = [f"{label}: {value}" for label, value in rows if value]
    return redact("\n".join([*lines, *_tasks(entry), "", "Configuration:", _inputs(run)]))


def _tasks(entry: JobEntry) -> Sequence[str]:
    if not entry.tasks:
        return ()
    return ["", "Tasks:", *(f"- {task.name} ({task.id}): {task.word}" for task in entry.tasks)]


def _inputs(run: Run) -> str:
    return json.dumps(without_secrets(run.configuration.inputs(run.mode)), indent=2, ensure_ascii=False)


def _moment(moment: Optional[datetime]) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")
