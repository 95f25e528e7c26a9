"""What becomes of jobs on the service, as the ledger keeps it for the list of jobs and the next start."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from ledger_kit import NOON, Clock, new_job, rows

from up42_plugin.core.jobs import Job, JobState, JobTask, Mode
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.ledger_file import LedgerError, text_of
from up42_plugin.core.ledger_life import LedgerLife, RecordedTask
from up42_plugin.core.ledger_outputs import LedgerOutputs, StoredOutput

HOUR = timedelta(hours=1)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    return Ledger(tmp_path / "ledger.sqlite", clock)


@pytest.fixture
def life(ledger):
    return LedgerLife(ledger)


def told(state="RUNNING", job_id="service-1", word=None, **times):
    return Job(job_id, "Taormina #aaaa2222", JobState[state], word or state, Mode.LIVE, NOON, **times)


def accepted(ledger, tag="aaaa2222", service_job="service-1", **changes):
    return ledger.accept(ledger.add(new_job(tag, **changes)), service_job)


def the_life(ledger, submission):
    return ledger.submission(submission.id).life


def test_what_the_service_told_is_kept_with_its_own_words_and_times(ledger, life, clock):
    submission = accepted(ledger)
    assert submission.life is None
    clock.now += HOUR
    assert life.saw("account", told("UNKNOWN", word="PONDERING", started=NOON + HOUR / 2))
    kept = the_life(Ledger(ledger.path, clock), submission)
    assert (kept.state, kept.word, kept.created, kept.started, kept.finished, kept.seen) == (
        JobState.UNKNOWN,
        "PONDERING",
        NOON,
        NOON + HOUR / 2,
        None,
        NOON + HOUR,
    )


def test_of_jobs_that_are_not_ours_nothing_is_kept(ledger, life):
    submission = accepted(ledger)
    ledger.add(new_job("aaaa3333"))
    assert life.saw_all("account", [told(job_id="service-1"), told(job_id="another"), told(job_id="")]) == {"service-1"}
    assert not life.saw("sandbox", told("FAILED"))
    assert the_life(ledger, submission).state is JobState.RUNNING


def test_a_late_answer_does_not_open_again_what_has_ended(ledger, life):
    submission = accepted(ledger)
    life.saw("account", told("SUCCEEDED", finished=NOON + HOUR))
    life.saw("account", told("RUNNING"))
    kept = the_life(ledger, submission)
    assert (kept.state, kept.finished) == (JobState.SUCCEEDED, NOON + HOUR)
    assert life.unfinished("account") == ()


def test_a_list_that_tells_nothing_new_is_not_written_every_time(ledger, life, clock):
    submission = accepted(ledger)
    life.saw("account", told())
    clock.now += timedelta(seconds=10)
    blocker = sqlite3.connect(ledger.path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")  # whoever writes now would wait for 20 seconds
    assert life.saw("account", told()), "nobody waited, or this would be an error"
    blocker.close()
    assert the_life(ledger, submission).seen == NOON
    clock.now += timedelta(minutes=2)
    life.saw("account", told())
    assert the_life(ledger, submission).seen == clock.now


def test_accepted_jobs_are_watched_until_they_are_known_to_have_ended(ledger, life):
    never_seen = accepted(ledger, "aaaa2222", "service-1")
    running = accepted(ledger, "aaaa3333", "service-2")
    for number, state in enumerate(("SUCCEEDED", "FAILED", "ERROR", "CANCELLED")):
        accepted(ledger, f"bbbb222{number + 2}", f"over-{number}")
        life.saw("account", told(state, f"over-{number}"))
    ledger.end_attempt(ledger.add(new_job("cccc2222")), SubmissionState.UNKNOWN)
    accepted(ledger, "dddd2222", "service-9", connection_id="sandbox")
    life.saw("account", told("UNKNOWN", "service-2", word="PONDERING"))
    assert [entry.submission.id for entry in life.unfinished("account")] == [running.id, never_seen.id]


def test_an_end_is_announced_once(ledger, life, clock):
    first = accepted(ledger, "aaaa2222", "service-1")
    accepted(ledger, "aaaa3333", "service-2")
    life.saw("account", told("RUNNING", "service-2"))
    life.saw("account", told("FAILED", "service-1"))
    (entry,) = life.finished_unannounced("account")
    assert (entry.id, entry.announced) == (first.job_id, None)
    assert life.finished_unannounced("sandbox") == ()
    other_window = LedgerLife(Ledger(ledger.path, clock))
    assert other_window.claim_announcement(entry.id)
    assert not life.claim_announcement(entry.id)
    assert not life.claim_announcement("nobody's")
    assert life.finished_unannounced("account") == ()
    assert life.entry(entry.id).announced == NOON


def test_tasks_come_back_in_order_with_what_was_learnt_earlier(ledger, life):
    accepted(ledger)
    data = JobTask("t1", "aws-s2-l2a:1", JobState.SUCCEEDED, "SUCCEEDED", "aws-s2-l2a", NOON, NOON + HOUR)
    waits = JobTask("t2", "ndvi:1", JobState.NOT_STARTED, "NOT_STARTED", "ndvi")
    assert life.saw_tasks("account", "service-1", [data, waits], {"aws-s2-l2a:1": 7})
    runs = JobTask("t2", "ndvi:1", JobState.RUNNING, "RUNNING", "ndvi", NOON + HOUR)
    life.saw_tasks("account", "service-1", [data, runs])
    assert life.tasks("account", "service-1") == (RecordedTask(data, 7), RecordedTask(runs))
    assert life.tasks("sandbox", "service-1") == ()
    assert not life.saw_tasks("account", "another", [data])


def test_scenes_and_a_new_name_are_kept(ledger, life):
    submission = accepted(ledger, mode=Mode.TEST_QUERY, agreed=None)
    life.found_scenes("account", "service-1", 4)
    life.rename(submission.job_id, "Etna")
    entry = life.entry(submission.job_id)
    assert (entry.name, entry.submission.scenes, entry.submission.name) == ("Etna", 4, "Taormina #aaaa2222")
    with pytest.raises(LedgerError, match="gone"):
        life.rename("nobody's", "Etna")


def test_an_entry_tells_what_a_list_shows(ledger, life):
    submission = accepted(ledger, rerun_of="old")
    life.saw("account", told())
    entry = life.entry(submission.job_id)
    job = ledger.job(submission.job_id)
    assert (entry.name, entry.mode, entry.created, entry.agreed, entry.rerun_of) == (
        job.name,
        job.mode,
        job.created,
        job.agreed,
        "old",
    )
    assert (entry.workflow_id, entry.workflow_name, entry.chain, entry.aoi_km2) == (
        "workflow-1",
        "Visual",
        "Sentinel-2",
        97.5,
    )
    assert entry.submission == job.submissions[0]
    assert entry.folder is None


def test_an_entry_knows_the_folder_of_the_jobs_own_output_while_it_is_there(ledger, life, clock):
    submission = accepted(ledger)
    outputs = LedgerOutputs(ledger)

    def folder():
        return life.entry(submission.job_id).folder

    whole = StoredOutput("account", "service-1", Path("/data/whole"), 5000, NOON)
    outputs.stored_output(StoredOutput("account", "service-1", Path("/data/task"), 90, NOON + HOUR, task_id="t1"))
    outputs.stored_output(StoredOutput("account", "service-1", Path("/data/part"), 1, NOON + HOUR, complete=False))
    assert folder() is None
    outputs.stored_output(whole)
    outputs.stored_output(whole)
    assert folder() == Path("/data/whole")
    assert [output.folder.name for output in outputs.outputs("account", "service-1")] == ["part", "task", "whole"]
    clock.now += HOUR
    outputs.deleted_output("account", Path("/data/whole"))
    assert folder() is None
    assert outputs.outputs("account", "service-1")[-1].deleted == NOON + HOUR
    outputs.stored_output(whole)  # brought down again
    assert folder() == Path("/data/whole")
    assert outputs.outputs("sandbox", "service-1") == ()


def test_pages_go_through_all_jobs_newest_first(ledger, life, clock):
    for number in range(23):
        clock.now = NOON + timedelta(minutes=number // 3)  # several of one moment
        mode = Mode.TEST_QUERY if number % 4 == 0 else Mode.LIVE
        ledger.add(new_job(f"tag-{number:02d}", name=str(number), mode=mode))
    pages, last = [], None
    while True:
        page = life.page("account", limit=5, before=last)
        if not page:
            break
        pages.append(page)
        last = page[-1]
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    assert [entry.name for page in pages for entry in page] == [str(number) for number in range(22, -1, -1)]
    tests = life.page("account", mode=Mode.TEST_QUERY)
    assert [entry.name for entry in tests] == ["20", "16", "12", "8", "4", "0"]
    assert life.counts("account") == {Mode.LIVE: 17, Mode.TEST_QUERY: 6}
    assert life.counts("sandbox") == {Mode.LIVE: 0, Mode.TEST_QUERY: 0}


def fill(ledger, count):
    """Many jobs at once, as months of work leave them: ten of them run."""
    ledger.accept(ledger.add(new_job()), "service-0")
    with ledger.file.writing() as connection:
        numbers = range(1, count)
        moments = {number: text_of(NOON + timedelta(minutes=number)) for number in numbers}
        connection.executemany(
            "INSERT INTO jobs (id, connection_id, configuration_id, name, mode, agreed_maximum, agreed_minimum,"
            " created, announced) VALUES (?, 'account', 1, 'job', ?, 20, 10, ?, ?)",
            [(f"j{n}", "DRY_RUN" if n % 2 else "DEFAULT", moments[n], moments[n]) for n in numbers],
        )
        connection.executemany(
            "INSERT INTO submissions (job_id, step, tag, name, agreed_credits, state, service_job_id, attempts,"
            " created, sent, service_state, service_word, service_created, seen, closed)"
            " VALUES (?, 0, ?, 'job', 20, 'ACCEPTED', ?, 1, ?, ?, ?, 'word', ?, ?, ?)",
            [
                (
                    f"j{n}",
                    f"t{n}",
                    f"service-{n}",
                    *[moments[n]] * 2,
                    "RUNNING" if n % 1000 == 0 else "SUCCEEDED",
                    *[moments[n]] * 2,
                    int(n % 1000 != 0),
                )
                for n in numbers
            ],
        )


def test_ten_thousand_jobs_are_paged_and_watched_quickly(ledger, life, monkeypatch):
    """Counted in steps of SQLite's machine, which are the same on every computer however busy it is."""
    fill(ledger, 10_000)
    connect, steps = ledger.file._connect, []

    def counted(**options):
        connection = connect(**options)
        connection.set_progress_handler(lambda: steps.append(1) or 0, 100)
        return connection

    monkeypatch.setattr(ledger.file, "_connect", counted)

    def steps_of(work):
        steps.clear()
        work()
        return 100 * len(steps)

    middle = life.page("account", limit=5000)[-1]
    taken = {
        "first": steps_of(lambda: life.page("account")),
        "middle": steps_of(lambda: life.page("account", before=middle)),
        "mode": steps_of(lambda: life.page("account", mode=Mode.LIVE)),
        "unfinished": steps_of(lambda: life.unfinished("account")),
        "unannounced": steps_of(lambda: life.finished_unannounced("account")),
        "saw": steps_of(lambda: life.saw_all("account", [told("SUCCEEDED", f"service-{n}") for n in range(100)])),
    }
    assert len(life.unfinished("account")) == 9
    assert max(taken[page] for page in ("first", "middle", "mode")) < 20_000, taken
    assert max(taken.values()) < 200_000, taken


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (
            "SELECT job_id FROM submissions WHERE state = 'ACCEPTED' AND closed = 0",
            "(state=? AND closed=?)",
        ),
        ("SELECT id FROM jobs WHERE connection_id = 'a' AND announced IS NULL", "jobs_unannounced"),
        ("SELECT id FROM jobs WHERE connection_id = 'a' AND mode = 'b' ORDER BY created DESC, rowid DESC", "by_mode"),
        ("SELECT id FROM jobs WHERE connection_id = 'a' ORDER BY created DESC, rowid DESC", "jobs_by_connection"),
    ],
)
def test_lists_are_read_by_index_and_not_sorted(ledger, query, index):
    ledger.add(new_job())
    plan = " ".join(row[3] for row in rows(ledger.path, f"EXPLAIN QUERY PLAN {query}"))
    assert index in plan
    assert "TEMP B-TREE" not in plan
