"""Bad input and bad weather: each with its own clear message, nothing left behind, and everything usable again."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import sqlite3
import time
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Iterator, List

import hostile_archives
import pytest
from plugin_kit import ANALYTIC, SPEED, PluginKit, confirmation, idle, plugin_in, wait_for
from qgis.core import QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from remote_service import Remote
from sandbox_process import start_sandbox

from up42_plugin.api.tokens import Token
from up42_plugin.core import fetching
from up42_plugin.core.run import Phase
from up42_plugin.core.storage import remove_tree
from up42_plugin.sandbox.messages import Principal
from up42_plugin.sandbox.tokens import Tokens

AREA = "Polygon ((15.2900 37.8440, 15.2960 37.8440, 15.2960 37.8480, 15.2900 37.8480, 15.2900 37.8440))"
TOKENS, JOBS, ARTIFACTS, LINKS = "/oauth/token", "*/workflows/*/jobs", "/artifacts/*", "*/downloads/results"
ESTIMATE = "*/estimate/job"
TOO_MANY_JOBS = {
    "data": None,
    "error": {"code": 429, "message": "Your project has too many non-finished jobs", "details": None},
}
TOO_FAST = {"data": None, "error": {"code": 429, "message": "Too many requests", "details": None}}
TWO_PARTS = (
    "MultiPolygon (((15.28 37.84, 15.29 37.84, 15.29 37.85, 15.28 37.84)), "
    "((15.31 37.84, 15.32 37.84, 15.32 37.85, 15.31 37.84)))"
)
WRONG_KEY = "Project ID or key is wrong. Copy both again from the project settings in the UP42 console."
BAD_TOKEN = {"error": "UNAUTHORIZED", "message": "Unable to decode token"}
UNREADABLE = "The answer could not be read. Details are in the log."


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("bad-input") / "data", *SPEED) as running:
        yield running


@pytest.fixture(scope="module")
def shared_remote(sandbox):
    remote = Remote(sandbox)
    yield remote
    remote.close()


@pytest.fixture
def remote(shared_remote):
    """The sandbox without faults, before and after."""
    shared_remote.disarm()
    yield shared_remote
    shared_remote.disarm()


@pytest.fixture
def kit(sandbox, remote, tmp_path, qgis_app):
    """The plugin, connected, with the quickest workflow chosen; no area yet."""
    with plugin_in(tmp_path / "plugin") as kit:
        kit.connect(sandbox)
        kit.choose(ANALYTIC)
        yield kit
        idle()


def able(kit: PluginKit) -> List[bool]:
    """Whether the two buttons are open."""
    return [button.isEnabled() for button in (kit.dock.foot.test_button, kit.dock.foot.live_button)]


def no_trace(kit: PluginKit) -> None:
    """No files, no layers of ours, nothing in the task manager."""
    idle()
    assert kit.files() == []
    assert kit.layers() == []


def settled(kit: PluginKit) -> None:
    """Every submission has a known end."""
    assert set(kit.states()) <= {"ACCEPTED", "REFUSED", "NOT_SENT", "NOT_SUBMITTED"}


# -- areas


def test_no_selection(kit, remote):
    before = len(remote.jobs())
    layer = kit.area(AREA)
    layer.removeSelection()
    wait_for(lambda: kit.desk.new_job.selection.aoi is None, "the empty selection")
    assert able(kit) == [False, False]
    assert kit.reason == "Choose an area first."
    assert kit.dock.foot.test_button.toolTip() == "Choose an area first."
    assert kit.dock.area.size_text == "No feature selected"
    for button in (kit.dock.foot.test_button, kit.dock.foot.live_button):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    kit.desk.run_test_query()
    kit.desk.run_live_job()
    assert not kit.runs
    assert confirmation() is None
    assert len(remote.jobs()) == before
    no_trace(kit)


@pytest.mark.parametrize(
    ("kind", "wkt", "words"),
    [
        ("LineString", "LineString (15.28 37.84, 15.30 37.85)", "Lines have no area."),
        ("Point", "Point (15.28 37.84)", "Points have no area."),
        (
            "Polygon",
            "Polygon ((15.290 37.844, 15.2925 37.844, 15.2925 37.84605, 15.290 37.84605, 15.290 37.844))",
            "below the minimum of 0.1\u00a0km²",
        ),
        (
            "Polygon",
            "Polygon ((15.28 37.84, 15.30 37.85, 15.30 37.84, 15.28 37.85, 15.28 37.84))",
            "crosses itself",
        ),
        (
            "MultiPolygon",
            TWO_PARTS,
            "2 separate parts",
        ),
    ],
    ids=["line", "point", "0.05 km2", "self-crossing", "two parts"],
)
def test_unusable_area(kit, remote, kind, wkt, words):
    before = len(remote.jobs())
    bad = kit.area(wkt, kind)
    assert words.lower() in kit.dock.area.problem.text.lower()
    assert kit.reason.startswith("Mend the area first: ")
    assert words.lower() in kit.reason.lower()
    assert able(kit) == [False, False]
    assert kit.dock.foot.estimation.text() == "Not available"
    assert kit.recorded() == ()
    assert len(remote.jobs()) == before
    no_trace(kit)
    QgsProject.instance().removeMapLayer(bad.id())
    kit.area(AREA)
    wait_for(lambda: able(kit)[0], "the button with a good area")
    assert kit.dock.area.problem.text == ""


# -- signing in


def test_wrong_key(sandbox, remote, tmp_path, qgis_app):
    with plugin_in(tmp_path / "plugin") as kit:
        kit.area(AREA)
        kit.connect(sandbox, key="not-the-key", ready=False)
        wait_for(lambda: "wrong" in kit.reason, "the reason")
        assert (
            kit.reason == "Project ID or key is wrong. Copy both again from the project settings in the UP42 console."
        )
        assert kit.dock.foot.again_button.isVisible()
        assert able(kit) == [False, False]
        wait_for(lambda: kit.dock.header.balance_text == "Balance not available", "the balance")
        assert not any("not-the-key" in line for line in kit.lines)
        no_trace(kit)
        kit.connect(sandbox)
        kit.choose(ANALYTIC)
        wait_for(lambda: able(kit)[0], "the button with the right key")


def test_service_that_takes_no_token(kit, remote):
    kit.area(AREA)
    wait_for(lambda: able(kit)[0], "the button")
    remote.arm(
        "POST", JOBS, times=None, status=401, body={"error": "UNAUTHORIZED", "message": "Unable to decode token"}
    )
    run = kit.begin_test_query()
    wait_for(lambda: kit.runs[run.key].phase is Phase.NOT_SUBMITTED, "the refusal")
    assert kit.line(run) == "The service no longer accepts this sign-in. Check the connection's settings."
    assert any(kit.line(run) in text for text in kit.told)
    assert kit.states() == ["REFUSED"]
    no_trace(kit)
    remote.disarm()
    kit.test_query()


# -- the service has a bad day


def test_too_many_requests(kit, remote):
    kit.area(AREA)
    wait_for(lambda: able(kit)[0], "the button")
    before = len(remote.jobs())
    remote.arm("POST", JOBS, times=1, status=429, body=TOO_FAST, headers={"Retry-After": "1"})
    lines = watched(kit)
    kit.test_query()
    assert "Waiting: the service asks for fewer requests…" in lines
    assert kit.states() == ["ACCEPTED"]
    assert len(remote.jobs()) == before + 1


def test_too_many_jobs(kit, remote):
    kit.area(AREA)
    wait_for(lambda: able(kit)[0], "the button")
    before = len(remote.jobs())
    remote.arm("POST", JOBS, times=2, status=429, body=TOO_MANY_JOBS)
    lines = watched(kit)
    kit.test_query()
    assert "Waiting for a free job slot…" in lines
    assert kit.states() == ["ACCEPTED"]
    assert len(remote.jobs()) == before + 1


def watched(kit: PluginKit) -> List[str]:
    """What the rows of the dock say from now on."""
    lines: List[str] = []
    kit.desk.runs.changed.connect(lambda run: lines.append(kit.line(run)))
    return lines


@pytest.mark.parametrize("status", [500, 503])
def test_server_error_while_sending(kit, remote, status):
    kit.area(AREA)
    wait_for(lambda: able(kit)[0], "the button")
    before = len(remote.jobs())
    remote.arm("POST", JOBS, times=1, status=status, body={"message": "Something broke"})
    lines = watched(kit)
    run = kit.begin_test_query()
    wait_for(lambda: kit.runs[run.key].phase is Phase.NOT_SUBMITTED, "the end")
    assert "No answer. Checking whether the job was sent; it is not sent twice." in lines
    assert kit.line(run) == "Not submitted: the service does not know this job."
    assert any(kit.line(run) in text for text in kit.told)
    assert kit.states() == ["NOT_SUBMITTED"]
    assert len(remote.jobs()) == before
    no_trace(kit)
    kit.test_query()


def test_lost_answer_is_found_and_not_sent_twice(kit, remote):
    kit.area(AREA)
    wait_for(lambda: able(kit)[0], "the button")
    before = len(remote.jobs())
    remote.arm("POST", JOBS, times=1, lose_answer=True)
    kit.test_query()
    assert kit.states() == ["ACCEPTED"]
    assert len(remote.jobs()) == before + 1


def test_broken_json_while_sending(kit, remote):
    kit.area(AREA)
    wait_for(lambda: able(kit)[0], "the button")
    remote.arm("POST", JOBS, times=1, status=200, body='{"data": {"id": ')
    run = kit.begin_test_query()
    wait_for(lambda: kit.runs[run.key].phase is Phase.NOT_SUBMITTED, "the end")
    assert kit.states() == ["NOT_SUBMITTED"]
    no_trace(kit)
    kit.test_query()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 500, "body": {"message": "x"}}, "UP42 has a problem (500). Nothing was charged. Try again."),
        ({"status": 200, "body": '{"data": [{"id": '}, UNREADABLE),
        ({"status": 200, "body": {"data": [{"name": "no id"}]}}, UNREADABLE),
        ({"status": 302, "headers": {"Location": "https://elsewhere.example.org/"}}, "elsewhere.example.org"),
    ],
    ids=["500", "broken JSON", "missing member", "redirect"],
)
def test_project_that_cannot_be_read(kit, remote, fault, words):
    kit.area(AREA)
    wait_for(lambda: able(kit)[0], "the button")
    remote.arm("GET", "*/workflows", times=None, **fault)
    kit.click(kit.dock.header.refresh_button)
    wait_for(lambda: words in kit.reason, f"the reason; it says {kit.reason!r}")
    assert able(kit) == [False, False]
    remote.disarm()
    kit.click(kit.dock.foot.again_button)
    wait_for(lambda: able(kit)[0], "the button after Try Again")
    assert kit.recorded() == ()
    no_trace(kit)


def test_estimation_that_fails(kit, remote):
    remote.arm("POST", ESTIMATE, times=None, status=500, body={"message": "x"})
    kit.area(AREA)
    wait_for(lambda: kit.dock.foot.estimation.toolTip().startswith("UP42 has a problem (500)"), "the reason")
    assert kit.dock.foot.estimation.text() == "Not available"
    kit.test_query()
    dialog = kit.dialog()
    wait_for(dialog.most.isVisible, "the field for a maximum")
    assert dialog.price_labels["estimation"].text() == "Not available"
    assert dialog.price_labels["after"].text() == "Not available"
    assert not dialog.run_button.isEnabled()
    QTest.mouseClick(dialog.cancel_button, Qt.MouseButton.LeftButton)
    wait_for(lambda: confirmation() is None, "the end of the confirmation")
    assert len(kit.recorded()) == 1
    assert able(kit) == [True, True]


def test_refused_for_credits(kit, remote):
    kit.area(AREA)
    kit.test_query()
    files = kit.files()
    refusal = {"data": None, "error": {"code": 403, "message": "Insufficient credits to run job", "details": None}}
    remote.arm("POST", JOBS, times=1, status=403, body=refusal)
    run = kit.begin_live_job()
    wait_for(lambda: kit.runs[run.key].phase is Phase.NOT_SUBMITTED, "the refusal")
    assert kit.line(run) == "Not enough credits for this job."
    assert any("Not enough credits for this job." in text for text in kit.told)
    assert kit.states() == ["REFUSED", "ACCEPTED"]
    assert kit.files() == files
    assert able(kit) == [True, True]


def test_cancelled_confirmation_leaves_nothing(kit, remote):
    kit.area(AREA)
    kit.test_query()
    before, balance = len(remote.jobs()), remote.balance()
    dialog = kit.dialog()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    wait_for(lambda: confirmation() is None, "the end of the confirmation")
    assert len(kit.recorded()) == 1
    assert (len(remote.jobs()), remote.balance()) == (before, balance)


# -- the service goes away


@pytest.fixture
def mortal(tmp_path, qgis_app):
    """A sandbox that may be killed, and begun again at the same address."""
    service = Mortal(tmp_path / "service")
    yield service
    service.end()


class Mortal:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.running = start_sandbox(folder, *SPEED)
        self.remote = Remote(self.running)

    def kill(self) -> None:
        self.running.kill()

    def revive(self) -> None:
        self.running = start_sandbox(self._folder, *SPEED, "--port", self.running.base_url.rpartition(":")[2])
        self.remote.disarm()

    def end(self) -> None:
        self.remote.close()
        self.running.stop()


@pytest.fixture
def doomed(mortal, tmp_path) -> Iterator[PluginKit]:
    with plugin_in(tmp_path / "plugin") as kit:
        kit.connect(mortal.running)
        kit.choose(ANALYTIC)
        kit.area(AREA)
        wait_for(lambda: able(kit)[0], "the button")
        yield kit
        idle()


def test_token_that_expired_is_renewed_unseen(doomed, mortal):
    """One of the service's own making; a job is asked for with it, and made once."""
    kit = doomed
    mortal.kill()
    with closing(sqlite3.connect(mortal.running.data_dir / "sandbox.sqlite")) as store:
        ((key,),) = store.execute("SELECT value FROM meta WHERE name = 'signing_key'")
        ((account, user),) = store.execute("SELECT id, user_id FROM accounts")
    mortal.revive()
    then = datetime.now(timezone.utc) - timedelta(minutes=6)
    principal = Principal("API_KEY", account, user, mortal.running.project_id)
    tokens = kit.desk.hub.current_provider()._tokens
    value = Tokens(bytes.fromhex(key), lambda: then).issue(principal)
    tokens._token, tokens._renew_at = Token(value, 300.0), time.monotonic() + 300.0
    kit.test_query()
    assert tokens._token.value != value
    assert kit.states() == ["ACCEPTED"]
    assert len(mortal.remote.jobs()) == 1
    assert kit.told == []


