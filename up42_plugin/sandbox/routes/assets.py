"""The account's storage: the flat list of assets, one asset, its delivery."""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Mapping, Tuple

from up42_plugin.sandbox.asset_views import asset_view
from up42_plugin.sandbox.messages import ApiError, Request, Response, bare
from up42_plugin.sandbox.records.assets import Asset
from up42_plugin.sandbox.router import Route
from up42_plugin.sandbox.routes.access import NOT_FOUND, Access
from up42_plugin.sandbox.routes.outputs import archive_response, refused
from up42_plugin.sandbox.services import Services
from up42_plugin.sandbox.stored import PRODUCTS
from up42_plugin.sandbox.views import page_view

_DEFAULT_SIZE, _LARGEST_SIZE = 20, 1000
_SORT_KEYS: Mapping[str, Callable[[Asset], object]] = {
    "createdAt": lambda asset: asset.created_at,
    "updatedAt": lambda asset: asset.updated_at,
    "name": lambda asset: asset.name,
    "size": lambda asset: asset.size,
}
# The vendor's client writes a Python list into the address: ['phr', 'spot'].
_NAME = re.compile(r"[^\[\]'\",]+")


class AssetRoutes:
    """Tells what is in storage, and hands it out."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._access = Access(services)

    def list(self, request: Request) -> Response:
        """``GET /v2/assets``: a page, without the envelope."""
        account = self._access.account(request)
        found = [asset for asset in self._services.storage.assets(account.id) if _wanted(asset, request)]
        if request.argument("workspaceId") not in (None, "", account.workspace_id):
            found = []
        key, descending = _sort(request)
        found.sort(key=key, reverse=descending)  # type: ignore[arg-type]
        page, size = _number(request, "page", 0), _number(request, "size", _DEFAULT_SIZE)
        size = min(max(size, 1), _LARGEST_SIZE)
        shown = [asset_view(asset, account.workspace_id) for asset in found[page * size : (page + 1) * size]]
        return bare(page_view(shown, len(found), page, size, is_sorted=request.argument("sort") is not None))

    def about(self, request: Request) -> Response:
        """``GET /v2/assets/{asset}/metadata``."""
        return bare(asset_view(self._asset(request), self._access.account(request).workspace_id))

    def describe(self, request: Request) -> Response:
        """``POST /v2/assets/{asset}/metadata`` with ``{title, tags}``; null leaves one as it is."""
        asset, body = self._asset(request), request.json_object()
        title, tags = body.get("title"), body.get("tags")
        if title is not None and not isinstance(title, str):
            raise ApiError(400, 'Field "title" must be a string')
        if tags is not None and not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
            raise ApiError(400, 'Field "tags" must be a list of strings')
        new_title, new_tags = (asset.title if title is None else title), (asset.tags if tags is None else tags)
        self._services.storage.records.describe(asset.id, new_title, new_tags)
        return self.about(request)

    def download_url(self, request: Request) -> Response:
        """``POST /v2/assets/{asset}/download-url``: a signed address, without the envelope."""
        asset = self._asset(request)
        self._services.storage.packed(asset)
        path = f"/v2/deliveries/{asset.id}/{asset.name}.tgz"
        return bare({"url": self._services.signer.sign(self._services.base_url, path, request.expire_urls)})

    def content(self, request: Request) -> Response:
        """``GET /v2/assets/{asset}``: the delivery itself, to whoever has a token."""
        return archive_response(request, self._services.storage.packed(self._asset(request)))

    def delivery(self, request: Request) -> Response:
        """The delivery behind a signed address; no token needed."""
        refusal = self._services.signer.refusal(
            request.path, request.argument("Expires"), request.argument("Signature")
        )
        if request.expire_urls:
            refusal = "ExpiredToken"
        if refusal is not None:
            return refused(403, refusal)
        asset = self._services.storage.records.get(request.parameters["asset"])
        return (
            refused(404, "NoSuchKey")
            if asset is None
            else archive_response(request, self._services.storage.packed(asset))
        )

    def _asset(self, request: Request) -> Asset:
        asset_id = request.parameters["asset"]
        asset = self._services.storage.asset(self._access.account(request).id, asset_id)
        if asset is None:
            raise ApiError(404, f"Asset not found with id {asset_id}", NOT_FOUND)
        return asset


def _wanted(asset: Asset, request: Request) -> bool:
    """Whether an asset passes the filters of the query."""
    after, before = request.argument("createdAfter"), request.argument("createdBefore")
    if (after and asset.created_at < after) or (before and asset.created_at > before):
        return False
    passes: Dict[str, Tuple[str, ...]] = {
        "collectionNames": (PRODUCTS[asset.block].collection,),
        "producerNames": ("airbus",),
        "sources": ("ARCHIVE",),
        "tags": asset.tags,
    }
    for name, values in passes.items():
        asked = _names(request, name)
        if asked and not set(asked) & set(values):
            return False
    text = (request.argument("search") or "").lower()
    return text in f"{asset.name}\n{asset.title}\n{asset.order_id}".lower()


def _names(request: Request, name: str) -> List[str]:
    texts = request.query.get(name, [])
    return [part.strip() for text in texts for part in _NAME.findall(text) if part.strip()]


def _sort(request: Request) -> Tuple[Callable[[Asset], object], bool]:
    text = request.argument("sort") or "createdAt,desc"
    field, _, direction = text.partition(",")
    if field not in _SORT_KEYS or direction.lower() not in ("", "asc", "desc"):
        raise ApiError(400, f"Cannot sort by {text}")
    return _SORT_KEYS[field], direction.lower() == "desc"


def _number(request: Request, name: str, default: int) -> int:
    text = request.argument(name)
    if not text:
        return default
    if not text.isdigit():
        raise ApiError(400, f'Query parameter "{name}" must be a number, got {text}')
    return min(int(text), 10**9)


def routes(services: Services) -> List[Route]:
    """The endpoints of this area."""
    area = AssetRoutes(services)
    asset = "/v2/assets/{asset}"
    return [
        Route("GET", "/v2/assets", area.list),
        Route("GET", asset, area.content),
        Route("GET", asset + "/metadata", area.about),
        Route("POST", asset + "/metadata", area.describe),
        Route("POST", asset + "/download-url", area.download_url),
        Route("GET", "/v2/deliveries/{asset}/{file}", area.delivery, token=False),
    ]
