"""Batches against the sandbox over real HTTP: slots, restarts, refusals, lost answers; each job once."""

from __future__ import annotations

from collections import Counter

import pytest
from plugin_kit import ANALYTIC, confirmation, idle, plugin_in, wait_for
from qgis.core import QgsFeature, QgsGeometry, QgsProject, QgsRectangle, QgsVectorLayer
from qgis.PyQt.QtWidgets import QMessageBox

from up42_plugin.core.connections import ProjectKey
from up42_plugin.core.ledger import SubmissionState
from up42_plugin.core.run import Phase
from up42_plugin.core.tags import split_name

CREATE = "/projects/*/workflows/*/jobs*"
SLOTS = "MAX_CONCURRENT_JOBS"


def select_three(kit):
    """Three features, each of them to be a job of its own."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326", "fields", "memory")
    for index in range(3):
        west = 15.29 + index * 0.02
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(west, 37.844, west + 0.008, 37.85)))
        layer.dataProvider().addFeatures([feature])
    QgsProject.instance().addMapLayer(layer)
    layer.selectAll()
    kit.click(kit.dock.area.per_feature)
    wait_for(lambda: len(kit.desk.new_job.selection.areas) == 3, "the areas", of=kit.situation)


@pytest.fixture
def remote(clean_service):
    yield clean_service
    clean_service.set_limit(SLOTS, 5)


@pytest.fixture
def plugin(own_machine, tmp_path, qgis_app):
    with plugin_in(tmp_path / "plugin") as kit:
        yield kit


def agree(kit, remote, slots, name):
    """Connect, test the three areas, and say yes to three live jobs."""
    remote.set_limit(SLOTS, slots)
    kit.connect(remote.sandbox)
    kit.choose(ANALYTIC)
    select_three(kit)
    kit.click(kit.dock.foot.test_button)
    wait_for(lambda: kit.reason.endswith("3 of 3 areas have scenes."), "the test queries", of=kit.situation)
    wait_for(lambda: "for 3" in kit.dock.foot.estimation.text(), "the price", of=kit.situation)
    dialog = kit.dialog()
    dialog.job_name.setText(name)
    kit.click(dialog.run_button)
    wait_for(lambda: confirmation() is None and kit.dock.runs.batches(), "the batch", of=kit.situation)
    kit.dock.tabs.setCurrentWidget(kit.dock.jobs_page)
    return row_of(kit)


def row_of(kit):
    return kit.dock.runs.batches()[-1][1]


def line(kit, text):
    wait_for(lambda: row_of(kit).line.text() == text, text, of=lambda: f"{row_of(kit).line.text()}; {kit.situation()}")


def on_service(remote, name):
    """How many live jobs of each name the service has."""
    names = [split_name(job["name"])[0] for job in remote.jobs() if job["mode"] == "DEFAULT"]
    return Counter(found for found in names if found.startswith(name))


def once_each(name):
    return Counter(f"{name} {number} of 3" for number in (1, 2, 3))


@pytest.mark.parametrize("slots", [1, 2])
def test_never_more_run_at_once_than_the_project_allows(plugin, remote, slots):
    name = f"Slots {slots}"
    row = agree(plugin, remote, slots, name)
    line(plugin, f"{name}: 3 of 3 jobs done")
    assert on_service(remote, name) == once_each(name)
    sent = [submission for job in plugin.recorded() for submission in job.submissions if name in submission.name]
    # the service refuses what is beyond its limit: nothing was refused
    assert [submission.attempts for submission in sent] == [1, 1, 1]
    wait_for(row.load_button.isVisible, "the outputs")
    plugin.click(row.load_button)
    wait_for(lambda: len(plugin.loaded) >= 6, "the layers", of=plugin.situation)
    assert {run.phase for run in row.runs} == {Phase.LOADED}


def test_jobs_left_when_qgis_was_closed_are_sent_once_and_only_when_it_is_wanted(plugin, remote):
    agree(plugin, remote, 1, "Left")
    wait_for(lambda: on_service(remote, "Left"), "the first job")
    plugin.plugin.unload()  # as QGIS does when it ends
    sent = sum(on_service(remote, "Left").values())
    assert 1 <= sent < 3
    plugin.start()
    plugin.dock.setUserVisible(True)
    key = ProjectKey(remote.sandbox.project_id, remote.sandbox.project_api_key)
    plugin.desk.hub.sign_in(plugin.connection, key, False)
    wait_for(plugin.dock.runs.batches, "what was left", of=plugin.situation)
    line(plugin, f"Left: {3 - sent} of 3 jobs not sent yet.")
    idle()
    assert sum(on_service(remote, "Left").values()) == sent
    plugin.click(row_of(plugin).continue_button)
    line(plugin, f"Left: {3 - sent} of {3 - sent} jobs done")
    assert on_service(remote, "Left") == once_each("Left")


def test_a_refused_area_is_tried_again_alone(plugin, remote):
    row = agree(plugin, remote, 1, "Refused")
    wait_for(lambda: row.runs[0].job is not None, "the first job", of=plugin.situation)
    remote.arm("POST", CREATE, times=1, status=400, body={"error": {"code": 400, "message": "no"}, "data": None})
    wait_for(lambda: any(run.phase is Phase.NOT_SUBMITTED for run in row.runs), "the refusal", of=plugin.situation)
    line(plugin, "Refused: 2 of 3 jobs done, 1 failed")
    failed = next(run for run in row.runs if run.failed)
    plugin.click(row.open_button)
    retry = plugin.dock.runs.row(failed.key).retry_button
    wait_for(lambda: retry.height() > 0, "the opened row")
    plugin.click(retry)
    dialog = wait_for(confirmation, "the confirmation", of=plugin.situation)
    assert dialog.job_name.text() == failed.name
    plugin.click(dialog.run_button)
    line(plugin, "Refused: 3 of 3 jobs done")
    assert on_service(remote, "Refused") == once_each("Refused")


def test_a_lost_answer_in_the_middle_is_no_second_job(plugin, remote):
    row = agree(plugin, remote, 1, "Lost")
    wait_for(lambda: row.runs[0].job is not None, "the first job", of=plugin.situation)
    remote.arm("POST", CREATE, times=1, lose_answer=True)
    line(plugin, "Lost: 3 of 3 jobs done")
    assert remote.armed() == []
    assert on_service(remote, "Lost") == once_each("Lost")
    states = [s.state for job in plugin.recorded() for s in job.submissions if s.name.startswith("Lost")]
    assert states == [SubmissionState.ACCEPTED] * 3


def test_cancel_ends_all_of_it(plugin, remote):
    row = agree(plugin, remote, 1, "Ended")
    plugin.click(row.cancel_button)
    box = wait_for(lambda: plugin.iface.window.findChild(QMessageBox, "cancelBatchQuestion"), "the question")
    plugin.click(next(button for button in box.buttons() if button.text() == "Cancel Jobs"))
    wait_for(lambda: not any(run.busy for run in row.runs), "the end", of=plugin.situation)
    assert row.line.text().endswith(" cancelled")
    assert sum(on_service(remote, "Ended").values()) < 3
