"""What became of submissions, looked up in the background until it is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.staged_provider import StagedProvider, job
from tests.unit.ledger_kit import new_job
from up42_plugin.api.errors import NetworkError, NotFoundError
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.submission import Pace, Submitter, Waits
from up42_plugin.qgis_bridge.settling import Settler

WAIT_MS = 20_000
DOWN = NetworkError("No answer.")
AT_ONCE = Waits(lookup=Pace(0.01, 0.02), shows_within=timedelta(0), attempt_ends_within=timedelta(0))
LATER = Waits(lookup=Pace(0.01, 0.02), shows_within=timedelta(hours=1), attempt_ends_within=timedelta(hours=1))


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger.sqlite")


@pytest.fixture
def provider():
    return StagedProvider("account")


@pytest.fixture
def make(runner, ledger, provider):
    made = []

    def make_settler(waits=AT_ONCE, providers=None):
        known = {"account": provider} if providers is None else providers
        settler = Settler(
            runner, ledger, lambda name: Submitter(ledger, name, waits=waits), known.get, first_pause_ms=10
        )
        settler.found = []
        settler.ends = []
        settler.settled.connect(settler.found.append)
        settler.ended.connect(settler.ends.append)
        made.append(settler)
        return settler

    yield make_settler
    for settler in made:
        settler.stop()


def unknown(ledger, tag="aaaa2222"):
    submission = ledger.add(new_job(tag))
    return ledger.end_attempt(submission, SubmissionState.UNKNOWN, "No answer.")


def states(settler):
    return [outcome.state for outcome in settler.found]


def test_with_nothing_open_nobody_is_asked(make, provider, qtbot):
    settler = make()
    settler.settle("account")
    qtbot.waitUntil(lambda: settler.ends == ["account"], timeout=WAIT_MS)
    assert (settler.found, provider.calls) == ([], [])


def test_a_job_that_arrived_is_found(make, ledger, provider, qtbot):
    submission = unknown(ledger)
    provider.jobs["job-7"] = replace(job(job_id="job-7"), name=submission.name)
    settler = make()
    settler.settle("account")
    qtbot.waitUntil(lambda: bool(settler.found), timeout=WAIT_MS)
    (outcome,) = settler.found
    assert outcome.accepted
    assert outcome.job.id == "job-7"
    assert ledger.submission(submission.id).state is SubmissionState.ACCEPTED


def test_a_job_that_never_arrived_ends_as_not_submitted(make, ledger, qtbot):
    submission = unknown(ledger)
    settler = make()
    settler.settle("account", [submission.id])
    qtbot.waitUntil(lambda: SubmissionState.NOT_SUBMITTED in states(settler), timeout=WAIT_MS)


def test_what_is_not_known_yet_is_looked_up_again_by_itself(make, ledger, provider, qtbot):
    submission = unknown(ledger)
    settler = make(LATER)
    settler.settle("account")
    qtbot.waitUntil(lambda: len(settler.ends) >= 3, timeout=WAIT_MS)
    assert set(states(settler)) == {SubmissionState.UNKNOWN}
    provider.jobs["job-7"] = replace(job(job_id="job-7"), name=submission.name)
    qtbot.waitUntil(lambda: SubmissionState.ACCEPTED in states(settler), timeout=WAIT_MS)
    ends = len(settler.ends)
    qtbot.wait(200)
    assert len(settler.ends) <= ends + 1


def test_while_the_network_is_down_it_goes_on_trying(make, ledger, provider, qtbot):
    unknown(ledger)
    provider.answers["find"] = [DOWN, DOWN, None]
    settler = make()
    settler.settle("account")
    qtbot.waitUntil(lambda: SubmissionState.NOT_SUBMITTED in states(settler), timeout=WAIT_MS)
    assert len(provider.called("find")) == 3


def test_what_the_ledger_knows_is_told_without_asking_for_the_rest(make, ledger, provider, qtbot):
    unknown(ledger, "bbbb2222")
    refused = ledger.end_attempt(ledger.add(new_job()), SubmissionState.REFUSED, "This project is busy.")
    settler = make(LATER)
    provider.hold("find")
    asked = []
    settler.settled.connect(lambda _outcome: asked.append(list(provider.calls)))
    settler.settle("account", [refused.id])
    qtbot.waitUntil(lambda: states(settler) == [SubmissionState.REFUSED], timeout=WAIT_MS)
    assert asked == [[]]
    qtbot.waitUntil(lambda: bool(provider.called("find")), timeout=WAIT_MS)  # the rest follows
    provider.let_go("find")


def test_it_is_told_even_with_no_way_to_the_service(make, ledger, qtbot):
    refused = ledger.end_attempt(ledger.add(new_job()), SubmissionState.REFUSED, "This project is busy.")
    settler = make(providers={})
    settler.settle("account", [refused.id])
    qtbot.waitUntil(lambda: states(settler) == [SubmissionState.REFUSED], timeout=WAIT_MS)


def test_it_waits_for_the_way_to_the_service(make, ledger, provider, qtbot):
    submission = unknown(ledger)
    providers = {}
    settler = make(providers=providers)
    settler.settle("account", [submission.id])
    qtbot.waitUntil(lambda: len(settler.ends) >= 2, timeout=WAIT_MS)
    assert settler.found == []
    providers["account"] = provider
    qtbot.waitUntil(lambda: SubmissionState.NOT_SUBMITTED in states(settler), timeout=WAIT_MS)


def test_an_accepted_job_that_cannot_be_read_now_is_asked_for_again(make, ledger, provider, qtbot):
    submission = ledger.accept(ledger.add(new_job()), "job-7")
    provider.answers["job"] = [DOWN, DOWN, job(job_id="job-7")]
    settler = make()
    settler.settle("account", [submission.id])
    qtbot.waitUntil(lambda: any(outcome.job is not None for outcome in settler.found), timeout=WAIT_MS)
    assert [outcome.error for outcome in settler.found] == [DOWN, DOWN, None]


def test_an_accepted_job_that_the_service_forgot_is_told_and_left(make, ledger, provider, qtbot):
    submission = ledger.accept(ledger.add(new_job()), "job-7")
    settler = make()
    settler.settle("account", [submission.id])
    qtbot.waitUntil(lambda: bool(settler.found), timeout=WAIT_MS)
    assert isinstance(settler.found[0].error, NotFoundError)
    qtbot.wait(100)
    assert len(provider.called("job")) == 1


def test_a_question_during_a_look_is_answered_after_it(make, ledger, provider, qtbot):
    first = unknown(ledger)
    settler = make(LATER)
    provider.hold("find")
    settler.settle("account", [first.id])
    qtbot.waitUntil(lambda: bool(provider.calls), timeout=WAIT_MS)
    second = ledger.end_attempt(ledger.add(new_job("bbbb2222")), SubmissionState.NOT_SENT, "No network.")
    settler.settle("account", [second.id])
    provider.let_go("find")
    qtbot.waitUntil(lambda: SubmissionState.NOT_SENT in states(settler), timeout=WAIT_MS)


def test_after_stopping_it_asks_no_more(make, ledger, provider, qtbot):
    unknown(ledger)
    settler = make(LATER)
    settler.settle("account")
    qtbot.waitUntil(lambda: bool(settler.ends), timeout=WAIT_MS)
    settler.stop()
    asked = len(provider.calls)
    qtbot.wait(150)
    assert len(provider.calls) <= asked + 1
