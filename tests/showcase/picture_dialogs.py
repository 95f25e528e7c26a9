"""The states that are dialogs, and the connections that all states need."""

from __future__ import annotations

from typing import Any

from picture_hands import Hands, Steps, UnreachableError, Wait
from qgis.PyQt.QtCore import QPoint
from qgis.PyQt.QtWidgets import QDialog, QTreeWidget

from up42_plugin.core.connections import SignIn
from up42_plugin.gui.confirm_dialog import ConfirmDialog
from up42_plugin.gui.connection_dialog import ConnectionDialog
from up42_plugin.gui.options_page import OptionsPage
from up42_plugin.gui.workflow_builder import WorkflowBuilder

COASTAL, WORK = "Coastal study", "Work account"
_LIMITS = {"per_job": 500, "per_month": 2000, "typed_above": 100}


def connect(hands: Hands) -> Steps:
    """Add the connections of the pictures through the dialog, and choose the first."""
    header = hands.dock.header
    for name, sign_in in ((COASTAL, SignIn.PROJECT_KEY), (WORK, SignIn.ACCOUNT)):
        hands.choose(header.combo, "Add Connection…")
        yield Wait("the dialog", lambda: bool(hands.shown(ConnectionDialog)))
        dialog = hands.shown(ConnectionDialog)[0]
        _fill(hands, dialog, name, sign_in)
        hands.click(dialog.ok_button)
        yield Wait(f"{name} as the current connection", lambda name=name: header.combo.currentText() == name)
        yield Wait("the balance", lambda: "credits" in header.balance_text)
    hands.choose(header.combo, COASTAL)
    yield Wait("the balance", lambda: header.combo.currentText() == COASTAL and "10,000" in header.balance_text)


def _fill(hands: Hands, dialog: ConnectionDialog, name: str, sign_in: SignIn) -> None:
    service = hands.service
    dialog.name.setText(name)
    hands.choose(dialog.region, "Other Address")
    dialog.address.setText(service["base_url"])
    dialog.sign_in.setCurrentIndex(dialog.sign_in.findData(sign_in.value))
    dialog.project_id.setText(service["project_id"])
    if sign_in is SignIn.ACCOUNT:
        dialog.account.setText(service["username"])
        dialog.key.setText(service["password"])
    else:
        dialog.key.setText(service["project_api_key"])
    # the authentication database would ask for its master password
    hands.choose(dialog.keep, "Nowhere, Ask Again Next Time")


def batch_service(hands: Hands) -> Steps:
    """The sandbox inside of QGIS."""
    header = hands.dock.header
    hands.choose(header.combo, "Sandbox")
    yield Wait("the sandbox", lambda: header.combo.currentText() == "Sandbox" and "10,000" in header.balance_text)


def options_shown(hands: Hands) -> Any:
    """The page UP42 of the options, None while they are closed."""
    pages = [page for page in hands.iface.mainWindow().findChildren(OptionsPage) if page.isVisible()]
    if pages:
        return pages[0]
    return next((page for top in hands.shown(QDialog) for page in top.findChildren(OptionsPage)), None)


def open_options(hands: Hands) -> Steps:
    """Press the dock's button."""
    hands.click_later(hands.dock.header.options_button)
    yield Wait("the options", lambda: options_shown(hands) is not None and options_shown(hands).isVisible())


def close_options(hands: Hands, agree: bool = False) -> Steps:
    """With OK or with Cancel."""
    window = options_shown(hands).window()
    if agree:
        window.accept()
    else:
        window.reject()
    yield Wait("the options to close", lambda: options_shown(hands) is None)


def _select_connection(page: OptionsPage, name: str) -> None:
    tree: QTreeWidget = page.list
    items = [tree.topLevelItem(row) for row in range(tree.topLevelItemCount())]
    tree.setCurrentItem(next(item for item in items if item.text(0) == name))


def options_page(hands: Hands) -> Steps:
    """A connection that works, and limits."""
    yield from open_options(hands)
    page = options_shown(hands)
    _select_connection(page, COASTAL)
    for name, limit in _LIMITS.items():
        page.limits[name].setValue(limit)
    hands.click(page.test.button)
    yield Wait("a test that passed", lambda: "works" in page.test.verdict.text())
    page.folder.setFilePath("/data/satellite")
    page.window().resize(980, 647)
    yield hands.settled()
    hands.shoot("08-options-page", page.window())
    page.folder.setFilePath("")
    yield from close_options(hands, agree=True)


def edit_connection(hands: Hands) -> Steps:
    """A key that the service does not know."""
    yield from open_options(hands)
    page = options_shown(hands)
    _select_connection(page, COASTAL)
    hands.click(page.edit_button)
    yield Wait("the dialog", lambda: bool(hands.shown(ConnectionDialog)))
    dialog = hands.shown(ConnectionDialog)[0]
    dialog.key.setText("not the key of this project")
    hands.choose(dialog.keep, "QGIS Authentication Database")
    hands.click(dialog.test.button)
    yield Wait("the test to fail at the sign-in", lambda: dialog.test.verdict.text().startswith("Failed at sign-in"))
    yield hands.settled()
    hands.shoot("08b-connection-dialog", dialog)
    dialog.reject()
    yield from close_options(hands)


def estimation_details(hands: Hands) -> Steps:
    """The price, block by block."""
    before = set(hands.shown(QDialog))
    hands.click_later(hands.button(hands.dock.foot, "Details…"))
    yield Wait("the details", lambda: bool(set(hands.shown(QDialog)) - before))
    dialog = (set(hands.shown(QDialog)) - before).pop()
    yield hands.settled()
    hands.shoot("01g-estimation-details", dialog)
    dialog.reject()


def confirm_live_job(hands: Hands) -> Steps:
    """The question, with the price."""
    hands.click(hands.dock.foot.live_button)
    yield Wait("the confirmation", lambda: bool(hands.shown(ConfirmDialog)))
    dialog = hands.shown(ConfirmDialog)[0]
    yield Wait("its price", dialog.run_button.isEnabled)
    yield hands.settled()
    hands.shoot("07-confirm-live-job", dialog)
    hands.click(dialog.cancel_button)


def build_workflow(hands: Hands) -> Steps:
    """A chain, and a block that can be added to it."""
    hands.dock.workflow.actions_of["edit"].trigger()
    yield Wait("the builder", lambda: bool(hands.shown(WorkflowBuilder)))
    builder = hands.shown(WorkflowBuilder)[0]
    yield Wait("the blocks", lambda: builder.offers.rowCount() > 0)
    hands.click(builder.misfits, QPoint(10, builder.misfits.height() // 2))
    yield Wait("the verdict", lambda: builder.verdict.text == "The service accepts this chain.")
    for row in range(builder.shown_offers.rowCount()):
        index = builder.shown_offers.index(row, 0)
        if "Sharpening" in str(index.data()):
            builder.offer_view.setCurrentIndex(index)
    if builder.candidate is None:
        raise UnreachableError("The builder does not offer sharpening.")
    yield Wait("the details of the block", lambda: builder.details_title.text().startswith("Sharpening"))
    yield hands.settled()
    hands.shoot("04-workflow-builder", builder)
    builder.reject()
