"""One timer that follows every running job, with staged answers of the service."""

from __future__ import annotations

import threading

import pytest
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QTimer

from tests.staged_provider import StagedProvider, job, task
from up42_plugin.api.errors import NetworkError
from up42_plugin.core.jobs import JobState
from up42_plugin.core.monitoring import Pace
from up42_plugin.qgis_bridge.monitor import JobMonitor

WAIT_MS = 20_000
DOWN = NetworkError("No answer from api.example.org within 30 s.")


class Followed:
    """A monitor with what it said."""

    def __init__(self, runner, provider):
        self.providers = {provider.connection_id: provider}
        self.pace = Pace(0.01, 0.04)
        self.said = []
        self.monitor = JobMonitor(runner, self.providers.get, self._pace_of)
        self.monitor.job_seen.connect(lambda connection_id, seen: self.said.append(("job", connection_id, seen.word)))
        self.monitor.tasks_seen.connect(lambda *what: self.said.append(("tasks", *what)))
        self.monitor.gone.connect(lambda *what: self.said.append(("gone", *what)))
        self.monitor.trouble.connect(lambda *what: self.said.append(("trouble", *what)))

    def _pace_of(self, _connection_id):
        return self.pace

    def words(self):
        return [what[2] for what in self.said if what[0] == "job"]


@pytest.fixture
def provider():
    provider = StagedProvider()
    provider.jobs["job-1"] = job("NOT_STARTED")
    return provider


@pytest.fixture
def followed(runner, provider):
    followed = Followed(runner, provider)
    yield followed
    followed.monitor.stop()


def test_a_job_is_followed_to_its_end_and_no_longer(followed, provider, qtbot):
    provider.answers["tasks"] = (task("RUNNING"),)
    followed.monitor.watch("one", "job-1", opened=True)
    qtbot.waitUntil(lambda: "NOT_STARTED" in followed.words(), timeout=WAIT_MS)
    provider.set("job-1", "RUNNING")
    qtbot.waitUntil(lambda: "RUNNING" in followed.words(), timeout=WAIT_MS)
    provider.set("job-1", "SUCCEEDED")
    qtbot.waitUntil(lambda: followed.words()[-1] == "SUCCEEDED", timeout=WAIT_MS)
    assert ("tasks", "one", "job-1", (task("RUNNING"),)) in followed.said
    asked = len(provider.calls)
    qtbot.wait(200)  # several times the slowest pace
    assert len(provider.calls) == asked


def test_tasks_come_before_their_job(followed, provider, qtbot):
    provider.set("job-1", "SUCCEEDED")
    followed.monitor.watch("one", "job-1", opened=True)
    qtbot.waitUntil(lambda: bool(followed.words()), timeout=WAIT_MS)
    assert [what[0] for what in followed.said] == ["tasks", "job"]


def test_a_job_that_is_not_opened_costs_one_request_per_look(followed, provider, qtbot):
    provider.set("job-1", "SUCCEEDED")
    followed.monitor.watch("one", "job-1", opened=False)
    qtbot.waitUntil(lambda: bool(followed.words()), timeout=WAIT_MS)
    assert [name for name, _ in provider.calls] == ["jobs"]


def test_a_word_nobody_knows_is_told_as_it_came_and_followed_on(followed, provider, qtbot):
    provider.set("job-1", "PONDERING")
    followed.monitor.watch("one", "job-1")
    qtbot.waitUntil(lambda: followed.words().count("PONDERING") >= 2, timeout=WAIT_MS)
    provider.set("job-1", "SUCCEEDED")
    qtbot.waitUntil(lambda: followed.words()[-1] == "SUCCEEDED", timeout=WAIT_MS)


def test_trouble_is_told_and_it_goes_on(followed, provider, qtbot):
    listed = provider.answers["jobs"]
    provider.answers["jobs"] = DOWN
    followed.monitor.watch("one", "job-1")
    qtbot.waitUntil(lambda: followed.said.count(("trouble", "one", DOWN)) >= 2, timeout=WAIT_MS)
    assert followed.words() == []
    provider.answers["jobs"] = listed
    qtbot.waitUntil(lambda: followed.words() != [], timeout=WAIT_MS)


