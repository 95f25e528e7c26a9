"""Options and connections through the whole plugin: the page as QGIS shows it, over a real service."""

from __future__ import annotations

import pytest
from plugin_kit import ANALYTIC, SPEED, SUPERRESOLUTION, TAORMINA, plugin_in, wait_for
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QDialog, QVBoxLayout
from sandbox_process import start_sandbox

from up42_plugin.core.connection_check import StepName
from up42_plugin.core.connections import AccountLogin, ProjectKey, SignIn
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger, NewJob
from up42_plugin.core.spending import SpendingLimits
from up42_plugin.gui.options_page import PAGE_NAME, OptionsPage

NBSP = "\u00a0"
SMALL = "Polygon ((15.2900 37.8440, 15.2960 37.8440, 15.2960 37.8480, 15.2900 37.8480, 15.2900 37.8440))"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("options") / "data", *SPEED) as running:
        yield running


@pytest.fixture
def kit(tmp_path, qgis_app):
    with plugin_in(tmp_path) as kit:
        yield kit


@pytest.fixture
def page(kit):
    """The page in a dialog, as QGIS's options show it."""
    dialog = QDialog(kit.iface.window)
    page = kit.iface.options[0].createWidget(dialog)
    layout = QVBoxLayout(dialog)
    layout.addWidget(page)
    dialog.resize(820, 640)
    dialog.show()
    yield page
    page.editing.close()
    dialog.close()
    dialog.deleteLater()


def select(page: OptionsPage, name: str) -> None:
    item = page.list.findItems(name, Qt.MatchFlag.MatchExactly)[0]
    page.list.setCurrentItem(item)


def rows(page: OptionsPage):
    items = [page.list.topLevelItem(number) for number in range(page.list.topLevelItemCount())]
    return [tuple(item.text(column) for column in range(3)) for item in items]


def fill(dialog, sandbox, name="Coastal study", **texts):
    dialog.name.setText(name)
    dialog.region.setCurrentIndex(dialog.region.count() - 1)
    dialog.address.setText(sandbox.base_url)
    dialog.project_id.setText(sandbox.project_id)
    dialog.key.setText(sandbox.project_api_key)
    dialog.keep.setCurrentIndex(dialog.keep.findData(False))
    for field, text in texts.items():
        getattr(dialog, field).setText(text)


def verdict_of(panel):
    QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    wait_for(lambda: panel.verdict.text() not in ("", "Testing…"), "the test of the connection")
    return panel.verdict.text()


def add(kit, page, sandbox, **texts):
    kit.click(page.add_button)
    fill(page.editing.dialog, sandbox, **texts)
    kit.click(page.editing.dialog.ok_button)
    wait_for(lambda: page.editing.dialog is None, "the dialog to close")


def test_the_header_opens_the_page_and_unloading_takes_it_away(kit):
    kit.dock.setUserVisible(True)
    kit.click(kit.dock.header.options_button)
    assert kit.iface.options_shown == [PAGE_NAME]
    (factory,) = kit.iface.options
    assert factory.title() == "UP42"
    assert not factory.icon().isNull()
    kit.unload()
    assert kit.iface.options == []


def test_the_sandbox_is_listed_and_can_be_neither_edited_nor_removed(kit, page):
    assert page.objectName() == PAGE_NAME
    assert rows(page) == [("Sandbox", "Nothing, runs in QGIS", "Starts when needed")]
    select(page, "Sandbox")
    for button in (page.edit_button, page.remove_button):
        assert not button.isEnabled()
        assert "neither edited nor removed" in button.toolTip()
    assert not page.test.button.isEnabled()
    assert "starts when it is chosen" in page.test.button.toolTip()


