"""The help that comes with the plugin: pages opened in the person's browser, at the place in question."""

from __future__ import annotations

from enum import Enum

from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices

from up42_plugin.resources import resource_path


class Topic(str, Enum):
    """A page below ``resources/help``, with a place in it."""

    START = "index.html"
    AREA = "areas.html#area"
    WORKFLOW = "workflows.html#builder"
    JSON = "parameters.html#json"
    LIVE_JOB = "running.html#live-jobs"
    OLD_OUTPUTS = "outputs.html#space"
    WEBHOOKS = "running.html#webhooks"
    CONNECTION = "connections.html#connection"
    OPTIONS = "connections.html#options"


def help_url(topic: Topic) -> QUrl:
    """The address of a page on this computer."""
    page, _, place = topic.value.partition("#")
    url = QUrl.fromLocalFile(str(resource_path("help", page)))
    url.setFragment(place)
    return url


def show_help(topic: Topic) -> None:
    """Open a page in the browser."""
    QDesktopServices.openUrl(help_url(topic))
