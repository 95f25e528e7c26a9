"""The ledger: what is recorded of a job, and which end of a submission may follow which."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ledger_kit import NOON, SQUARE, Clock, configuration, new_job, rows

from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.ledger_file import LedgerError


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "profile" / "ledger.sqlite"


@pytest.fixture
def ledger(path, clock):
    return Ledger(path, clock)


def test_a_job_is_on_disk_before_anything_is_sent(ledger, path):
    submission = ledger.add(new_job())
    assert submission.state is SubmissionState.PENDING
    assert (submission.sent, submission.ended, submission.attempts) == (NOON, None, 1)
    assert rows(path, "SELECT tag, state FROM submissions") == [("aaaa2222", "PENDING")]


def test_a_recorded_job_comes_back_whole(ledger):
    submission = ledger.add(new_job(rerun_of="old-job"))
    (job,) = ledger.jobs("account")
    assert job.submissions == (submission,)
    assert (job.name, job.mode, job.agreed, job.rerun_of, job.created) == (
        "Taormina",
        Mode.LIVE,
        Range(10, 20),
        "old-job",
        NOON,
    )
    assert job.configuration.fingerprint == configuration().fingerprint
    assert job.configuration.aoi == {"type": "Polygon", "coordinates": [[list(point) for point in SQUARE]]}
    assert job.configuration.aoi_km2 == 97.5
    assert job.configuration.geometric_filter == "intersects"
    expected = {key: value for key, value in configuration().inputs(Mode.LIVE).items() if key != "config"}
    assert job.configuration.inputs == expected
    assert ledger.job(job.id) == job
    assert ledger.job("other") is None


def test_a_test_query_has_no_price(ledger):
    ledger.add(new_job(mode=Mode.TEST_QUERY, agreed=None))
    (job,) = ledger.jobs("account")
    assert job.agreed is None
    assert job.mode is Mode.TEST_QUERY


def test_equal_configurations_are_written_once_and_others_beside_them(ledger, path):
    ledger.add(new_job("aaaa2222"))
    ledger.add(new_job("aaaa3333"))
    ledger.add(new_job("aaaa4444", configuration=configuration(limit=2)))
    assert rows(path, "SELECT count(*) FROM configurations") == [(2,)]


def test_a_tag_is_used_once(ledger):
    ledger.add(new_job())
    with pytest.raises(LedgerError):
        ledger.add(new_job())
    assert len(ledger.jobs("account")) == 1


@pytest.mark.parametrize("state", [SubmissionState.NOT_SENT, SubmissionState.REFUSED, SubmissionState.UNKNOWN])
def test_how_an_attempt_ended_is_kept(ledger, clock, state):
    submission = ledger.add(new_job())
    clock.now += timedelta(seconds=3)
    ended = ledger.end_attempt(submission, state, "because")
    assert (ended.state, ended.reason, ended.ended) == (state, "because", NOON + timedelta(seconds=3))
    assert ledger.submission(submission.id) == ended


def test_only_a_refused_submission_may_be_sent_again(ledger):
    submission = ledger.add(new_job())
    with pytest.raises(LedgerError, match="not sent again"):
        ledger.begin_again(submission)
    refused = ledger.end_attempt(submission, SubmissionState.REFUSED, "too many jobs")
    again = ledger.begin_again(refused)
    assert (again.state, again.attempts, again.tag, again.reason, again.ended) == (
        SubmissionState.PENDING,
        2,
        submission.tag,
        "",
        None,
    )
    with pytest.raises(LedgerError, match="not sent again"):
        ledger.begin_again(refused)


@pytest.mark.parametrize("state", [SubmissionState.NOT_SENT, SubmissionState.UNKNOWN])
def test_what_was_not_refused_is_never_sent_again(ledger, state):
    submission = ledger.end_attempt(ledger.add(new_job()), state)
    with pytest.raises(LedgerError):
        ledger.begin_again(submission)


def test_an_accepted_job_stays_accepted_whatever_comes_late(ledger):
    submission = ledger.add(new_job())
    accepted = ledger.accept(submission, "service-1")
    assert (accepted.state, accepted.service_job_id) == (SubmissionState.ACCEPTED, "service-1")
    assert ledger.end_attempt(submission, SubmissionState.UNKNOWN) == accepted
    assert ledger.give_up(submission, "not there") == accepted


def test_acceptance_is_the_truth_also_after_giving_up(ledger):
    submission = ledger.end_attempt(ledger.add(new_job()), SubmissionState.UNKNOWN)
    gone = ledger.give_up(submission, "The service does not know this job.")
    assert gone.state is SubmissionState.NOT_SUBMITTED
    assert ledger.accept(gone, "service-1").state is SubmissionState.ACCEPTED


def test_giving_up_yields_to_an_attempt_that_began_since(ledger):
    first = ledger.add(new_job())
    again = ledger.begin_again(ledger.end_attempt(first, SubmissionState.REFUSED))
    assert ledger.give_up(first, "not there") == again
    assert ledger.submission(first.id).state is SubmissionState.PENDING


def test_unsettled_are_the_pending_and_unknown_of_one_connection(ledger):
    pending = ledger.add(new_job("aaaa2222"))
    unknown = ledger.end_attempt(ledger.add(new_job("aaaa3333")), SubmissionState.UNKNOWN)
    ledger.end_attempt(ledger.add(new_job("aaaa4444")), SubmissionState.NOT_SENT)
    ledger.accept(ledger.add(new_job("aaaa5555")), "service-1")
    ledger.add(new_job("aaaa6666", connection_id="sandbox"))
    assert ledger.unsettled("account") == (pending, unknown)


def test_a_job_is_found_by_its_id_on_the_service_within_its_connection(ledger):
    submission = ledger.accept(ledger.add(new_job()), "service-1")
    found = ledger.job_on_service("account", "service-1")
    assert found is not None
    assert found.id == submission.job_id
    assert ledger.job_on_service("sandbox", "service-1") is None
    assert ledger.job_on_service("account", "service-2") is None


def test_jobs_come_newest_first_and_no_more_than_asked_for(ledger, clock):
    for number in range(5):
        clock.now = NOON + timedelta(minutes=number)
        ledger.add(new_job(f"aaaa222{number + 2}", name=f"job {number}"))
    assert [job.name for job in ledger.jobs("account", limit=3)] == ["job 4", "job 3", "job 2"]


def test_no_secret_has_a_place_in_it(ledger, path):
    ledger.add(new_job())
    columns = [
        name
        for (table,) in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")
        for _, name, *_ in rows(path, f"PRAGMA table_info({table})")
    ]
    assert not [
        name for name in columns if any(word in name for word in ("key", "token", "password", "address", "url"))
    ]
