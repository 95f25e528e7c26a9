"""Projects and blocks: what the classic client asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import Any, Dict, Iterator

import pytest
from api_kit import TokenDesk, Waits, tokens_for, transport_to
from scripted_server import Reply, ScriptedServer, data, error

from up42_plugin.api import errors
from up42_plugin.api.classic.client import ClassicClient
from up42_plugin.api.classic.projects import Setting

BLOCK: Dict[str, Any] = {"id": "b1", "name": "aws-s2-l2a", "type": "DATA", "somethingNew": {"x": 1}}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def client(server: ScriptedServer) -> ClassicClient:
    return ClassicClient(transport_to(server.address, Waits()), "p1")


# -- projects


def test_a_project_is_read_from_what_little_is_sure(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/projects/p1", data({"name": "Coast", "workspaceId": "ws", "createdAt": "2022-06-01T09:00:00Z"}))
    project = client.projects.get()
    assert (project.id, project.name, project.workspace_id) == ("p1", "Coast", "ws")
    server.on("GET", "/projects/p1", data({"workspaceId": "ws"}))
    with pytest.raises(errors.AnswerError) as caught:
        client.projects.get()
    assert caught.value.detail == "data.name is missing"


def test_who_is_signed_in(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/users/me", data({"id": "u1", "email": "x@example.org"}))
    assert client.projects.account() == "u1"


SETTINGS = [
    {"id": "1", "name": "MAX_CONCURRENT_JOBS", "value": "1", "range": {"min": 1, "max": 10}},
    {"id": "2", "name": "JOB_QUERY_MAX_AOI_SIZE", "value": "100"},
]


def test_settings_come_as_numbers_with_their_ranges(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/projects/p1/settings", data(SETTINGS))
    assert client.projects.settings() == (
        Setting("MAX_CONCURRENT_JOBS", 1, 1, 10),
        Setting("JOB_QUERY_MAX_AOI_SIZE", 100, None, None),
    )


def test_settings_are_changed_by_the_newer_form_with_all_values(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/projects/p1/settings", data(SETTINGS))
    server.on("POST", "/projects/p1/settings", Reply(201, {"data": SETTINGS, "error": None}))
    client.projects.set_settings({"MAX_CONCURRENT_JOBS": 5})
    (seen,) = server.requests("POST")
    assert seen.json() == {"settings": {"MAX_CONCURRENT_JOBS": "5", "JOB_QUERY_MAX_AOI_SIZE": "100"}}


@pytest.mark.parametrize("status", [404, 405])
def test_settings_are_changed_by_the_older_form_where_the_newer_is_not_known(
    server: ScriptedServer, client: ClassicClient, status: int
) -> None:
    server.on("GET", "/projects/p1/settings", data(SETTINGS))
    server.on("POST", "/projects/p1/settings", error(status, "no such method"))
    server.on("PUT", "/projects/p1/settings", data(SETTINGS))
    client.projects.set_settings({"MAX_CONCURRENT_JOBS": 5})
    (seen,) = server.requests("PUT")
    assert seen.json() == [
        {"name": "MAX_CONCURRENT_JOBS", "value": 5},
        {"name": "JOB_QUERY_MAX_AOI_SIZE", "value": 100},
    ]


def test_a_setting_out_of_its_range_is_refused_in_the_services_words(
    server: ScriptedServer, client: ClassicClient
) -> None:
    server.on("GET", "/projects/p1/settings", data(SETTINGS))
    server.on("POST", "/projects/p1/settings", error(400, 'Field "list[1].value" must be in range Range[1,10]'))
    with pytest.raises(errors.ValidationError, match="must be in range"):
        client.projects.set_settings({"MAX_CONCURRENT_JOBS": 100})
    assert server.requests("PUT") == []


# -- blocks


def test_blocks_are_listed_with_and_without_sign_in(server: ScriptedServer) -> None:
    TokenDesk(server)
    server.on("GET", "/blocks", data([BLOCK]))
    server.on("GET", "/marketplace/blocks", data([BLOCK, {**BLOCK, "id": "b2"}]))
    client = ClassicClient(transport_to(server.address, tokens=tokens_for()), "p1")
    assert [block.id for block in client.blocks.list()] == ["b1"]
    assert [block.id for block in client.blocks.marketplace()] == ["b1", "b2"]
    assert "Authorization" not in server.requests("GET", "/marketplace/blocks")[0].headers


def test_a_whole_block_is_read(server: ScriptedServer, client: ClassicClient) -> None:
    block = {
        **BLOCK,
        "displayName": "Sentinel-2",
        "version": "1.0.10",
        "provider": "ESA",
        "tags": ["Optical"],
        "parameters": {"limit": {"type": "integer", "default": 1}, "broken": None},
        "capabilities": {"input": {}, "output": {"raster": {}}},
        "isDryRunSupported": True,
        "machineName": "SMALL",
        "metadata": {"blockPricingStrategy": {"name": "simple", "unit": "SCENE", "direction": "OUTPUT", "credits": 3}},
        "containerUrl": None,
    }
    server.on("GET", "/blocks/b1", data(block))
    found = client.blocks.get("b1")
    assert (found.title, found.version, found.dry_run, found.machine) == ("Sentinel-2", "1.0.10", True, "SMALL")
    assert found.parameters == {"limit": {"type": "integer", "default": 1}}
    assert found.price is not None
    assert (found.price.credits, found.price.unit, found.price.direction) == (3, "SCENE", "OUTPUT")


@pytest.mark.parametrize(
    ("metadata", "price"),
    [
        ({}, None),
        (None, None),
        ({"pricingStrategy": {"type": "SQUARE_KM_OUTPUT", "credits": 0.5}}, (0.5, "SQUARE_KM", "OUTPUT", {})),
        (
            {
                "pricingStrategy": {"type": "SCENE_INPUT", "credits": 9},
                "blockPricingStrategy": {"unit": "MEGABYTE", "direction": "OUTPUT", "credits": 1},
            },
            (1, "MEGABYTE", "OUTPUT", {}),
        ),
        (
            {
                "blockPricingStrategy": {
                    "name": "job_volume_tiered",
                    "unit": "TILE",
                    "direction": "OUTPUT",
                    "thresholdToCreditsMap": {"1000": {"credits": 3.5}, "0": {"credits": 5}, "x": None},
                }
            },
            (5, "TILE", "OUTPUT", {"0": 5, "1000": 3.5}),
        ),
        ({"blockPricingStrategy": {"name": "new kind"}}, None),
    ],
)
def test_prices_are_read_from_either_strategy(
    server: ScriptedServer, client: ClassicClient, metadata: Any, price: Any
) -> None:
    server.on("GET", "/blocks/b1", data({**BLOCK, "metadata": metadata}))
    found = client.blocks.get("b1").price
    assert (found and (found.credits, found.unit, found.direction, found.tiers)) == price


def test_coverage_is_fetched_from_where_it_lies_without_a_token(server: ScriptedServer) -> None:
    TokenDesk(server)
    server.on("GET", "/blocks/b1/coverage", data({"url": f"{server.address}/coverage.geojson?Signature=hunter2"}))
    server.on("GET", "/coverage.geojson", Reply(200, {"type": "FeatureCollection", "features": []}))
    client = ClassicClient(transport_to(server.address, tokens=tokens_for()), "p1")
    assert client.blocks.coverage("b1")["type"] == "FeatureCollection"
    assert "Authorization" not in server.requests("GET", "/coverage.geojson")[0].headers
    server.on("GET", "/coverage.geojson", error(403, "expired"))
    with pytest.raises(errors.AccessError) as caught:
        client.blocks.coverage("b1")
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize(
    ("reply", "valid", "said"),
    [
        (data({"valid": True, "errors": []}), True, ()),
        (data({"valid": False, "errors": ["#: a"]}), False, ("#: a",)),
        (Reply(400, {"error": None, "data": {"valid": False, "errors": ["#: a", "#: b"]}}), False, ("#: a", "#: b")),
        (error(400, "#: required key [name] not found"), False, ("#: required key [name] not found",)),
        (Reply(400, {"error": None, "data": None}), False, ("not valid",)),
    ],
)
def test_validators_report_in_either_of_their_forms(
    server: ScriptedServer, client: ClassicClient, reply: Reply, valid: bool, said: Any
) -> None:
    server.on("POST", "/validate-schema/block", reply)
    server.on("POST", "/validate-schema/job-input", reply)
    for report in (client.blocks.validate_manifest({"name": ""}), client.blocks.validate_job_input({"a:1": {}})):
        assert (report.valid, report.errors) == (valid, said)


# -- the envelope


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ([], "answer is not an object but list"),
        ({"error": None}, "data is missing"),
        ({"data": None, "error": None}, "data is missing"),
        ({"data": [], "error": None}, "data is not an object but list"),
        ({"data": {"balance": 1}, "error": {"code": 1}}, "a successful answer with an error inside"),
    ],
)
def test_what_is_wrong_with_the_envelope_is_named(
    server: ScriptedServer, client: ClassicClient, body: Any, detail: str
) -> None:
    server.on("GET", "/accounts/me/credits/balance", Reply(200, body))
    with pytest.raises(errors.AnswerError) as caught:
        client.credits.balance()
    assert caught.value.detail == detail


def test_an_empty_error_beside_data_is_no_error(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/accounts/me/credits/balance", Reply(200, {"data": {"balance": 1}, "error": {}}))
    assert client.credits.balance() == 1
