"""The sandbox as a child process: started, shared, replaced when it has gone, and ended."""

from __future__ import annotations

import os
import signal
import socket
import stat
import sys
import threading
import urllib.error
import urllib.request
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from qgis.PyQt.QtCore import QTimer

from up42_plugin.qgis_bridge import sandbox_process
from up42_plugin.qgis_bridge.interpreter import python_of_qgis, qgis_python
from up42_plugin.qgis_bridge.sandbox_process import COULD_NOT_START, LOCK_FILE, STOPPED, SandboxProcess

#: Generous: the machine may be busy.
PATIENCE_MS = 60_000


@pytest.fixture
def make(qtbot):
    """Makes sandbox processes that note what they say, and ends them after the test."""
    made = []

    def make_process(data_dir, find_python=qgis_python):
        process = SandboxProcess(data_dir, find_python)
        process.said = []
        process.started.connect(lambda info: process.said.append(("started", info)))
        process.failed.connect(lambda message, detail: process.said.append(("failed", message, detail)))
        made.append(process)
        return process

    yield make_process
    for process in made:
        process.stop()


@pytest.fixture
def stand_in(tmp_path):
    """Makes a program that takes the interpreter's place, to stage what the sandbox must never do."""

    def make_program(body):
        program = tmp_path / "stand-in"
        program.write_text(f"#!{sys.executable}\nimport os, pathlib, sys, time\n{body}\n", "utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return lambda: str(program)

    return make_program


def serves(info):
    """Whether something answers at the address, with whatever status."""
    try:
        urllib.request.urlopen(info["base_url"], timeout=10).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def test_it_starts_the_sandbox_and_tells_its_address(qtbot, make, tmp_path):
    process = make(tmp_path / "data")
    process.start()
    assert process.said == []
    qtbot.waitUntil(lambda: len(process.said) == 1, timeout=PATIENCE_MS)
    ((word, info),) = process.said
    assert word == "started"
    assert info == process.info
    assert info["base_url"].startswith("http://127.0.0.1:")
    assert info["project_id"]
    assert info["project_api_key"]
    assert process.is_own
    assert serves(info)


def test_starting_leaves_the_main_thread_free(qtbot, make, tmp_path):
    ticks = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(1))
    process = make(tmp_path / "data")
    process.start()
    timer.start(1)
    qtbot.waitUntil(lambda: bool(process.said), timeout=PATIENCE_MS)
    assert len(ticks) > 5


def test_starting_again_tells_the_same_address_once_more(qtbot, make, tmp_path):
    process = make(tmp_path / "data")
    process.start()
    process.start()
    qtbot.waitUntil(lambda: bool(process.said), timeout=PATIENCE_MS)
    process.start()
    assert len(process.said) == 1
    qtbot.waitUntil(lambda: len(process.said) == 2, timeout=PATIENCE_MS)
    assert process.said[0] == process.said[1]


def test_stop_ends_it_and_it_can_be_started_again(qtbot, make, tmp_path):
    process = make(tmp_path / "data")
    process.start()
    qtbot.waitUntil(lambda: bool(process.said), timeout=PATIENCE_MS)
    info = process.info
    assert process.stop()
    assert process.info is None
    assert not process.is_own
    assert not serves(info)
    process.start()
    qtbot.waitUntil(lambda: len(process.said) == 2, timeout=PATIENCE_MS)
    assert process.said[1][0] == "started"
    assert process.said[1][1]["project_id"] == info["project_id"]


def test_stop_while_starting_says_nothing_more(qtbot, make, tmp_path):
    process = make(tmp_path / "data")
    process.start()
    process.stop()
    other = make(tmp_path / "data")
    other.start()
    qtbot.waitUntil(lambda: bool(other.said), timeout=PATIENCE_MS)
    assert other.said[0][0] == "started"
    assert process.said == []


def test_a_second_window_uses_the_first_ones_sandbox(qtbot, make, tmp_path):
    first, second = make(tmp_path / "data"), make(tmp_path / "data")
    first.start()
    qtbot.waitUntil(lambda: bool(first.said), timeout=PATIENCE_MS)
    second.start()
    qtbot.waitUntil(lambda: bool(second.said), timeout=PATIENCE_MS)
    assert second.info["base_url"] == first.info["base_url"]
    assert first.is_own
    assert not second.is_own
    assert second.stop()
    assert serves(first.info)


def test_two_windows_at_once_share_one_sandbox(qtbot, make, tmp_path):
    windows = [make(tmp_path / "data") for _ in range(3)]
    for window in windows:
        window.start()
    qtbot.waitUntil(lambda: all(window.said for window in windows), timeout=PATIENCE_MS)
    assert {window.said[0][0] for window in windows} == {"started"}
    assert len({window.info["base_url"] for window in windows}) == 1
    assert sum(window.is_own for window in windows) == 1


