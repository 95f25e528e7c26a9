"""Looking after running jobs with few requests."""

from __future__ import annotations

import pytest

from tests.staged_provider import StagedProvider, job, task
from up42_plugin.api.errors import ServerError
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.jobs import JobPage
from up42_plugin.core.monitoring import Pace, look


@pytest.fixture
def provider():
    return StagedProvider()


def looked(provider, wanted, opened=()):
    with provider.open(ThreadContext()) as service:
        return look(service, frozenset(wanted), frozenset(opened))


def pages(*contents):
    def page(number=0):
        return JobPage(contents[number], number, number == len(contents) - 1)

    return page


def test_one_list_request_for_all_running_jobs(provider):
    provider.jobs = {name: job(job_id=name) for name in ("a", "b", "c")}
    seen = looked(provider, {"a", "c"})
    assert {found.id for found in seen.jobs} == {"a", "c"}
    assert [name for name, _ in provider.calls] == ["jobs"]
    assert (seen.tasks, seen.gone) == ({}, ())


def test_tasks_of_opened_jobs_that_are_there(provider):
    provider.jobs = {"a": job(job_id="a"), "b": job(job_id="b")}
    provider.answers["tasks"] = (task("RUNNING"),)
    seen = looked(provider, {"a", "b"}, {"b", "elsewhere"})
    assert seen.tasks == {"b": (task("RUNNING"),)}
    assert provider.called("tasks") == [("b",)]


def test_paging_stops_when_all_are_seen(provider):
    provider.answers["jobs"] = pages((job(job_id="x"),), (job(job_id="a"),), (job(job_id="y"),))
    assert [found.id for found in looked(provider, {"a"}).jobs] == ["a"]
    assert provider.called("jobs") == [(0,), (1,)]


def test_an_old_job_is_asked_for_by_its_id_instead_of_reading_the_whole_history(provider):
    provider.jobs = {"old": job(job_id="old")}
    provider.answers["jobs"] = lambda number=0: JobPage((job(job_id=f"x{number}"),), number, False)
    assert [found.id for found in looked(provider, {"old"}).jobs] == ["old"]
    assert len(provider.called("jobs")) == 3
    assert provider.called("job") == [("old",)]


def test_jobs_the_service_no_longer_knows_are_gone(provider):
    provider.jobs = {"a": job(job_id="a")}
    seen = looked(provider, {"a", "lost"}, {"lost"})
    assert [found.id for found in seen.jobs] == ["a"]
    assert seen.gone == ("lost",)
    assert provider.called("tasks") == []


def test_an_error_is_no_disappearance(provider):
    provider.answers["job"] = ServerError("UP42 has a problem (500).", status=500)
    with pytest.raises(ServerError):
        looked(provider, {"a"})


def test_asks_less_and_less_often():
    pace = Pace(5, 60)
    interval, intervals = 5.0, []
    for _ in range(8):
        interval = pace.slower(interval)
        intervals.append(interval)
    assert intervals[:2] == [7.5, 11.25]
    assert intervals[-1] == 60
    assert pace.slower(1) == 5
