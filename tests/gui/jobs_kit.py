"""Jobs as the dashboard shows them: those of the pictures, and as many as one likes."""

from __future__ import annotations

from datetime import datetime, timedelta

from up42_plugin.core.estimation import Range
from up42_plugin.core.job_entry import JobEntry, OnDisk, TaskEntry
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.run import Phase
from up42_plugin.gui.jobs_tab import JobsTab

NOW = datetime(2026, 11, 21, 10, 47, tzinfo=datetime.now().astimezone().tzinfo)

REASON = "Failed: no images found"


def clock():
    return NOW


def entry(key="k", name="Taormina super-resolution", word="SUCCEEDED", **changes):
    state = JobState[word] if word in JobState.__members__ else JobState.UNKNOWN
    values = {
        "key": key,
        "connection_id": "one",
        "name": name,
        "mode": Mode.LIVE,
        "created": NOW,
        "state": state,
        "word": word,
        "job_id": f"job-{key}",
        "workflow": "Sentinel-2 super-resolution",
        "area_km2": 2.01,
    }
    return JobEntry(**{**values, **changes})


def lasted(minutes=0, seconds=0, days=0, clock_time=None):
    """Times of a job that began so many days ago and took so long."""
    begin = NOW.replace(hour=10, minute=0) - timedelta(days=days)
    if clock_time:
        begin = begin.replace(hour=clock_time[0], minute=clock_time[1])
    return {
        "created": begin,
        "started": begin,
        "finished": begin + timedelta(minutes=minutes, seconds=seconds),
    }


def task(number, title, word, **changes):
    state = JobState[word] if word in JobState.__members__ else JobState.UNKNOWN
    return TaskEntry(f"task-{number}", f"block-{number}:1", title, state, word, **changes)


def pictured():
    """The jobs of the dashboard's pictures, newest first."""
    begun = NOW.replace(hour=10, minute=44)
    tasks = (
        task(1, "Sentinel-2 L2A (SAFE)", "SUCCEEDED", charged=1, started=begun, finished=begun + timedelta(minutes=1)),
        task(2, "Super-resolution Sentinel-2", "RUNNING", started=begun + timedelta(minutes=1)),
    )
    failed = lasted(seconds=41, days=2)
    broken = (
        task(1, "Pléiades Display (Download)", "FAILED", started=failed["started"], finished=failed["finished"]),
        task(2, "Pan-sharpening", "NOT_STARTED", waits_for=1),
    )
    test = {"mode": Mode.TEST_QUERY, "workflow": "Sentinel-2"}
    price = {"estimated": Range(13, 25)}
    return (
        entry("taormina", word="RUNNING", created=begun, started=begun, tasks=tasks, **price),
        entry("etna", "Etna NDVI, June", charged=48, layers=1, on_disk=OnDisk.SOMETHING, **lasted(6, days=1)),
        entry("harbour", "Harbour pan-sharpening", "FAILED", charged=0, message=REASON, tasks=broken, **failed),
        entry("siracusa", "Siracusa clusters", charged=31, **lasted(4, days=3)),
        entry("messina", "Messina strait", "CANCELLED", charged=2, **lasted(9, days=9)),
        entry("contains", "Taormina, Contains", scenes=1, **test, **lasted(seconds=4, clock_time=(10, 42))),
        entry("intersects", "Taormina, Intersects", scenes=7, **test, **lasted(seconds=5, clock_time=(10, 38))),
        entry("june", "Etna, June", scenes=9, **test, **lasted(seconds=6, days=1)),
        entry("december", "Siracusa, December", scenes=0, **test, **lasted(seconds=3, days=3)),
    )


def many(number, running=10):
    """A long history, newest first: some running, every third a test query."""
    words = ("SUCCEEDED", "SUCCEEDED", "FAILED", "CANCELLED")
    names = ("Taormina", "Etna", "Siracusa", "Messina", "Harbour")
    found = []
    for row in range(number):
        begin = NOW - timedelta(hours=row)
        word = "RUNNING" if row < running else words[row % len(words)]
        found.append(
            entry(
                f"{row:05}",
                f"{names[row % len(names)]} {row}",
                word,
                mode=Mode.TEST_QUERY if row % 3 == 2 else Mode.LIVE,
                created=begin,
                started=begin,
                finished=None if word == "RUNNING" else begin + timedelta(minutes=row % 50),
                charged=float(row % 97),
                workflow=f"Workflow {row % 12}",
            )
        )
    return tuple(found)


def ours(key="ours", phase=Phase.SENDING, **changes):
    """A job that only we know of."""
    return entry(key, word="", state=None, job_id="", phase=phase, run_key=key, **changes)


class Asked:
    """Everything that the tab asked for."""

    def __init__(self, tab):
        self.all = []
        tab.command_asked.connect(lambda command, keys: self.all.append((command, keys)))
        tab.task_asked.connect(lambda key, task: self.all.append(("task", key, task)))
        tab.rename_asked.connect(lambda key, name: self.all.append(("rename", key, name)))
        tab.logs_asked.connect(lambda key, task: self.all.append(("logs", key, task)))
        for name in ("refresh", "older", "ledger", "spent", "webhooks"):
            getattr(tab, f"{name}_asked").connect(lambda *_, name=name: self.all.append(name))


def filled_tab(shown):
    """The tab with the jobs of the pictures, as wide as in the dock; ``asked`` notes what it asks for."""
    tab = shown(JobsTab(clock), width=368)
    tab.show_entries(pictured())
    tab.asked = Asked(tab)
    return tab
