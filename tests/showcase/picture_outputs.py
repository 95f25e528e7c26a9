"""The states of outputs: while they come down, when they cannot, and what can be done once they are there."""

from __future__ import annotations

import functools
from typing import Any, List
from unittest import mock

from picture_areas import AREAS_LAYER
from picture_dialogs import close_options, open_options, options_shown
from picture_hands import Hands, Steps, UnreachableError, Wait
from qgis.core import QgsProject
from qgis.PyQt.QtCore import QPoint, Qt, QTimer
from qgis.PyQt.QtGui import QContextMenuEvent
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QDockWidget, QMenu, QScrollArea

from up42_plugin.core import fetching
from up42_plugin.core.run import WAITING_TO_DOWNLOAD
from up42_plugin.gui.confirm_dialog import ConfirmDialog
from up42_plugin.gui.message_actions import CHANGE_FOLDER
from up42_plugin.gui.old_outputs import OldOutputsDialog
from up42_plugin.qgis_bridge.stand_in import STAND_IN

_HEIGHT = 620
_NAME = "Sicily"
_AREAS = 3
_JOBS_WITHIN_S = 120.0
#: Megabytes per second: slow enough for pictures of what comes.
_SLOW = 0.1
_PAUSED_AT, _SHOWN_AT = 20, 60
_FREE = 400_000
_LAYERS_WIDTH = 400
_MENU_WINDOW = (1280, 830)
_CLOSER, _NEAR = 0.6, 12


def stand_in(hands: Hands) -> Steps:
    """Three jobs are done; the output of the first comes slowly, and a quicklook is on the map in its place."""
    yield from _three_jobs(hands)
    yield from _set_downloads(hands, 1, _SLOW)
    first = _live(hands)[0]
    _select(hands, first.key)
    hands.click(hands.dock.jobs.foot.zoom)
    yield from _begin(hands, first.key)
    yield Wait("the quicklook on the map", lambda: _standing() in hands.iface.mapCanvas().layers())
    _tidy_map(hands)
    yield from hands.size_dock(_HEIGHT)
    yield from _drawn(hands)
    if _standing() is None or not _entry(hands, first.key).downloading:
        raise UnreachableError("The output was there before its quicklook.")
    hands.shoot_window("09b-quicklook-stands-in")


def downloading(hands: Hands) -> Steps:
    """One comes down, one is paused, one waits for its turn."""
    paused, coming, waiting = (entry.key for entry in _live(hands))
    yield Wait("some of the first", lambda: _entry(hands, paused).percent >= _PAUSED_AT)
    _select(hands, paused)
    _press(hands, "Pause")
    yield Wait("the pause", lambda: bool(_entry(hands, paused).paused))
    yield from _begin(hands, coming)
    _select(hands, waiting)
    _press(hands, "Load Output")
    _select(hands, coming)
    yield from hands.size_dock(_HEIGHT)
    yield Wait("more than half of the second", lambda: _entry(hands, coming).percent >= _SHOWN_AT)
    hands.shoot("06d-jobs-downloading", hands.dock)
    if _entry(hands, waiting).message != WAITING_TO_DOWNLOAD:
        raise UnreachableError(f"The third does not wait: {_entry(hands, waiting).message}")


def change_folder(hands: Hands) -> Steps:
    """The third does not fit: the disk is told to be full."""
    full = functools.partial(fetching.fetch_output, free_space=lambda _folder: _FREE)
    _, coming, waiting = (entry.key for entry in _live(hands))
    with mock.patch.object(fetching, "fetch_output", full):
        yield from _set_downloads(hands, 1, 0.0)
        yield Wait("the second on the map", lambda: not _entry(hands, coming).fetching)
        _select(hands, waiting)
        notice = hands.dock.jobs.foot.notice
        yield Wait("the notice", lambda: notice.isVisible() and notice.button.text() == CHANGE_FOLDER)
    yield from hands.size_dock(_HEIGHT)
    hands.shoot("06e-jobs-no-room", hands.dock)


def styles(hands: Hands) -> Steps:
    """The menu of a layer of several bands, open at its styles."""
    yield from _all_loaded(hands)
    first = _live(hands)[0]
    _select(hands, first.key)
    hands.click(hands.dock.jobs.foot.zoom)
    layer = _layers_of(first)[0]
    view = hands.iface.layerTreeView()
    view.setCurrentLayer(layer)
    _tidy_map(hands)
    hands.dock.close()
    hands.iface.mainWindow().resize(*_MENU_WINDOW)
    hands.iface.mapCanvas().zoomByFactor(_CLOSER)
    yield from _drawn(hands)
    place = view.visualRect(view.currentIndex()).topLeft() + QPoint(_NEAR, _NEAR)
    asked = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, view.viewport().mapToGlobal(place))
    # the menu has an event loop of its own
    QTimer.singleShot(0, lambda: QApplication.sendEvent(view.viewport(), asked))
    yield Wait("the layer's menu", lambda: _menu() is not None)
    top = _menu()
    yield from _open_submenu(top, "UP42")
    yield from _open_submenu(_menu(), "Style")
    told = [action.text() for action in _menu().actions()]
    if "True Colour" not in told or "False Colour (NIR)" not in told:
        raise UnreachableError(f"The menu of styles offers {told}.")
    yield hands.settled()
    hands.shoot_window("09c-styles-menu")
    while _menu() is not None:
        _menu().close()
    hands.dock.setUserVisible(True)