def test_a_connection_is_added_tested_edited_and_removed(kit, page, sandbox):
    add(kit, page, sandbox)
    assert rows(page)[0] == ("Coastal study", "Project ID and key", sandbox.base_url)
    assert rows(page)[1][0] == "Sandbox"
    select(page, "Coastal study")
    assert verdict_of(page.test) == "<b>Coastal study works.</b> Tested just now."
    assert page.test.text_of(StepName.SIGN_IN) == "Project ID and key accepted"
    assert page.test.text_of(StepName.PROJECT).endswith(f"{NBSP}credits")

    kit.click(page.edit_button)
    dialog = page.editing.dialog
    assert dialog.windowTitle() == "Edit Connection"
    assert (dialog.key.text(), dialog.key.placeholderText()) == ("", "Unchanged")
    dialog.name.setText("Harbour")
    assert verdict_of(dialog.test) == "<b>Harbour works.</b> Tested just now."
    kit.click(dialog.ok_button)
    assert rows(page)[0][0] == "Harbour"
    assert kit.desk.hub.provider_of(kit.desk.hub.current.id) is not None

    select(page, "Harbour")
    kit.click(page.remove_button)
    question = page.question
    kit.click(question.defaultButton())
    assert rows(page)[0][0] == "Harbour"
    kit.click(page.remove_button)
    (remove,) = [button for button in page.question.buttons() if button.text() == "&Remove"]
    kit.click(remove)
    wait_for(lambda: len(rows(page)) == 1, "the connection to go")
    assert kit.desk.hub.current.id == "sandbox"


def test_a_wrong_key_is_told_and_ok_works_all_the_same(kit, page, sandbox):
    kit.click(page.add_button)
    dialog = page.editing.dialog
    fill(dialog, sandbox, key="wrong")
    assert verdict_of(dialog.test) == "Failed at sign-in, everything before it works."
    expected = "Project ID or key is wrong. Copy both again from the project settings in the UP42 console."
    assert dialog.test.text_of(StepName.SIGN_IN) == expected
    assert dialog.test.text_of(StepName.PROJECT) == "Not checked"
    kit.click(dialog.ok_button)
    assert rows(page)[0][0] == "Coastal study"
    assert not any(word == "wrong" for line in kit.lines for word in line.split())


def test_an_account_signs_in_with_e_mail_and_password(kit, page, sandbox):
    kit.click(page.add_button)
    dialog = page.editing.dialog
    assert not dialog.account.isVisible()
    dialog.sign_in.setCurrentIndex(dialog.sign_in.findData(SignIn.ACCOUNT.value))
    assert dialog.account.isVisible()
    fill(dialog, sandbox, key=sandbox.password)
    assert not dialog.ok_button.isEnabled()
    dialog.account.setText(sandbox.username)
    assert verdict_of(dialog.test) == "<b>Coastal study works.</b> Tested just now."
    kit.click(dialog.ok_button)
    assert rows(page)[0][1] == "Account e-mail and password"
    kit.dock.setUserVisible(True)
    kit.wait_until_ready()


def test_what_is_kept_goes_to_no_other_address(kit, page, sandbox):
    add(kit, page, sandbox)
    select(page, "Coastal study")
    kit.click(page.edit_button)
    dialog = page.editing.dialog
    dialog.address.setText("https://api.example.org")
    assert not dialog.ok_button.isEnabled()
    assert not dialog.test.button.isEnabled()
    assert dialog.ok_button.toolTip().startswith("Type it again")
    dialog.key.setText("typed again")
    assert dialog.ok_button.isEnabled()


def test_limits_and_folder_are_remembered_at_ok(kit, page, tmp_path):
    settings = page._settings
    assert page.limits["per_job"].text() == "No limit"
    page.limits["per_job"].setValue(500)
    page.limits["typed_above"].setValue(1000)
    page.folder.setFilePath(str(tmp_path / "satellite"))
    assert settings.spending_limits() == SpendingLimits()
    page.apply()
    assert settings.spending_limits() == SpendingLimits(per_job=500, typed_above=1000)
    assert settings.output_folder() == tmp_path / "satellite"
    assert page.limits["per_job"].text() == "500 credits"
    page.limits["per_job"].clear()
    page.folder.setFilePath("")
    page.apply()
    assert settings.spending_limits() == SpendingLimits(typed_above=1000)
    assert settings.chosen_output_folder() == ""
    assert settings.output_folder() == settings.default_output_folder()


