"""The states of the tab Jobs."""

from __future__ import annotations

from typing import Any

from picture_hands import Hands, Steps, Wait
from qgis.PyQt.QtCore import QPoint

from up42_plugin.gui.confirm_dialog import ConfirmDialog

_HEIGHT = 620


def jobs(hands: Hands) -> Steps:
    """A live job runs, opened to its blocks; test queries below."""
    hands.click(hands.dock.foot.live_button)
    yield Wait("the confirmation", lambda: bool(hands.shown(ConfirmDialog)))
    dialog = hands.shown(ConfirmDialog)[0]
    yield Wait("its price", dialog.run_button.isEnabled)
    hands.click(dialog.run_button)
    hands.dock.tabs.setCurrentWidget(hands.dock.jobs_page)
    tab = hands.dock.jobs
    yield from hands.size_dock(_HEIGHT)
    yield Wait("the running job", lambda: _running(hands) is not None)
    entry = _running(hands)
    tab.select_job(entry.key)
    tab.view.expand(tab.model.index_of(entry.key))
    yield Wait("its blocks", lambda: bool(_entry(hands, entry.key).tasks))
    yield Wait("the running job", lambda: _entry(hands, entry.key).word == "RUNNING")
    yield hands.settled()
    hands.shoot("06-jobs", hands.dock)


def live_menu(hands: Hands) -> Steps:
    """What can be done with a live job."""
    entry = next(entry for entry in _entries(hands) if entry.live)
    yield from _shoot_menu(hands, entry.key, "06b-jobs-menu")


def test_menu(hands: Hands) -> Steps:
    """What can be done with a test query."""
    entry = next(entry for entry in _entries(hands) if not entry.live and entry.succeeded)
    yield from _shoot_menu(hands, entry.key, "06c-jobs-test-query-menu")
    hands.dock.tabs.setCurrentWidget(hands.dock.new_job)


def _shoot_menu(hands: Hands, key: str, name: str) -> Steps:
    tab = hands.dock.jobs
    tab.select_job(key)
    menu = tab.menu()
    menu.popup(tab.mapToGlobal(QPoint(20, 40)))
    yield Wait("the menu", menu.isVisible)
    yield hands.settled()
    hands.shoot(name, menu)
    menu.close()


def _entries(hands: Hands) -> Any:
    return hands.desk.dashboard.jobs.list.entries(hands.desk.hub.current.id)


def _entry(hands: Hands, key: str) -> Any:
    return hands.desk.dashboard.jobs.list.entry(key)


def _running(hands: Hands) -> Any:
    return next((entry for entry in _entries(hands) if entry.live and entry.running and entry.job_id), None)
