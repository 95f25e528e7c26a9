"""The ledger: a real SQLite file, real threads, real processes that are killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from up42_plugin.core.aoi import AOI
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger, NewJob, SubmissionState
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.workflow import Block, BlockType, Step, Workflow

ROOT = Path(__file__).parents[2]
NOON = datetime(2024, 6, 1, 12, 0, 0, tzinfo=timezone.utc)
PRICE = Range(10, 20)
SQUARE = ((15.2, 37.8), (15.3, 37.8), (15.3, 37.9), (15.2, 37.9), (15.2, 37.8))


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "profile" / "ledger.sqlite"


@pytest.fixture
def ledger(path, clock):
    return Ledger(path, clock)


def configuration(name="Visual", limit=1):
    block = Block(
        "block-1",
        "esa-s2-l2a-gtiff-visual",
        "Sentinel-2",
        BlockType.DATA,
        parameters={"intersects": {"type": "geometry"}, "limit": {"type": "integer", "default": 1}},
    )
    workflow = Workflow("workflow-1", name, steps=(Step("esa-s2-l2a-gtiff-visual:1", block),))
    parameters = {"esa-s2-l2a-gtiff-visual:1": {"limit": limit}}
    return JobConfiguration(workflow, AOI((SQUARE,), 97.5), GeometricFilter.INTERSECTS, parameters)


def new_job(tag="aaaa2222", connection_id="account", mode=Mode.LIVE, agreed=PRICE, **changes):
    values = {
        "connection_id": connection_id,
        "configuration": configuration(),
        "mode": mode,
        "name": "Taormina",
        "tag": tag,
        "tagged": f"Taormina #{tag}",
        "agreed": agreed,
    }
    return NewJob(**{**values, **changes})


def rows(path, query):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


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


def test_the_file_has_a_version_and_commits_durably(ledger, path):
    ledger.add(new_job())
    assert rows(path, "PRAGMA user_version") == [(1,)]
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_where_the_file_system_refuses_a_write_ahead_log_another_journal_does(path, clock, monkeypatch):
    class NoWal(sqlite3.Connection):
        def execute(self, statement, *arguments):
            if statement.endswith("= WAL"):
                raise sqlite3.OperationalError("locking protocol")
            return super().execute(statement, *arguments)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=NoWal, **k))
    Ledger(path, clock).add(new_job())
    monkeypatch.undo()
    assert rows(path, "PRAGMA journal_mode") == [("delete",)]  # TRUNCATE does not stay in the file
    assert rows(path, "SELECT count(*) FROM jobs") == [(1,)]


def aside(path, word):
    return [
        item for item in path.parent.iterdir() if f".{word}-" in item.name and not item.name.endswith(("-wal", "-shm"))
    ]


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be looked at " * 40, b"SQLite format 3\0" + b"\x7f" * 5000]
)
def test_a_file_that_is_no_ledger_is_set_aside_and_a_new_one_begun(ledger, path, content):
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    ledger.add(new_job())
    (kept,) = aside(path, "damaged")
    assert kept.name == "ledger.sqlite.damaged-20240601-120000"
    assert kept.read_bytes() == content
    assert kept.name in ledger.notice
    assert len(ledger.jobs("account")) == 1


def test_a_ledger_with_a_broken_page_is_set_aside(path, clock):
    first = Ledger(path, clock)
    for number in range(40):
        first.add(new_job(f"aaaa22{number:02d}", name="x" * 400))
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    path.write_bytes(content)
    second = Ledger(path, clock)
    assert second.jobs("account") == ()
    (kept,) = aside(path, "damaged")
    assert kept.read_bytes() == bytes(content)
    assert second.notice


def test_a_ledger_that_breaks_while_in_use_is_said_so_and_set_aside_at_the_next_use(ledger, path):
    ledger.add(new_job())
    path.write_bytes(b"something else entirely, written by nobody knows whom " * 100)
    with pytest.raises(LedgerError, match="damaged"):
        ledger.add(new_job("aaaa3333"))
    ledger.add(new_job("aaaa4444"))
    assert len(aside(path, "damaged")) == 1
    assert [job.submissions[0].tag for job in ledger.jobs("account")] == ["aaaa4444"]


def test_a_database_of_somebody_else_is_set_aside(ledger, path):
    path.parent.mkdir(parents=True)
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.commit()
    other.close()
    ledger.add(new_job())
    (kept,) = aside(path, "damaged")
    assert rows(kept, "SELECT name FROM sqlite_master") == [("recipes",)]


def test_a_ledger_of_a_newer_plugin_is_set_aside_whole_with_its_log(path, clock):
    Ledger(path, clock).add(new_job())
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.execute("UPDATE submissions SET reason = 'in the log'")
    newer.commit()  # left open: the write-ahead log is still beside the file
    older = Ledger(path, clock)
    assert older.jobs("account") == ()
    newer.close()
    (kept,) = aside(path, "newer")
    assert rows(kept, "SELECT reason FROM submissions") == [("in the log",)]
    assert "newer version" in older.notice


def test_two_files_set_aside_in_the_same_second_are_both_kept(path, clock):
    for _ in range(2):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"broken " * 200)
        Ledger(path, clock).jobs("account")
    assert len(aside(path, "damaged")) == 2


def test_an_empty_file_becomes_a_ledger(ledger, path):
    path.parent.mkdir(parents=True)
    path.touch()
    ledger.add(new_job())
    assert ledger.notice == ""
    assert aside(path, "damaged") == []


def test_a_ledger_that_is_deleted_meanwhile_is_begun_anew(ledger, path):
    ledger.add(new_job())
    for item in path.parent.iterdir():
        item.unlink()
    ledger.add(new_job())
    assert len(ledger.jobs("account")) == 1


def test_a_ledger_that_cannot_be_written_is_a_clear_error(tmp_path, clock):
    (tmp_path / "profile").write_text("a file where the folder should be")
    with pytest.raises(LedgerError, match="could not be used") as caught:
        Ledger(tmp_path / "profile" / "ledger.sqlite", clock).add(new_job())
    assert "ledger.sqlite" in caught.value.detail


def test_a_full_disk_undoes_the_whole_entry(ledger, path, monkeypatch):
    ledger.add(new_job())

    class Full(sqlite3.Connection):
        def execute(self, statement, *arguments):
            if statement.startswith("INSERT INTO submissions"):
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(statement, *arguments)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=Full, **k))
    with pytest.raises(LedgerError, match="disk is full"):
        ledger.add(new_job("aaaa3333"))
    monkeypatch.undo()
    assert len(ledger.jobs("account")) == 1
    assert rows(path, "SELECT count(*) FROM jobs") == [(1,)]


def test_a_writer_waits_for_another_one(ledger, path):
    ledger.add(new_job())
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: other.execute("ROLLBACK"))
    timer.start()
    ledger.add(new_job("aaaa3333"))
    timer.join()
    other.close()
    assert len(ledger.jobs("account")) == 2


def test_many_threads_and_two_windows_lose_nothing(path, clock):
    windows = [Ledger(path, clock), Ledger(path, clock)]
    errors = []

    def work(window, first):
        try:
            for number in range(first, first + 10):
                submission = window.add(new_job(f"tag-{number:04d}", name=f"job {number}"))
                window.accept(submission, f"service-{number}")
        except LedgerError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(windows[n % 2], n * 10)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    jobs = windows[0].jobs("account", limit=1000)
    assert sorted(job.submissions[0].service_job_id for job in jobs) == sorted(f"service-{n}" for n in range(60))


def test_a_killed_process_loses_nothing_it_had_committed(path, clock):
    script = """
        import sys
        sys.path[:0] = [{root!r}, {tests!r}]
        from pathlib import Path
        from test_ledger import Ledger, new_job
        ledger = Ledger(Path({path!r}))
        for number in range(100000):
            submission = ledger.add(new_job(f"tag-{{number:06d}}"))
            print(submission.tag, flush=True)
    """
    code = textwrap.dedent(script.format(root=str(ROOT), tests=str(Path(__file__).parent), path=str(path)))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        said = [child.stdout.readline().strip() for _ in range(25)]
        os.kill(child.pid, signal.SIGKILL)
        said += child.stdout.read().split()
    kept = [submission.tag for submission in Ledger(path, clock).unsettled("account")]
    assert kept[: len(said)] == said
    assert len(kept) <= len(said) + 1
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_no_secret_has_a_place_in_it(ledger, path):
    ledger.add(new_job())
    columns = [
        name
        for table in ("configurations", "jobs", "submissions")
        for _, name, *_ in rows(path, f"PRAGMA table_info({table})")
    ]
    assert not [
        name for name in columns if any(word in name for word in ("key", "token", "password", "address", "url"))
    ]