def ready_to_buy(kit, sandbox, workflow=ANALYTIC, area=SMALL):
    kit.connect(sandbox)
    kit.area(area)
    kit.choose(workflow, clouds=100)
    kit.test_query()
    wait_for(kit.dock.foot.live_button.isEnabled, "the live job to be open")
    wait_for(lambda: kit.desk.new_job.price.estimation is not None, "the price")
    return kit.desk.new_job.price.estimation.credits


def limit(kit, page, **limits):
    for name, value in limits.items():
        page.limits[name].setValue(value)
    page.apply()


def test_limits_hold_in_the_dock_and_in_the_confirmation(kit, page, sandbox):
    price = ready_to_buy(kit, sandbox, SUPERRESOLUTION, TAORMINA)
    most = round(price.maximum)
    assert most > 1
    limit(kit, page, per_job=most - 1)
    assert kit.reason == f"Over your limit of {most - 1}{NBSP}credits per job."
    assert not kit.dock.foot.live_button.isEnabled()
    assert kit.dock.foot.again_button.text() == "Options…"
    kit.click(kit.dock.foot.again_button)
    assert kit.iface.options_shown == [PAGE_NAME]

    limit(kit, page, per_job=0, per_month=2 * most - 1, typed_above=most - 1)
    dialog = kit.dialog()
    assert dialog.price_labels["spent"].text() == f"0{NBSP}credits"
    assert dialog._hints["spent"].text() == f"of your limit of {2 * most - 1}{NBSP}credits"
    least = str(round(price.minimum))
    assert dialog.typed_label.text().replace("&", "") == f"Type {least} to confirm"
    assert not dialog.run_button.isEnabled()
    dialog.typed.setText(least + "0")
    assert not dialog.run_button.isEnabled()
    dialog.typed.setText(least)
    run = kit.begun(lambda: kit.click(dialog.run_button))
    kit.wait(run, lambda now: now.succeeded and now.credits_charged is not None, "the live job")
    charged = kit.runs[run.key].credits_charged

    wait_for(lambda: kit.recorded()[0].submissions[0].charged_credits == charged, "the charge in the ledger")
    wait_for(lambda: page.spent.text().startswith(f"{charged}{NBSP}credit"), "what was spent this month")
    limit(kit, page, per_month=charged + most - 1, typed_above=0)
    assert kit.reason == f"Over your limit of {charged + most - 1}{NBSP}credits per month."
    limit(kit, page, per_month=charged + most)
    assert kit.dock.foot.live_button.isEnabled()
    limit(kit, page, per_month=0, per_day=charged + most - 1)
    assert kit.reason == f"Over your limit of {charged + most - 1}{NBSP}credits per day."


def test_a_limit_reached_meanwhile_closes_the_confirmation(kit, page, sandbox):
    """The dock has the sums as read last; the confirmation reads them anew."""
    price = ready_to_buy(kit, sandbox)
    most = round(price.maximum)
    limit(kit, page, per_day=most)
    dialog = kit.dialog()
    assert dialog.run_button.isEnabled()
    dialog.reject()
    # another window buys in the meantime
    ledger = Ledger(kit.folder / "profile" / "ledger.sqlite")
    configuration = kit.desk.new_job.form.configuration
    bought = NewJob(kit.connection.id, configuration, Mode.LIVE, "Other", "zzzz2222", "Other zzzz2222", Range(1, 1))
    ledger.accept(ledger.add(bought), "another-job")
    dialog = kit.dialog()
    assert not dialog.run_button.isEnabled()
    expected = f"Over your limit of {most}{NBSP}credits per day. Change it under Settings > Options > UP42."
    assert dialog.message.text == expected
    dialog.reject()


def test_credentials_show_nothing_secret():
    shown = repr(AccountLogin("p", "anna@example.org", "open-sesame")) + repr(ProjectKey("p", "open-sesame"))
    assert "open-sesame" not in shown
