"""Bad input and bad weather: each with its own clear message, nothing left behind, and everything usable again."""

from __future__ import annotations

from typing import List

import pytest
from plugin_kit import ANALYTIC, SMALL, SPEED, PluginKit, confirmation, idle, plugin_in, wait_for
from qgis.core import QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from remote_service import Remote
from sandbox_process import start_sandbox

from up42_plugin.core.run import Phase

JOBS, ESTIMATE = "*/workflows/*/jobs", "*/estimate/job"
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


# -- areas


def test_no_selection(kit, remote):
    before = len(remote.jobs())
    layer = kit.area(SMALL)
    layer.removeSelection()
    wait_for(lambda: kit.desk.new_job.selection.aoi is None, "the empty selection")
    assert kit.able() == [False, False]
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
    kit.assert_no_trace()


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
    assert kit.able() == [False, False]
    assert kit.dock.foot.estimation.text() == "Not available"
    assert kit.recorded() == ()
    assert len(remote.jobs()) == before
    kit.assert_no_trace()
    QgsProject.instance().removeMapLayer(bad.id())
    kit.area(SMALL)
    wait_for(lambda: kit.able()[0], "the button with a good area")
    assert kit.dock.area.problem.text == ""


# -- signing in


def test_wrong_key(sandbox, remote, tmp_path, qgis_app):
    with plugin_in(tmp_path / "plugin") as kit:
        kit.area(SMALL)
        kit.connect(sandbox, key="not-the-key", ready=False)
        wait_for(lambda: "wrong" in kit.reason, "the reason")
        assert (
            kit.reason == "Project ID or key is wrong. Copy both again from the project settings in the UP42 console."
        )
        assert kit.dock.foot.again_button.isVisible()
        assert kit.able() == [False, False]
        wait_for(lambda: kit.dock.header.balance_text == "Balance not available", "the balance")
        assert not any("not-the-key" in line for line in kit.lines)
        kit.assert_no_trace()
        kit.connect(sandbox)
        kit.choose(ANALYTIC)
        wait_for(lambda: kit.able()[0], "the button with the right key")


def test_service_that_takes_no_token(kit, remote):
    kit.area(SMALL)
    wait_for(lambda: kit.able()[0], "the button")
    remote.arm(
        "POST", JOBS, times=None, status=401, body={"error": "UNAUTHORIZED", "message": "Unable to decode token"}
    )
    run = kit.begin_test_query()
    wait_for(lambda: kit.runs[run.key].phase is Phase.NOT_SUBMITTED, "the refusal")
    assert kit.line(run) == "The service no longer accepts this sign-in. Check the connection's settings."
    assert any(kit.line(run) in text for text in kit.told)
    assert kit.states() == ["REFUSED"]
    kit.assert_no_trace()
    remote.disarm()
    wait_for(lambda: kit.able()[0], "the button", of=kit.situation)


# -- the service has a bad day


def test_too_many_requests(kit, remote):
    kit.area(SMALL)
    wait_for(lambda: kit.able()[0], "the button")
    before = len(remote.jobs())
    remote.arm("POST", JOBS, times=1, status=429, body=TOO_FAST, headers={"Retry-After": "1"})
    lines = watched(kit)
    kit.test_query()
    assert "Too many requests; trying again in 1\u00a0s." in lines
    assert kit.states() == ["ACCEPTED"]
    assert len(remote.jobs()) == before + 1


def test_too_many_jobs(kit, remote):
    kit.area(SMALL)
    wait_for(lambda: kit.able()[0], "the button")
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
    kit.area(SMALL)
    wait_for(lambda: kit.able()[0], "the button")
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
    kit.assert_no_trace()
    wait_for(lambda: kit.able()[0], "the button", of=kit.situation)


def test_lost_answer_is_found_and_not_sent_twice(kit, remote):
    kit.area(SMALL)
    wait_for(lambda: kit.able()[0], "the button")
    before = len(remote.jobs())
    remote.arm("POST", JOBS, times=1, lose_answer=True)
    kit.test_query()
    assert kit.states() == ["ACCEPTED"]
    assert len(remote.jobs()) == before + 1


def test_broken_json_while_sending(kit, remote):
    kit.area(SMALL)
    wait_for(lambda: kit.able()[0], "the button")
    remote.arm("POST", JOBS, times=1, status=200, body='{"data": {"id": ')
    run = kit.begin_test_query()
    wait_for(lambda: kit.runs[run.key].phase is Phase.NOT_SUBMITTED, "the end")
    assert kit.states() == ["NOT_SUBMITTED"]
    kit.assert_no_trace()
    kit.test_query()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 500, "body": {"message": "x"}}, "UP42 has a problem (500). Nothing was charged."),
        ({"status": 200, "body": '{"data": [{"id": '}, UNREADABLE),
        ({"status": 200, "body": {"data": [{"name": "no id"}]}}, UNREADABLE),
        ({"status": 302, "headers": {"Location": "https://elsewhere.example.org/"}}, "elsewhere.example.org"),
    ],
    ids=["500", "broken JSON", "missing member", "redirect"],
)
def test_project_that_cannot_be_read(kit, remote, fault, words):
    kit.area(SMALL)
    wait_for(lambda: kit.able()[0], "the button")
    remote.arm("GET", "*/workflows", times=None, **fault)
    kit.click(kit.dock.header.refresh_button)
    wait_for(lambda: words in kit.reason, f"the reason; it says {kit.reason!r}")
    assert kit.able() == [False, False]
    remote.disarm()
    kit.click(kit.dock.foot.again_button)
    wait_for(lambda: kit.able()[0], "the button after Try Again")
    assert kit.recorded() == ()
    kit.assert_no_trace()


def test_estimation_that_fails(kit, remote):
    remote.arm("POST", ESTIMATE, times=None, status=500, body={"message": "x"})
    kit.area(SMALL)
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
    assert kit.able() == [True, True]


def test_refused_for_credits(kit, remote):
    kit.area(SMALL)
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
    assert kit.able() == [True, True]


def test_cancelled_confirmation_leaves_nothing(kit, remote):
    kit.area(SMALL)
    kit.test_query()
    before, balance = len(remote.jobs()), remote.balance()
    dialog = kit.dialog()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    wait_for(lambda: confirmation() is None, "the end of the confirmation")
    assert len(kit.recorded()) == 1
    assert (len(remote.jobs()), remote.balance()) == (before, balance)