def test_service_dies_before_anything_is_asked(doomed, mortal):
    kit = doomed
    kit.test_query()
    files = kit.files()
    mortal.kill()
    kit.dock.search.clouds.setValue(31)
    wait_for(lambda: "refuses the connection" in kit.dock.foot.estimation.toolTip(), "the reason")
    assert kit.dock.foot.estimation.text() == "Not available"
    run = kit.begin_test_query()
    wait_for(lambda: kit.runs[run.key].phase is Phase.NOT_SUBMITTED, "the end")
    assert "refuses the connection" in kit.line(run)
    assert any("refuses the connection" in text for text in kit.told)
    assert kit.states()[0] == "NOT_SENT"
    assert kit.files() == files
    kit.click(kit.dock.header.refresh_button)
    wait_for(lambda: "refuses the connection" in kit.reason, "the reason in the dock")
    assert able(kit) == [False, False]
    mortal.revive()
    kit.click(kit.dock.foot.again_button)
    kit.test_query()


def test_service_dies_while_a_job_runs(doomed, mortal):
    kit = doomed
    kit.test_query()
    run = kit.begin_live_job()
    kit.wait(run, lambda now: now.job is not None, "the job")
    mortal.kill()
    wait_for(lambda: "refuses the connection" in kit.line(run), f"the trouble in the row {kit.line(run)!r}")
    assert kit.runs[run.key].busy
    mortal.revive()
    kit.wait(run, lambda now: now.succeeded and now.credits_charged is not None, "the live job")
    assert "refuses" not in kit.line(run)
    assert len(kit.load(run)) == 1
    assert kit.states() == ["ACCEPTED", "ACCEPTED"]
    assert len(mortal.remote.jobs()) == 2


