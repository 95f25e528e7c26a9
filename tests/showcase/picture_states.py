"""The states of the pictures, in the order in which they are reached, each from the one before."""

from __future__ import annotations

from typing import Any, Tuple

from picture_areas import AREAS_LAYER, LARGE, THREE, add_layer
from picture_dialogs import (
    batch_service,
    build_workflow,
    confirm_live_job,
    connect,
    edit_connection,
    estimation_details,
    options_page,
)
from picture_hands import Hands, State, Steps, UnreachableError, Wait
from picture_jobs import jobs, live_menu, test_menu
from picture_outputs import change_folder, downloading, old_outputs, options, stand_in, styles
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QDate, QDateTime, QTime
from qgis.PyQt.QtWidgets import QLabel

WORKFLOW = "Sentinel-2 L2A → Super-resolution"
FIRST, LAST, CLOUDS = QDate(2018, 12, 1), QDate(2021, 12, 31), 10
_CLEAR = 2
_DOCK, _TALL, _TALLEST = 790, 850, 900
_TEST_FIRST = "Live job: run the free test query first."


def layer_of_areas() -> QgsVectorLayer:
    """The layer with all the areas."""
    return QgsProject.instance().mapLayersByName(AREAS_LAYER)[0]


def begin(hands: Hands) -> Steps:
    """The dock open, two connections added, a layer on the map."""
    hands.tidy_window()
    add_layer(AREAS_LAYER, QgsProject.instance())
    hands.dock.setUserVisible(True)
    yield from connect(hands)
    # only now: the first layer on the map brings its own
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:32633"))


def fill_form(hands: Hands) -> Steps:
    """The search of the sample, and one parameter that differs from its default."""
    dock = hands.dock
    yield Wait("the workflows", lambda: dock.workflow.combo.findText(WORKFLOW) >= 0)
    hands.choose(dock.workflow.combo, WORKFLOW)
    yield Wait("the form of the workflow", lambda: len(dock.parameters.forms) == 2)
    search = dock.search
    search.filter.setCurrentIndex(0)
    set_time(search.start, FIRST)
    set_time(search.end, LAST)
    search.limit.setValue(1)
    search.clouds.setValue(CLOUDS)
    clip = dock.parameters.form_of("s2-superresolution:1").editors["clip_to_aoi"].box
    if not clip.isChecked():
        clip.click()


def set_time(edit: Any, date: QDate) -> None:
    """Midnight of a date."""
    edit.setDateTime(QDateTime(date, QTime(0, 0)))


def empty(hands: Hands) -> Steps:
    """Nothing is selected in the layer that was last selected in."""
    yield from fill_form(hands)
    hands.select(layer_of_areas(), "Taormina")
    yield hands.area("2.01 km²")
    hands.select(layer_of_areas())
    yield hands.area("No feature selected")
    yield hands.reason("Choose an area first.")
    yield from hands.shoot_dock("01d-new-job-empty", _DOCK)


def ready(hands: Hands) -> Steps:
    """An area and its price; no test query yet."""
    hands.select(layer_of_areas(), "Taormina")
    yield hands.area("2.01 km²")
    hands.click(hands.dock.area.zoom_button)
    yield hands.priced()
    yield hands.reason(_TEST_FIRST)
    yield from hands.shoot_dock("01-new-job", _DOCK)


def running(hands: Hands) -> Steps:
    """Some seconds into a test query; how many depends on how long the sandbox takes."""
    foot = hands.dock.foot
    told = foot.findChild(QLabel, "testQueryRunning")
    hands.select(layer_of_areas(), "Taormina")
    yield hands.area("2.01 km²")
    hands.click(hands.dock.area.zoom_button)
    yield hands.priced()
    yield hands.reason(_TEST_FIRST)
    yield from hands.size_dock(_DOCK)
    hands.click(foot.test_button)
    begun = ("", *(f"Test query running, {second}\u00a0s" for second in range(2)))
    yield Wait("the next seconds of the test query", lambda: told.isVisible() and told.text() not in begun)
    hands.shoot("01f-new-job-running", hands.dock)


def tested(hands: Hands) -> Steps:
    """The test query has found a scene."""
    yield hands.reason("Tested today ")
    yield hands.priced()
    yield from hands.shoot_dock("01b-new-job-tested", _DOCK)


def changed(hands: Hands) -> Steps:
    """The form is another one than the one tested."""
    search = hands.dock.search
    set_time(search.start, FIRST.addMonths(1))
    search.clouds.setValue(2 * CLOUDS)
    yield hands.reason("Changed since the test query: Time, Clouds. Test again before a live job.")
    yield hands.priced()
    yield from hands.shoot_dock("01c-new-job-changed", _DOCK)
    set_time(search.start, FIRST)
    search.clouds.setValue(CLOUDS)


