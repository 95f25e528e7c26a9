"""A run and what can be done with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.staged_provider import NOW, job
from tests.unit.ledger_kit import configuration
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.run import WAITING_TO_DOWNLOAD, Phase, Run


def run(**changes):
    return Run(
        **{
            "key": "k",
            "name": "Taormina",
            "mode": Mode.LIVE,
            "configuration": configuration(),
            "connection_id": "one",
            "created": NOW,
            **changes,
        }
    )


def on_service(word, **changes):
    return replace(run(), **changes).on_service(job(word))


def test_words_are_noted_as_they_came_without_repeats():
    following = run()
    for word in ("NOT_STARTED", "RUNNING", "RUNNING", "PONDERING", "SUCCEEDED"):
        following = following.on_service(job(word))
    assert following.words == ("NOT_STARTED", "RUNNING", "PONDERING", "SUCCEEDED")
    assert following.state is JobState.SUCCEEDED


def test_news_of_the_service_clear_what_was_said_meanwhile():
    seen = on_service("RUNNING", message="Cancelling…", trouble="No answer.", phase=Phase.CHECKING)
    assert (seen.message, seen.trouble, seen.phase) == ("", "", Phase.ON_SERVICE)


@pytest.mark.parametrize("phase", [Phase.FETCHING, Phase.PAUSED, Phase.LOADED])
def test_late_news_do_not_undo_the_fetching(phase):
    assert on_service("SUCCEEDED", phase=phase).phase is phase


def test_news_of_a_running_job_leave_the_download_of_a_block_s_output_pausable():
    waiting = on_service("RUNNING", phase=Phase.FETCHING, message=WAITING_TO_DOWNLOAD)
    assert waiting.message == WAITING_TO_DOWNLOAD
    assert waiting.pausable


def test_no_state_before_the_service_has_it():
    assert run().state is None
    assert not run().succeeded


@pytest.mark.parametrize(
    ("changes", "word", "busy"),
    [
        ({}, None, True),
        ({"phase": Phase.CHECKING}, None, True),
        ({"phase": Phase.NOT_SUBMITTED}, None, False),
        ({}, "RUNNING", True),
        ({}, "PONDERING", True),
        ({}, "SUCCEEDED", False),
        ({}, "CANCELLED", False),
        ({"phase": Phase.FETCHING}, "SUCCEEDED", True),
        ({"phase": Phase.LOADED}, "SUCCEEDED", False),
    ],
)
def test_busy_while_there_is_something_to_cancel(changes, word, busy):
    assert (replace(run(), **changes) if word is None else on_service(word, **changes)).busy is busy


def test_only_live_jobs_that_succeeded_have_an_output():
    assert on_service("SUCCEEDED").loadable
    assert on_service("SUCCEEDED", phase=Phase.LOADED).loadable
    assert not on_service("SUCCEEDED", phase=Phase.FETCHING).loadable
    assert not on_service("SUCCEEDED", mode=Mode.TEST_QUERY).loadable
    assert not on_service("FAILED").loadable
    assert not run().loadable