def test_service_dies_in_the_middle_of_a_download(doomed, mortal):
    kit = doomed
    kit.test_query()
    run = kit.live_job()
    files = kit.files()
    mortal.remote.arm("GET", ARTIFACTS, times=1, cut_after_bytes=5000)
    mortal.remote.arm("GET", ARTIFACTS, times=1, hold_s=60)
    kit.click(kit.row(run).load_button)
    wait_for(lambda: "Download interrupted" in kit.line(run), "the cut")
    assert kit.files() != files
    mortal.kill()
    kit.wait(run, lambda now: now.phase is Phase.ON_SERVICE, "the end of the download")
    assert "refuses the connection" in kit.line(run)
    no_partial(kit, files)
    mortal.revive()
    assert len(kit.load(run)) == 1


# -- downloads


def no_partial(kit: PluginKit, files: List[str]) -> None:
    """The outputs folder is as it was, and the output can be asked for again."""
    idle()
    assert kit.files() == files


@contextmanager
def served(archive: Path, content: bytes) -> Iterator[None]:
    """Have the service give out something else as an archive, with its true checksum."""
    about = archive.with_name("output.json")
    kept = {path: path.read_bytes() for path in (archive, about)}
    sums = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "md5": base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
    }
    archive.write_bytes(content)
    about.write_text(json.dumps(sums), encoding="utf-8")
    try:
        yield
    finally:
        for path, data in kept.items():
            path.write_bytes(data)


