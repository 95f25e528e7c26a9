"""The foot: price, reason, and the two ways to run."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest

from tests.staged_provider import estimation
from up42_plugin.core.readiness import Readiness
from up42_plugin.gui.foot import Foot, PriceState

N = "\u00a0"
OPEN = Readiness(True, True, "Tested today 10:42: 1 scene found.", False)
TEST_ONLY = Readiness(True, False, "Live job: run the free test query first.", False)
CLOSED = Readiness(False, False, "Choose an area first.", False)


@pytest.fixture
def foot(shown):
    return shown(Foot())


def test_nothing_is_known_to_begin_with(foot):
    foot.show_price(PriceState())
    assert foot.estimation.text() == "Not available"
    assert foot.balance_after.isHidden()
    assert foot.after_label.isHidden()


def test_price_and_balance_after(foot):
    foot.show_price(PriceState(estimation(), 10_000))
    assert foot.estimation.text() == f"<b>13–25{N}credits</b>, 2–10{N}min"
    assert foot.balance_after.text() == f"9,975–9,987{N}credits"
    assert foot.balance_after.isVisible()


def test_without_a_balance_there_is_no_balance_after(foot):
    foot.show_price(PriceState(estimation(), None))
    assert foot.balance_after.isHidden()


def test_a_missing_price_says_why_and_is_never_zero(foot):
    foot.show_price(PriceState(None, 10_000, reason="The service gave no price."))
    assert foot.estimation.text() == "Not available"
    assert foot.estimation.toolTip() == "The service gave no price."
    assert foot.balance_after.isHidden()


def test_a_price_being_asked_anew_stays_and_is_marked_after_a_moment(foot, qtbot):
    foot.show_price(PriceState(estimation(), 10_000))
    foot.show_price(PriceState(estimation(), 10_000, updating=True))
    assert foot.estimation.text() == f"<b>13–25{N}credits</b>, 2–10{N}min"
    qtbot.waitUntil(lambda: foot.estimation.text().endswith(", updating…"), timeout=5000)
    assert foot.estimation.text().startswith(f"<b>13–25{N}credits</b>")
    foot.show_price(PriceState(estimation(5, 5), 10_000))
    assert foot.estimation.text() == f"<b>5{N}credits</b>, 2–10{N}min"


def test_a_first_price_being_asked_is_updating(foot, qtbot):
    foot.show_price(PriceState(updating=True))
    qtbot.waitUntil(lambda: foot.estimation.text() == "updating…", timeout=5000)


@pytest.mark.parametrize("ready", [OPEN, TEST_ONLY, CLOSED])
def test_a_grey_button_says_why_in_the_line_and_in_its_tooltip(foot, ready):
    foot.show_readiness(ready)
    assert foot.reason.text == ready.reason
    assert foot.reason.isVisible()
    for button, able in ((foot.test_button, ready.can_test), (foot.live_button, ready.can_run_live)):
        assert button.isEnabled() is able
        assert (button.toolTip() == ready.reason) is not able
        assert button.toolTip()


def test_a_test_query_that_is_not_offered_has_its_own_reason(foot):
    foot.show_readiness(Readiness(False, False, "Balance too low.", True, "This block offers no test query."))
    assert foot.test_button.toolTip() == "This block offers no test query."
    assert foot.live_button.toolTip() == "Balance too low."


def test_the_button_to_try_again_comes_with_its_text(foot):
    foot.show_readiness(CLOSED)
    assert foot.again_button.isHidden()
    foot.show_readiness(CLOSED, "Sign In")
    assert foot.again_button.isVisible()
    assert foot.again_button.text() == "Sign In"


def test_while_a_test_query_runs_its_row_takes_the_place_of_the_reason(foot):
    foot.show_readiness(OPEN)
    foot.show_busy(4.2)
    assert foot._busy.isVisible()
    assert foot._busy_text.text() == f"Test query running, 4{N}s"
    assert foot.reason.isHidden()
    foot.show_readiness(CLOSED)  # something in the form changes meanwhile
    assert foot.reason.isHidden()
    foot.show_busy(None)
    assert foot._busy.isHidden()
    assert foot.reason.isVisible()


def test_without_a_reason_no_line_is_shown(foot):
    foot.show_readiness(Readiness(True, True, "", False))
    assert foot.reason.isHidden()


def test_the_cancel_button_says_what_it_does(foot):
    foot.show_busy(1)
    foot.show_cancellable(True)
    assert foot.cancel_button.toolTip() == "Cancel the test query"
    assert foot.cancel_button.accessibleName()
    foot.show_cancellable(False)
    assert not foot.cancel_button.isEnabled()
    assert foot.cancel_button.toolTip() == "The test query is being cancelled"


def test_its_clicks(foot, qtbot):
    foot.show_readiness(OPEN, "Try Again")
    foot.show_busy(1)
    for button, signal in (
        (foot.test_button, foot.test_asked),
        (foot.live_button, foot.live_asked),
        (foot.again_button, foot.again_asked),
        (foot.cancel_button, foot.cancel_asked),
    ):
        with qtbot.waitSignal(signal):
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_button_that_costs_is_apart_and_announces_a_dialog(foot):
    assert foot.live_button.text() == "Run Live Job…"
    assert foot.test_button.text() == "Run Test Query"
    assert foot.test_button.x() == 0
    assert foot.live_button.x() > foot.test_button.geometry().right() + 50


def test_a_long_reason_wraps_within_the_dock(foot):
    foot.show_readiness(Readiness(False, False, "Changed since the test query: Time, Clouds. " * 3, True), "Try Again")
    assert foot.minimumSizeHint().width() <= 380
