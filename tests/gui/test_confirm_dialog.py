"""The one place where credits are agreed to: Cancel first, price in every word, one click counts once."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QCheckBox, QDialog, QLabel

from tests.staged_provider import estimation
from up42_plugin.core.estimation import Range
from up42_plugin.core.spending import Spending, SpendingLimits, Spent
from up42_plugin.gui.confirm_dialog import ConfirmDialog, Proposal

N = "\u00a0"
LINES = (
    ("Workflow", "Sentinel-2 L2A (SAFE) → Super-resolution"),
    ("Tested", "Today 10:42, same configuration: 1 scene"),
)
FINE = "Price read from the service just now. Only tasks that succeed are charged."


@pytest.fixture
def ask(qtbot):
    def ask_for(shown_price=None):
        dialog = ConfirmDialog(Proposal("Taormina super-resolution", LINES, shown_price))
        dialog.said = []
        dialog.confirmed.connect(lambda name, agreed: dialog.said.append((name, agreed)))
        qtbot.addWidget(dialog)
        dialog.show()
        dialog.activateWindow()
        qtbot.waitActive(dialog)
        return dialog

    return ask_for


@pytest.fixture
def dialog(ask):
    return ask()


def prices(dialog):
    return {key: label.text().replace("<b>", "").replace("</b>", "") for key, label in dialog.price_labels.items()}


def click(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_it_says_what_will_run(dialog):
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    for label, value in LINES:
        assert label in texts
        assert value in texts
    assert dialog.job_name.text() == "Taormina super-resolution"
    assert "the minimum, while it runs" in texts


def test_while_the_price_is_read_nothing_can_be_agreed_to(dialog):
    assert set(prices(dialog).values()) == {"…"}
    assert dialog.run_button.text() == "Reading the price…"
    assert not dialog.run_button.isEnabled()
    assert dialog.run_button.toolTip()
    click(dialog.run_button)
    assert dialog.said == []


def test_the_price_is_in_the_question_and_on_the_button(dialog):
    dialog.show_price(estimation(), 10_000, Spending(SpendingLimits(), Spent(7, 112)))
    assert dialog.heading.text() == f"Run this live job for 13–25{N}credits?"
    assert dialog.run_button.text() == f"Run for 13–25{N}Credits"
    assert prices(dialog) == {
        "estimation": f"13–25{N}credits",
        "held": f"13{N}credits",
        "now": f"10,000{N}credits",
        "after": f"9,975–9,987{N}credits",
        "spent": f"112{N}credits",
    }
    assert dialog.message.text == FINE


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape, Qt.Key.Key_Space])
def test_cancel_has_the_focus_and_every_quick_key_cancels(dialog, key):
    dialog.show_price(estimation(), 10_000)
    assert dialog.focusWidget() is dialog.cancel_button
    assert dialog.cancel_button.isDefault()
    QTest.keyClick(dialog.focusWidget(), key)
    assert dialog.result() == QDialog.DialogCode.Rejected
    assert not dialog.isVisible()
    assert dialog.said == []


@pytest.mark.parametrize("where", ["job_name", "run_button"])
def test_return_cancels_wherever_the_focus_is(dialog, where):
    dialog.show_price(estimation(), 10_000)
    widget = getattr(dialog, where)
    widget.setFocus()
    assert not dialog.run_button.isDefault()
    assert not dialog.run_button.autoDefault()
    QTest.keyClick(widget, Qt.Key.Key_Return)
    assert not dialog.isVisible()
    assert dialog.said == []


def test_nothing_offers_not_to_ask_again(dialog):
    assert dialog.findChildren(QCheckBox) == []


def test_a_click_agrees_to_the_price_shown(dialog):
    dialog.show_price(estimation(), 10_000)
    click(dialog.run_button)
    assert dialog.said == [("Taormina super-resolution", Range(13, 25))]
    assert dialog.isVisible()
    assert not dialog.run_button.isEnabled()
    assert not dialog.cancel_button.isEnabled()


def test_it_counts_once_however_often_it_is_clicked(dialog):
    dialog.show_price(estimation(), 10_000)
    QTest.mouseDClick(dialog.run_button, Qt.MouseButton.LeftButton)
    click(dialog.run_button)
    dialog.run_button.click()
    dialog.run_button.clicked.emit()
    assert len(dialog.said) == 1


def test_typing_another_maximum_after_the_click_opens_no_second_one(dialog):
    dialog.show_no_price("No price.", 10_000)
    dialog.most.setValue(500)
    click(dialog.run_button)
    dialog.most.setValue(600)
    assert not dialog.run_button.isEnabled()
    click(dialog.run_button)
    dialog.run_button.clicked.emit()
    assert dialog.said == [("Taormina super-resolution", Range(0, 500))]


def test_after_the_click_it_cannot_be_closed_until_it_is_known_how_it_went(dialog):
    dialog.show_price(estimation(), 10_000)
    click(dialog.run_button)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    dialog.close()
    assert dialog.isVisible()
    dialog.accept()
    assert not dialog.isVisible()


def test_when_it_could_not_be_recorded_it_says_why_and_can_be_closed(dialog):
    dialog.show_price(estimation(), 10_000)
    click(dialog.run_button)
    dialog.show_refusal("The disk is full.")
    assert dialog.message.text == "The disk is full."
    assert not dialog.run_button.isEnabled()
    assert dialog.run_button.toolTip() == "The disk is full."
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_changed_price_is_a_warning_and_the_new_one_is_agreed_to(ask):
    dialog = ask(Range(13, 25))
    dialog.show_price(estimation(20, 40), 10_000)
    assert dialog.message.text == f"The price was 13–25{N}credits a minute ago."
    click(dialog.run_button)
    assert dialog.said[0][1] == Range(20, 40)


def test_an_unchanged_price_is_none(ask):
    dialog = ask(Range(13, 25))
    dialog.show_price(estimation(), 10_000)
    assert dialog.message.text == FINE


def test_too_few_credits_close_the_way(dialog):
    dialog.show_price(estimation(), 12)
    assert dialog.message.text == "Not enough credits for this job."
    assert not dialog.run_button.isEnabled()
    assert dialog.run_button.toolTip() == "Not enough credits for this job."


def test_enough_for_the_minimum_is_enough(dialog):
    dialog.show_price(estimation(), 13)
    assert dialog.run_button.isEnabled()


def test_a_balance_that_is_not_known_is_not_zero(dialog):
    dialog.show_price(estimation(), None)
    assert prices(dialog)["now"] == prices(dialog)["after"] == "Not available"
    assert dialog.run_button.isEnabled()


class TestWithoutEstimation:
    def test_a_maximum_must_be_typed(self, dialog):
        dialog.show_no_price("The service gave no price.", 10_000)
        assert prices(dialog) == {
            "estimation": "Not available",
            "held": "Not available",
            "now": f"10,000{N}credits",
            "after": "Not available",
            "spent": "Not available",
        }
        assert dialog.most.isVisible()
        assert "the service does not enforce it" in dialog.message.text
        assert dialog.message.text.startswith("The service gave no price.")
        assert not dialog.run_button.isEnabled()
        assert dialog.run_button.toolTip() == "Type the most credits this job may cost"

    def test_typing_one_opens_the_button_and_is_what_is_agreed_to(self, dialog):
        dialog.show_no_price("", None)
        assert prices(dialog)["now"] == "Not available"
        dialog.most.setFocus()
        dialog.most.selectAll()
        QTest.keyClicks(dialog.most.lineEdit(), "500")
        assert dialog.run_button.text() == f"Run for at Most 500{N}Credits"
        click(dialog.run_button)
        assert dialog.said == [("Taormina super-resolution", Range(0, 500))]

    def test_clearing_it_closes_the_button(self, dialog):
        dialog.show_no_price("", 10_000)
        dialog.most.setValue(500)
        dialog.most.setValue(0)
        assert not dialog.run_button.isEnabled()
        assert dialog.run_button.text() == "Run"


@pytest.mark.parametrize(("typed", "name"), [("My job", "My job"), ("   ", "Taormina super-resolution")])
def test_the_name_is_the_person_s(dialog, typed, name):
    dialog.show_price(estimation(), 10_000)
    dialog.job_name.setText(typed)
    click(dialog.run_button)
    assert dialog.said[0][0] == name


def test_no_text_is_taken_for_markup(qtbot):
    dialog = ConfirmDialog(Proposal("x", (("Area", "<b>bold</b>"),)))
    qtbot.addWidget(dialog)
    (label,) = [label for label in dialog.findChildren(QLabel) if label.text() == "<b>bold</b>"]
    assert label.textFormat() == Qt.TextFormat.PlainText


def test_the_wide_one_fits_the_guidelines(dialog):
    dialog.show_no_price("The service gave no price. " * 3, 10_000)
    assert dialog.sizeHint().width() <= 1000
    assert dialog.sizeHint().height() <= 580


LIMITS = SpendingLimits(per_job=500, per_day=600, per_month=2000, typed_above=100)


def test_the_months_limit_stands_beside_what_was_spent(dialog):
    dialog.show_price(estimation(), 10_000, Spending(LIMITS, Spent(0, 112)))
    assert dialog.price_labels["spent"].text() == f"112{N}credits"
    assert dialog._hints["spent"].text() == f"of your limit of 2,000{N}credits"
    assert dialog.run_button.isEnabled()
    assert not dialog.typed.isVisible()


def test_a_job_over_a_limit_is_refused_with_the_place_to_change_it(dialog):
    dialog.show_price(estimation(), 10_000, Spending(LIMITS, Spent(0, 1980)))
    assert not dialog.run_button.isEnabled()
    expected = f"Over your limit of 2,000{N}credits per month. Change it under Settings > Options > UP42."
    assert dialog.message.text == expected
    assert dialog.run_button.toolTip() == expected


def test_a_limit_that_cannot_be_checked_refuses_the_job(dialog):
    dialog.show_price(estimation(), 10_000, Spending(LIMITS, None))
    assert not dialog.run_button.isEnabled()
    assert dialog.message.text.startswith("What was spent already could not be read")
    assert dialog.price_labels["spent"].text() == "Not available"


def test_above_the_threshold_the_least_it_costs_is_typed(dialog):
    dialog.show_price(estimation(), 10_000, Spending(SpendingLimits(typed_above=24), Spent()))
    assert dialog.typed_label.text().replace("&", "") == "Type 13 to confirm"
    for text in ("", "1", "25", "13x"):
        dialog.typed.setText(text)
        assert not dialog.run_button.isEnabled()
    dialog.typed.setText(" 13 ")
    assert dialog.run_button.isEnabled()


def test_a_typed_maximum_counts_against_the_limits(dialog):
    dialog.show_no_price("The service gave no price.", 10_000, Spending(LIMITS, Spent(200, 200)))
    dialog.most.setValue(501)
    assert not dialog.run_button.isEnabled()
    assert dialog.message.text.startswith(f"Over your limit of 500{N}credits per job.")
    dialog.most.setValue(450)
    assert dialog.message.text.startswith(f"Over your limit of 600{N}credits per day.")
    dialog.most.setValue(400)
    assert dialog.run_button.isEnabled()
    assert dialog.message.text.startswith("The service gave no price.")


def test_several_jobs_are_asked_about_together_and_nothing_is_cut_off(qtbot):
    lines = (("Jobs", "3, one for each area: 1 of 3, 2 of 3, 3 of 3"), *LINES, ("Start", "as soon as a slot is free"))
    dialog = ConfirmDialog(Proposal("Taormina", lines, jobs=3))
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.heading.text() == "Run these 3 live jobs?"
    each = (Range(10, 20), Range(10, 20), Range(10, 35))
    dialog.show_price(estimation(30, 75), 20, Spending(SpendingLimits(per_job=30), Spent()), each)
    assert dialog.heading.text() == f"Run these 3 live jobs for 30–75{N}credits?"
    assert dialog.message.text == "Not enough credits for these jobs."
    assert dialog.size().expandedTo(dialog.sizeHint()) == dialog.size()
    dialog.show_price(estimation(30, 75), 10_000, Spending(SpendingLimits(per_job=30), Spent()), each)
    assert dialog.message.text.startswith(f"Over your limit of 30{N}credits per job.")
    dialog.show_price(estimation(30, 75), 10_000, Spending(SpendingLimits(per_job=35), Spent()), each)
    assert dialog.run_button.isEnabled()
