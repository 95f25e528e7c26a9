"""The search form: what it says, what it hides, and what a chosen scene does to it."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtCore import QDate, Qt
from qgis.PyQt.QtTest import QTest

from tests.job_samples import SEARCH, STREETS
from tests.staged_provider import scene
from up42_plugin.core.configuration import GeometricFilter
from up42_plugin.gui.search_section import FILTERS, SearchSection, SearchValues

N = "\u00a0"
SAVED = SearchValues(GeometricFilter.BBOX, "2018-12-01", "2021-12-31", 7, 10)


@pytest.fixture
def section(shown, fresh_settings):
    section = shown(SearchSection())
    section.changes = 0

    def count():
        section.changes += 1

    section.changed.connect(count)
    return section


def enabled_filters(section):
    model = section.filter.model()
    return [kind for index, (kind, _, _) in enumerate(FILTERS) if model.item(index).isEnabled()]


def test_each_geometric_filter_says_what_it_means(section):
    meanings = set()
    for index, (_, label, meaning) in enumerate(FILTERS):
        section.filter.setCurrentIndex(index)
        assert section.filter.currentText() == label
        assert section.filter.toolTip() == f"Geometric filter. {meaning}"
        meanings.add(meaning)
    assert len(meanings) == 3


def test_the_last_year_is_asked_for_to_begin_with(section):
    values = section.values
    today = QDate.currentDate()
    assert values.end == today.toString("yyyy-MM-dd")
    assert values.start == today.addYears(-1).toString("yyyy-MM-dd")
    assert values.scene_id == ""


def test_values_can_be_set_and_read(section):
    section.set_values(SAVED)
    assert section.values == SAVED


def test_dates_that_are_none_are_left_alone(section):
    before = section.values
    section.set_values(SearchValues(before.geometric_filter, "soon", "", 1, 20))
    assert (section.values.start, section.values.end) == (before.start, before.end)


def test_numbers_have_units_that_stay_with_them(section):
    assert section.limit.text() == f"1{N}scene"
    section.limit.setValue(7)
    assert section.limit.text() == f"7{N}scenes"
    section.clouds.setValue(10)
    assert section.clouds.text() == f"up to 10{N}%"
    assert section.clouds.toolTip() == "Clouds of the whole scene, not of your area"


def test_slider_and_number_go_together(section):
    section.clouds.setValue(35)
    assert section._slider.value() == 35
    section._slider.setValue(60)
    assert section.clouds.value() == 60


def test_every_change_is_told(section):
    section.filter.setCurrentIndex(1)
    section.limit.setValue(3)
    section.clouds.setValue(3)
    assert section.changes == 3
    section.start.setDateTime(section.start.dateTime().addDays(-1))
    assert section.changes > 3


def test_typing_a_number_counts(section):
    section.limit.setFocus()
    section.limit.selectAll()
    QTest.keyClicks(section.limit.lineEdit(), "5")
    assert section.values.limit == 5


@pytest.mark.parametrize(
    ("label", "start"),
    [
        ("Last 30 Days", QDate.currentDate().addDays(-30)),
        ("Last 12 Months", QDate.currentDate().addMonths(-12)),
        ("This Year", QDate(QDate.currentDate().year(), 1, 1)),
    ],
)
def test_common_times(section, label, start):
    action = next(action for action in section._time_menu.menu().actions() if action.text() == label)
    action.trigger()
    assert section.values.start == start.toString("yyyy-MM-dd")
    assert section.values.end == QDate.currentDate().toString("yyyy-MM-dd")


def test_the_limit_s_maximum_comes_from_the_project(section):
    section.limit.setValue(300)
    section.set_bounds(50, SEARCH)
    assert section.limit.maximum() == 50
    assert section.values.limit == 50
    section.set_bounds(None, SEARCH)
    assert section.limit.maximum() == 500


def test_what_a_block_has_no_parameter_for_has_no_row(section):
    section.set_bounds(500, STREETS.parameters)
    for widget in (section.limit, section.clouds, section._slider, section.scene):
        assert widget.isHidden()
    assert section.start.isVisible()
    section.set_bounds(500, {"bbox": {}})
    assert section.start.isHidden()
    section.set_bounds(500, SEARCH)
    for widget in (section.limit, section.clouds, section.start):
        assert widget.isVisible()


def test_filters_a_block_does_not_take_are_grey_and_say_why(section):
    section.set_bounds(500, STREETS.parameters)
    assert enabled_filters(section) == [GeometricFilter.BBOX]
    assert section.filter.model().item(0).toolTip() == "The data block of this workflow does not offer it."
    section.set_bounds(500, SEARCH)
    assert len(enabled_filters(section)) == 3


class TestScenes:
    def test_none_are_offered_before_a_test_query(self, section):
        assert section.scene.currentText() == "Any that match"
        assert section.scene.isHidden()
        assert "test query" in section.scene.toolTip()

    def test_those_found_are_offered_by_date_and_clouds(self, section):
        section.show_scenes((scene(2), scene(1, acquired=None, cloud_cover=None)))
        texts = [section.scene.itemText(index) for index in range(section.scene.count())]
        assert texts == ["Any that match", f"2026-11-02, 3.4{N}% clouds", "S2B_MSIL2A_1"]
        assert section.scene.itemData(1, Qt.ItemDataRole.ToolTipRole) == "S2B_MSIL2A_2"
        assert section.scene.isVisible()

    def test_choosing_one_makes_time_limit_and_clouds_unused(self, section):
        section.show_scenes((scene(1),))
        section.choose_scene("S2B_MSIL2A_1")
        assert section.values.scene_id == "S2B_MSIL2A_1"
        for widget in (section.start, section.end, section.limit, section.clouds):
            assert not widget.isEnabled()
            assert widget.toolTip() == "Not used: a scene is chosen"
        section.choose_scene("")
        assert section.values.scene_id == ""
        assert section.limit.isEnabled()
        assert section.clouds.toolTip() == "Clouds of the whole scene, not of your area"

    def test_the_choice_stays_while_it_is_on_offer(self, section):
        section.show_scenes((scene(1), scene(2)))
        section.choose_scene("S2B_MSIL2A_2")
        changes = section.changes
        section.show_scenes((scene(2), scene(3)))
        assert section.values.scene_id == "S2B_MSIL2A_2"
        assert section.changes == changes
        section.show_scenes((scene(3),))
        assert section.values.scene_id == ""
        assert section.changes == changes + 1
        assert section.limit.isEnabled()

    def test_a_block_without_ids_drops_the_choice(self, section):
        section.show_scenes((scene(1),))
        section.choose_scene("S2B_MSIL2A_1")
        section.set_bounds(500, STREETS.parameters)
        assert section.values.scene_id == ""


def test_every_field_has_a_name_for_screen_readers(section):
    for widget in (section.filter, section.scene, section.start, section.end, section.limit, section.clouds):
        assert widget.accessibleName()
    assert section._time_menu.accessibleName() == "Common time ranges"


def test_collapsed_it_shows_the_filter(section):
    section.setCollapsed(True)
    assert section.title() == "Search: Contains"
