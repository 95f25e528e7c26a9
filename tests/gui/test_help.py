"""Help: every page and place that is referred to is there, and each Help button opens the right one."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from qgis.core import QgsProject
from qgis.PyQt.QtCore import QObject, Qt, QUrl, pyqtSlot
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QDialogButtonBox

from up42_plugin.gui.connection_dialog import ConnectionDialog
from up42_plugin.gui.help_pages import Topic, help_url
from up42_plugin.gui.options_page import OptionsPage, OptionsParts
from up42_plugin.gui.workflow_builder import WorkflowBuilder
from up42_plugin.qgis_bridge.output_places import OutputPlaces
from up42_plugin.resources import resource_path

HELP = resource_path("help")
PAGES = sorted(HELP.glob("*.html"))
VOID = ("meta", "img", "br")


class _Page(HTMLParser):
    """What a page offers and refers to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.places, self.links, self.pictures, self.open = [], [], [], []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        if "id" in known:
            self.places.append(known["id"])
        if tag == "a":
            self.links.append(known["href"])
        if tag == "img":
            self.pictures.append((known["src"], known["alt"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


class Browser(QObject):
    """What the person's browser was asked for."""

    def __init__(self):
        super().__init__()
        self.asked = []

    @pyqtSlot(QUrl)
    def open(self, url):
        self.asked.append(url)


@pytest.fixture
def browser(qgis_app):
    browser = Browser()
    QDesktopServices.setUrlHandler("file", browser, "open")
    yield browser
    QDesktopServices.unsetUrlHandler("file")


@pytest.mark.parametrize("topic", Topic)
def test_every_topic_is_there(topic):
    url = help_url(topic)
    path = Path(url.toLocalFile())
    assert path.is_file()
    assert not url.fragment() or url.fragment() in _Page(path).places


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_are_whole_and_lead_somewhere(path):
    page = _Page(path)
    assert not page.open
    assert len(set(page.places)) == len(page.places)
    for link in page.links:
        name, _, place = link.partition("#")
        target = path.parent / name
        assert target in PAGES, link
        assert not place or place in _Page(target).places, link
    for picture, text in page.pictures:
        assert (path.parent / picture).is_file()
        assert text


def test_every_page_is_reached_from_the_first():
    assert {link.partition("#")[0] for link in _Page(HELP / "index.html").links} == {
        path.name for path in PAGES if path.stem != "index"
    }


def test_the_header_opens_the_first_page(desk_kit, browser):
    desk_kit.open()
    desk_kit.click(desk_kit.dock.header.help_button)
    assert browser.asked == [help_url(Topic.START)]


def test_the_json_window_opens_its_place(desk_kit, browser):
    desk_kit.ready_to_test()
    desk_kit.desk.json_window.open()
    press_help(desk_kit.desk.json_window.window)
    assert browser.asked == [help_url(Topic.JSON)]


def press_help(dialog):
    box = dialog.findChild(QDialogButtonBox)
    QTest.mouseClick(box.button(QDialogButtonBox.StandardButton.Help), Qt.MouseButton.LeftButton)


def test_the_builder_opens_its_place(desk_kit, browser):
    desk_kit.open()
    desk_kit.click(desk_kit.dock.workflow.new_button)
    desk_kit.wait(lambda: desk_kit.dialog(WorkflowBuilder))
    press_help(desk_kit.dialog(WorkflowBuilder))
    assert browser.asked == [help_url(Topic.WORKFLOW)]


def test_the_connection_dialog_opens_its_place(desk_kit, browser):
    desk_kit.open()
    desk_kit.dock.header.add_asked.emit()
    desk_kit.wait(lambda: desk_kit.dialog(ConnectionDialog))
    press_help(desk_kit.dialog(ConnectionDialog))
    assert browser.asked == [help_url(Topic.CONNECTION)]


def test_the_options_page_opens_its_place(desk_kit, browser, shown, log, runner):
    places = OutputPlaces(desk_kit.settings, desk_kit.ledger, QgsProject.instance())
    files = desk_kit.desk.dashboard.commands.files
    page = OptionsPage(OptionsParts(desk_kit.hub, desk_kit.settings, desk_kit.spending, runner, log, places, files))
    shown(page, 700, 700)
    desk_kit.click(page.help_button)
    assert browser.asked == [help_url(Topic.OPTIONS)]
    page.place.show_old()
    press_help(page.place.dialog)
    assert browser.asked[1:] == [help_url(Topic.OLD_OUTPUTS)]
    page.place.dialog.reject()
