"""The account's storage: what was delivered before, and can be worked on again (``/v2/assets`` of the same host).

These answers have no envelope; the vendor's client (``up42-py`` 0.31.0, ``storage.py``) takes them with and without.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from up42_plugin.api.calls import Call, path_of
from up42_plugin.api.fields import Record
from up42_plugin.api.transport import Transport

PAGE_SIZE = 50  # the vendor's client asks for as many
MOST_PAGES = 200
MOST_ITEMS = 500  # per page of the search; the service allows no more


@dataclass(frozen=True)
class AssetInfo:
    """One delivery. ``size`` is in bytes, None where the service does not tell."""

    id: str
    name: str
    created: Optional[datetime]
    size: Optional[int]
    title: str = ""
    producer: str = ""
    collection: str = ""
    product_id: str = ""
    order_id: str = ""
    source: str = ""
    content_type: str = ""
    tags: Tuple[str, ...] = ()

    @classmethod
    def read(cls, record: Record) -> AssetInfo:
        size = record.number_or("size")
        return cls(
            id=record.text("id"),
            name=record.text_or("name"),
            created=record.time_or_none("createdAt"),
            size=None if size is None or size < 0 else int(size),
            title=record.text_or("title"),
            producer=record.text_or("producerName"),
            collection=record.text_or("collectionName"),
            product_id=record.text_or("productId"),
            order_id=record.text_or("orderId"),
            source=record.text_or("source"),
            content_type=record.text_or("contentType"),
            tags=record.texts("tags"),
        )


@dataclass(frozen=True)
class AssetPage:
    """One page of the list; ``last`` when there are no more."""

    entries: Tuple[AssetInfo, ...]
    last: bool


@dataclass(frozen=True)
class AssetItemInfo:
    """An image in an asset. ``geometry`` is GeoJSON in EPSG:4326; ``asset_id`` is empty where it names none."""

    asset_id: str
    geometry: Mapping[str, Any] = field(repr=False)
    acquired: Optional[datetime] = None
    title: str = ""
    constellation: str = ""

    @classmethod
    def read(cls, record: Record) -> AssetItemInfo:
        properties = Record(record.mapping("properties"), record.at("properties"))
        return cls(
            asset_id=properties.text_or("up42-system:asset_id"),
            geometry=record.mapping("geometry"),
            acquired=properties.time_or_none("datetime"),
            title=properties.text_or("title"),
            constellation=properties.text_or("constellation"),
        )


class Assets:
    """Calls about the account's storage."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, page: int = 0, size: int = PAGE_SIZE) -> AssetPage:
        """One page, newest first."""
        query = (("sort", "createdAt,desc"), ("size", str(size)), ("page", str(page)))
        record = _bare(self._transport.json(Call("GET", "/v2/assets", query=query)))
        entries = record.records("content", AssetInfo.read)
        pages = record.number_or("totalPages")
        last = record.flag("last")
        if last is None:
            last = pages is None or page + 1 >= pages
        return AssetPage(entries, last or not entries)

    def list(self) -> Tuple[AssetInfo, ...]:
        """Everything, newest first, each once: what is delivered meanwhile moves the pages on."""
        found: Dict[str, AssetInfo] = {}
        for number in range(MOST_PAGES):
            page = self.page(number)
            found.update((info.id, info) for info in page.entries if info.id not in found)
            if page.last:
                break
        return tuple(found.values())

    def get(self, asset_id: str) -> AssetInfo:
        call = Call("GET", path_of("v2", "assets", asset_id, "metadata"), subject="asset")
        return AssetInfo.read(_bare(self._transport.json(call)))

    def items(self) -> Tuple[AssetItemInfo, ...]:
        """The images in the storage with their places and times; not every asset has some."""
        return tuple(self._items())

    def _items(self) -> Iterator[AssetItemInfo]:
        body: Dict[str, Any] = {"limit": MOST_ITEMS}
        for _ in range(MOST_PAGES):
            record = _bare(self._transport.json(Call("POST", "/v2/assets/stac/search", json=dict(body))))
            yield from record.records("features", AssetItemInfo.read)
            token = _next_token(record)
            if not token:
                return
            body["token"] = token

    def download_url(self, asset_id: str) -> str:
        """Where the delivery can be fetched without a token, for some minutes."""
        call = Call("POST", path_of("v2", "assets", asset_id, "download-url"), subject="asset")
        return _bare(self._transport.json(call)).text("url")


def _bare(answer: Any) -> Record:
    if isinstance(answer, dict) and isinstance(answer.get("data"), dict):
        return Record(answer["data"], "data")
    return Record(answer, "")


def _next_token(record: Record) -> str:
    links: List[Any] = record.raw("links") if isinstance(record.raw("links"), list) else []
    for link in links:
        if isinstance(link, dict) and link.get("rel") == "next" and isinstance(link.get("body"), dict):
            return str(link["body"].get("token") or "")
    return ""
