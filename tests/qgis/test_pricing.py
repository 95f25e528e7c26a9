"""The live estimation: one question per configuration, stale answers dropped."""

from __future__ import annotations

import pytest
from qgis.core import QgsApplication

from tests.staged_provider import StagedProvider, estimation
from tests.unit.ledger_kit import configuration
from up42_plugin.api.errors import ServerError
from up42_plugin.qgis_bridge import pricing as pricing_module
from up42_plugin.qgis_bridge.pricing import Pricing

WAIT_MS = 20_000
REFUSED = ServerError("UP42 has a problem (500).", status=500)


@pytest.fixture
def provider():
    provider = StagedProvider()
    provider.answers["estimate"] = lambda asked: estimation(limit_of(asked), 2 * limit_of(asked))
    return provider


@pytest.fixture
def pricing(runner, monkeypatch):
    monkeypatch.setattr(pricing_module, "DEBOUNCE_MS", 20)
    pricing = Pricing(runner)
    pricing.said = []
    pricing.asking.connect(lambda: pricing.said.append("asking"))
    pricing.estimated.connect(lambda found: pricing.said.append(found.credits.minimum))
    pricing.failed.connect(lambda error: pricing.said.append(error.user_message))
    yield pricing
    pricing.stop()


def limit_of(asked):
    return asked.parameters["esa-s2-l2a-gtiff-visual:1"]["limit"]


def test_the_price_of_the_last_of_many_changes_is_asked_once(pricing, provider, qtbot):
    for limit in range(1, 8):
        pricing.want(configuration(limit=limit), provider)
    qtbot.waitUntil(lambda: 7 in pricing.said, timeout=WAIT_MS)
    assert [limit_of(asked) for (asked,) in provider.called("estimate")] == [7]
    assert pricing.said == ["asking"] * 7 + [7]


def test_the_same_configuration_is_not_asked_twice(pricing, provider, qtbot):
    pricing.want(configuration(), provider)
    qtbot.waitUntil(lambda: 1 in pricing.said, timeout=WAIT_MS)
    pricing.want(configuration(), provider)
    qtbot.wait(100)
    assert len(provider.called("estimate")) == 1
    assert pricing.said == ["asking", 1]


def test_at_another_connection_it_is_asked_again(pricing, provider, qtbot):
    other = StagedProvider("two")
    other.answers["estimate"] = estimation(99, 99)
    pricing.want(configuration(), provider)
    qtbot.waitUntil(lambda: 1 in pricing.said, timeout=WAIT_MS)
    pricing.want(configuration(), other)
    qtbot.waitUntil(lambda: 99 in pricing.said, timeout=WAIT_MS)


def test_an_answer_that_comes_too_late_is_dropped(pricing, provider, qtbot):
    provider.hold("estimate")
    pricing.want(configuration(limit=1), provider)
    qtbot.waitUntil(lambda: bool(provider.calls), timeout=WAIT_MS)
    pricing.want(configuration(limit=2), provider)
    provider.let_go("estimate")
    qtbot.waitUntil(lambda: 2 in pricing.said, timeout=WAIT_MS)
    assert pricing.said == ["asking", "asking", 2]


def test_an_error_that_comes_too_late_is_dropped(pricing, provider, qtbot):
    provider.answers["estimate"] = [REFUSED, estimation(5, 5)]
    provider.hold("estimate")
    pricing.want(configuration(limit=1), provider)
    qtbot.waitUntil(lambda: bool(provider.calls), timeout=WAIT_MS)
    pricing.want(configuration(limit=2), provider)
    provider.let_go("estimate")
    qtbot.waitUntil(lambda: len(provider.called("estimate")) == 2, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: pricing.said[-1] != "asking", timeout=WAIT_MS)
    assert len(pricing.said) == 3


def test_there_and_back_again_is_asked_anew(pricing, provider, qtbot):
    provider.hold("estimate")
    pricing.want(configuration(limit=1), provider)
    qtbot.waitUntil(lambda: bool(provider.calls), timeout=WAIT_MS)
    pricing.want(configuration(limit=2), provider)
    pricing.want(configuration(limit=1), provider)
    provider.let_go("estimate")
    qtbot.waitUntil(lambda: 1 in pricing.said, timeout=WAIT_MS)
    assert pricing.said == ["asking"] * 3 + [1]


def test_wanting_nothing_drops_what_is_on_its_way(pricing, provider, qtbot):
    provider.hold("estimate")
    pricing.want(configuration(), provider)
    qtbot.waitUntil(lambda: bool(provider.calls), timeout=WAIT_MS)
    pricing.want(None, None)
    provider.let_go("estimate")
    qtbot.waitUntil(lambda: not QgsApplication.taskManager().count(), timeout=WAIT_MS)
    assert pricing.said == ["asking"]


def test_a_refusal_is_told_and_can_be_asked_again(pricing, provider, qtbot):
    provider.answers["estimate"] = [REFUSED, estimation(5, 5)]
    pricing.want(configuration(), provider)
    qtbot.waitUntil(lambda: REFUSED.user_message in pricing.said, timeout=WAIT_MS)
    pricing.want(configuration(), provider)
    pricing.forget()
    pricing.want(configuration(), provider)
    qtbot.waitUntil(lambda: 5 in pricing.said, timeout=WAIT_MS)
    assert pricing.said == ["asking", REFUSED.user_message, "asking", 5]


def test_forgetting_drops_the_question_that_waits(pricing, provider, qtbot):
    pricing.want(configuration(), provider)
    pricing.forget()
    pricing.want(None, None)
    qtbot.wait(100)
    assert provider.calls == []


def test_cancelled_in_the_task_manager_it_is_not_asked_for_ever(pricing, provider, qtbot):
    provider.hold("estimate")
    pricing.want(configuration(), provider)
    qtbot.waitUntil(lambda: bool(provider.calls), timeout=WAIT_MS)
    QgsApplication.taskManager().cancelAll()
    qtbot.waitUntil(lambda: len(pricing.said) == 2, timeout=WAIT_MS)
    assert pricing.said == ["asking", "Asking for the price was cancelled."]
    provider.let_go("estimate")
