"""The storage as a STAC API: where its images lie and when they were taken."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

from up42_plugin.sandbox import asset_views as views
from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.messages import ApiError, Request, Response, bare
from up42_plugin.sandbox.records.assets import Asset
from up42_plugin.sandbox.router import Route
from up42_plugin.sandbox.routes.access import NOT_FOUND, Access
from up42_plugin.sandbox.services import Services

_DEFAULT_LIMIT, _LARGEST_LIMIT = 10, 500
_NEXT = "next:"
_PROPERTIES: Mapping[str, str] = {
    "asset_id": "up42-system:asset_id",
    "order_id": "up42-order:id",
    "collection_name": "up42-product:collection_name",
    "data_product_id": "up42-product:product_id",
    "title": "up42-user:title",
    "tags": "up42-user:tags",
}


class StacRoutes:
    """Finds images in the storage."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._access = Access(services)

    def landing(self, _request: Request) -> Response:
        """``GET /v2/assets/stac``."""
        return bare(views.landing_view(self._services.base_url))

    def collection(self, request: Request) -> Response:
        """``GET /v2/assets/stac/collections/{collection}``."""
        account, wanted = self._access.account(request), request.parameters["collection"]
        for asset in self._services.storage.assets(account.id):
            if views.collection_id(asset) == wanted:
                return bare(views.collection_view(asset, self._services.base_url, account.workspace_id))
        raise ApiError(404, f"Collection not found with id {wanted}", NOT_FOUND)

    def search(self, request: Request) -> Response:
        """``POST /v2/assets/stac/search``: newest first, the next page by a token."""
        account, body = self._access.account(request), request.json_object()
        items = []
        for asset in self._services.storage.assets(account.id):
            item = views.item_view(asset, self._services.base_url, account.workspace_id)
            if _matches(asset, item, body):
                items.append(item)
        start, limit = _start(items, body.get("token")), _limit(body.get("limit"))
        links = views.search_links(self._services.base_url)
        if start + limit < len(items):
            following = {**body, "limit": limit, "token": _NEXT + items[start + limit]["id"]}
            link = {"rel": "next", "href": links[-1]["href"], "type": links[-1]["type"], "method": "POST"}
            links.append({**link, "body": following})
        page = items[start : start + limit]
        return bare({"type": "FeatureCollection", "features": page, "links": links})


def _matches(asset: Asset, item: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    if body.get("ids") and item["id"] not in body["ids"]:
        return False
    if body.get("collections") and item["collection"] not in body["collections"]:
        return False
    area = body.get("intersects") or (geometry.polygon_of(body["bbox"]) if body.get("bbox") else None)
    if area is not None:
        if geometry.polygon_problems(area):
            raise ApiError(400, "intersects must be a GeoJSON polygon")
        if not geometry.shared_area_km2(area, asset.polygon):
            return False
    return _in_time(item, body.get("datetime")) and _fits(item, body.get("filter"))


def _in_time(item: Mapping[str, Any], span: Optional[str]) -> bool:
    if not span:
        return True
    start, _, end = str(span).partition("/")
    moment = item["properties"]["datetime"]
    return (start in ("", "..") or moment >= start) and ((end or start) in ("", "..") or moment <= (end or start))


def _fits(item: Mapping[str, Any], condition: Any) -> bool:
    """CQL2 in JSON with the operators of the service's examples.

    The vendor's client puts a whole search body, whose member ``filter`` counts, where the condition belongs.
    """
    if not condition:
        return True
    if isinstance(condition, Mapping) and "op" not in condition and "filter" in condition:
        return _fits(item, condition["filter"])
    if not isinstance(condition, Mapping) or not isinstance(condition.get("args"), Sequence):
        raise ApiError(400, "filter must be CQL2 in JSON")
    operator, arguments = condition.get("op"), list(condition["args"])
    if operator == "and":
        return all(_fits(item, part) for part in arguments)
    value, wanted = _value(item, arguments[0]), arguments[-1]
    if operator == "=":
        return bool(value == wanted)
    if operator == "a_contains":
        return wanted in value if isinstance(wanted, str) else set(wanted) <= set(value or ())
    comparisons = {
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    if operator not in comparisons:
        raise ApiError(400, f"filter: operator {operator} is not supported")
    return bool(value is not None and comparisons[operator](value, wanted))


def _value(item: Mapping[str, Any], argument: Any) -> Any:
    name = argument.get("property") if isinstance(argument, Mapping) else None
    if not isinstance(name, str):
        raise ApiError(400, "filter: a property is expected first")
    if name in ("id", "collection"):
        return item[name]
    properties: Dict[str, Any] = item["properties"]
    return properties.get(_PROPERTIES.get(name, name))


def _start(items: Sequence[Mapping[str, Any]], token: Any) -> int:
    if not token:
        return 0
    wanted = str(token)[len(_NEXT) :] if str(token).startswith(_NEXT) else str(token)
    for number, item in enumerate(items):
        if item["id"] == wanted:
            return number
    raise ApiError(400, "token is not known")


def _limit(value: Any) -> int:
    if value is None:
        return _DEFAULT_LIMIT
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ApiError(400, "limit must be a positive number")
    return min(value, _LARGEST_LIMIT)


def routes(services: Services) -> List[Route]:
    """The endpoints of this area."""
    area = StacRoutes(services)
    return [
        Route("GET", views.STAC, area.landing),
        Route("POST", views.STAC + "/search", area.search),
        Route("GET", views.STAC + "/collections/{collection}", area.collection),
    ]
