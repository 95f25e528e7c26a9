"""The list of jobs: one entry for each, whoever tells of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from tests.job_samples import DATA_TASK, SR_TASK, chain, taormina
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.estimation import Range
from up42_plugin.core.job_entry import NOT_CHECKED, OnDisk
from up42_plugin.core.job_list import GONE, JobList, area_of_inputs
from up42_plugin.core.jobs import Job, JobCredits, JobState, JobTask, Mode
from up42_plugin.core.ledger import Ledger, NewJob, SubmissionState
from up42_plugin.core.run import Phase, Run

NOW = datetime(2026, 11, 20, 10, 42, tzinfo=timezone.utc)
CONFIGURATION = JobConfiguration.of(chain(), taormina())
RUN = Run("run-1", "Taormina super-resolution", Mode.LIVE, CONFIGURATION, "one", NOW)


def job(word="RUNNING", job_id="job-1", name="Taormina super-resolution #k3f9x2ab", **changes):
    state = JobState[word] if word in JobState.__members__ else JobState.UNKNOWN
    return Job(job_id, name, state, word, changes.pop("mode", Mode.LIVE), changes.pop("created", NOW), **changes)


def task(word, name=DATA_TASK, **changes):
    return JobTask(name, name, JobState[word], word, block_name=name.partition(":")[0], **changes)


def only(jobs):
    entries = jobs.entries("one")
    assert len(entries) == 1
    return entries[0]


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger.gpkg", lambda: NOW)


def recorded(ledger, tag="k3f9x2ab"):
    agreed = Range(13, 25)
    new = NewJob("one", CONFIGURATION, Mode.LIVE, "Taormina super-resolution", tag, f"Taormina #{tag}", agreed)
    return ledger.add(new)


def test_a_job_keeps_its_key_from_the_click_to_the_end(ledger):
    jobs = JobList()
    jobs.put_run(RUN)
    key = only(jobs).key
    assert (only(jobs).phase, only(jobs).state) == (Phase.SENDING, None)
    submission = recorded(ledger)
    jobs.put_run(RUN, submission.job_id)
    jobs.put_records(ledger.jobs("one"))
    assert only(jobs).estimated == Range(13, 25)
    assert only(jobs).held is None  # the service has no job yet
    ledger.accept(submission, "job-1")
    jobs.put_run(RUN.on_service(job("NOT_STARTED")), submission.job_id)
    jobs.put_jobs("one", [job("RUNNING", started=NOW)])
    entry = only(jobs)
    assert (entry.key, entry.word, entry.held, entry.run_key) == (key, "RUNNING", 13, "run-1")
    ledger.charge("one", "job-1", 9)
    jobs.put_jobs("one", [job("SUCCEEDED", started=NOW, finished=NOW + timedelta(minutes=3))])
    jobs.put_records(ledger.jobs("one"))
    entry = only(jobs)
    assert (entry.key, entry.held, entry.charged, entry.returned) == (key, None, 9, 4)
    assert entry.seconds(NOW + timedelta(hours=1)) == 180
    assert entry.name == "Taormina super-resolution"
    assert entry.area_km2 == pytest.approx(taormina().area_km2)


def test_a_run_and_a_listed_job_that_turn_out_to_be_one_become_one():
    jobs = JobList()
    jobs.put_run(RUN)
    jobs.put_jobs("one", [job()])
    jobs.put_tasks("one", "job-1", (task("RUNNING"),))
    assert len(jobs.entries("one")) == 2
    jobs.put_run(RUN.on_service(job()))
    assert (only(jobs).run_key, only(jobs).job_id) == ("run-1", "job-1")
    assert only(jobs).tasks[0].title == "Sentinel-2 L2A (SAFE)"
    assert jobs.find("one", "job-1") is only(jobs)


def test_the_same_id_on_two_connections_is_two_jobs():
    jobs = JobList()
    jobs.put_jobs("one", [job()])
    jobs.put_jobs("two", [job("FAILED")])
    assert only(jobs).word == "RUNNING"
    assert jobs.entries("two")[0].word == "FAILED"


def test_what_did_not_change_is_the_same_object():
    jobs = JobList()
    jobs.put_jobs("one", [job(), job(job_id="job-2")])
    before = jobs.entries("one")
    jobs.put_jobs("one", [job("SUCCEEDED"), job(job_id="job-2")])
    after = jobs.entries("one")
    assert after[1] is before[1]
    assert after[0] is not before[0]


def test_a_late_answer_does_not_make_a_job_run_again():
    jobs = JobList()
    jobs.put_run(RUN.on_service(job("CANCELLED")))
    jobs.put_jobs("one", [job("RUNNING")])
    assert only(jobs).word == "CANCELLED"


def test_unknown_words_come_through_and_jobs_of_others_are_listed():
    geometry = {"type": "Polygon", "coordinates": [[[0, 0], [0.1, 0], [0.1, 0.1], [0, 0.1], [0, 0]]]}
    jobs = JobList({"aws-s2-l2a": "Sentinel-2 L2A (SAFE)"})
    inputs = {"config": {"mode": "DEFAULT"}, DATA_TASK: {"bbox": None, "intersects": geometry}}
    jobs.put_jobs("one", [job("PONDERING", name="somebody's", workflow_name="Theirs", inputs=inputs)])
    jobs.put_tasks("one", "job-1", (task("RUNNING"), task("NOT_STARTED", SR_TASK)))
    entry = only(jobs)
    assert (entry.status, entry.state, entry.name, entry.workflow) == (
        "PONDERING",
        JobState.UNKNOWN,
        "somebody's",
        "Theirs",
    )
    assert entry.running
    assert entry.record_id == ""
    assert entry.area_km2 == pytest.approx(123.1, abs=0.2)
    assert [(item.title, item.waits_for) for item in entry.tasks] == [
        ("Sentinel-2 L2A (SAFE)", 0),
        ("s2-superresolution", 1),
    ]


@pytest.mark.parametrize(
    ("state", "phase", "status"),
    [
        (SubmissionState.UNKNOWN, Phase.CHECKING, "CHECKING"),
        (SubmissionState.REFUSED, Phase.NOT_SUBMITTED, "NOT_SUBMITTED"),
        (SubmissionState.NOT_SENT, Phase.NOT_SUBMITTED, "NOT_SUBMITTED"),
    ],
)
def test_the_ledger_tells_of_what_never_became_a_job(ledger, state, phase, status):
    ledger.end_attempt(recorded(ledger), state, "Not enough credits for this job.")
    jobs = JobList()
    jobs.put_records(ledger.jobs("one"))
    assert (only(jobs).phase, only(jobs).status) == (phase, status)
    assert only(jobs).message == "Not enough credits for this job."


def test_an_accepted_job_that_nobody_has_seen_is_not_checked(ledger):
    ledger.accept(recorded(ledger), "job-1")
    jobs = JobList()
    jobs.put_records(ledger.jobs("one"))
    assert only(jobs).status == NOT_CHECKED
    assert jobs.running("one") == ("job-1",)
    jobs.mark_gone("one", "job-1")
    assert only(jobs).message == GONE


def test_waiting_jobs_know_their_place():
    jobs = JobList()
    for key in ("a", "b"):
        jobs.put_run(replace(RUN, key=key))
    jobs.put_queue("one", ("b", "a"))
    assert {entry.run_key: entry.queue_position for entry in jobs.entries("one")} == {"b": 1, "a": 2}
    jobs.put_queue("one", ("a",))
    assert {entry.run_key: entry.queue_position for entry in jobs.entries("one")} == {"b": None, "a": 1}


def test_credits_files_scenes_and_reasons_are_added():
    jobs = JobList()
    jobs.put_jobs("one", [job("FAILED")])
    jobs.put_tasks("one", "job-1", (task("SUCCEEDED"), task("FAILED", SR_TASK)))
    jobs.put_credits("one", "job-1", JobCredits(3, {DATA_TASK: 3}))
    jobs.put_reason("one", "job-1", "Failed: no images found")
    jobs.put_on_disk("one", "job-1", True)
    jobs.put_scenes("one", "job-1", 7)
    entry = only(jobs)
    assert (entry.charged, entry.message, entry.on_disk, entry.scenes) == (
        3,
        "Failed: no images found",
        OnDisk.SOMETHING,
        7,
    )
    assert [item.charged for item in entry.tasks] == [3, None]
    jobs.put_tasks_trouble("one", "job-1", "No answer.")
    assert only(jobs).tasks_trouble == "No answer."
    jobs.forget(entry.key)
    assert jobs.entries("one") == ()


@pytest.mark.parametrize(
    "inputs",
    [{}, {"a": 1}, {"a": {"bbox": [1, 2]}}, {"a": {"intersects": {"type": "Polygon", "coordinates": [[["x"]]]}}}],
)
def test_an_area_that_cannot_be_read_is_none(inputs):
    assert area_of_inputs(inputs) is None


def test_a_box_has_an_area():
    assert area_of_inputs({"a": {"bbox": [0, 0, 0.1, 0.1]}}) == pytest.approx(123.1, abs=0.2)
