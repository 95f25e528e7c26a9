"""The account's storage: how it is asked for, page after page, and what is made of the answers."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, Iterator, List

import pytest
from api_kit import Waits, transport_to
from scripted_server import Reply, ScriptedServer, Seen

from up42_plugin.api import errors
from up42_plugin.api.classic.client import ClassicClient

ASSET: Dict[str, Any] = {
    "id": "a1",
    "createdAt": "2026-11-02T10:09:00.000000Z",
    "name": "DS_PHR1A_202110230957_FR1",
    "size": 1312988151,
    "collectionName": "phr",
    "producerName": "airbus",
    "orderId": "o1",
    "tags": ["qgis", 5],
    "somethingNew": {"x": 1},
}
SQUARE = {"type": "Polygon", "coordinates": [[[1, 2], [3, 2], [3, 4], [1, 4], [1, 2]]]}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def client(server: ScriptedServer) -> ClassicClient:
    return ClassicClient(transport_to(server.address, Waits()), "p1")


def page(*assets: Dict[str, Any], pages: int = 1, **more: Any) -> Reply:
    return Reply(200, {"content": list(assets), "totalPages": pages, **more})


def test_all_pages_are_read_newest_first_and_nothing_twice(server: ScriptedServer, client: ClassicClient) -> None:
    second = {"id": "a2", "size": -1}
    pages: List[Reply] = [page(ASSET, second, pages=2), page(second, {"id": "a3"}, pages=2, last=True)]
    server.on("GET", "/v2/assets", lambda _seen: pages.pop(0))
    found = client.assets.list()
    assert [info.id for info in found] == ["a1", "a2", "a3"]
    assert found[0].created == datetime(2026, 11, 2, 10, 9, tzinfo=timezone.utc)
    assert (found[0].collection, found[0].size, found[0].tags) == ("phr", 1312988151, ("qgis",))
    assert (found[1].name, found[1].created, found[1].size) == ("", None, None)
    asked = [dict(seen.query) for seen in server.requests("GET")]
    assert [query["page"] for query in asked] == ["0", "1"]
    assert {query["sort"] for query in asked} == {"createdAt,desc"}


def test_an_empty_page_ends_the_list_whatever_it_says(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/v2/assets", page(pages=99, last=False))
    assert client.assets.list() == ()
    assert len(server.requests("GET")) == 1


def test_an_envelope_does_no_harm(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/v2/assets/a1/metadata", Reply(200, {"data": ASSET, "error": None}))
    assert client.assets.get("a1").order_id == "o1"


def test_what_cannot_be_read_is_named(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/v2/assets", page(ASSET, {"name": "no id"}))
    with pytest.raises(errors.AnswerError) as caught:
        client.assets.list()
    assert "content[1].id is missing" in caught.value.detail


def test_places_are_read_with_the_token_of_the_next_page(server: ScriptedServer, client: ClassicClient) -> None:
    item = {"geometry": SQUARE, "properties": {"up42-system:asset_id": "a1", "datetime": "2021-10-23T09:57:00Z"}}
    following = [{"rel": "next", "body": {"token": "next:1"}}]

    def answer(seen: Seen) -> Reply:
        first = "token" not in seen.json()
        return Reply(200, {"features": [item] if first else [{}], "links": following if first else []})

    server.on("POST", "/v2/assets/stac/search", answer)
    found = client.assets.items()
    assert [info.asset_id for info in found] == ["a1", ""]
    assert found[0].geometry == SQUARE
    assert found[0].acquired == datetime(2021, 10, 23, 9, 57, tzinfo=timezone.utc)
    assert [seen.json().get("token") for seen in server.requests("POST")] == [None, "next:1"]


def test_the_address_of_a_delivery(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("POST", "/v2/assets/a1/download-url", Reply(200, {"url": "https://storage.example.org/a.tgz?S=x"}))
    assert client.assets.download_url("a1") == "https://storage.example.org/a.tgz?S=x"
    with pytest.raises(errors.NotFoundError):
        client.assets.download_url("a2")
