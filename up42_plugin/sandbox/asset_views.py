"""Assets as the service writes them: in the flat list, and as STAC items and collections."""

from __future__ import annotations

import uuid
from typing import Any, Dict, List

from up42_plugin.sandbox.geometry import bounds
from up42_plugin.sandbox.records.assets import Asset
from up42_plugin.sandbox.stored import PRODUCTS

STAC = "/v2/assets/stac"
_STAC_VERSION = "1.0.0"
_CORE = "https://api.stacspec.org/v1.0.0-rc.1"
_FEATURES = "http://www.opengis.net/spec"
_CONFORMS_TO = (
    *(f"{_CORE}/{name}" for name in ("core", "collections", "ogcapi-features", "item-search")),
    *(f"{_CORE}/item-search#{name}" for name in ("sort", "filter", "filter:basic-cql", "filter:cql-text")),
    *(f"{_FEATURES}/ogcapi-features-1/1.0/conf/{name}" for name in ("core", "geojson", "oas30")),
    *(f"{_FEATURES}/ogcapi-features-3/1.0/conf/{name}" for name in ("filter", "features-filter")),
)
_PLATFORMS = {"pleiades": "PHR", "spot": "SPOT"}


def asset_view(asset: Asset, workspace_id: str) -> Dict[str, Any]:
    """One member of the list, and the answer about one asset."""
    return {
        "id": asset.id,
        "accountId": asset.account_id,
        "workspaceId": workspace_id,
        "createdAt": asset.created_at,
        "updatedAt": asset.updated_at,
        "name": asset.name,
        "size": asset.size,
        "contentType": "application/gzip",
        "orderId": asset.order_id,
        "productId": product_id(asset),
        "source": "ARCHIVE",
        "producerName": "airbus",
        "collectionName": PRODUCTS[asset.block].collection,
        "geospatialMetadataExtractionStatus": "SUCCESSFUL",
        "title": asset.title,
        "tags": list(asset.tags),
    }


def product_id(asset: Asset) -> str:
    """The id of the data product the asset was ordered as."""
    return _uuid(f"product/{asset.block}")


def collection_id(asset: Asset) -> str:
    """The id of the asset's STAC collection."""
    return _uuid(f"collection/{asset.id}")


def item_id(asset: Asset) -> str:
    """The id of the asset's one STAC item."""
    return _uuid(f"item/{asset.id}")


def landing_view(base_url: str) -> Dict[str, Any]:
    """The catalogue's first page."""
    links = [
        _link("self", f"{base_url}{STAC}/"),
        _link("root", f"{base_url}{STAC}/"),
        _link("data", f"{base_url}{STAC}/collections"),
        {**_link("search", f"{base_url}{STAC}/search"), "method": "POST"},
    ]
    return {
        "type": "Catalog",
        "id": "up42-storage",
        "title": "UP42 Storage",
        "description": "UP42 Storage STAC API",
        "stac_version": _STAC_VERSION,
        "stac_extensions": [],
        "conformsTo": list(_CONFORMS_TO),
        "links": links,
    }


def item_view(asset: Asset, base_url: str, workspace_id: str) -> Dict[str, Any]:
    """The asset's image."""
    collection = f"{base_url}{STAC}/collections/{collection_id(asset)}"
    moment = f"{asset.acquired[:19]}Z"
    return {
        "type": "Feature",
        "stac_version": _STAC_VERSION,
        "stac_extensions": [],
        "id": item_id(asset),
        "collection": collection_id(asset),
        "bbox": list(bounds(asset.polygon)),
        "geometry": dict(asset.polygon),
        "properties": {
            "title": asset.name,
            "datetime": moment,
            "start_datetime": moment,
            "end_datetime": moment,
            "created": asset.created_at,
            "updated": asset.updated_at,
            "constellation": _PLATFORMS[asset.sensor],
            "eo:cloud_cover": asset.cloud_cover,
            "proj:epsg": 4326,
            **_own_members(asset, workspace_id),
        },
        "assets": {
            "data": {"href": f"{base_url}/v2/assets/{asset.id}", "type": "application/gzip", "roles": ["data"]},
        },
        "links": [
            _link("self", f"{collection}/items/{item_id(asset)}", "application/geo+json"),
            _link("parent", collection),
            _link("collection", collection),
            _link("root", f"{base_url}{STAC}"),
        ],
    }


def collection_view(asset: Asset, base_url: str, workspace_id: str) -> Dict[str, Any]:
    """The delivery that the image belongs to."""
    address = f"{base_url}{STAC}/collections/{collection_id(asset)}"
    moment = f"{asset.acquired[:19]}Z"
    return {
        "type": "Collection",
        "stac_version": _STAC_VERSION,
        "stac_extensions": [],
        "id": collection_id(asset),
        "title": asset.title,
        "description": "Delivered scene",
        "license": "proprietary",
        "keywords": [],
        "providers": [{"name": "UP42", "roles": ["host"], "url": "https://up42.com"}],
        "extent": {
            "spatial": {"bbox": [list(bounds(asset.polygon))]},
            "temporal": {"interval": [[moment, moment]]},
        },
        "summaries": {},
        "links": [
            _link("self", address),
            _link("parent", f"{base_url}{STAC}"),
            _link("items", f"{address}/items", "application/geo+json"),
            _link("root", f"{base_url}{STAC}"),
        ],
        **_own_members(asset, workspace_id),
    }


def search_links(base_url: str) -> List[Dict[str, Any]]:
    """The links below a page of found images, without the one to the next."""
    return [
        _link("root", f"{base_url}{STAC}"),
        _link("parent", f"{base_url}{STAC}"),
        _link("self", f"{base_url}{STAC}/search", "application/geo+json"),
    ]


def _own_members(asset: Asset, workspace_id: str) -> Dict[str, Any]:
    return {
        "up42-system:asset_id": asset.id,
        "up42-system:account_id": asset.account_id,
        "up42-system:workspace_id": workspace_id,
        "up42-system:source": "ARCHIVE",
        "up42-product:collection_name": PRODUCTS[asset.block].collection,
        "up42-product:product_id": product_id(asset),
        "up42-product:data_type": "raster",
        "up42-product:modality": "multispectral",
        "up42-user:title": asset.title,
        "up42-user:tags": list(asset.tags),
        "up42-order:id": asset.order_id,
        "up42-order:status": "FULFILLED",
    }


def _link(rel: str, href: str, kind: str = "application/json") -> Dict[str, Any]:
    return {"rel": rel, "href": href, "type": kind}


def _uuid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"sandbox.example.org/{name}"))
