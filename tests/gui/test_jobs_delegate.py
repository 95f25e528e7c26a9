"""What the cells of the list of jobs read where they are too long for their columns."""

from __future__ import annotations

import pytest
from jobs_kit import clock, entry
from qgis.PyQt.QtWidgets import QStyleOptionViewItem

from up42_plugin.core.run import WAITING_TO_DOWNLOAD, Phase
from up42_plugin.gui.job_cells import Column
from up42_plugin.gui.jobs_delegate import broken
from up42_plugin.gui.jobs_model import JobsModel
from up42_plugin.gui.jobs_view import JobsView

NBSP = "\u00a0"


@pytest.fixture
def read(shown):
    """Shows one job; gives the lines of a cell as they are painted, before the style shortens them."""
    model = JobsModel(clock)
    view = shown(JobsView(model), 450)

    def lines(job, column):
        model.show_entries([job])
        index = model.index_of(job.key).siblingAtColumn(column)
        option = QStyleOptionViewItem(view.viewOptions() if hasattr(view, "viewOptions") else QStyleOptionViewItem())
        option.rect = view.visualRect(index)
        option.font, option.fontMetrics = view.font(), view.fontMetrics()
        view.itemDelegate().initStyleOption(option, index)
        return option.text.split("\u2028")

    return lines


def coming(message, percent=-1.0):
    return entry(phase=Phase.FETCHING, message=message, percent=percent)


def test_a_long_state_takes_two_lines_and_is_whole(read):
    assert read(coming("Downloading", 62.0), Column.STATE) == ["Downloading", f"62{NBSP}%"]
    assert read(entry(phase=Phase.PAUSED, percent=7.0), Column.STATE) == ["Paused at", f"7{NBSP}%"]
    assert read(coming(WAITING_TO_DOWNLOAD), Column.STATE) == ["Waiting to", "download"]
    assert read(entry(), Column.STATE) == ["Succeeded"]


def test_jobs_of_a_batch_are_told_apart_by_the_end_of_their_names(read):
    name = read(entry(name="Taormina super-resolution in December, Letojanni"), Column.JOB)[0]
    assert name.startswith("Taormina")
    assert "…" in name
    assert name.endswith("Letojanni")
    assert read(entry(name="Sicily, Letojanni"), Column.JOB)[0] == "Sicily, Letojanni"


@pytest.mark.parametrize(
    ("text", "lines"),
    [("one", ["one"]), ("one two three", ["one two", "three"]), ("a-very-long-word two", ["a-very-long-word", "two"])],
)
def test_a_text_breaks_where_it_still_fits(text, lines):
    assert broken(text, lambda part: len(part) <= 8).split("\u2028") == lines