def test_the_second_window_starts_its_own_when_the_first_has_gone(qtbot, make, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox_process, "WATCH_EVERY_MS", 100)
    first, second = make(tmp_path / "data"), make(tmp_path / "data")
    first.start()
    qtbot.waitUntil(lambda: bool(first.said), timeout=PATIENCE_MS)
    second.start()
    qtbot.waitUntil(lambda: bool(second.said), timeout=PATIENCE_MS)
    first.stop()
    qtbot.waitUntil(lambda: len(second.said) == 2, timeout=PATIENCE_MS)
    assert [said[0] for said in second.said] == ["started", "started"]
    assert second.is_own
    assert serves(second.info)


def test_a_sandbox_that_was_killed_is_replaced_by_the_next_start(qtbot, make, tmp_path):
    first, second = make(tmp_path / "data"), make(tmp_path / "data")
    first.start()
    qtbot.waitUntil(lambda: bool(first.said), timeout=PATIENCE_MS)
    os.kill(first._process.processId(), signal.SIGKILL)
    qtbot.waitUntil(lambda: len(first.said) == 2, timeout=PATIENCE_MS)
    assert first.said[1][:2] == ("failed", STOPPED)
    assert first.info is None
    second.start()
    qtbot.waitUntil(lambda: bool(second.said), timeout=PATIENCE_MS)
    assert second.said[0][0] == "started"
    assert second.is_own


def test_it_ends_when_its_parent_is_gone_without_a_word(qtbot, make, tmp_path):
    process = make(tmp_path / "data")
    process.start()
    qtbot.waitUntil(lambda: bool(process.said), timeout=PATIENCE_MS)
    info = process.info
    process._process.closeWriteChannel()
    qtbot.waitUntil(lambda: len(process.said) == 2, timeout=PATIENCE_MS)
    assert process.said[1][:2] == ("failed", STOPPED)
    assert not serves(info)


def test_what_it_wrote_before_it_failed_is_kept_for_the_log(qtbot, make, stand_in, tmp_path):
    process = make(tmp_path / "data", stand_in("sys.exit('No module named osgeo')"))
    process.start()
    qtbot.waitUntil(lambda: bool(process.said), timeout=PATIENCE_MS)
    ((word, message, detail),) = process.said
    assert (word, message) == ("failed", COULD_NOT_START)
    assert "code 1" in detail
    assert "No module named osgeo" in detail


@pytest.mark.parametrize("line", ["hello", "[]", "{}", '{"base_url": 1, "project_id": "p", "project_api_key": "k"}'])
def test_an_answer_that_is_none_is_a_failure(qtbot, make, stand_in, tmp_path, line):
    process = make(tmp_path / "data", stand_in(f"print({line!r}, flush=True)\ntime.sleep(600)"))
    process.start()
    qtbot.waitUntil(lambda: bool(process.said), timeout=PATIENCE_MS)
    assert process.said[0][:2] == ("failed", COULD_NOT_START)
    assert process.info is None
    assert not process.is_own


def test_silence_is_a_failure(qtbot, make, stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox_process, "READY_WITHIN_MS", 300)
    process = make(tmp_path / "data", stand_in("time.sleep(600)"))
    process.start()
    qtbot.waitUntil(lambda: bool(process.said), timeout=PATIENCE_MS)
    assert process.said[0][:2] == ("failed", COULD_NOT_START)
    assert "no answer within" in process.said[0][2]


def test_a_missing_interpreter_is_a_failure(qtbot, make, tmp_path):
    def nothing_found():
        raise FileNotFoundError("no Python interpreter at nowhere")

    for find_python, said in ((nothing_found, "nowhere"), (lambda: str(tmp_path / "missing"), "missing")):
        process = make(tmp_path / "data", find_python)
        process.start()
        qtbot.waitUntil(lambda process=process: bool(process.said), timeout=PATIENCE_MS)
        assert process.said[0][:2] == ("failed", COULD_NOT_START)
        assert said in process.said[0][2] or "xecv" in process.said[0][2]


def test_a_folder_that_cannot_be_made_is_a_failure(qtbot, make, tmp_path):
    (tmp_path / "file").write_text("in the way", "utf-8")
    process = make(tmp_path / "file" / "data")
    process.start()
    qtbot.waitUntil(lambda: bool(process.said), timeout=PATIENCE_MS)
    assert process.said[0][:2] == ("failed", COULD_NOT_START)


