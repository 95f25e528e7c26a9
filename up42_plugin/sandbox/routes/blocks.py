"""The marketplace: blocks, their coverage, and the checks of manifests and job inputs."""

from __future__ import annotations

from typing import Any, Dict, List

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.messages import Request, Response, bare, encode, wrapped
from up42_plugin.sandbox.router import Route
from up42_plugin.sandbox.routes.access import Access
from up42_plugin.sandbox.services import Services
from up42_plugin.sandbox.validation import loose_problems, manifest_problems
from up42_plugin.sandbox.views import block_details, block_summary

_WORLD = (-180.0, -90.0, 180.0, 90.0)
# Sentinel-2 images land between these latitudes.
_SENTINEL2 = (-180.0, -56.0, 180.0, 84.0)


class Blocks:
    """Answers questions about blocks."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._access = Access(services)

    def list(self, _request: Request) -> Response:
        """``GET /blocks`` and ``GET /marketplace/blocks``."""
        return wrapped([block_summary(block) for block in self._services.catalogue.blocks])

    def get(self, request: Request) -> Response:
        """``GET /blocks/{block}``."""
        return wrapped(block_details(self._access.block(request.parameters["block"])))

    def coverage(self, request: Request) -> Response:
        """``GET /blocks/{block}/coverage``: the address of a feature collection."""
        block = self._access.block(request.parameters["block"])
        return wrapped({"url": f"{self._services.base_url}/coverage/{block.id}.geojson"})

    def coverage_file(self, request: Request) -> Response:
        """The feature collection itself; no token needed."""
        block = self._access.block(request.parameters["block"])
        box = _SENTINEL2 if "Sentinel-2" in block.title else _WORLD
        feature: Dict[str, Any] = {
            "type": "Feature",
            "bbox": list(box),
            "geometry": geometry.polygon_of(box),
            "properties": {"blockId": block.id, "name": block.name},
        }
        return bare({"type": "FeatureCollection", "features": [feature]})

    @staticmethod
    def validate_manifest(request: Request) -> Response:
        """``POST /validate-schema/block``."""
        return _verdict(manifest_problems(request.json()))

    @staticmethod
    def validate_input(request: Request) -> Response:
        """``POST /validate-schema/job-input``: what can be said without a list of blocks."""
        return _verdict(loose_problems(request.json_object()))


def _verdict(problems: List[str]) -> Response:
    body = {"error": None, "data": {"valid": not problems, "errors": problems}}
    return Response(400 if problems else 200, encode(body))


def routes(services: Services) -> List[Route]:
    """The endpoints of this area."""
    blocks = Blocks(services)
    return [
        Route("GET", "/blocks", blocks.list),
        Route("GET", "/marketplace/blocks", blocks.list, token=False),
        Route("GET", "/blocks/{block}", blocks.get),
        Route("GET", "/blocks/{block}/coverage", blocks.coverage),
        Route("GET", "/coverage/{block}.geojson", blocks.coverage_file, token=False),
        Route("POST", "/validate-schema/block", blocks.validate_manifest, token=False),
        Route("POST", "/validate-schema/job-input", blocks.validate_input, token=False),
    ]
