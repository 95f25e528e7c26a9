"""What the tests of ledger and submissions share: a clock, a configuration, a job to record."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timezone

from up42_plugin.core.aoi import AOI
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import NewJob
from up42_plugin.core.workflow import Block, BlockType, Step, Workflow

NOON = datetime(2024, 6, 1, 12, 0, 0, tzinfo=timezone.utc)
PRICE = Range(10, 20)
SQUARE = ((15.2, 37.8), (15.3, 37.8), (15.3, 37.9), (15.2, 37.9), (15.2, 37.8))


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


def configuration(name="Visual", limit=1):
    block = Block(
        "block-1",
        "esa-s2-l2a-gtiff-visual",
        "Sentinel-2",
        BlockType.DATA,
        parameters={"intersects": {"type": "geometry"}, "limit": {"type": "integer", "default": 1}},
    )
    workflow = Workflow("workflow-1", name, steps=(Step("esa-s2-l2a-gtiff-visual:1", block),))
    parameters = {"esa-s2-l2a-gtiff-visual:1": {"limit": limit}}
    return JobConfiguration(workflow, AOI((SQUARE,), 97.5), GeometricFilter.INTERSECTS, parameters)


def new_job(tag="aaaa2222", connection_id="account", mode=Mode.LIVE, agreed=PRICE, **changes):
    values = {
        "connection_id": connection_id,
        "configuration": configuration(),
        "mode": mode,
        "name": "Taormina",
        "tag": tag,
        "tagged": f"Taormina #{tag}",
        "agreed": agreed,
    }
    return NewJob(**{**values, **changes})


def rows(path, query):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