def json_error(hands: Hands) -> Steps:
    """A number in the text that is not allowed."""
    presets, json = hands.dock.presets, hands.dock.parameters.json
    hands.click(presets.json_button)
    yield Wait("the text", lambda: f'"max_cloud_cover": {CLOUDS}' in json.text)
    json.editor.setText(json.text.replace(f'"max_cloud_cover": {CLOUDS}', '"max_cloud_cover": 140'))
    yield hands.reason("Line ")
    yield Wait("the mark", lambda: bool(json.marks))
    if "0 to 100 allowed, not 140" not in hands.dock.foot.reason.text:
        raise UnreachableError(hands.dock.foot.reason.text)
    hands.click(hands.dock.foot.line_button)
    yield from hands.shoot_dock("03-new-job-json-error", _TALL)
    json.editor.setText(json.text.replace('"max_cloud_cover": 140', f'"max_cloud_cover": {CLOUDS}'))
    yield Wait("the text without the error", lambda: not json.marks)
    hands.click(presets.form_button)
    yield Wait("the form", hands.dock.search.isVisible)


def area_problem(hands: Hands) -> Steps:
    """Two parts that are too small together, with a button for each."""
    hands.select(layer_of_areas(), "Islets")
    yield hands.area("0.07 km²")
    problem = hands.dock.area.problem
    for name in ("Join Parts", "Enlarge"):
        yield Wait(f"the button {name}", lambda name=name: problem.button(name) is not None)
    yield hands.reason("Mend the area first: it has 2 separate parts.")
    yield from hands.shoot_dock("02-new-job-area-problem", _TALL)


def area_mended(hands: Hands) -> Steps:
    """The parts joined: the new outline solid, the old ones dashed."""
    area = hands.dock.area
    hands.click(area.problem.button("Join Parts"))
    yield Wait("the mended area", lambda: "Mended: parts joined" in area.problem.text)
    hands.click(area.zoom_button)
    yield hands.priced()
    canvas = hands.iface.mapCanvas()
    yield Wait("the map", lambda: not canvas.isDrawing())
    yield hands.settled()
    hands.shoot("02c-area-mended-on-map", hands.iface.mainWindow())
    hands.click(area.problem.button("Undo"))


def area_too_large(hands: Hands) -> Steps:
    """Three neighbours, above the project's limit for live jobs."""
    hands.select(layer_of_areas(), *LARGE)
    yield Wait("the size", lambda: "3 selected features" in hands.dock.area.size_text)
    yield Wait("the button", lambda: hands.dock.area.problem.button("Split in 2") is not None)
    yield hands.reason("Live job: mend the area first, above 100")
    yield from hands.shoot_dock("02b-new-job-area-too-large", _TALL)


def batch(hands: Hands) -> Steps:
    """Three areas, a job for each, on the sandbox inside of QGIS."""
    yield from batch_service(hands)
    yield from fill_form(hands)
    hands.dock.search.clouds.setValue(_CLEAR)
    hands.select(layer_of_areas(), *THREE)
    yield hands.area("3 selected features")
    each = hands.button(hands.dock.area, "One job per feature")
    if not each.isChecked():
        hands.click(each)
    for form in hands.dock.parameters.forms:
        form.setCollapsed(False)
    yield hands.priced()
    yield hands.reason(_TEST_FIRST)
    hands.click(hands.dock.foot.test_button)
    yield hands.reason("Tested today ")
    if "3 of 3 areas have scenes" not in hands.dock.foot.reason.text:
        raise UnreachableError(hands.dock.foot.reason.text)
    yield hands.priced()
    yield from hands.shoot_dock("01e-new-job-batch-sandbox", _TALLEST)


STATES: Tuple[State, ...] = (
    State("08-options-page", options_page),
    State("08b-connection-dialog", edit_connection),
    State("01d-new-job-empty", empty),
    State("01-new-job", ready),
    State("01g-estimation-details", estimation_details),
    State("03-new-job-json-error", json_error),
    State("04-workflow-builder", build_workflow),
    State("02-new-job-area-problem", area_problem),
    State("02c-area-mended-on-map", area_mended),
    State("02b-new-job-area-too-large", area_too_large),
    State("01f-new-job-running", running),
    State("01b-new-job-tested", tested),
    State("07-confirm-live-job", confirm_live_job),
    State("06-jobs", jobs),
    State("06b-jobs-menu", live_menu),
    State("06c-jobs-test-query-menu", test_menu),
    State("01c-new-job-changed", changed),
    State("01e-new-job-batch-sandbox", batch),
    State("09b-quicklook-stands-in", stand_in),
    State("06d-jobs-downloading", downloading),
    State("06e-jobs-no-room", change_folder),
    State("09c-styles-menu", styles),
    State("08c-options-outputs", options),
    State("08d-delete-old-outputs", old_outputs),
)
