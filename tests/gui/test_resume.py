"""Jobs outlive QGIS: followed again, told of once whatever window looks, loaded with one click, no password asked."""

from __future__ import annotations

import pytest
from plugin_kit import ANALYTIC, SMALL, PluginKit, idle, turn, wait_for
from qgis.core import QgsApplication, QgsCredentials, QgsProject
from qgis.PyQt.QtWidgets import QPushButton
from remote_service import Remote
from sandbox_process import start_sandbox

from up42_plugin.core.connections import ProjectKey
from up42_plugin.core.jobs import JobState
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_life import LedgerLife
from up42_plugin.core.ledger_outputs import LedgerOutputs
from up42_plugin.core.run import Phase
from up42_plugin.qgis_bridge import sandbox_process as sandbox_module

# A job takes some seconds: time enough to close QGIS while it runs.
SLOW = ("--speed", "60", "--faults")
MASTER = "master"
CLOSED = "finished while QGIS was closed"


@pytest.fixture(scope="module")
def slow_service(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("slow") / "data", *SLOW) as running:
        remote = Remote(running)
        yield remote
        remote.close()


class Asked(QgsCredentials):
    """Notes when QGIS would ask the person for the master password, and answers nothing."""

    def __init__(self):
        super().__init__()
        self.times = 0
        self.setInstance(self)

    def requestMasterPassword(self, password, stored):  # noqa: N802
        self.times += 1
        return False, ""

    def request(self, realm, username, password, message):
        return False, "", ""


@pytest.fixture
def asked():
    return Asked()


@pytest.fixture
def database(asked):
    """QGIS's own authentication database, open; without keys and locked afterwards."""
    manager = QgsApplication.authManager()
    assert manager.setMasterPassword(MASTER, True)
    yield manager
    for authcfg in manager.configIds():
        manager.removeAuthenticationConfig(authcfg)
    manager.clearMasterPassword()


def connect(kit: PluginKit, service: Remote) -> None:
    """An account's connection whose key QGIS keeps, with the dock open."""
    key = ProjectKey(service.sandbox.project_id, service.sandbox.project_api_key)
    kit.connection = kit.desk.hub.add("Test service", service.sandbox.base_url, key, True)
    kit.dock.setUserVisible(True)
    kit.wait_until_ready()


def running_job(kit: PluginKit, service: Remote) -> str:
    """A live job that the service works on; gives its id there."""
    connect(kit, service)
    kit.choose(ANALYTIC)
    kit.area(SMALL)
    kit.test_query()
    run = kit.begin_live_job()
    kit.wait(run, lambda now: now.job is not None, "the job on the service")
    return kit.runs[run.key].job.id


def ends_on_service(service: Remote, job_id: str) -> None:
    wait_for(lambda: service.job(job_id)["status"] == "SUCCEEDED", "the job's end on the service")


def finished(kit: PluginKit):
    return [text for text in kit.told if "finished" in text]


def life_of(kit: PluginKit):
    return LedgerLife(ledger_of(kit))


def ledger_of(kit: PluginKit) -> Ledger:
    return Ledger(kit.folder / "profile" / "ledger.sqlite")


def test_a_job_that_ended_while_qgis_was_closed_is_told_of_once_and_loads_with_one_click(
    bare, slow_service, database, asked
):
    bare.start()
    job_id = running_job(bare, slow_service)
    (entry,) = life_of(bare).unfinished(bare.connection.id)
    assert entry.submission.life is None or not entry.submission.life.state.terminal
    bare.unload()
    QgsProject.instance().clear()
    ends_on_service(slow_service, job_id)
    assert finished(bare) == []

    bare.runs.clear()
    bare.loaded.clear()
    bare.start()
    wait_for(lambda: finished(bare), "the announcement", of=lambda: str(bare.told))
    assert not bare.dock.isVisible()
    assert len(finished(bare)) == 1
    assert CLOSED in finished(bare)[0]
    assert "charged" in finished(bare)[0]
    (run,) = bare.runs.values()
    assert CLOSED in bare.line(run)
    assert run.configuration.workflow.steps[0].block.title
    button = bare.iface.bar.currentItem().findChild(QPushButton, "loadFromMessage")
    button.click()
    wait_for(lambda: bare.loaded, "the layers", of=bare.situation)
    assert bare.layers()
    assert bare.runs[run.key].phase is Phase.LOADED
    idle()
    entry = life_of(bare).entry(entry.id)
    assert entry.submission.life.state is JobState.SUCCEEDED
    assert entry.submission.charged_credits == bare.runs[run.key].credits_charged
    (stored,) = LedgerOutputs(ledger_of(bare)).outputs(bare.connection.id, job_id)
    assert stored.folder == entry.folder
    assert stored.size_bytes > 0
    bare.loaded.clear()

    bare.unload()
    bare.start()
    bare.dock.setUserVisible(True)
    bare.wait_until_ready()
    idle()
    assert len(finished(bare)) == 1
    assert life_of(bare).unfinished(bare.connection.id) == ()
    assert asked.times == 0