def test_a_vanished_job_is_told_once(followed, provider, qtbot):
    provider.jobs.clear()
    followed.monitor.watch("one", "job-1")
    qtbot.waitUntil(lambda: ("gone", "one", "job-1") in followed.said, timeout=WAIT_MS)
    qtbot.wait(150)
    assert followed.said == [("gone", "one", "job-1")]


def test_while_the_way_to_the_service_is_closed_nothing_is_asked_and_then_it_goes_on(followed, provider, qtbot):
    del followed.providers["one"]
    followed.monitor.watch("one", "job-1")
    qtbot.wait(150)
    assert provider.calls == []
    followed.providers["one"] = provider
    qtbot.waitUntil(lambda: followed.words() != [], timeout=WAIT_MS)


def test_connections_are_looked_after_apart(followed, provider, runner, qtbot):
    other = StagedProvider("two")
    other.jobs["job-2"] = job("RUNNING", "job-2")
    followed.providers["two"] = other
    provider.hold("jobs")
    followed.monitor.watch("one", "job-1")
    followed.monitor.watch("two", "job-2")
    qtbot.waitUntil(lambda: ("job", "two", "RUNNING") in followed.said, timeout=WAIT_MS)
    assert followed.words() == ["RUNNING"]
    provider.let_go("jobs")
    qtbot.waitUntil(lambda: ("job", "one", "NOT_STARTED") in followed.said, timeout=WAIT_MS)


def test_one_look_at_a_time(followed, provider, qtbot):
    provider.hold("jobs")
    followed.monitor.watch("one", "job-1")
    qtbot.waitUntil(lambda: bool(provider.calls), timeout=WAIT_MS)
    for _ in range(3):
        followed.monitor.hurry("one")
        qtbot.wait(30)
    assert len(provider.calls) == 1
    provider.let_go("jobs")
    qtbot.waitUntil(lambda: followed.words() != [], timeout=WAIT_MS)


def test_a_look_cancelled_in_the_task_manager_is_not_the_last(followed, provider, qtbot):
    provider.hold("jobs")
    followed.monitor.watch("one", "job-1")
    qtbot.waitUntil(lambda: bool(provider.calls), timeout=WAIT_MS)
    QgsApplication.taskManager().cancelAll()
    provider.let_go("jobs")
    qtbot.waitUntil(lambda: followed.words() != [], timeout=WAIT_MS)


def test_looks_do_not_show_in_the_task_manager_where_that_is_possible(followed, provider, runner, monkeypatch, qtbot):
    wanted = []
    start = runner.start

    def noted(title, work, **options):
        wanted.append(options)
        return start(title, work, **options)

    monkeypatch.setattr(runner, "start", noted)
    provider.set("job-1", "SUCCEEDED")
    followed.monitor.watch("one", "job-1")
    qtbot.waitUntil(lambda: bool(followed.words()), timeout=WAIT_MS)
    assert wanted == [{"long_running": True, "hidden": True}]


def test_after_stopping_nothing_is_asked(followed, provider, qtbot):
    followed.monitor.watch("one", "job-1")
    followed.monitor.stop()
    qtbot.wait(100)
    assert provider.calls == []


def test_unwatching_ends_the_looks(followed, provider, qtbot):
    followed.monitor.watch("one", "job-1")
    qtbot.waitUntil(lambda: bool(followed.words()), timeout=WAIT_MS)
    followed.monitor.unwatch("one", "job-1")
    qtbot.wait(100)
    asked = len(provider.calls)
    qtbot.wait(150)
    assert len(provider.calls) == asked
    assert provider.jobs["job-1"].state is JobState.NOT_STARTED


