"""The tab Jobs over a service with ten thousand jobs: what the service is asked for, by its own log."""

from __future__ import annotations

import re
import time
from collections import Counter

import pytest
from plugin_kit import idle, wait_for
from sandbox_process import start_sandbox

from tests.sandbox.many_jobs import RUNNING, fill

LOOKS = 8
_REQUEST = re.compile(r" ([A-Z]+) \1 (/\S*) ")
#: Intervals are kept by the clock of Qt's timers.
TIMER_S = 0.01


@pytest.fixture(scope="module")
def busy_service(tmp_path_factory):
    """Ten thousand jobs that have ended, and ten that run, the newest ones."""
    folder = tmp_path_factory.mktemp("busy") / "data"
    fill(folder)
    with start_sandbox(folder, "--verbose") as running:
        yield running


class Asked:
    """The requests that the sandbox has logged, and the monitor's looks, counted from a look to a later one."""

    def __init__(self, kit, sandbox):
        self._log = sandbox.data_dir.with_suffix(".stderr")
        self._kit = kit
        self._looks, self._waits = [], []
        monitor = kit.desk.dashboard.jobs._monitor
        monitor.listed.connect(self._looked)
        monitor.waiting.connect(lambda _connection, seconds: self._waits.append(seconds))

    def _looked(self, _connection, jobs):
        """The next look has not begun: what is logged now belongs to the looks so far."""
        self._looks.append((time.monotonic(), len(jobs), self._requests(), len(self._waits)))

    def _requests(self):
        found = _REQUEST.findall(self._log.read_text(encoding="utf-8"))
        return Counter(f"{method} {path}" for method, path in found)

    def during(self, looks):
        """What was asked for by this many looks; the seconds they took, and those of their intervals."""
        del self._looks[:]
        wait_for(lambda: len(self._looks) > looks, f"{looks} looks", of=self._kit.situation)
        (began, _, before, first), (ended, listed, after, last) = self._looks[0], self._looks[looks]
        assert listed == 100
        return after - before, ended - began, self._waits[first:last]


@pytest.mark.parametrize("shown", ["jobs_page", "new_job"])
def test_one_list_request_for_each_interval_and_none_for_single_jobs(bare, busy_service, shown):
    """Ten jobs run among ten thousand: whether the list is seen or only the title of its tab."""
    bare.start()
    bare.connect(busy_service)
    tabs, jobs = bare.dock.tabs, bare.dock.jobs
    tabs.setCurrentWidget(bare.dock.jobs_page)
    wait_for(lambda: jobs.running == RUNNING, "the running jobs", of=bare.situation)
    assert jobs.model.known == 100
    tabs.setCurrentWidget(getattr(bare.dock, shown))
    idle()
    asked = Asked(bare, busy_service)
    requests, seconds, intervals = asked.during(LOOKS)
    assert requests == {f"GET /projects/{busy_service.project_id}/jobs": LOOKS}
    assert len(intervals) == LOOKS
    assert seconds > sum(intervals) - LOOKS * TIMER_S
    assert jobs.running == RUNNING


def test_the_last_row_brings_older_jobs_a_page_at_a_time(bare, busy_service):
    bare.start()
    bare.connect(busy_service)
    bare.dock.tabs.setCurrentWidget(bare.dock.jobs_page)
    model, view = bare.dock.jobs.model, bare.dock.jobs.view
    wait_for(lambda: model.known == 100, "the first page", of=bare.situation)
    for page in (2, 3):
        wait_for(lambda: model.rowCount() == 3 and model.index(2, 0).data() == "Load older jobs", "the row")
        view.setCurrentIndex(model.index(2, 0))
        assert view.act_on_current()
        wait_for(lambda page=page: model.known == page * 100, "older jobs", of=bare.situation)
