"""The tree of jobs: it changes only what changed, and stays quick with ten thousand of them."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from jobs_kit import NOW, clock, entry, many, ours, pictured, task
from qgis.PyQt.QtCore import QItemSelectionModel, Qt
from qgis.PyQt.QtTest import QAbstractItemModelTester, QTest

from up42_plugin.core.job_search import JobFilter
from up42_plugin.core.jobs import Mode
from up42_plugin.gui.job_cells import KIND_ROLE, SECOND_LINE_ROLE, Column
from up42_plugin.gui.jobs_model import STEP, JobsModel
from up42_plugin.gui.jobs_rows import Kind, Older, removals, runs_of_new
from up42_plugin.gui.jobs_view import JobsView

N = "\u00a0"
KEY_MS = 50


@pytest.fixture
def model(qtlog):
    """A model whose every step is checked; what Qt finds wrong with it fails the test."""
    model = JobsModel(clock)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    yield model
    wrong = [record.message for record in qtlog.records if "FAIL!" in record.message]
    assert not wrong
    del tester


@pytest.fixture
def view(model, shown):
    return shown(JobsView(model))


def rows(model, mode=Mode.LIVE):
    section = model.section(mode)
    return [model.index(row, 0, section).data() for row in range(model.rowCount(section))]


def keys(view):
    return [job.key for job in view.selected()]


def select(view, *names):
    model = view.model()
    view.selectionModel().clear()
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for name in names:
        view.selectionModel().select(model.index_of(name), flags)


def told(model):
    """What the model has told its views since."""
    noted = []
    model.modelReset.connect(lambda: noted.append("reset"))
    model.rowsInserted.connect(lambda _parent, first, last: noted.append(f"inserted {first}-{last}"))
    model.rowsRemoved.connect(lambda _parent, first, last: noted.append(f"removed {first}-{last}"))
    model.layoutChanged.connect(lambda: noted.append("moved"))
    model.dataChanged.connect(lambda index, _last: noted.append(f"changed {index.data()}"))
    return noted


def test_two_sections_with_their_numbers(model):
    model.show_entries(pictured())
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == ["Live jobs (5)", "Test queries (4)"]
    assert rows(model)[:2] == ["Taormina super-resolution", "Etna NDVI, June"]
    assert rows(model, Mode.TEST_QUERY)[0] == "Taormina, Contains"


def test_the_rows_read_as_in_the_pictures(model):
    model.show_entries(pictured())

    def cells(index):
        texts = [index.data(SECOND_LINE_ROLE), *(index.siblingAtColumn(column).data() for column in (1, 2))]
        return tuple(text.replace(N, " ") for text in texts)

    seen = {
        key: cells(model.index_of(key)) for key in ("taormina", "etna", "harbour", "messina", "contains", "december")
    }
    assert seen == {
        "taormina": ("10:44, 3 min, block 2/2", "Running", "13 held"),
        "etna": ("20 Nov, 6 min, loaded", "Succeeded", "48"),
        "harbour": ("19 Nov, no images found", "Failed", "0"),
        "messina": ("12 Nov, after 9 min", "Cancelled", "2"),
        "contains": ("10:42, 4 s", "1 scene", "0"),
        "december": ("18 Nov, 3 s", "No scenes", "0"),
    }
    parent = model.index_of("taormina")
    blocks = [cells(model.index(row, 0, parent)) for row in range(model.rowCount(parent))]
    assert blocks == [("10:44, 1 min", "Succeeded", "1"), ("10:45, 2 min so far", "Running", "")]
    waiting = model.index(1, 0, model.index_of("harbour"))
    assert cells(waiting) == ("waits for block 1", "Not started", "")
    assert model.index_of("taormina").data(Qt.ItemDataRole.AccessibleTextRole).replace(N, " ") == (
        "Taormina super-resolution, Running, 10:44, 3 min, block 2/2, 13 held credits"
    )


def test_nothing_is_told_when_nothing_changed(model):
    model.show_entries(pictured())
    noted = told(model)
    entries = model._newest
    assert not model.show_entries(entries)
    assert noted == []
    assert model.show_entries(entries[1:])
    assert noted


def test_one_change_is_one_change_and_selection_and_opened_rows_stay(model, view):
    entries = list(pictured())
    model.show_entries(entries)
    view.expand(model.index_of("taormina"))
    select(view, "siracusa", "etna")
    noted = told(model)
    entries[0] = replace(entries[0], word="SUCCEEDED")
    model.show_entries(entries)
    assert set(noted) == {"changed Taormina super-resolution", "changed Sentinel-2 L2A (SAFE)"}
    model.show_entries([entry("new", "Newest"), *entries])
    assert "inserted 0-0" in noted
    assert "changed Live jobs (6)" in noted
    assert "reset" not in noted
    assert rows(model)[0] == "Newest"
    assert keys(view) == ["etna", "siracusa"]
    assert view.isExpanded(model.index_of("taormina"))


def test_sorting_moves_rows_with_their_selection_and_blocks(model, view):
    model.show_entries(pictured())
    view.expand(model.index_of("harbour"))
    select(view, "messina")
    block = view.model().index(1, 0, model.index_of("harbour"))
    assert block.data() == "Pan-sharpening"
    view.sortByColumn(Column.JOB, Qt.SortOrder.AscendingOrder)
    assert rows(model)[0] == "Etna NDVI, June"
    assert rows(model, Mode.TEST_QUERY)[0] == "Etna, June"
    assert keys(view) == ["messina"]
    assert view.isExpanded(model.index_of("harbour"))
    assert not view.isExpanded(model.index_of("etna"))
    view.sortByColumn(Column.CREDITS, Qt.SortOrder.DescendingOrder)
    assert rows(model)[:3] == ["Etna NDVI, June", "Siracusa clusters", "Taormina super-resolution"]


def test_a_filter_hides_and_brings_back(model, view):
    model.show_entries(pictured())
    view.setCurrentIndex(model.index_of("siracusa"))
    model.set_filter(JobFilter("taormina"))
    assert rows(model) == ["Taormina super-resolution"]
    assert model.section(Mode.LIVE).data() == "Live jobs (1 of 5)"
    assert keys(view) == []  # nothing else is selected in the place of what went
    model.set_filter(JobFilter(statuses=frozenset({"FAILED"})))
    assert rows(model) == ["Harbour pan-sharpening"]
    model.set_filter(JobFilter())
    assert len(rows(model)) == 5
    assert view.isExpanded(model.section(Mode.LIVE))


def test_blocks_are_read_when_a_job_is_opened(model, view, qtbot):
    model.show_entries([entry("k")])
    parent = model.index_of("k")
    assert model.index(0, 0, parent).data() == "Reading its blocks…"
    with qtbot.waitSignal(view.opened) as opened:
        view.expand(parent)
    assert opened.args == ["k"]
    model.show_entries([entry("k", tasks_trouble="No answer within 30 s.")])
    assert model.index(0, 0, model.index_of("k")).data() == "No answer within 30 s."
    model.show_entries(
        [entry("k", tasks=(task(1, "A", "SUCCEEDED"), task(2, "B", "RUNNING"), task(3, "C", "NOT_STARTED")))]
    )
    assert [model.index(row, 0, model.index_of("k")).data() for row in range(3)] == ["A", "B", "C"]
    assert view.isExpanded(model.index_of("k"))
    model.show_entries([entry("k", tasks=())])
    assert not model.hasChildren(model.index_of("k"))
    with qtbot.waitSignal(view.shut):
        view.collapse(model.index_of("k"))


def test_a_job_that_the_service_does_not_have_has_no_blocks(model):
    model.show_entries([ours()])
    assert not model.hasChildren(model.index_of("ours"))


def test_running_jobs_are_told_anew_as_time_passes(model):
    model.show_entries(pictured())
    noted = told(model)
    model.tick()
    assert noted[0] == "changed Taormina super-resolution"
    assert not [text for text in noted if "Etna" in text]


def test_the_last_row_offers_older_jobs(model, view, qtbot):
    model.show_entries(pictured())
    model.set_older(Older.MORE)
    last = model.index(2, 0)
    assert (last.data(), last.data(KIND_ROLE)) == ("Load older jobs", Kind.OLDER)
    view.setCurrentIndex(last)
    with qtbot.waitSignal(view.older_asked):
        assert view.act_on_current()
    with qtbot.waitSignal(view.older_asked):
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(last).center())
    model.set_older(Older.LOADING)
    assert last.data() == "Loading older jobs…"
    model.set_older(Older.NONE)
    assert model.rowCount() == 2


def test_a_long_list_shows_its_rows_by_and_by(qgis_app):
    model = JobsModel(clock)
    model.show_entries(many(3 * STEP))
    live = model.section(Mode.LIVE)
    assert live.data() == f"Live jobs ({2 * STEP})"
    more = model.index(STEP, 0, live)
    assert (model.rowCount(live), more.data()) == (STEP + 1, f"Show more of {STEP}")
    last = model._matching[Mode.LIVE][-1]
    assert not model.index_of(last).isValid()
    assert model.reveal(last).isValid()
    assert model.rowCount(live) == 2 * STEP


def test_scrolling_to_the_end_shows_more(shown, qtbot):
    model = JobsModel(clock)
    view = shown(JobsView(model))
    model.show_entries(many(3 * STEP))
    live = model.section(Mode.LIVE)
    assert model.rowCount(live) == STEP + 1
    view.scrollTo(model.index(STEP, 0, live))
    qtbot.waitUntil(lambda: model.rowCount(live) == 2 * STEP)


def test_many_changes_at_once_end_as_a_new_model_would(model, view):
    first = many(80)
    model.show_entries(first)
    second = [replace(job, word="FAILED") if number % 5 == 0 else job for number, job in enumerate(first)]
    second = [job for number, job in enumerate(second) if number % 7] + [
        entry(f"extra {number}", started=NOW - timedelta(days=number)) for number in range(12)
    ]
    second.sort(key=lambda job: job.when, reverse=True)
    model.set_filter(JobFilter("a"))
    model.sort(Column.STATE, Qt.SortOrder.AscendingOrder)
    model.show_entries(second)
    fresh = JobsModel(clock)
    fresh.sort(Column.STATE, Qt.SortOrder.AscendingOrder)
    fresh.set_filter(JobFilter("a"))
    fresh.show_entries(second)
    for mode in Mode:
        assert rows(model, mode) == rows(fresh, mode)


@pytest.mark.parametrize(
    ("before", "after"), [("abcdef", "bdf"), ("ace", "abcde"), ("", "ab"), ("abc", ""), ("ab", "xaybz")]
)
def test_removals_and_insertions_make_one_list_of_another(before, after):
    now = list(before)
    for first, last in removals(now, set(after)):
        del now[first : last + 1]
    for first, new in runs_of_new(now, after):
        now[first:first] = new
    assert now == list(after)


def test_typing_and_polling_stay_quick_with_ten_thousand_jobs(shown, qtbot):
    model = JobsModel(clock)
    view = shown(JobsView(model))
    entries = list(many(10_000))
    model.show_entries(entries)

    def seconds(work):
        """Of this thread's own work, the best of three: other processes may be busy beside it."""
        taken = []
        for _ in range(3):
            model.set_filter(JobFilter("nothing has this"))
            began = time.thread_time()
            work()
            view.executeDelayedItemsLayout()
            view.viewport().repaint()
            taken.append(time.thread_time() - began)
        return min(taken)

    for text in ("", "t", "taormina 1", "workflow 7", "999"):
        assert seconds(lambda text=text: model.set_filter(JobFilter(text))) * 1000 < KEY_MS, text
    model.set_filter(JobFilter())
    entries[0] = replace(entries[0], word="SUCCEEDED")
    assert seconds(lambda: model.show_entries(entries)) * 1000 < KEY_MS