def test_the_tasks_of_a_job_are_asked_for_only_while_it_is_open_on_the_screen(followed, provider, qtbot):
    followed.monitor.watch("one", "job-1")
    qtbot.waitUntil(lambda: len(followed.words()) >= 2, timeout=WAIT_MS)
    assert not provider.called("tasks")
    followed.monitor.set_opened("job-1", True)
    qtbot.waitUntil(lambda: bool(provider.called("tasks")), timeout=WAIT_MS)
    followed.monitor.set_opened("job-1", False)
    looks = len(followed.words())
    qtbot.waitUntil(lambda: len(followed.words()) >= looks + 2, timeout=WAIT_MS)
    asked = len(provider.called("tasks"))
    qtbot.waitUntil(lambda: len(followed.words()) >= looks + 4, timeout=WAIT_MS)
    assert len(provider.called("tasks")) == asked


def test_ten_running_jobs_among_many_cost_one_list_request_per_interval(followed, provider, qtbot):
    for number in range(2, 90):
        provider.jobs[f"job-{number}"] = job("SUCCEEDED", f"job-{number}")
    for number in range(90, 100):
        provider.jobs[f"job-{number}"] = job("RUNNING", f"job-{number}")
        followed.monitor.watch("one", f"job-{number}")
    waits = []
    followed.monitor.waiting.connect(lambda _id, seconds: waits.append(seconds))
    qtbot.waitUntil(lambda: len(waits) >= 5, timeout=WAIT_MS)
    followed.monitor.stop()
    qtbot.wait(50)
    assert [name for name, _ in provider.calls] == ["jobs"] * len(provider.calls)
    assert len(provider.calls) == len(followed.words()) / 10
    assert waits == sorted(waits)  # nothing changes: the intervals grow
    assert waits[0] < waits[-1] == followed.pace.slowest


def test_a_window_that_is_looked_at_is_kept_up_to_date_more_often(followed, provider, qtbot):
    waits = []
    followed.monitor.waiting.connect(lambda _id, seconds: waits.append(seconds))
    followed.pace = Pace(40.0, 40.0)
    followed.monitor.watch("one", "job-1")
    followed.pace = Pace(0.01, 40.0)
    followed.monitor.set_visible(True)
    followed.monitor.set_visible(True)
    assert waits == [40.0, 10.0]


def test_after_trouble_any_answer_of_the_service_has_it_looked_at_again_at_once(followed, provider, qtbot):
    listed, waits = provider.answers["jobs"], []
    followed.monitor.waiting.connect(lambda _id, seconds: waits.append(seconds))
    provider.answers["jobs"] = DOWN
    followed.pace = Pace(0.4, 600.0)
    followed.monitor.watch("one", "job-1")
    qtbot.waitUntil(lambda: waits[-1] > 1, timeout=WAIT_MS)
    provider.answers["jobs"] = listed
    followed.pace = Pace(0.01, 0.04)
    followed.monitor.answered("two")
    qtbot.wait(150)
    assert followed.words() == []
    followed.monitor.answered("one")
    qtbot.waitUntil(lambda: followed.words() != [], timeout=500)


def test_connections_share_one_timer(followed, provider, qtbot):
    other = StagedProvider("two")
    other.jobs["job-2"] = job("RUNNING", "job-2")
    followed.providers["two"] = other
    followed.monitor.watch("one", "job-1")
    followed.monitor.watch("two", "job-2")
    assert len(followed.monitor.findChildren(QTimer)) == 1
    qtbot.waitUntil(lambda: min(map(len, (provider.calls, other.calls))) >= 3, timeout=WAIT_MS)


def test_what_a_look_showed_is_kept_in_the_worker(runner, provider, qtbot):
    kept = []

    def keep(connection_id, look):
        kept.append((connection_id, [seen.word for seen in look.jobs], threading.current_thread()))

    monitor = JobMonitor(runner, {"one": provider}.get, lambda _id: Pace(0.01, 0.04), keep)
    provider.set("job-1", "SUCCEEDED")
    monitor.watch("one", "job-1")
    qtbot.waitUntil(lambda: bool(kept), timeout=WAIT_MS)
    assert kept[0][:2] == ("one", ["SUCCEEDED"])
    assert kept[0][2] is not threading.main_thread()
    monitor.stop()
