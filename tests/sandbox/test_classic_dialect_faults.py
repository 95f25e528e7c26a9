"""The seam over the classic dialect when things go wrong between it and the built-in service."""

from __future__ import annotations

import threading
from datetime import datetime, timezone

import pytest
from dialect_kit import (
    SUPERRESOLUTION,
    configuration_of,
    fault,
    opened,
    provider_of,
    request_of,
)

from up42_plugin.api import errors
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.jobs import Mode


@pytest.fixture(scope="module")
def service(sandbox):
    with opened(provider_of(sandbox)) as service:
        yield service


def test_an_answer_that_is_lost_is_unknown_and_the_job_is_found(service, sandbox):
    workflow = service.workflow(sandbox.workflows[SUPERRESOLUTION])
    request = request_of(configuration_of(workflow), Mode.TEST_QUERY, "Lost")
    begun = datetime.now(timezone.utc)
    with fault(sandbox, "POST", "*/workflows/*/jobs", lose_answer=True), pytest.raises(errors.OutcomeUnknownError):
        service.submit(request)
    found = service.find(request.tag, begun)
    assert found is not None
    assert found.name == request.name


def test_a_request_that_is_cut_is_unknown_and_made_no_job(service, sandbox):
    workflow = service.workflow(sandbox.workflows[SUPERRESOLUTION])
    request = request_of(configuration_of(workflow), Mode.TEST_QUERY, "Cut")
    begun = datetime.now(timezone.utc)
    cut = fault(sandbox, "POST", "*/workflows/*/jobs", cut_request_after_bytes=10)
    with cut, pytest.raises(errors.OutcomeUnknownError):
        service.submit(request)
    assert service.find(request.tag, begun) is None


def test_a_token_that_ends_midway_is_renewed_and_the_job_sent_once(service, sandbox):
    workflow = service.workflow(sandbox.workflows[SUPERRESOLUTION])
    request = request_of(configuration_of(workflow), Mode.TEST_QUERY, "Midway")
    body = {"error": {"code": "UNAUTHORIZED", "message": "ACCESS_TOKEN_EXPIRED", "details": None}, "data": None}
    with fault(sandbox, "POST", "*/workflows/*/jobs", status=401, body=body):
        job = service.submit(request)
    named = [found for found in service.jobs().jobs if found.name == request.name]
    assert [found.id for found in named] == [job.id]


def test_problems_of_the_service_are_ridden_out(service, sandbox):
    with fault(sandbox, "GET", "*", status=503, times=2):
        assert service.balance().credits > 0
    with fault(sandbox, "GET", "*", status=429, times=1, headers={"Retry-After": "0"}):
        assert service.balance().credits > 0
    with fault(sandbox, "GET", "*", cut_after_bytes=10, times=1):
        assert service.balance().credits > 0
    with fault(sandbox, "GET", "*", status=500, times=None), pytest.raises(errors.ServerError):
        service.balance()
    broken = fault(sandbox, "GET", "*", status=200, body='{"data": {"bal', times=None)
    with broken, pytest.raises(errors.AnswerError):
        service.balance()


def test_cancelling_the_worker_wakes_a_call_that_waits(sandbox):
    context = ThreadContext()
    caught = []
    with fault(sandbox, "GET", "*/balance", delay_s=60), provider_of(sandbox).open(context) as service:
        service.project()

        def call():
            try:
                service.balance()
            except errors.Up42Error as error:
                caught.append(error)

        worker = threading.Thread(target=call)
        worker.start()
        context.cancel()
        worker.join(20)
        assert not worker.is_alive()
    assert isinstance(caught[0], errors.Cancelled)
