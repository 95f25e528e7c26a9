"""The ledger's file: real SQLite, damaged in every way, shared by threads, windows and processes that are killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from ledger_kit import Clock, new_job, rows

from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_file import LedgerError, LedgerFile
from up42_plugin.core.ledger_schema import NEWEST

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "profile" / "ledger.sqlite"


@pytest.fixture
def ledger(path, clock):
    return Ledger(path, clock)


def test_the_file_has_a_version_and_commits_durably(ledger, path):
    ledger.add(new_job())
    assert rows(path, "SELECT version FROM ledger_schema") == [(NEWEST,)]
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
    assert ledger.notice == "The ledger was damaged and set aside; your jobs are read from the service again."
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
    newer.execute("UPDATE ledger_schema SET version = 99")
    newer.execute("UPDATE submissions SET reason = 'in the log'")
    newer.commit()  # left open: the write-ahead log is still beside the file
    older = Ledger(path, clock)
    assert older.jobs("account") == ()
    newer.close()
    (kept,) = aside(path, "newer")
    assert rows(kept, "SELECT reason FROM submissions") == [("in the log",)]
    assert older.notice == "The ledger comes from a newer version. Update the plugin."


def test_two_files_set_aside_in_the_same_second_are_both_kept(path, clock):
    for _ in range(2):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"broken " * 200)
        Ledger(path, clock).jobs("account")
    assert len(aside(path, "damaged")) == 2


def test_a_file_that_another_window_began_meanwhile_is_not_set_aside(path, clock, monkeypatch):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"broken " * 200)
    examine = LedgerFile._examine

    def slowly(file):
        problem = examine(file)
        monkeypatch.setattr(LedgerFile, "_examine", examine)
        Ledger(path, clock).add(new_job())  # the other window was faster
        return problem

    monkeypatch.setattr(LedgerFile, "_examine", slowly)
    ledger = Ledger(path, clock)
    assert len(ledger.jobs("account")) == 1
    assert ledger.notice == ""
    assert len(aside(path, "damaged")) == 1


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
        from ledger_kit import new_job
        from up42_plugin.core.ledger import Ledger
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
