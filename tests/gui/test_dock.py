"""The dock as a whole: nothing clipped, everything reached by keyboard, and QGIS's own looks only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from qgis.core import QgsApplication
from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtGui import QFont
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QScrollArea, QToolButton, QWidget

from tests.job_samples import taormina
from tests.staged_connections import STORED
from tests.staged_provider import estimation
from up42_plugin.core.readiness import Readiness
from up42_plugin.core.scenes import Scene
from up42_plugin.core.service import Balance
from up42_plugin.gui import widgets
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.foot import PriceState
from up42_plugin.qgis_bridge.area_sources import AreaState

GUI = Path(widgets.__file__).parent
DESIGN_WIDTH = 380
THEMES = ("default", "Night Mapping")


@pytest.fixture
def dock(shown, fresh_settings):
    """The dock in its fullest state, as wide as it is designed for."""
    font = QFont("DejaVu Sans")
    font.setPointSize(9)
    before = QApplication.font()
    QApplication.setFont(font)
    dock = Up42Dock()
    dock.header.show_connections((STORED,), STORED)
    dock.header.show_balance(Balance(840, 1_000))
    dock.area.show_state(AreaState(taormina(), None, "id", "taormina", 3, what="3 selected features"), box_km2=2.12)
    reason = "Changed since the test query: Time, Clouds. Test again before a live job."
    dock.foot.show_readiness(Readiness(True, False, reason, True), "Try Again")
    dock.foot.show_price(PriceState(estimation(1_300, 2_500), 10_000))
    shown(dock, DESIGN_WIDTH, 800)
    yield dock
    QApplication.setFont(before)


def icon_names():
    sources = " ".join(path.read_text(encoding="utf-8") for path in GUI.glob("*.py"))
    return sorted(set(re.findall(r'"/([A-Za-z0-9_]+\.svg)"', sources)))


def test_the_whole_content_fits_the_width_it_is_designed_for(dock):
    assert dock.minimumSizeHint().width() <= DESIGN_WIDTH
    dock.foot.show_busy(12, "Cancelling the test query")
    QApplication.processEvents()
    assert dock.minimumSizeHint().width() <= DESIGN_WIDTH


def test_nothing_is_clipped_at_that_width(dock):
    area = dock.new_job.findChild(QScrollArea)
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()
    for widget in dock.findChildren(QWidget):
        if widget.isVisible() and isinstance(widget, (QAbstractButton, QLabel, QComboBox)) and widget.width():
            needed = widget.minimumSizeHint().width()
            assert widget.width() >= min(needed, DESIGN_WIDTH), (widget.objectName(), widget.width(), needed)


def test_the_foot_stays_when_the_form_is_scrolled(dock):
    area = dock.new_job.findChild(QScrollArea)
    assert not area.isAncestorOf(dock.foot)
    assert not area.isAncestorOf(dock.header)
    dock.resize(DESIGN_WIDTH, 420)
    QApplication.processEvents()
    assert dock.foot.isVisible()
    assert dock.rect().contains(dock.foot.mapTo(dock, dock.foot.rect().bottomRight()))


def test_tab_goes_through_it_in_the_order_of_deciding(dock, qtbot):
    dock.activateWindow()
    qtbot.waitActive(dock)
    dock.header.combo.setFocus()
    dock.search.show_scenes((Scene("f-1", "S2B_1", "j-1", {}, (15.2, 37.8, 15.4, 37.9)),))
    wanted = [
        dock.header.combo,
        dock.header.refresh_button,
        dock.area.zoom_button,
        dock.workflow.combo,
        dock.search.filter,
        dock.search.scene,
        dock.search.start,
        dock.search.end,
        dock.search._time_menu,
        dock.search.limit,
        dock.search.clouds,
        dock.foot.again_button,
        dock.foot.test_button,
        dock.foot.live_button,
    ]
    for widget in wanted:
        widget.setEnabled(True)
    reached = []
    for _ in range(60):
        focused = QApplication.focusWidget()
        found = next((widget for widget in wanted if widget is focused or widget.isAncestorOf(focused)), None)
        if found is not None and found not in reached:
            reached.append(found)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert [widget.objectName() for widget in reached] == [widget.objectName() for widget in wanted]


def test_there_is_no_default_button(dock):
    for button in dock.findChildren(QAbstractButton):
        assert not getattr(button, "isDefault", bool)()


def test_no_alt_letter_fights_with_the_main_menu(dock):
    for widget in [*dock.findChildren(QLabel), *dock.findChildren(QAbstractButton)]:
        assert not re.search("&[A-Za-z]", widget.text()), widget.text()


def test_what_has_no_text_has_a_name_for_screen_readers(dock):
    for button in dock.findChildren(QToolButton):
        if (
            button.objectName()
            and not button.objectName().startswith(("qt_", "collapse", "Scroll"))
            and not button.text()
        ):
            assert button.accessibleName(), button.objectName()
            assert button.toolTip(), button.objectName()
    for combo in dock.findChildren(QComboBox):
        assert combo.accessibleName(), combo.objectName()


def test_labels_have_no_colon_at_their_end(dock):
    for label in dock.findChildren(QLabel):
        assert not label.text().rstrip().endswith(":"), label.text()


def test_it_tells_when_it_is_opened_and_closed(dock, qtbot):
    assert isinstance(dock, QgsDockWidget)
    assert dock.objectName() == "Up42Dock"
    with qtbot.waitSignal(dock.closed):
        dock.close()
    with qtbot.waitSignal(dock.opened):
        dock.show()


@pytest.mark.parametrize("name", icon_names())
@pytest.mark.parametrize("theme", THEMES)
def test_every_icon_is_one_of_qgis_and_can_be_seen(qgis_app, theme, name):
    """A theme without an icon of its own takes the default one; then it must be there."""
    places = [Path(QgsApplication.pkgDataPath()) / "resources" / "themes" / theme / "icons" / name]
    known = any(place.is_file() for place in places) or not QgsApplication.getThemeIcon(f"/{name}").isNull()
    assert known
    image = QgsApplication.getThemeIcon(f"/{name}").pixmap(QSize(16, 16)).toImage()
    seen = [image.pixelColor(x, y).alpha() > 60 for x in range(image.width()) for y in range(image.height())]
    assert sum(seen) >= 12, name


def test_there_are_icons_to_look_at():
    assert len(icon_names()) > 8


def test_nothing_brings_its_own_colours_or_styles():
    for path in sorted(GUI.glob("*.py")):
        source = path.read_text(encoding="utf-8")
        assert "setStyleSheet" not in source, path.name
        assert "setPalette" not in source, path.name
        assert "QColor" not in source or path.name == "area_outline.py", path.name  # on the map, not in the interface


def test_nothing_is_added_to_the_project_by_opening_it(desk_kit):
    desk_kit.open()
    assert desk_kit.iface.canvas.layerCount() == 0
