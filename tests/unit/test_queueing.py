"""Sending a job that waits: only into a free slot, and what is put off is not lost."""

from __future__ import annotations

import pytest
from ledger_kit import NOON, Clock
from staged_service import LOST, TOO_MANY, Context, StagedService, failing
from test_ledger_queue import listed, waiting

from up42_plugin.api.errors import NetworkError, ValidationError
from up42_plugin.core.jobs import JobPage
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.ledger_queue import LedgerQueue, PutOff
from up42_plugin.core.queueing import submit_waiting
from up42_plugin.core.service import Limits
from up42_plugin.core.submission import Submitter


class Service(StagedService):
    """With a list of jobs and a limit."""

    def __init__(self, clock, *script, others=(), most=1):
        super().__init__(clock, *script)
        self.others, self.most = others, most

    def limits(self):
        if isinstance(self.most, Exception):
            raise self.most
        return Limits(self.most)

    def jobs_page(self, number):
        return JobPage(tuple(self.others), number, True)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    return Ledger(tmp_path / "ledger.sqlite", clock)


@pytest.fixture
def queue(ledger):
    queue = LedgerQueue(ledger)
    queue.add([waiting()])
    return queue


@pytest.fixture
def send(ledger, queue, clock):
    def send_to(service):
        class Opened:
            jobs = staticmethod(service.jobs_page)

            def __getattr__(self, name):
                return getattr(service, name)

        return submit_waiting(queue, waiting(), Submitter(ledger, "account", clock), Opened(), Context(clock))

    return send_to


def test_into_a_free_slot_it_is_sent_once(send, queue, clock):
    service = Service(clock)
    assert send(service).accepted
    assert queue.waiting("account") == ()
    assert send(service) is PutOff.TAKEN
    assert len(service.requests) == 1
    assert service.requests[0].name.startswith("Taormina 1 of 3 #")


def test_without_one_nothing_is_sent_or_written(send, queue, ledger, clock):
    service = Service(clock, others=(listed(),))
    assert send(service) is PutOff.NO_SLOT
    assert service.requests == []
    assert ledger.jobs("account") == ()
    assert len(queue.waiting("account")) == 1


def test_a_service_that_has_none_after_all_has_it_wait_on_with_its_tag(send, queue, ledger, clock):
    service = Service(clock, TOO_MANY, "accept")
    assert send(service) is PutOff.NO_SLOT
    assert len(queue.waiting("account")) == 1
    assert send(service).accepted
    assert len({request.tag for request in service.requests}) == 1
    (job,) = ledger.jobs("account")
    assert job.submissions[0].attempts == 2


def test_a_service_that_cannot_be_asked_has_it_wait_on(send, queue, clock):
    service = Service(clock, most=NetworkError("No answer."))
    assert send(service) is PutOff.NO_ANSWER
    assert service.requests == []
    assert len(queue.waiting("account")) == 1


def test_a_full_disk_has_it_wait_on(send, queue, clock):
    service = Service(clock)
    with failing(queue, "claim"):
        assert send(service) is PutOff.NO_ANSWER
    assert service.requests == []
    assert len(queue.waiting("account")) == 1


def test_a_refusal_is_its_end(send, queue, clock):
    outcome = send(Service(clock, ValidationError("The area is too small.", status=400)))
    assert outcome.state is SubmissionState.REFUSED
    assert queue.waiting("account") == ()


def test_a_lost_answer_is_looked_up_and_not_sent_again(send, queue, clock):
    service = Service(clock, (True, LOST))
    outcome = send(service)
    assert outcome.accepted
    assert len(service.requests) == 1
    assert queue.waiting("account") == ()
    assert clock.now >= NOON