@pytest.fixture(scope="class")
def finished(sandbox, shared_remote, tmp_path_factory, qgis_app):
    """A live job that succeeded, not loaded."""
    shared_remote.disarm()
    with plugin_in(tmp_path_factory.mktemp("downloads") / "plugin") as kit:
        kit.connect(sandbox)
        kit.choose(ANALYTIC)
        kit.area(AREA)
        kit.test_query()
        yield kit, kit.live_job()
        idle()


class TestDownloads:
    @pytest.fixture(autouse=True)
    def _job(self, finished, remote, sandbox):
        self.kit, self.run = finished
        self.remote = remote
        self.files = self.kit.files()
        (self.archive,) = sandbox.data_dir.glob(f"**/{self.run.job.id}/**/output.tgz")
        yield
        # whatever happened: once all is well, the output loads
        remote.disarm()
        assert len(self.kit.load(self.run)) == 1
        QgsProject.instance().removeMapLayers([layer.id() for layer in self.kit.loaded[-1][1]])
        remove_tree(self.kit.outputs_of(self.run))

    def refused(self) -> str:
        """Click Load, and wait for what the row then says."""
        kit = self.kit
        kit.click(kit.row(self.run).load_button)
        wait_for(lambda: kit.runs[self.run.key].phase is Phase.FETCHING, "the begin")
        wait_for(lambda: kit.runs[self.run.key].phase is not Phase.FETCHING, "the end")
        no_partial(kit, self.files)
        assert not [layer for layer in self.kit.layers() if "analytic" in layer]
        assert kit.row(self.run).load_button.isVisible()
        return kit.line(self.run)

    def test_cut_download_goes_on_where_it_was(self):
        size = self.archive.stat().st_size
        self.remote.arm("GET", ARTIFACTS, times=2, cut_after_bytes=size // 3)
        assert len(self.kit.load(self.run)) == 1
        assert self.remote.armed() == []

    def test_download_that_is_cut_again_and_again(self):
        self.remote.arm("GET", ARTIFACTS, times=None, cut_after_bytes=0)
        assert "interrupted" in self.refused()

    def test_expired_link_is_renewed_unseen(self):
        self.remote.arm("GET", LINKS, times=1, expire_urls=True)
        assert len(self.kit.load(self.run)) == 1
        assert self.remote.armed() == []

    def test_links_that_never_open(self):
        self.remote.arm("GET", LINKS, times=None, expire_urls=True)
        words = "The link to the output does not open, and neither does a new one. Try again later."
        assert self.refused() == words

    def test_output_that_is_gone(self):
        self.remote.arm("GET", ARTIFACTS, times=None, status=404)
        assert self.refused() == "This output no longer exists."

    def test_full_disk(self, monkeypatch):
        small = functools.partial(fetching.fetch_output, free_space=lambda _folder: 1000)
        monkeypatch.setattr(fetching, "fetch_output", small)
        line = self.refused()
        monkeypatch.undo()
        assert line.endswith("1.0\u00a0kB free in the output folder. Change Folder…")

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (
                hostile_archives.tgz(hostile_archives.GOOD, hostile_archives.member(b"../../../evil.txt")),
                "The archive holds a path outside its folder and was not unpacked.",
            ),
            (
                hostile_archives.tgz(
                    hostile_archives.GOOD, hostile_archives.member(b"output/x", b"", b"2", link=b"/etc/passwd")
                ),
                "The archive holds a link or a device and was not unpacked.",
            ),
            (b"\x1f\x8b\x08\x00 no gzip at all", "The archive is damaged. Download Again"),
        ],
        ids=["path outside", "link", "no archive"],
    )
    def test_archive_that_is_not_what_it_should_be(self, content, words):
        with served(self.archive, content):
            assert self.refused() == words
        assert not list(self.kit.folder.rglob("evil.txt"))

    def test_output_with_a_broken_description_is_downloaded_again(self):
        content = hostile_archives.tgz(hostile_archives.member(b"output/data.json", b'{"features": ['))
        with served(self.archive, content):
            self.kit.click(self.kit.row(self.run).load_button)
            words = "The description (data.json) of this output cannot be read."
            wait_for(lambda: self.kit.line(self.run) == words, "the message")

    def test_output_with_nothing_in_it(self):
        with served(self.archive, hostile_archives.tgz(hostile_archives.GOOD)):
            self.kit.click(self.kit.row(self.run).load_button)
            wait_for(lambda: self.kit.line(self.run) == "No layer in this output.", "the message")
        remove_tree(self.kit.outputs_of(self.run))
