"""The form as a whole: which configuration it asks for, what it costs, and which way is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from qgis.PyQt.QtCore import QDate, QDateTime, QTime

from tests.dock_steps import clip_to_area
from tests.job_samples import DATA_TASK, SENTINEL, SR_TASK, STREETS, SUPER_RESOLUTION, workflow_of
from tests.staged_provider import estimation, scene
from up42_plugin.api.errors import ServerError
from up42_plugin.core.configuration import GeometricFilter
from up42_plugin.core.freshness import TestedQuery
from up42_plugin.core.jobs import Mode
from up42_plugin.core.service import Balance, Limits

N = "\u00a0"
BIG = "Polygon ((15 37, 15.2 37, 15.2 37.2, 15 37.2, 15 37))"
REFUSED = ServerError("UP42 has a problem (500).", status=500)


@pytest.fixture
def kit(desk_kit):
    return desk_kit


def inputs(kit):
    return kit.new_job.form.configuration.inputs(Mode.TEST_QUERY)


def pretend_tested(kit):
    configuration = kit.new_job.form.configuration
    kit.new_job.set_tested(TestedQuery(configuration, "sandbox", datetime.now(timezone.utc), 1))


def set_date(edit, text):
    edit.setDateTime(QDateTime(QDate.fromString(text, "yyyy-MM-dd"), QTime(0, 0)))


class TestTheConfiguration:
    def test_everything_the_form_says_is_asked_for(self, kit):
        kit.ready_to_test()
        search = kit.dock.search
        search.filter.setCurrentIndex(1)
        set_date(search.start, "2018-12-01")
        set_date(search.end, "2021-12-31")
        search.limit.setValue(7)
        search.clouds.setValue(10)
        data = inputs(kit)[DATA_TASK]
        assert data["time"] == "2018-12-01T00:00:00Z/2021-12-31T23:59:59Z" or data["time"].startswith(
            "2018-12-01T00:00:00"
        )
        assert (data["limit"], data["max_cloud_cover"], data["ids"]) == (7, 10, None)
        assert data["intersects"]["type"] == "Polygon"
        assert data["contains"] is data["bbox"] is None

    def test_blocks_that_clip_get_the_area_handed_on(self, kit):
        kit.ready_to_test()
        assert inputs(kit)[SR_TASK]["clip_to_aoi"] is False
        clip_to_area(kit.dock)
        clipped = inputs(kit)[SR_TASK]
        assert clipped["clip_to_aoi"] is True
        assert clipped["contains"] == inputs(kit)[DATA_TASK]["contains"]

    def test_a_chosen_scene_is_asked_for_alone(self, kit):
        kit.ready_to_test()
        kit.dock.search.limit.setValue(7)
        kit.dock.search.show_scenes((scene(1), scene(2)))
        kit.dock.search.choose_scene("S2B_MSIL2A_2")
        data = inputs(kit)[DATA_TASK]
        assert (data["ids"], data["limit"]) == (["S2B_MSIL2A_2"], 1)

    def test_only_what_the_block_knows_is_sent(self, kit):
        streets = workflow_of(STREETS)
        kit.service.answers.update(workflows=(streets,), workflow=lambda _id: streets)
        kit.open()
        kit.dock.search.filter.setCurrentIndex(2)
        kit.select()
        kit.wait(lambda: kit.new_job.ready.can_test)
        assert set(inputs(kit)["openstreetmap:1"]) == {"bbox", "time"}

    def test_an_end_before_the_start_is_told(self, kit):
        kit.ready_to_test()
        set_date(kit.dock.search.start, "2021-12-31")
        set_date(kit.dock.search.end, "2018-12-01")
        assert not kit.foot.test_button.isEnabled()
        assert kit.reason() == kit.foot.test_button.toolTip() == "time: the time range ends before it starts."
        assert kit.foot.estimation.text() == "Not available"

    def test_the_project_s_limit_bounds_the_form(self, kit):
        kit.service.answers["limits"] = Limits(1, 50, 100.0)
        kit.open()
        assert kit.dock.search.limit.maximum() == 50


class TestTheArea:
    def test_it_follows_the_selection_as_it_changes(self, kit):
        layer = kit.ready_to_test()
        layer.removeSelection()
        kit.wait(lambda: kit.reason() == "Choose an area first.")
        assert kit.foot.estimation.text() == "Not available"
        layer.selectAll()
        kit.wait(lambda: kit.new_job.ready.can_test)

    def test_the_box_is_priced_and_told_with_that_filter_only(self, kit):
        kit.ready_to_test()
        kit.dock.search.filter.setCurrentIndex(2)
        assert f"box is 2.12{N}km²" in kit.dock.area.size_text
        kit.dock.search.filter.setCurrentIndex(0)
        assert "box" not in kit.dock.area.size_text

    def test_a_bad_outline_is_the_reason(self, kit):
        kit.open()
        kit.select("Polygon ((15.28 37.84, 15.30 37.85, 15.30 37.84, 15.28 37.85, 15.28 37.84))")
        assert kit.reason().startswith("Mend the area first: ")
        assert kit.foot.test_button.toolTip() == kit.reason()

    def test_too_large_for_a_live_job_is_fine_for_a_test_query(self, kit):
        kit.open()
        kit.select(BIG)
        kit.wait(lambda: kit.new_job.ready.can_test)
        assert kit.reason().startswith(f"Live job: mend the area first, above 100{N}km²")
        assert kit.foot.live_button.toolTip() == kit.reason()
        assert kit.foot.estimation.text() == "Not available"

    def test_separate_parts_are_one_area_for_the_box_only(self, kit):
        kit.open()
        kit.select(
            "MultiPolygon (((15.28 37.84, 15.29 37.84, 15.29 37.85, 15.28 37.84)),"
            " ((15.30 37.84, 15.31 37.84, 15.31 37.85, 15.30 37.84)))"
        )
        assert kit.reason() == "Mend the area first: it has 2 separate parts."
        kit.dock.search.filter.setCurrentIndex(2)
        kit.wait(lambda: kit.new_job.ready.can_test)


class TestThePrice:
    def test_it_comes_by_itself_with_what_is_left(self, kit):
        kit.ready_to_test()
        kit.wait(lambda: kit.new_job.price.estimation is not None)
        assert kit.foot.estimation.text() == f"<b>13–25{N}credits</b>, 2–10{N}min"
        assert kit.foot.balance_after.text() == f"9,975–9,987{N}credits"

    def test_it_is_asked_again_with_every_change_of_the_question(self, kit):
        kit.ready_to_test()
        kit.wait(lambda: kit.new_job.price.estimation is not None)
        kit.service.answers["estimate"] = estimation(39, 75)
        kit.dock.search.limit.setValue(3)
        assert kit.new_job.price.updating
        assert kit.new_job.price.estimation is not None  # the old one stays meanwhile
        kit.wait(lambda: kit.foot.estimation.text().startswith("<b>39–75"))

    def test_a_stale_answer_is_not_shown(self, kit):
        kit.ready_to_test()
        kit.wait(lambda: kit.new_job.price.estimation is not None)
        asked = len(kit.service.called("estimate"))
        kit.service.answers["estimate"] = lambda wanted: estimation(*(2 * [wanted.parameters[DATA_TASK]["limit"]]))
        kit.service.hold("estimate")
        kit.dock.search.limit.setValue(3)
        kit.wait(lambda: len(kit.service.called("estimate")) > asked)
        kit.dock.search.limit.setValue(4)
        kit.service.let_go("estimate")
        kit.wait(lambda: kit.foot.estimation.text().startswith(f"<b>4{N}credits"))
        kit.idle()
        assert kit.foot.estimation.text().startswith(f"<b>4{N}credits")

    def test_a_refusal_is_not_zero_and_can_be_asked_again(self, kit):
        kit.service.answers["estimate"] = REFUSED
        kit.ready_to_test()
        kit.wait(lambda: kit.foot.estimation.toolTip() == REFUSED.user_message)
        assert kit.foot.estimation.text() == "Not available"
        assert kit.foot.balance_after.isHidden()
        kit.service.answers["estimate"] = estimation()
        kit.click(kit.dock.header.refresh_button)
        kit.wait(lambda: kit.foot.estimation.text().startswith("<b>13–25"))

    def test_a_balance_that_comes_later_is_used(self, kit):
        kit.service.hold("balance")
        kit.open(connected=False)
        kit.sandbox.started.emit({"base_url": "http://127.0.0.1:1", "project_id": "p", "project_api_key": "k"})
        kit.select()
        kit.wait(lambda: kit.new_job.price.estimation is not None)
        assert kit.foot.balance_after.isHidden()
        kit.service.let_go("balance")
        kit.wait(kit.foot.balance_after.isVisible)


class TestFreshness:
    def test_a_fresh_test_opens_the_way(self, kit):
        kit.ready_to_test()
        pretend_tested(kit)
        assert kit.foot.live_button.isEnabled()
        assert kit.reason().startswith("Tested today ")

    def test_a_day_later_it_is_too_old_even_when_nothing_was_touched(self, kit):
        kit.ready_to_test()
        pretend_tested(kit)
        kit.new_job._clock = lambda: datetime.now(timezone.utc) + timedelta(hours=25)
        kit.click(kit.foot.live_button)
        assert kit.live_runs() == []
        assert kit.reason() == f"The test query is older than 24{N}hours. Test again before a live job."
        assert not kit.foot.live_button.isEnabled()

    def test_one_of_another_connection_does_not_count(self, kit):
        kit.ready_to_test()
        configuration = kit.new_job.form.configuration
        kit.new_job.set_tested(TestedQuery(configuration, "account", datetime.now(timezone.utc), 1))
        assert kit.reason() == "Live job: run the free test query first."
        assert kit.new_job.tested is None

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            (lambda kit: kit.dock.search.filter.setCurrentIndex(1), "Filter"),
            (lambda kit: set_date(kit.dock.search.start, "2018-12-01"), "Time"),
            (lambda kit: kit.dock.search.limit.setValue(5), "Limit"),
            (lambda kit: kit.dock.search.clouds.setValue(3), "Clouds"),
            (lambda kit: kit.select(BIG.replace("15.2", "15.05").replace("37.2", "37.05"), "elsewhere"), "Area"),
        ],
    )
    def test_each_change_is_named(self, kit, change, word):
        kit.ready_to_test()
        pretend_tested(kit)
        change(kit)
        assert kit.reason() == f"Changed since the test query: {word}. Test again before a live job."

    def test_another_workflow_is_named(self, kit):
        chains = {
            "a": workflow_of(SENTINEL, SUPER_RESOLUTION, workflow_id="a"),
            "b": workflow_of(SENTINEL, workflow_id="b"),
        }
        kit.service.answers.update(workflows=tuple(chains.values()), workflow=chains.get)
        kit.ready_to_test()
        pretend_tested(kit)
        kit.dock.workflow.combo.setCurrentIndex(1)
        assert kit.reason().startswith("Changed since the test query: Workflow")


def test_a_balance_below_the_floor_closes_the_way_to_live_jobs(kit):
    kit.service.answers["balance"] = Balance(840, 1_000)
    kit.ready_to_test()
    kit.wait(lambda: kit.reason().startswith("Balance too low"))
    assert kit.foot.test_button.isEnabled()
    assert not kit.foot.live_button.isEnabled()


def test_a_filter_the_block_does_not_take_is_told(kit):
    block = replace(
        SENTINEL, parameters={name: spec for name, spec in SENTINEL.parameters.items() if name != "contains"}
    )
    chain = workflow_of(block)
    kit.service.answers.update(workflows=(chain,), workflow=lambda _id: chain)
    kit.open()
    kit.select()
    assert kit.dock.search.values.geometric_filter is GeometricFilter.CONTAINS
    kit.wait(lambda: "takes the filter" in kit.reason())
    assert not kit.foot.test_button.isEnabled()
    kit.dock.search.filter.setCurrentIndex(1)
    assert kit.foot.test_button.isEnabled()