def test_a_folder_held_by_a_process_that_never_answers_is_given_up(qtbot, make, stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox_process, "RETRY_AFTER_MS", 10)
    monkeypatch.setattr(sandbox_process, "MOST_RETRIES", 2)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        line = (
            f'{{"base_url": "http://127.0.0.1:{unused.getsockname()[1]}", "project_id": "p", "project_api_key": "k"}}'
        )
        body = f"pathlib.Path({LOCK_FILE!r}).write_text({line!r})\nsys.exit(3)"
        process = make(tmp_path / "data", stand_in(body))
        process.start()
        qtbot.waitUntil(lambda: bool(process.said), timeout=PATIENCE_MS)
    assert process.said[0][:2] == ("failed", COULD_NOT_START)
    assert "does not answer" in process.said[0][2]


def test_a_process_that_will_not_end_is_ended_by_force(qtbot, make, stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox_process, "END_WITHIN_MS", 200)
    line = '{"base_url": "http://127.0.0.1:9", "project_id": "p", "project_api_key": "k"}'
    body = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('{line}', flush=True)\ntime.sleep(600)"
    process = make(tmp_path / "data", stand_in(body))
    process.start()
    qtbot.waitUntil(lambda: bool(process.said), timeout=PATIENCE_MS)
    pid = process._process.processId()
    assert not process.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_unread_errors_do_not_stop_it(qtbot, make, stand_in, tmp_path):
    line = '{"base_url": "http://127.0.0.1:9", "project_id": "p", "project_api_key": "k"}'
    body = f"sys.stderr.write('x' * 1_000_000)\nsys.stderr.flush()\nprint('{line}', flush=True)\nsys.stdin.read()"
    process = make(tmp_path / "data", stand_in(body))
    process.start()
    qtbot.waitUntil(lambda: bool(process.said), timeout=PATIENCE_MS)
    assert process.said[0][0] == "started"


def test_no_thread_is_left(qtbot, make, tmp_path):
    before = threading.active_count()
    process = make(tmp_path / "data")
    process.start()
    qtbot.waitUntil(lambda: bool(process.said), timeout=PATIENCE_MS)
    process.stop()
    assert threading.active_count() == before


class TestPythonOfQgis:
    """Layouts of QGIS on the systems it runs on."""

    @pytest.mark.parametrize(
        ("platform", "executable", "prefix", "there"),
        [
            ("linux", "/usr/bin/python3", "/usr", "/usr/bin/python3"),
            ("linux", "/usr/bin/qgis.bin", "/usr", "/usr/bin/python3"),
            ("linux", "", "/usr", "/usr/bin/python3"),
            (
                "win32",
                r"C:\Program Files\QGIS 3.22\bin\qgis-bin.exe",
                r"C:\PROGRA~1\QGIS32~1.22\apps\Python39",
                r"C:\PROGRA~1\QGIS32~1.22\apps\Python39\python.exe",
            ),
            ("win32", r"C:\OSGeo4W\bin\qgis-bin.exe", r"C:\OSGeo4W\apps\Python312", r"C:\OSGeo4W\bin\python3.exe"),
            (
                "darwin",
                "/Applications/QGIS.app/Contents/MacOS/QGIS",
                "/Applications/QGIS.app/Contents/MacOS",
                "/Applications/QGIS.app/Contents/MacOS/bin/python3",
            ),
            (
                "darwin",
                "/Applications/QGIS.app/Contents/MacOS/QGIS",
                "/Applications/QGIS.app/Contents/Frameworks",
                "/Applications/QGIS.app/Contents/MacOS/python",
            ),
        ],
    )
    def test_it_is_found(self, platform, executable, prefix, there):
        assert python_of_qgis(platform, executable, prefix, lambda path: path == there) == there

    def test_another_python_first_on_the_path_is_not_taken(self):
        here = {"/opt/pyenv/shims/python3", "/usr/bin/python3.11"}
        found = python_of_qgis("linux", "/opt/pyenv/shims/python3", "/usr", here.__contains__, "/usr/bin/python3.11")
        assert found == "/usr/bin/python3.11"

    @pytest.mark.parametrize(("platform", "flavour"), [("win32", PureWindowsPath), ("darwin", PurePosixPath)])
    def test_qgis_itself_is_never_taken_for_it(self, platform, flavour):
        executable = str(flavour("folder") / "qgis-bin.exe")
        with pytest.raises(FileNotFoundError, match="no Python interpreter at"):
            python_of_qgis(platform, executable, "prefix", lambda path: path == executable)

    def test_the_one_here_is_found(self):
        assert "python" in PurePosixPath(qgis_python()).name
