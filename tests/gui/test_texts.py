"""How numbers, prices, times and states read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from qgis.PyQt.QtCore import QDate, QLocale

from tests.staged_provider import estimation
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import JobState
from up42_plugin.gui import texts

N = "\u00a0"


@pytest.fixture(autouse=True)
def english():
    before = QLocale()
    QLocale.setDefault(QLocale("en_US"))
    yield
    QLocale.setDefault(before)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (13, 25, f"13–25{N}credits"),
        (13, 13, f"13{N}credits"),
        (1, 1, f"1{N}credit"),
        (0, 1, f"0–1{N}credits"),
        (0, 0, f"0{N}credits"),
        (9975, 12000, f"9,975–12,000{N}credits"),
        (12.6, 25.4, f"13–25{N}credits"),
    ],
)
def test_credits_have_an_en_dash_without_spaces_and_a_unit_that_stays(low, high, text):
    assert texts.credits_text(Range(low, high)) == text


def test_thousands_are_separated_as_the_person_is_used_to():
    QLocale.setDefault(QLocale("de_DE"))
    assert texts.credits_of(10_000) == f"10.000{N}credits"
    assert texts.area_text(2.014) == f"2,01{N}km²"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (120, 600, f"2–10{N}min"),
        (5, 59, f"under{N}1{N}min"),
        (5, 60, f"1{N}min"),
        (30, 600, f"1–10{N}min"),
        (3600, 7100, f"60–118{N}min"),
        (7200, 18000, f"2–5{N}h"),
    ],
)
def test_processing_times(low, high, text):
    assert texts.minutes_text(Range(low, high)) == text


def test_an_estimation_has_its_price_in_bold():
    assert texts.estimation_text(estimation()) == f"<b>13–25{N}credits</b>, 2–10{N}min"


def test_what_is_left_is_least_when_it_costs_most():
    assert texts.balance_after(10_000, Range(13, 25)) == Range(9_975, 9_987)


@pytest.mark.parametrize(
    ("km2", "text"),
    [
        (2.0149, f"2.01{N}km²"),
        (0.1, f"0.10{N}km²"),
        (0.0712, f"0.07{N}km²"),
        (0.0962, f"0.096{N}km²"),
        (0.0049, f"0.005{N}km²"),
        (148.6, f"148.6{N}km²"),
        (1480, f"1,480.0{N}km²"),
    ],
)
def test_areas(km2, text):
    assert texts.area_text(km2) == text


def test_counts():
    assert texts.count_text(0, "scene") == "no scenes"
    assert texts.count_text(1, "scene") == f"1{N}scene"
    assert texts.count_text(1480, "scene") == f"1,480{N}scenes"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, f"0{N}s"), (4.9, f"4{N}s"), (60, f"1{N}min"), (7199, f"119{N}min"), (7200, f"2{N}h")],
)
def test_durations(seconds, text):
    assert texts.duration_text(seconds) == text


def test_moments():
    now = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)
    assert texts.moment_text(now, now) == f"today {now.astimezone():%H:%M}"
    assert texts.moment_text(now - timedelta(days=48), now).startswith("2026-10-03 ")
    assert texts.date_text(QDate(2021, 9, 18)) == "2021-09-18"


def test_states_in_sentence_case_and_unknown_words_as_they_came():
    assert texts.state_text(JobState.NOT_STARTED, "NOT_STARTED") == "Not started"
    assert texts.state_text(JobState.UNKNOWN, "PONDERING") == "PONDERING"
    for state in JobState:
        text = texts.state_text(state, "word")
        assert text == "word" if state is JobState.UNKNOWN else text[0].isupper()
