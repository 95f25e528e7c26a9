"""The dock's header: connection, balance, and what live jobs cost."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest

from tests.staged_connections import SESSION, STORED
from up42_plugin.core.service import Balance
from up42_plugin.gui.header import Header
from up42_plugin.qgis_bridge.settings import SANDBOX

N = "\u00a0"
ALL = (SANDBOX, STORED, SESSION)


@pytest.fixture
def header(shown):
    header = shown(Header())
    header.show_connections(ALL, SANDBOX)
    return header


def choose(header, text):
    """As a person does: pick an entry, which activates it."""
    index = header.combo.findText(text)
    header.combo.setCurrentIndex(index)
    header.combo.activated.emit(index)


def test_the_connections_are_listed_with_an_entry_to_add_one(header):
    texts = [header.combo.itemText(index) for index in range(header.combo.count())]
    assert texts == ["Sandbox", "Coastal study", "Guest", "", "Add Connection…"]
    assert header.combo.currentText() == "Sandbox"
    assert all(not header.combo.itemIcon(index).isNull() for index in (0, 1, 2, 4))
    assert header.combo.itemData(1, Qt.ItemDataRole.ToolTipRole) == "https://api.example.org"


def test_the_sandbox_is_free_and_says_what_it_is(header):
    assert header._mark.text() == "Free, offline, synthetic images"
    assert header._mark_icon.isHidden()


def test_an_account_says_that_live_jobs_cost(header):
    header.show_connections(ALL, STORED)
    assert header._mark.text() == "Live jobs cost credits"
    assert header._mark_icon.isVisible()


def test_choosing_tells_which(header, qtbot):
    with qtbot.waitSignal(header.chosen) as chosen:
        choose(header, "Coastal study")
    assert chosen.args == ["account"]


def test_adding_leaves_the_present_one_chosen(header, qtbot):
    with qtbot.waitSignal(header.add_asked), qtbot.assertNotEmitted(header.chosen):
        choose(header, "Add Connection…")
    assert header.combo.currentText() == "Sandbox"


def test_listing_anew_tells_nothing(header, qtbot):
    with qtbot.assertNotEmitted(header.chosen):
        header.show_connections(ALL, STORED)
    assert header.combo.count() == 5


@pytest.mark.parametrize(
    ("balance", "options", "text"),
    [
        (Balance(10_000, 1_000), {}, f"Balance{N}<b>10,000{N}credits</b>"),
        (Balance(840, 1_000), {}, f"Balance{N}<b>840{N}credits</b>, too low for live jobs"),
        (Balance(0), {}, f"Balance{N}<b>0{N}credits</b>"),
        (None, {"loading": True}, "Balance …"),
        (None, {"reason": "No answer."}, "Balance not available"),
    ],
)
def test_the_balance(header, balance, options, text):
    header.show_balance(balance, **options)
    assert header.balance_text == text
    assert header._balance.toolTip() == options.get("reason", "")


def test_refreshing(header, qtbot):
    assert header.refresh_button.accessibleName() == "Refresh workflows, jobs and balance"
    with qtbot.waitSignal(header.refresh_asked):
        QTest.mouseClick(header.refresh_button, Qt.MouseButton.LeftButton)


def test_the_longest_lines_fit_the_dock(header):
    header.show_connections(ALL, STORED)
    for balance in (Balance(123_456_789), Balance(840, 1_000)):
        header.show_balance(balance)
        assert header.minimumSizeHint().width() <= 360
