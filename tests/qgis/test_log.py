"""The log panel: what is written there, and what never is."""

from __future__ import annotations

import threading

import pytest
from qgis.core import Qgis, QgsApplication

from up42_plugin.api.errors import Cancelled, ServerError
from up42_plugin.qgis_bridge.log import TAB, PanelLog

SECRET = "c2VjcmV0LXNlY3JldA"


@pytest.fixture
def panel():
    return PanelLog()


@pytest.mark.parametrize(
    "line",
    [
        f"GET /projects Authorization: Bearer {SECRET}",
        f"headers {{'Authorization': 'Basic {SECRET}'}}",
        f"https://store.example.org/out.tgz?GoogleAccessId=a&Expires=1&Signature={SECRET}",
        f"Max retries exceeded with url: /bucket/out.tgz?Expires=1&Signature={SECRET} (Caused by",
        f"proxy http://anna:{SECRET}@proxy.example.org:3128 refused",
        f'{{"data": {{"accessToken": "{SECRET}"}}, "access_token": "{SECRET}"}}',
        f"token eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiIxIn0.{SECRET}",
        f'{{"password": "{SECRET}"}}',
        f'{{"secret": "{SECRET}"}}',
    ],
)
def test_secrets_are_not_written(panel, panel_lines, line):
    panel.info(line)
    panel.exception("Calling the service", ServerError("The service has a problem.", line))
    panel.exception("Calling the service", ValueError(line))
    assert len(panel_lines) == 3
    assert SECRET not in "".join(panel_lines)


def test_a_known_key_is_hidden_wherever_it_appears(panel, panel_lines):
    panel.hide("plain-looking-key")
    panel.warning("the service says: key plain-looking-key is not valid")
    assert "plain-looking-key" not in panel_lines[0]
    assert "the service says" in panel_lines[0]


def test_what_is_no_secret_stays_readable(panel, panel_lines):
    line = "Job 5f1c-2b at https://api.example.org/projects/1/jobs: 3 of 40 scenes, token renewed, key figures fine"
    panel.info(line)
    assert panel_lines == [line]


def test_levels_and_tab(panel):
    seen = []

    def note(text, tab, level):
        seen.append((text, tab, level))

    QgsApplication.messageLog().messageReceived.connect(note)
    panel.info("a")
    panel.warning("b")
    panel.error("c")
    QgsApplication.messageLog().messageReceived.disconnect(note)
    assert [entry for entry in seen if entry[1] == TAB] == [
        ("a", "UP42", Qgis.MessageLevel.Info),
        ("b", "UP42", Qgis.MessageLevel.Warning),
        ("c", "UP42", Qgis.MessageLevel.Critical),
    ]


def test_cancelling_is_nothing_to_write_about(panel, panel_lines):
    panel.exception("Download", Cancelled())
    assert panel_lines == []


def test_workers_may_write_too(panel, panel_lines, qtbot):
    thread = threading.Thread(target=lambda: panel.info("from a worker"))
    thread.start()
    thread.join(20)
    qtbot.waitUntil(lambda: panel_lines == ["from a worker"], timeout=20_000)
