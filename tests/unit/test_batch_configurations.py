"""Several areas with everything else the same: names, problems, prices, limits, test queries."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from tests.job_samples import SR_TASK, chain, taormina
from tests.staged_provider import StagedProvider, estimation
from up42_plugin.api.errors import ServerError, Up42Error
from up42_plugin.core.aoi import AOI
from up42_plugin.core.batch import (
    MOST_JOBS,
    NAME_LIMIT,
    Batch,
    BatchJob,
    batch_problems,
    estimate_each,
    job_name,
    shares,
)
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.estimation import Range, combined
from up42_plugin.core.freshness import TestedQuery
from up42_plugin.core.job_areas import JobArea
from up42_plugin.core.jobs import Mode
from up42_plugin.core.service import Limits
from up42_plugin.core.slots import all_taken
from up42_plugin.core.spending import SpendingLimits, Spent
from up42_plugin.core.tested import TestedQueries

NOW = datetime.now(timezone.utc)
LIMITS = Limits(2, 500, 100.0)


def area(number, km2=2.0):
    west = 15.0 + number / 10
    ring = ((west, 37.8), (west + 0.02, 37.8), (west + 0.02, 37.81), (west, 37.81), (west, 37.8))
    return JobArea(f"{number} of 3", AOI((ring,), km2))


def batch(*areas, **search):
    configuration = JobConfiguration.of(chain(), taormina()).with_search(**search)
    return Batch.of(configuration, areas or (area(1), area(2), area(3)))


def test_each_area_has_the_same_configuration_but_for_the_area():
    found = batch()
    assert [job.configuration.aoi for job in found.jobs] == [area(number).aoi for number in (1, 2, 3)]
    assert len({job.configuration.fingerprint for job in found.jobs}) == 3
    assert all(job.configuration.parameters == found.jobs[0].configuration.parameters for job in found.jobs)
    assert found.area_km2 == pytest.approx(6.0)
    assert found.fingerprint == batch().fingerprint != batch(limit=2).fingerprint


@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [
        ("Taormina", "2 of 3", "Taormina 2 of 3"),
        ("Taormina", "north field", "Taormina, north field"),
        ("Taormina", "", "Taormina"),
    ],
)
def test_jobs_are_told_apart_by_name(name, label, expected):
    assert job_name(name, label) == expected


def test_a_long_name_keeps_its_label():
    name = job_name("x" * 200, "north field")
    assert len(name) == NAME_LIMIT
    assert name.endswith(", north field")


class TestProblems:
    def texts(self, found, mode=Mode.LIVE):
        return [problem.message for problem in batch_problems(found, LIMITS, mode)]

    def test_none_when_all_is_well(self):
        assert self.texts(batch()) == []

    def test_the_area_that_has_one_is_named(self):
        large = batch(area(1), replace(area(2), aoi=replace(area(2).aoi, area_km2=140.0)), area(3))
        (text,) = self.texts(large)
        assert text.startswith("2 of 3: Mend the area first, above 100")
        assert self.texts(large, Mode.TEST_QUERY) == []

    def test_several_are_counted(self):
        large = batch(area(1), area(2, 140.0), area(3, 140.0))
        assert self.texts(large)[0].startswith("2 of 3 and 1 more: Mend the area first, above 100")

    def test_what_is_wrong_with_all_is_said_once(self):
        (text,) = self.texts(batch(limit=600))
        assert "500" in text
        assert "of 3" not in text

    def test_there_is_a_limit(self):
        many = batch(*(area(number) for number in range(MOST_JOBS + 1)))
        assert self.texts(many) == ["51 areas; at most 50 jobs are run at once."]


class TestPrice:
    def provider(self):
        provider = StagedProvider()
        prices = {area(number).aoi: (10 * number, 20 * number) for number in (1, 2, 3)}
        provider.answers["estimate"] = lambda asked: estimation(*prices[asked.aoi])
        return provider

    def test_every_job_is_asked_for_and_the_order_kept(self):
        found = estimate_each(self.provider(), batch().jobs, ThreadContext())
        assert [each.credits for each in found] == [Range(10, 20), Range(20, 40), Range(30, 60)]
        total = combined(found)
        assert total.credits == Range(60, 120)
        assert total.seconds == Range(360, 1800)
        assert [task.task for task in total.tasks] == ["all"]

    def test_some_are_asked_for_at_the_same_time_and_never_all(self):
        provider, at_once, most, lock = self.provider(), [0], [0], threading.Lock()
        answer = provider.answers["estimate"]

        def slowly(asked):
            with lock:
                at_once[0] += 1
                most[0] = max(most[0], at_once[0])
            threading.Event().wait(0.02)
            with lock:
                at_once[0] -= 1
            return answer(asked)

        provider.answers["estimate"] = slowly
        estimate_each(provider, batch().jobs * 5, ThreadContext())
        assert 1 < most[0] <= 4

    def test_one_without_a_price_names_its_area(self):
        provider = self.provider()
        answer = provider.answers["estimate"]

        def refusing(asked):
            if asked.aoi == area(2).aoi:
                raise ServerError("UP42 has a problem (500).", status=500)
            return answer(asked)

        provider.answers["estimate"] = refusing
        with pytest.raises(Up42Error, match=r"2 of 3: UP42 has a problem \(500\)\.") as raised:
            estimate_each(provider, batch().jobs, ThreadContext())
        raised.value.__traceback__ = raised.value.__cause__ = None
        provider.forget()

    def test_a_maximum_for_all_is_divided(self):
        assert shares(Range(0, 90), 3) == (Range(0, 30),) * 3


class TestLimits:
    limits = SpendingLimits(per_job=30, per_day=100)

    def test_those_for_a_job_hold_for_each(self):
        each = (Range(10, 25), Range(10, 25), Range(10, 25))
        assert self.limits.problem(Range(30, 75), Spent(), each) == ""
        assert "per job" in self.limits.problem(Range(30, 75), Spent(), (*each[:2], Range(10, 31)))

    def test_those_for_a_day_for_the_total(self):
        assert "per day" in self.limits.problem(Range(30, 75), Spent(26, 26), (Range(10, 25),) * 3)


class TestFreshness:
    def book(self, *numbers, scenes=1, age=timedelta(), found=None):
        tests = TestedQueries()
        for job in [(found or batch()).jobs[number - 1] for number in numbers]:
            tests.add(TestedQuery(job.configuration, "one", NOW - age, scenes))
        return tests

    def test_fresh_when_every_area_has_scenes(self):
        clock = NOW.astimezone().strftime("%H:%M")
        fresh = self.book(1, 2, 3).freshness("one", batch(), NOW)
        assert (fresh.fresh, fresh.text) == (True, f"Tested today {clock}: 3 of 3 areas have scenes.")

    def test_an_area_without_scenes_stands_in_the_way_and_is_named(self):
        tests = self.book(1, 2)
        tests.add(TestedQuery(batch().jobs[2].configuration, "one", NOW, 0))
        fresh = tests.freshness("one", batch(), NOW)
        assert not fresh.fresh
        assert fresh.text.endswith("2 of 3 areas have scenes. None in 3 of 3.")

    def test_areas_not_tested_yet_are_counted(self):
        fresh = self.book(1, 3).freshness("one", batch(), NOW)
        assert (fresh.fresh, fresh.text) == (False, "2 of 3 areas are tested. Run the test query for the others.")

    def test_nothing_tested(self):
        fresh = TestedQueries().freshness("one", batch(), NOW)
        assert (fresh.fresh, fresh.text) == (False, "Live job: run the free test query first.")

    def test_a_change_is_named(self):
        fresh = self.book(1, 2, 3).freshness("one", batch(limit=2), NOW)
        assert fresh.text == "Changed since the test query: Limit. Test again before a live job."

    def test_old_ones_do_not_count(self):
        old = self.book(1, 2, 3, age=timedelta(hours=25)).freshness("one", batch(), NOW)
        assert (old.fresh, old.text) == (
            False,
            "The test query is older than 24\u00a0hours. Test again before a live job.",
        )

    def test_nor_those_of_another_connection(self):
        assert not self.book(1, 2, 3).freshness("two", batch(), NOW).fresh

    def test_only_what_is_not_fresh_is_asked(self):
        assert [job.label for job in self.book(1, 3).to_ask("one", batch(), NOW)] == ["2 of 3"]
        assert len(self.book(1, 2, 3).to_ask("one", batch(), NOW)) == 3
        assert len(self.book(1, 2, 3, scenes=0).to_ask("one", batch(), NOW)) == 3


def test_the_sentence_about_slots():
    assert all_taken(["Taormina"], None) == all_taken([], 1) == all_taken(["a"], 2) == ""
    assert all_taken(["Taormina"], 1) == "This project runs 1 job at a time; Taormina is running."
    assert all_taken(["a", "b"], 2) == "This project runs 2 jobs at a time; 2 are running."


def test_one_job_alone_has_no_label():
    job = BatchJob("", JobConfiguration.of(chain(), taormina()))
    assert SR_TASK in job.configuration.inputs(Mode.LIVE)