def test_while_the_authentication_database_is_locked_nothing_is_asked_and_the_jobs_are_counted(
    bare, slow_service, database, asked
):
    bare.start()
    job_id = running_job(bare, slow_service)
    bare.unload()
    ends_on_service(slow_service, job_id)
    database.clearMasterPassword()
    counts = []

    bare.start()
    bare.plugin.resumer.to_check_changed.connect(lambda *count: counts.append(count))
    wait_for(lambda: bare.plugin.resumer.to_check(bare.connection.id) == 1, "the count")
    bare.dock.setUserVisible(True)
    idle()
    assert counts == [(bare.connection.id, 1)]
    assert bare.desk.hub.provider_of(bare.connection.id) is None
    assert (asked.times, finished(bare)) == (0, [])

    # Somebody else has QGIS ask for it, another plugin for example
    assert database.setMasterPassword(MASTER, True)
    wait_for(lambda: finished(bare), "the announcement", of=bare.situation)
    assert counts == [(bare.connection.id, 1), (bare.connection.id, 0)]
    assert (asked.times, len(finished(bare))) == (0, 1)


def test_two_windows_follow_one_job_and_one_of_them_tells(bare, slow_service, database):
    bare.start()
    job_id = running_job(bare, slow_service)
    other = PluginKit(bare.folder)
    try:
        other.start()
        wait_for(lambda: other.runs, "the other window to follow the job", of=other.situation)
        both = (bare, other)
        wait_for(
            lambda: all(any(run.job and run.job.id == job_id for run in kit.ended) for kit in both),
            "both to see its end",
        )
        idle()
        turn()
        assert len(finished(bare) + finished(other)) == 1
        assert [run.told_elsewhere for kit in both for run in kit.ended if run.live].count(True) == 1
        (row,) = [run for run in other.runs.values() if run.live]
        assert row.succeeded
        assert not row.ended_while_closed
    finally:
        other.plugin.unload()
        QgsApplication.messageLog().messageReceived.disconnect(other._logged)
        other.iface.close()


def test_a_test_query_that_ended_meanwhile_is_not_told_of(bare, slow_service, database):
    bare.start()
    connect(bare, slow_service)
    bare.choose(ANALYTIC)
    bare.area(SMALL)
    run = bare.begin_test_query()
    bare.wait(run, lambda now: now.job is not None, "the test query on the service")
    job_id = bare.runs[run.key].job.id
    bare.unload()
    QgsProject.instance().clear()
    (entry,) = life_of(bare).unfinished(bare.connection.id)
    ends_on_service(slow_service, job_id)
    told = len(bare.told)
    bare.start()
    wait_for(lambda: life_of(bare).entry(entry.id).announced, "the end to be noted")
    idle()
    assert bare.told[told:] == []
    assert bare.layers() == []
    assert not bare.dock.isVisible()


def test_the_built_in_sandbox_is_started_again_for_a_job_that_runs_in_it(bare, monkeypatch):
    monkeypatch.setattr(sandbox_module, "SPEED", 60)
    bare.start()
    bare.dock.setUserVisible(True)
    bare.wait_until_ready()
    bare.choose(ANALYTIC)
    bare.area(SMALL)
    bare.test_query()
    run = bare.begin_live_job()
    bare.wait(run, lambda now: now.job is not None, "the job on the service")
    bare.unload()
    bare.runs.clear()
    bare.start()
    wait_for(lambda: finished(bare), "the announcement", of=lambda: str(bare.told))
    assert not bare.dock.isVisible()
    (run,) = bare.runs.values()
    assert bare.desk.hub.current.id == run.connection_id == "sandbox"


def test_a_connection_whose_key_was_not_kept_has_its_jobs_counted_until_somebody_signs_in(bare, slow_service):
    bare.start()
    connection = bare.connect(slow_service.sandbox)
    bare.choose(ANALYTIC)
    bare.area(SMALL)
    run = bare.begin_test_query()
    bare.wait(run, lambda now: now.job is not None, "the test query on the service")
    bare.unload()
    bare.start()
    wait_for(lambda: bare.plugin.resumer.to_check(connection.id) == 1, "the count")
    key = ProjectKey(slow_service.sandbox.project_id, slow_service.sandbox.project_api_key)
    bare.desk.hub.sign_in(connection, key, False)
    wait_for(lambda: life_of(bare).unfinished(connection.id) == (), "its end", of=bare.situation)
    assert bare.plugin.resumer.to_check(connection.id) == 0
    idle()