def options(hands: Hands) -> Steps:
    """Where outputs go and what they take, how many are downloaded at once, and how fast."""
    yield from open_options(hands)
    page = options_shown(hands)
    page.downloads.at_once.setValue(2)
    page.downloads.limit.setValue(12.5)
    yield Wait("what the folder holds", lambda: page.place.use.text().startswith("UP42 outputs here: "))
    page.window().resize(980, 647)
    yield hands.settled()
    bar = page.findChild(QScrollArea).verticalScrollBar()
    bar.setValue(bar.maximum())
    yield hands.settled()
    hands.shoot("08c-options-outputs", page.window())


def old_outputs(hands: Hands) -> Steps:
    """The jobs on disk; one of them ticked."""
    page = options_shown(hands)
    hands.click(page.place.delete_button)
    yield Wait("the dialog", lambda: bool(hands.shown(OldOutputsDialog)))
    dialog = hands.shown(OldOutputsDialog)[0]
    yield Wait("the jobs on disk", lambda: dialog.tree.topLevelItemCount() >= _AREAS)
    dialog.tree.topLevelItem(0).setCheckState(0, Qt.CheckState.Checked)
    yield Wait("what is ticked", dialog.delete_button.isEnabled)
    yield hands.settled()
    hands.shoot("08d-delete-old-outputs", dialog)
    dialog.reject()
    yield from close_options(hands)


# -- the way there


def _three_jobs(hands: Hands) -> Steps:
    """Run the tested jobs of three areas."""
    hands.click(hands.dock.foot.live_button)
    yield Wait("the confirmation", lambda: bool(hands.shown(ConfirmDialog)))
    dialog = hands.shown(ConfirmDialog)[0]
    yield Wait("its price", dialog.run_button.isEnabled)
    dialog.job_name.setText(_NAME)
    hands.click(dialog.run_button)
    hands.dock.tabs.setCurrentWidget(hands.dock.jobs_page)
    yield Wait("the jobs", lambda: sum(entry.succeeded for entry in _live(hands)) == _AREAS, _JOBS_WITHIN_S)


def _set_downloads(hands: Hands, at_once: int, megabytes_per_second: float) -> Steps:
    yield from open_options(hands)
    page = options_shown(hands)
    page.downloads.at_once.setValue(at_once)
    page.downloads.limit.setValue(megabytes_per_second)
    yield from close_options(hands, agree=True)


def _begin(hands: Hands, key: str) -> Steps:
    _select(hands, key)
    _press(hands, "Load Output")
    yield Wait("the download", lambda: bool(_entry(hands, key).downloading))


def _all_loaded(hands: Hands) -> Steps:
    for entry in _live(hands):
        if not _layers_of(entry):
            _select(hands, entry.key)
            hands.click(hands.dock.jobs.foot.first)
            yield Wait("the output", lambda entry=entry: bool(_layers_of(entry)))
    yield Wait("the quicklooks to go", lambda: _standing() is None)


def _select(hands: Hands, key: str) -> None:
    if not hands.dock.jobs.select_job(key):
        raise UnreachableError("A job is not in the list.")


def _press(hands: Hands, text: str) -> None:
    """The first button of the selected job, which must say this."""
    button = hands.dock.jobs.foot.first
    if button.text() != text:
        raise UnreachableError(f"The first button is {button.text()!r}, not {text!r}.")
    hands.click(button)


def _live(hands: Hands) -> List[Any]:
    """The live jobs of the connection, oldest first."""
    entries = hands.desk.dashboard.jobs.list.entries(hands.desk.hub.current.id)
    return [entry for entry in reversed(entries) if entry.live]


def _entry(hands: Hands, key: str) -> Any:
    return hands.desk.dashboard.jobs.list.entry(key)


# -- the map and its layers


def _standing() -> Any:
    layers = QgsProject.instance().mapLayers().values()
    return next((layer for layer in layers if layer.customProperty(STAND_IN)), None)


def _layers_of(entry: Any) -> List[Any]:
    """What is there of a job's output, without what stands in for it."""
    layers = QgsProject.instance().mapLayers().values()
    ours = (layer for layer in layers if layer.customProperty("up42/job_id") == entry.job_id)
    return [layer for layer in ours if not layer.customProperty(STAND_IN)]


def _tidy_map(hands: Hands) -> None:
    """The panel of layers beside the map, no messages, and nothing but outputs."""
    window = hands.iface.mainWindow()
    panel = window.findChild(QDockWidget, "Layers")
    panel.show()
    window.resizeDocks([panel], [_LAYERS_WIDTH], Qt.Orientation.Horizontal)
    hands.iface.messageBar().clearWidgets()
    for group in QgsProject.instance().layerTreeRoot().findGroups():
        if group.name().endswith("(test query)"):
            group.setItemVisibilityChecked(False)
            group.setExpanded(False)
    areas = QgsProject.instance().mapLayersByName(AREAS_LAYER)[0]
    QgsProject.instance().layerTreeRoot().findLayer(areas.id()).setItemVisibilityChecked(False)


def _drawn(hands: Hands) -> Steps:
    canvas = hands.iface.mapCanvas()
    yield hands.settled()
    yield Wait("the map", lambda: not canvas.isDrawing())
    yield hands.settled()


def _menu() -> Any:
    """The menu on top of all others."""
    popup = QApplication.activePopupWidget()
    return popup if isinstance(popup, QMenu) else None


def _open_submenu(menu: QMenu, text: str) -> Steps:
    """Go to an entry and open what is behind it, by the keyboard."""
    action = next((action for action in menu.actions() if action.text().replace("&", "") == text), None)
    if action is None or action.menu() is None:
        raise UnreachableError(f"The menu has no {text}: {[action.text() for action in menu.actions()]}")
    menu.setActiveAction(action)
    QTest.keyClick(menu, Qt.Key.Key_Right)
    yield Wait(f"the menu {text}", lambda: action.menu().isVisible() and _menu() is action.menu())
