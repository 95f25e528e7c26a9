"""Between the fields of the search and the parameters of the data block: nothing that the fields cannot say is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Collection, Dict, List, Mapping, Optional, Tuple

from up42_plugin.core.job_form import JobForm
from up42_plugin.core.parameter_texts import compact, days, range_text
from up42_plugin.core.parameters import CLOUDS, IDS, LIMIT, TIME
from up42_plugin.core.timerange import TimeRange, TimeRangeError
from up42_plugin.gui.search_section import SearchValues

SEARCHED = (TIME, LIMIT, CLOUDS)
_LABELS = {TIME: "Time", LIMIT: "Limit", CLOUDS: "Clouds"}


def written(values: SearchValues, known: Collection[str]) -> Dict[str, Any]:
    """The parameters that the fields stand for, those the data block knows."""
    parameters = {
        TIME: days(values.start, values.end),
        LIMIT: values.limit,
        CLOUDS: values.max_cloud_cover,
    }
    return {name: value for name, value in parameters.items() if name in known}


def edited(form: JobForm, before: SearchValues, after: SearchValues) -> JobForm:
    """The form after the fields went from ``before`` to ``after``: only what was changed there is changed."""
    known = form.workflow.data_step.block.parameters
    task = form.workflow.data_step.name
    form = replace(form, geometric_filter=after.geometric_filter)
    old, new = written(before, known), written(after, known)
    changes = {name: value for name, value in new.items() if value != old[name]}
    if changes:
        form = form.with_values(task, changes)
    if after.scene_id != before.scene_id and IDS in known:
        form = form.with_ids([after.scene_id] if after.scene_id else None, after.limit)
    return form


def shown(form: JobForm, present: SearchValues) -> SearchValues:
    """What the fields can show of the form; the rest stays at what they show now."""
    parameters = form.parameters.get(form.workflow.data_step.name, {})
    start, end = present.start, present.end
    span = _span(parameters.get(TIME))
    if span is not None:
        start, end = span
    ids = parameters.get(IDS)
    scene = str(ids[0]) if isinstance(ids, list) and len(ids) == 1 else ""
    limit, clouds = parameters.get(LIMIT), parameters.get(CLOUDS)
    return SearchValues(
        form.geometric_filter,
        start,
        end,
        limit if _is_whole(limit) and not ids else present.limit,
        clouds if _is_whole(clouds) else present.max_cloud_cover,
        scene,
    )


def beyond_fields(form: JobForm, fields: SearchValues) -> str:
    """What the fields do not show as it is: ``Time any time; Clouds 140``; empty when they say it all."""
    known = form.workflow.data_step.block.parameters
    parameters: Mapping[str, Any] = form.parameters.get(form.workflow.data_step.name, {})
    found: List[str] = []
    for name, value in written(fields, known).items():
        actual = parameters.get(name)
        if name == LIMIT and parameters.get(IDS):
            continue
        if name not in parameters:
            found.append(f"{_LABELS[name]} not given")
        elif not _same(name, actual, value):
            found.append(f"{_LABELS[name]} {_words(name, actual)}")
    return "; ".join(found)


def carried(old: JobForm, new: JobForm) -> JobForm:
    """``new`` with the search of ``old``, as far as its data block has it: choosing a workflow keeps the search."""
    before = old.parameters.get(old.workflow.data_step.name, {})
    step = new.workflow.data_step
    kept = {name: before[name] for name in SEARCHED if name in before and name in step.block.parameters}
    if before.get(IDS):
        kept.pop(LIMIT, None)
    return replace(new.with_values(step.name, kept), geometric_filter=old.geometric_filter)


def time_words(value: Any) -> str:
    """A time range for people: ``2021-05-01 to 2021-06-30``, ``any time``."""
    if value is None:
        return "any time"
    return range_text(value) if isinstance(value, str) else compact(value)


def _words(name: str, value: Any) -> str:
    if name == TIME:
        return time_words(value)
    return "not set" if value is None else compact(value)


def _same(name: str, actual: Any, field: Any) -> bool:
    if name != TIME or not isinstance(actual, str):
        return bool(actual == field) and not isinstance(actual, bool)
    try:
        return TimeRange.parse(actual) == TimeRange.parse(field)
    except TimeRangeError:
        return bool(actual == field)


def _span(value: Any) -> Optional[Tuple[str, str]]:
    if not isinstance(value, str):
        return None
    try:
        span = TimeRange.parse(value)
    except TimeRangeError:
        return None
    return span.start.date().isoformat(), span.end.date().isoformat()


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
