"""Jobs that wait for a slot in the ledger: none lost, none sent twice, none over the project's limit."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from ledger_kit import NOON, PRICE, Clock, configuration, new_job

from tests.job_samples import SENTINEL, SUPER_RESOLUTION, taormina, workflow_of
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.configuration_record import configuration_of, configuration_text
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Job, JobState, Mode
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.ledger_queue import LedgerQueue, PutOff, PutOffError, WaitingJob
from up42_plugin.core.slots import Listing
from up42_plugin.core.workflow import Price

FREE = Listing(NOON, (), 2)


def waiting(number=1, of=3, **changes):
    values = {
        "id": f"w{number}",
        "batch_id": "b1",
        "batch_name": "Taormina",
        "place": number,
        "places": of,
        "label": f"{number} of {of}",
        "connection_id": "account",
        "name": f"Taormina {number} of {of}",
        "configuration": configuration(limit=number),
        "agreed": PRICE,
        "priced": NOON,
    }
    return WaitingJob(**{**values, **changes})


def listed(word="RUNNING", tag="zzzz9999", job_id="other"):
    return Job(job_id, f"Somebody's #{tag}", JobState[word], word, Mode.LIVE, NOON)


def claimed(queue, number=1, seen=FREE, tag=None):
    tag = tag or f"aaaa222{number}"
    return queue.claim(f"w{number}", new_job(tag, tagged=f"Taormina #{tag}", agreed=Range(0, 0)), seen)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    return Ledger(tmp_path / "ledger.sqlite", clock)


@pytest.fixture
def queue(ledger):
    queue = LedgerQueue(ledger)
    queue.add([waiting(number) for number in (1, 2, 3)])
    return queue


def why(excinfo):
    return excinfo.value.why


def test_jobs_come_back_whole_in_their_order(queue, ledger, clock):
    later = LedgerQueue(Ledger(ledger.path, clock))
    assert later.waiting("account") == tuple(waiting(number) for number in (1, 2, 3))
    assert later.waiting("other") == ()


def test_a_rich_configuration_is_the_same_after_the_ledger():
    priced = replace(SENTINEL, price=Price(3, "SQUARE_KM", "INPUT"))
    whole = JobConfiguration.of(workflow_of(priced, SUPER_RESOLUTION), taormina())
    again = configuration_of(configuration_text(whole))
    assert again == whole
    assert again.fingerprint == whole.fingerprint
    assert again.inputs(Mode.LIVE) == whole.inputs(Mode.LIVE)


@pytest.mark.parametrize("text", ["{}", "[]", "not JSON", '{"workflow": 1}'])
def test_what_is_no_configuration_is_said_so(text):
    with pytest.raises(ValueError):  # noqa: PT011 - json's own error is one too
        configuration_of(text)


def test_a_job_whose_configuration_was_tampered_with_is_not_offered(queue, ledger):
    connection = sqlite3.connect(ledger.path)
    connection.execute("UPDATE waiting_jobs SET fingerprint = 'x' WHERE id = 'w2'")
    connection.commit()
    connection.close()
    assert [job.id for job in queue.waiting("account")] == ["w1", "w3"]


def test_all_are_written_or_none(queue, ledger):
    with pytest.raises(LedgerError):
        queue.add([waiting(4), waiting(1)])
    assert [job.id for job in queue.waiting("account")] == ["w1", "w2", "w3"]


def test_a_claimed_job_is_a_submission_about_to_be_sent_for_the_price_agreed_to(queue, ledger):
    submission = claimed(queue)
    assert (submission.state, submission.tag, submission.agreed_credits) == (SubmissionState.PENDING, "aaaa2221", 20)
    (job,) = ledger.jobs("account")
    assert job.agreed == PRICE
    assert [job.id for job in queue.waiting("account")] == ["w2", "w3"]


def test_it_is_claimed_once(queue, ledger):
    claimed(queue)
    with pytest.raises(PutOffError) as refused:
        claimed(queue, tag="bbbb2222")
    assert why(refused) is PutOff.TAKEN
    assert len(ledger.jobs("account")) == 1


class TestSlots:
    def refused(self, queue, number, seen):
        with pytest.raises(PutOffError) as refused:
            claimed(queue, number, seen)
        return why(refused)

    def test_jobs_of_others_take_them_until_they_end(self, queue):
        assert self.refused(queue, 1, Listing(NOON, (listed(),), 1)) is PutOff.NO_SLOT
        claimed(queue, 1, Listing(NOON, (listed("SUCCEEDED"),), 1))

    def test_ours_on_the_way_takes_one_before_the_service_shows_it(self, queue):
        claimed(queue, 1, replace(FREE, most=1))
        assert self.refused(queue, 2, replace(FREE, most=1)) is PutOff.NO_SLOT

    def test_and_is_not_counted_twice_when_it_shows(self, queue):
        claimed(queue, 1)
        claimed(queue, 2, Listing(NOON, (listed(tag="aaaa2221"),), 2))

    def test_an_unknown_end_keeps_its_slot(self, queue, ledger):
        ledger.end_attempt(claimed(queue), SubmissionState.UNKNOWN)
        assert self.refused(queue, 2, replace(FREE, most=1)) is PutOff.NO_SLOT

    def test_one_accepted_just_now_counts_though_the_list_is_older(self, queue, ledger):
        ledger.accept(claimed(queue), "job-1")
        assert self.refused(queue, 2, replace(FREE, most=1)) is PutOff.NO_SLOT
        claimed(queue, 2, Listing(NOON, (listed("FAILED", "aaaa2221", "job-1"),), 1))

    def test_one_refused_does_not(self, queue, ledger):
        ledger.end_attempt(claimed(queue), SubmissionState.REFUSED)
        claimed(queue, 2, replace(FREE, most=1))

    def test_jobs_of_another_connection_do_not(self, queue, ledger):
        ledger.add(new_job("cccc2222", connection_id="other"))
        claimed(queue, 1, replace(FREE, most=1))

    def test_where_the_project_names_no_limit_none_is_counted(self, queue):
        claimed(queue, 1, Listing(NOON, (listed(),) * 20, None))


def test_a_price_holds_for_a_day(queue, clock):
    clock.now = NOON + timedelta(hours=24, seconds=1)
    with pytest.raises(PutOffError) as refused:
        claimed(queue)
    assert why(refused) is PutOff.TOO_OLD
    queue.agree({"w1": Range(11, 22)}, clock.now)
    assert claimed(queue).agreed_credits == 22


def test_forgotten_jobs_are_never_sent(queue):
    claimed(queue)
    assert queue.forget(["w1", "w2"]) == ("w2",)
    with pytest.raises(PutOffError) as refused:
        claimed(queue, 2)
    assert why(refused) is PutOff.TAKEN


def test_put_back_it_is_sent_again_with_its_tag(queue, ledger):
    first = claimed(queue)
    assert not queue.put_back("w1")  # its end is not known
    ledger.end_attempt(first, SubmissionState.REFUSED)
    assert queue.put_back("w1")
    assert next(job.id for job in queue.waiting("account")) == "w1"
    again = claimed(queue, tag="bbbb2222")
    assert (again.id, again.tag, again.attempts) == (first.id, first.tag, 2)
    assert len(ledger.jobs("account")) == 1


def test_what_was_accepted_is_not_put_back(queue, ledger):
    ledger.accept(claimed(queue), "job-1")
    assert not queue.put_back("w1")


def test_two_windows_never_claim_the_same_job_nor_more_than_there_are_slots(ledger, clock):
    LedgerQueue(ledger).add([waiting(number, 20) for number in range(1, 21)])
    seen, won, refused = Listing(NOON, (), 7), [], []
    barrier = threading.Barrier(6)

    def window(name):
        queue = LedgerQueue(Ledger(ledger.path, clock))
        barrier.wait()
        for number in range(1, 21):
            try:
                won.append((number, claimed(queue, number, seen, f"{name}{number:07d}").tag))
            except PutOffError as error:
                refused.append(error.why)

    threads = [threading.Thread(target=window, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == len({number for number, _ in won}) == 7
    assert len(ledger.unsettled("account")) == 7
    assert len(won) + len(refused) == 120


def test_what_waits_counts_against_the_limits(queue, ledger):
    assert ledger.spent("account", NOON) == 60
    claimed(queue)
    assert ledger.spent("account", NOON) == 60
    queue.forget(["w2"])
    assert ledger.spent("account", NOON) == 40
    assert ledger.spent("account", NOON + timedelta(hours=1)) == 0
