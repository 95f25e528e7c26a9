"""Estimation Details: opened from the foot, true to the price while it is open."""

from __future__ import annotations

import pytest
from plugin_kit import SUPERRESOLUTION, TAORMINA, idle, plugin_in, wait_for
from qgis.PyQt.QtWidgets import QDialogButtonBox

from tests.job_samples import DATA_TASK, SR_TASK, chain, taormina
from up42_plugin.api.errors import ServerError
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.estimation import Estimation, Range, TaskEstimate
from up42_plugin.gui.estimation_details import EstimationDetails, PricedJob

N = "\u00a0"


def priced(low=9, high=12):
    """The price of the page about the estimation's details."""
    nothing = Range(0, 0)
    return Estimation(
        (
            TaskEstimate(DATA_TASK, nothing, Range(1, 1), Range(60, 180), nothing, "SQUARE_KM"),
            TaskEstimate(SR_TASK, Range(low, high), Range(3, 12), Range(60, 420), nothing, "MEGABYTE"),
        )
    )


def rows(dialog):
    return [
        [dialog.table.topLevelItem(row).text(column) for column in range(4)]
        for row in range(dialog.table.topLevelItemCount())
    ]


@pytest.fixture
def kit(desk_kit):
    desk_kit.service.answers["estimate"] = priced()
    return desk_kit


@pytest.fixture
def opened(kit):
    kit.ready_to_test()
    kit.wait(kit.foot.details_button.isEnabled)
    kit.click(kit.foot.details_button)
    kit.wait(lambda: kit.dialog(EstimationDetails) is not None)
    return kit.dialog(EstimationDetails)


def test_the_price_by_blocks_what_is_held_and_what_would_lower_it(opened):
    assert rows(opened) == [
        ["Sentinel-2 L2A (SAFE)", "0", "1", f"1–3{N}min"],
        ["Super-resolution Sentinel-2", "9–12", "3–12", f"1–7{N}min"],
        ["Total", "9–12", "4–13", f"2–10{N}min"],
    ]
    total = opened.table.topLevelItem(2)
    assert all(total.font(column).bold() for column in range(4))
    assert opened.summary.text() == f"<b>13–25{N}credits</b> in total, of which 13 are held while the job runs."
    assert "A smaller area" in opened.advice.text()
    assert not opened.isModal()
    assert opened.width() <= 600


def test_it_follows_the_price_while_it_is_open(kit, opened):
    kit.service.answers["estimate"] = priced(20, 30)
    kit.service.hold("estimate")
    kit.dock.search.clouds.setValue(33)
    kit.wait(lambda: opened.summary.text().endswith("updating…"))
    assert not opened.table.isEnabled()
    assert "13–25" in opened.summary.text()
    kit.service.let_go("estimate")
    kit.wait(lambda: f"24–43{N}credits" in opened.summary.text())
    assert opened.table.isEnabled()
    assert rows(opened)[2][1] == "20–30"
    assert "updating" not in opened.summary.text()


def test_without_a_price_it_is_grey_and_says_why(kit, opened):
    kit.service.answers["estimate"] = ServerError("UP42 has a problem (500).", status=500)
    kit.dock.search.clouds.setValue(33)
    kit.wait(lambda: opened.summary.text() == "UP42 has a problem (500).")
    assert not opened.table.isEnabled()
    assert opened.advice.isHidden()
    assert not kit.foot.details_button.isEnabled()
    assert kit.foot.details_button.toolTip() == "UP42 has a problem (500)."


def test_without_an_area_it_says_so(kit):
    layer = kit.ready_to_test()
    kit.wait(kit.foot.details_button.isEnabled)
    kit.click(kit.foot.details_button)
    dialog = kit.dialog(EstimationDetails)
    layer.removeSelection()
    kit.wait(lambda: dialog.summary.text() == "Choose an area first.")


def test_the_button_comes_with_the_first_price_and_says_why_it_is_grey(kit):
    kit.open()
    assert kit.foot.details_button.isHidden()
    kit.service.hold("estimate")
    kit.select()
    kit.wait(lambda: not kit.foot.details_button.isHidden())
    assert not kit.foot.details_button.isEnabled()
    assert kit.foot.details_button.toolTip() == "The price is being read."
    kit.service.let_go("estimate")
    kit.wait(kit.foot.details_button.isEnabled)


def test_it_opens_once_and_closes(kit, opened):
    kit.click(kit.foot.details_button)
    assert kit.dialog(EstimationDetails) is opened
    kit.click(opened.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Close))
    kit.wait(lambda: kit.dialog(EstimationDetails) is None)
    kit.click(kit.foot.details_button)
    kit.wait(lambda: kit.dialog(EstimationDetails) is not None)


def test_several_jobs_are_listed_by_their_names(shown):
    configuration = JobConfiguration.of(chain(), taormina())
    dialog = shown(EstimationDetails())
    dialog.show_jobs([PricedJob(name, configuration, priced()) for name in ("north", "south", "west")])
    assert [row[0] for row in rows(dialog)] == ["north", "south", "west", "Total"]
    assert rows(dialog)[3][1:] == ["27–36", "12–39", f"6–30{N}min"]
    assert dialog.summary.text() == (
        f"<b>39–75{N}credits</b> for 3 jobs in total, of which 39 are held while they run."
    )
    assert dialog.table.headerItem().text(0) == "Job"


def test_several_jobs_that_are_priced_as_one_are_told_by_blocks(shown):
    dialog = shown(EstimationDetails())
    dialog.show_jobs([PricedJob("", JobConfiguration.of(chain(), taormina()), priced(27, 36), number=3)])
    assert rows(dialog)[1][:2] == ["Super-resolution Sentinel-2", "27–36"]
    assert " for 3 jobs in total, of which 31 are held while they run." in dialog.summary.text()


def test_a_real_price_of_the_sandbox(clean_service, tmp_path):
    """The blocks' list prices come with the workflow, so that the advice can name them."""
    with plugin_in(tmp_path / "plugin") as kit:
        kit.connect(clean_service.sandbox)
        kit.choose(SUPERRESOLUTION, limit=3)
        kit.area(TAORMINA)
        kit.dock.search.filter.setCurrentIndex(2)
        wait_for(lambda: not kit.desk.new_job.price.updating and kit.dock.foot.details_button.isEnabled(), "the price")
        kit.click(kit.dock.foot.details_button)
        dialog = kit.desk.estimation.dialog
        assert rows(dialog)[0][0] == "Sentinel-2 L2A (SAFE)"
        words = dialog.advice.text()
        assert words.startswith(f"Super-resolution costs 1{N}credit per{N}MB of output. A smaller area, a limit below")
        assert words.endswith(f"asks for 2.12{N}km², the area has 2.01{N}km²: another filter lowers the price.")
        dialog.grab().save(str(tmp_path / "dialog.png"))
        idle()
