"""What jobs are called before a person says otherwise."""

from __future__ import annotations

from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.outputs import SHORT_TITLES
from up42_plugin.core.stored_data import several
from up42_plugin.core.workflow import BlockType
from up42_plugin.gui.new_job import NewJob
from up42_plugin.gui.search_section import FILTERS


def live_name(new_job: NewJob, configuration: JobConfiguration) -> str:
    """``Taormina super-resolution``; people change it in the confirmation."""
    block = configuration.workflow.steps[-1].block
    what = SHORT_TITLES.get(block.name, block.title)
    common_noun = block.type is BlockType.PROCESSING and not what[1:2].isupper()
    return f"{_where(new_job)} {what[:1].lower() + what[1:] if common_noun else what}"


def test_name(new_job: NewJob) -> str:
    """``Taormina, Contains``."""
    if new_job.stored:
        return f"{_where(new_job)}, {several(new_job.stored)}"
    kind = new_job.geometric_filter
    label = next(text.split(" (")[0] for known, text, _ in FILTERS if known is kind)
    return f"{_where(new_job)}, {label}"


def _where(new_job: NewJob) -> str:
    where = "storage" if new_job.stored else new_job.selection.layer_name or "area"
    return f"{where[:1].upper()}{where[1:]}"
