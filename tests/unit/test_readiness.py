"""Which buttons are open, and the one reason why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.job_samples import SENTINEL, chain, taormina, workflow_of
from up42_plugin.core.readiness import Situation, readiness
from up42_plugin.core.service import Balance

TESTED = "Tested today 10:42: 1 scene found."
NO_TEST = "This block offers no test query; its live jobs cannot be tried first."


def situation(**changes):
    whole = Situation(
        aoi=taormina(), workflow=chain(), tested=True, test_verdict=TESTED, balance=Balance(10_000, 1_000)
    )
    return replace(whole, **changes)


def untestable():
    return workflow_of(replace(SENTINEL, test_query=False))


def test_both_ways_are_open_after_a_fresh_test_query():
    ready = readiness(situation())
    assert (ready.can_test, ready.can_run_live, ready.reason, ready.problem) == (True, True, TESTED, False)


@pytest.mark.parametrize(
    ("changes", "reason", "problem"),
    [
        ({"connection_trouble": "No answer from api.example.org within 30 s."}, None, True),
        ({"connection_trouble": "Starting the sandbox…"}, None, False),
        ({"connection_trouble": "Loading workflows…"}, None, False),
        (
            {"area_trouble": "The outline crosses itself.", "aoi": None},
            "Mend the area first: the outline crosses itself.",
            True,
        ),
        ({"area_trouble": "2 separate parts."}, "Mend the area first: 2 separate parts.", True),
        ({"aoi": None}, "Choose an area first.", False),
        ({"workflow": None}, "Choose a workflow first.", False),
        ({"test_problems": ("limit: at least 1.",)}, "limit: at least 1.", True),
        ({"test_problems": ("One.", "Two.", "Three.")}, "One. (and 2 more)", True),
        ({"running": True}, "A test query is running.", False),
    ],
)
def test_what_stands_in_the_way_of_both(changes, reason, problem):
    ready = readiness(situation(**changes))
    assert (ready.can_test, ready.can_run_live) == (False, False)
    assert ready.reason == (reason or changes["connection_trouble"])
    assert ready.problem is problem


@pytest.mark.parametrize(
    ("changes", "reason", "problem"),
    [
        ({"tested": False, "test_verdict": ""}, "Live job: run the free test query first.", False),
        ({"tested": False, "test_verdict": "The test query found no scenes."}, None, True),
        ({"balance": Balance(840, 1_000)}, "Balance too low: UP42 asks for at least 1,000\u00a0credits.", True),
        ({"live_problems": ("Above 100 km².",)}, "Live job: above 100 km².", True),
        ({"live_problems": ("UP42 says no.",)}, "Live job: UP42 says no.", True),
    ],
)
def test_what_stands_in_the_way_of_a_live_job_only(changes, reason, problem):
    ready = readiness(situation(**changes))
    assert (ready.can_test, ready.can_run_live) == (True, False)
    assert ready.reason == (reason or changes["test_verdict"])
    assert ready.problem is problem


def test_the_first_thing_to_mend_is_told_first():
    everything = situation(
        connection_trouble="Down.", area_trouble="Bad.", aoi=None, workflow=None, test_problems=("Odd.",), running=True
    )
    assert readiness(everything).reason == "Down."
    assert readiness(replace(everything, connection_trouble="")).reason == "Mend the area first: bad."
    assert readiness(replace(everything, connection_trouble="", area_trouble="")).reason == "Choose an area first."


def test_a_problem_of_both_modes_is_not_told_as_one_of_live_jobs():
    ready = readiness(situation(test_problems=("Odd.",), live_problems=("Odd.", "Above 100 km².")))
    assert ready.reason == "Odd."


def test_an_unknown_balance_and_one_at_the_floor_do_not_stop_anybody():
    assert readiness(situation(balance=None)).can_run_live
    assert readiness(situation(balance=Balance(1_000, 1_000))).can_run_live


def test_a_block_without_test_query_runs_live_untested():
    ready = readiness(situation(workflow=untestable(), tested=False, test_verdict=""))
    assert (ready.can_test, ready.can_run_live, ready.reason) == (False, True, NO_TEST)


def test_each_grey_button_has_its_own_reason():
    ready = readiness(situation(workflow=untestable(), tested=False, balance=Balance(1, 1_000)))
    assert not ready.can_test
    assert ready.test_reason == NO_TEST
    assert ready.reason.startswith("Balance too low")


def test_where_the_service_does_not_say_a_block_is_taken_to_be_testable():
    ready = readiness(situation(workflow=workflow_of(replace(SENTINEL, test_query=None))))
    assert ready.can_test
    assert ready.test_reason == ""
