"""The service goes away, and comes back: what the person sees meanwhile, and how everything goes on."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Iterator

import pytest
from plugin_kit import ANALYTIC, SMALL, SPEED, PluginKit, idle, plugin_in, wait_for
from remote_service import Remote
from sandbox_process import start_sandbox

from up42_plugin.api.tokens import Token
from up42_plugin.core.run import Phase
from up42_plugin.sandbox.messages import Principal
from up42_plugin.sandbox.tokens import Tokens

ARTIFACTS = "/artifacts/*"


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
        kit.area(SMALL)
        wait_for(lambda: kit.able()[0], "the button")
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
    assert kit.reason == "Working offline."
    assert kit.able() == [False, False]
    kit.click(kit.dock.header.refresh_button)
    wait_for(lambda: kit.dock.header.balance_text == "Balance not available", "the balance")
    wait_for(lambda: kit.reason == "Working offline.", "the reason in the dock", of=kit.situation)
    assert "refuses the connection" in kit.dock.foot.reason.toolTip()
    assert kit.dock.workflow.current is not None
    assert kit.files() == files
    mortal.revive()
    kit.click(kit.dock.foot.again_button)
    kit.test_query()


def test_service_dies_before_a_job_is_sent(doomed, mortal):
    kit = doomed
    mortal.kill()
    run = kit.begin_test_query()
    wait_for(lambda: kit.runs[run.key].phase is Phase.NOT_SUBMITTED, "the end")
    assert "refuses the connection" in kit.line(run)
    assert any("refuses the connection" in text for text in kit.told)
    assert kit.states()[0] == "NOT_SENT"
    assert kit.files() == []
    mortal.revive()
    kit.click(kit.dock.header.refresh_button)
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
    kit.begin_load(run)
    wait_for(lambda: "Download interrupted" in kit.line(run), "the cut")
    assert kit.files() != files
    mortal.kill()
    kit.wait(run, lambda now: now.phase is Phase.ON_SERVICE, "the end of the download")
    assert "refuses the connection" in kit.line(run)
    idle()
    kept = {name for name in kit.files_of(run) if (kit.outputs_of(run) / name).is_file()}
    assert kept
    assert all(".part" in name for name in kept)  # what had come; the next download goes on with it
    mortal.revive()
    assert len(kit.load(run)) == 1
    assert not any(".part" in name for name in kit.files())
