"""The line above the buttons and the estimation, row by row: each state is reached by the widgets, and says just that.

The service is staged, so that each row is one thing that went wrong and nothing else.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Callable, Dict, NamedTuple

import pytest

from tests.staged_connections import ENTRANCE
from up42_plugin.api.errors import AnswerError, NetworkError, ServerError
from up42_plugin.core.run import Phase
from up42_plugin.core.service import Balance
from up42_plugin.core.spending import SpendingLimits
from up42_plugin.gui.options_page import PAGE_NAME

N = "\u00a0"
UNREACHABLE = NetworkError(f"No answer from api.example.org within 30{N}s.")
NO_ESTIMATE = AnswerError("The answer could not be read. Details are in the log.", "data is missing")


class Row(NamedTuple):
    """One row: how it is reached, what is said, the button beside it, and which of the two buttons are open."""

    reach: Callable
    text: str
    button: str = ""
    open: tuple = (False, False)


def no_area(kit):
    kit.open()


def no_workflow(kit):
    kit.service.answers["workflows"] = ()
    kit.dock.show()
    kit.sandbox.started.emit(ENTRANCE)
    kit.select()


def wrong_json(kit):
    kit.ready_to_test()
    kit.click(kit.dock.presets.json_button)
    editor = kit.dock.parameters.json.editor
    text = re.sub(r'("max_cloud_cover": )\d+', r"\g<1>140", editor.text())
    kit.expected_line = next(number for number, line in enumerate(text.splitlines(), 1) if ": 140" in line)
    editor.selectAll()
    editor.replaceSelectedText(text)


def offline_on_refresh(kit):
    kit.ready_to_test()
    kit.service.answers.update(project=UNREACHABLE, estimate=UNREACHABLE)
    kit.click(kit.dock.header.refresh_button)


def offline_on_a_price(kit):
    kit.ready_to_test()
    kit.service.answers["estimate"] = UNREACHABLE
    kit.dock.search.clouds.setValue(31)


def untested(kit):
    kit.ready_to_test()


def changed(kit):
    kit.tested()
    kit.dock.search.clouds.setValue(31)


def changed_twice(kit):
    kit.tested()
    kit.dock.search.clouds.setValue(31)
    kit.dock.search.start.setDate(kit.dock.search.start.date().addDays(-1))


def no_scenes(kit):
    kit.ready_to_test()
    kit.service.answers["scenes"] = ()
    run = kit.start_test_query()
    kit.service.set(run.job.id, "SUCCEEDED")


def poor(kit):
    kit.service.answers["balance"] = Balance(840, 1_000)
    kit.ready_to_test()


def too_dear(kit):
    kit.settings.set_spending_limits(SpendingLimits(per_job=20))
    kit.spending.read("sandbox")
    kit.ready_to_test()
    run = kit.start_test_query()
    kit.service.set(run.job.id, "SUCCEEDED")
    kit.wait(lambda: kit.run(run.key).phase is Phase.LOADED)


def tested(kit):
    kit.tested()


def no_price_yet_untested(kit):
    kit.service.answers["estimate"] = NO_ESTIMATE
    kit.ready_to_test()


def no_price_tested(kit):
    kit.tested()
    kit.service.answers["estimate"] = NO_ESTIMATE
    kit.click(kit.dock.header.refresh_button)


def server_error(kit):
    kit.open()
    words = "UP42 has a problem (500). Nothing was charged. Try again."
    kit.service.answers["project"] = ServerError(words, status=500)
    kit.click(kit.dock.header.refresh_button)


def starting(kit):
    kit.dock.show()


def not_started(kit):
    kit.dock.show()
    kit.sandbox.failed.emit("The sandbox could not start. Show Log", "exit code 1")


def now() -> str:
    return f"{datetime.now():%H:%M}"


ROWS: Dict[str, Row] = {
    "blocks both: area": Row(no_area, "Choose an area first."),
    "blocks both: workflow": Row(no_workflow, "Choose a workflow first."),
    "blocks both: JSON": Row(wrong_json, "Line {line}, max_cloud_cover: 0 to 100 allowed, not 140."),
    "blocks both: offline, on refresh": Row(offline_on_refresh, "Working offline.", "Try Again"),
    "blocks both: offline, on a price": Row(offline_on_a_price, "Working offline.", "Try Again"),
    "blocks live: untested": Row(untested, "Live job: run the free test query first.", "", (True, False)),
    "blocks live: changed": Row(
        changed, "Changed since the test query: Clouds. Test again before a live job.", "", (True, False)
    ),
    "blocks live: changed twice": Row(
        changed_twice, "Changed since the test query: Time, Clouds. Test again before a live job.", "", (True, False)
    ),
    "blocks live: no scenes": Row(no_scenes, "The test query found no scenes.", "", (True, False)),
    "blocks live: balance": Row(poor, f"Balance too low: UP42 asks for at least 1,000{N}credits.", "", (True, False)),
    "blocks live: limit": Row(too_dear, f"Over your limit of 20{N}credits per job.", "Options…", (True, False)),
    "fine: tested": Row(tested, f"Tested today {{now}}: 1{N}scene found.", "", (True, True)),
    "estimation: none, untested": Row(
        no_price_yet_untested,
        "The service gave no price. Live job: run the free test query first.",
        "Try Again",
        (True, False),
    ),
    "estimation: none": Row(no_price_tested, "The service gave no price.", "Try Again", (True, True)),
    "service: 500": Row(server_error, "UP42 has a problem (500). Nothing was charged.", "Try Again"),
    "sandbox: starting": Row(starting, "Starting the sandbox…"),
    "sandbox: could not start": Row(not_started, "The sandbox could not start.", "Show Log"),
}


@pytest.fixture
def kit(desk_kit):
    return desk_kit


def buttons(kit):
    """The texts of the buttons beside the reason."""
    foot = kit.foot
    return [button.text() for button in (foot.log_button, foot.again_button) if not button.isHidden()]


@pytest.mark.parametrize("name", ROWS)
def test_reason(kit, name):
    row = ROWS[name]
    before = now()
    row.reach(kit)
    line = getattr(kit, "expected_line", 0)

    def said():
        return kit.reason() in {row.text.format(line=line, now=moment) for moment in (before, now())}

    kit.wait(said)
    assert kit.foot.reason.isVisible()
    assert buttons(kit)[:1] == ([row.button] if row.button else [])
    assert kit.foot.line_button.isHidden() is ("Line " not in row.text)
    assert (kit.foot.test_button.isEnabled(), kit.foot.live_button.isEnabled()) == row.open
    for button in (kit.foot.test_button, kit.foot.live_button):
        assert button.isEnabled() or button.toolTip() in kit.reason()


def back(kit):
    """The service can be reached again."""
    for call in ("project", "estimate"):
        kit.service.answers[call] = kit.services["account"].answers[call]


class TestOffline:
    @pytest.fixture
    def offline(self, kit):
        offline_on_refresh(kit)
        kit.wait(lambda: kit.reason() == "Working offline.")
        return kit

    def test_the_form_stays_and_the_tooltip_has_the_reason(self, offline):
        kit = offline
        assert kit.dock.workflow.current is not None
        assert kit.foot.reason.toolTip() == UNREACHABLE.user_message
        assert kit.dock.search.isEnabled()
        kit.dock.search.clouds.setValue(44)
        assert kit.new_job.form.configuration.parameters["aws-s2-l2a:1"]["max_cloud_cover"] == 44

    def test_try_again_brings_everything_back(self, offline):
        kit = offline
        back(kit)
        kit.click(kit.foot.again_button)
        kit.wait(lambda: kit.new_job.ready.can_test)
        assert kit.foot.again_button.isHidden()
        assert kit.foot.reason.toolTip() == ""

    def test_a_price_that_comes_ends_it_too(self, offline):
        back(offline)
        offline.dock.search.clouds.setValue(44)
        offline.wait(lambda: offline.new_job.ready.can_test)

    def test_another_connection_is_not_offline(self, offline):
        kit = offline
        kit.hub.choose("account")
        kit.wait(lambda: kit.new_job.ready.can_test)


class TestEstimation:
    def test_not_available(self, kit):
        kit.open()
        assert kit.foot.estimation.text() == "Not available"

    def test_updating(self, kit):
        kit.ready_to_test()
        kit.wait(lambda: kit.foot.estimation.text().startswith("<b>13–25"))
        kit.service.hold("estimate")
        kit.dock.search.clouds.setValue(31)
        kit.wait(lambda: kit.foot.estimation.text().endswith(", updating…"))
        kit.service.let_go("estimate")

    def test_try_again_asks_for_it_anew(self, kit):
        no_price_yet_untested(kit)
        kit.wait(lambda: kit.foot.estimation.toolTip() == NO_ESTIMATE.user_message)
        kit.service.answers["estimate"] = kit.services["account"].answers["estimate"]
        kit.click(kit.foot.again_button)
        kit.wait(lambda: kit.foot.estimation.text().startswith("<b>13–25"))
        assert kit.reason() == "Live job: run the free test query first."


def test_options_opens_the_options(kit):
    too_dear(kit)
    kit.wait(lambda: kit.foot.again_button.text() == "Options…")
    kit.click(kit.foot.again_button)
    assert kit.iface.options_shown == [PAGE_NAME]


def test_show_log_opens_the_log_and_try_again_starts_the_sandbox(kit):
    not_started(kit)
    kit.click(kit.foot.log_button)
    assert kit.iface.logs_shown == 1
    kit.click(kit.foot.again_button)
    assert kit.reason() == "Starting the sandbox…"
    assert kit.foot.log_button.isHidden()


def test_go_to_line_puts_the_cursor_there(kit):
    wrong_json(kit)
    kit.wait(lambda: kit.reason().startswith("Line "))
    kit.click(kit.foot.line_button)
    assert kit.dock.parameters.json.editor.getCursorPosition()[0] == kit.expected_line - 1
