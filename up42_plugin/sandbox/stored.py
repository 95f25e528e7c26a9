"""The account's storage: some deliveries over Taormina to begin with, made when somebody first asks for them."""

from __future__ import annotations

import logging
import threading
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.archive import Scene, SceneArchive, SceneQuery
from up42_plugin.sandbox.catalogue import Block, Catalogue
from up42_plugin.sandbox.clock import now, stamp
from up42_plugin.sandbox.records.assets import Asset, Assets
from up42_plugin.sandbox.runners.contract import Runner, StoredAsset, Task
from up42_plugin.sandbox.store import Store
from up42_plugin.sandbox.workspace import Archive, Workspace

logger = logging.getLogger(__name__)

ASSET_IDS = "asset_ids"
_DELIVERED_AFTER = timedelta(days=2)
_CLOUDS = 1.0
_DELIVERY = "delivery"


@dataclass(frozen=True)
class Product:
    """What a provider's block delivers: its name for people, the collection's, and bytes per square kilometre."""

    sensor: str
    title: str
    collection: str
    bytes_per_km2: float


PRODUCTS: Mapping[str, Product] = {
    "oneatlas-pleiades-display": Product("pleiades", "Pléiades Display", "phr", 4.2e6),
    "oneatlas-pleiades-fullscene": Product("pleiades", "Pléiades Reflectance", "phr", 5.2e6),
    "oneatlas-spot-display": Product("spot", "SPOT 6/7 Display", "spot", 1.0e6),
    "oneatlas-spot-fullscene": Product("spot", "SPOT 6/7 Reflectance", "spot", 7.0e5),
}
# Block, the how manieth newest clear scene, the bounding box in degrees, and its name.
_TOWN, _COAST = (15.2840, 37.8480, 15.2930, 37.8540), (15.2840, 37.8445, 15.2980, 37.8540)
_FIRST: Sequence[Tuple[str, int, Tuple[float, float, float, float], str]] = (
    ("oneatlas-pleiades-display", 0, _TOWN, "Taormina, town"),
    ("oneatlas-pleiades-display", 1, _TOWN, "Taormina, town, earlier"),
    ("oneatlas-pleiades-fullscene", 2, _TOWN, "Taormina, town"),
    ("oneatlas-spot-display", 0, _COAST, "Taormina, coast"),
    ("oneatlas-spot-display", 1, _COAST, "Taormina, coast, earlier"),
    ("oneatlas-spot-fullscene", 2, _COAST, "Taormina, coast"),
)


def assets_named(parameters: Mapping[str, Any]) -> Tuple[str, ...]:
    """The asset ids of a task's parameters; none where the task searches."""
    ids = parameters.get(ASSET_IDS)
    return tuple(str(one) for one in ids) if isinstance(ids, (list, tuple)) else ()


class Storage:
    """Keeps assets and packs them when they are asked for. Scenes and runners are asked for when first needed."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        workspace: Workspace,
        archive: Callable[[], SceneArchive],
        runners: Callable[[], Mapping[str, Runner]],
    ) -> None:
        self._store, self._catalogue, self._workspace = store, catalogue, workspace
        self._archive, self._runners = archive, runners
        self._filling, self._packing = threading.Lock(), threading.Lock()
        self.records = Assets(store)

    def assets(self, account_id: str) -> List[Asset]:
        """What an account has, newest first."""
        self._fill(account_id)
        return self.records.list(account_id)

    def asset(self, account_id: str, asset_id: str) -> Optional[Asset]:
        """One of an account's assets."""
        return next((asset for asset in self.assets(account_id) if asset.id == asset_id), None)

    def parts(self, ids: Sequence[str]) -> Tuple[StoredAsset, ...]:
        """What a block works with; ids of nothing are left out."""
        found = (self.records.get(asset_id) for asset_id in dict.fromkeys(ids))
        return tuple(_part(asset) for asset in found if asset is not None)

    def square_km(self, ids: Sequence[str]) -> Tuple[int, float]:
        """How many assets these are, and how much they cover in sum."""
        parts = self.parts(ids)
        return len(parts), sum(geometry.area_km2(part.polygon) for part in parts)

    def problems(self, account_id: str, block: Block, ids: Sequence[str]) -> List[str]:
        """What keeps a block from working on these: assets of nobody, or of another provider's product."""
        known = {asset.id: asset for asset in self.assets(account_id)}
        wanted = PRODUCTS[block.name].sensor if block.name in PRODUCTS else ""
        found = []
        for asset_id in ids:
            asset = known.get(asset_id)
            if asset is None:
                found.append(f"asset {asset_id} was not found in storage")
            elif asset.sensor != wanted:
                found.append(f"asset {asset_id} is {PRODUCTS[asset.block].title}, which {block.name} does not take")
        return found

    def packed(self, asset: Asset) -> Archive:
        """The delivery as an archive, made at the first time."""
        files = self._workspace.task(asset.id, _DELIVERY)
        with self._packing:
            archive = files.archive()
            if archive is None:
                files.prepare()
                block = self._catalogue.by_name(asset.block)
                self._runners()[block.id](self._delivery(asset, block, files))
                files.pack()
                files.drop_output()
                archive = files.archive()
        if archive is None:
            raise LookupError(asset.id)
        self.records.keep_size(asset.id, archive.size)
        return archive

    def _delivery(self, asset: Asset, block: Block, files: Any) -> Task:
        return Task(
            name=f"{block.name}:1",
            block={"id": block.id, "name": block.name},
            parameters=block.with_defaults({ASSET_IDS: [asset.id]}),
            geometry=None,
            source=None,
            target=files.output,
            quicklooks=files.quicklooks,
            test_query=False,
            archive=self._archive(),
            log=lambda level, text: logger.debug("%s %s", level, text),
            check=lambda: None,
            assets=(_part(asset),),
        )

    def _fill(self, account_id: str) -> None:
        """Put the first assets into an account's storage, once."""
        done = f"storage of {account_id}"
        with self._filling:
            if self._store.meta(done) is not None:
                return
            first = self._first(account_id)
            with self._store.transaction():
                self.records.add(first)
                self._store.set_meta(done, stamp())

    def _first(self, account_id: str) -> List[Asset]:
        archive, found = self._archive(), {}
        assets: List[Asset] = []
        for block, number, bbox, title in _FIRST:
            product = PRODUCTS[block]
            if product.sensor not in found:
                found[product.sensor] = _clear_scenes(archive, product.sensor)
            scenes = found[product.sensor]
            if scenes:
                assets.append(_made(account_id, block, scenes[number % len(scenes)], bbox, title))
        return assets


def _clear_scenes(archive: SceneArchive, sensor: str) -> Sequence[Scene]:
    area = geometry.polygon_of(_COAST)
    return archive.search(SceneQuery(sensor, area, "contains", limit=3, max_cloud_cover=_CLOUDS))


def _made(account_id: str, block: str, scene: Scene, bbox: Sequence[float], title: str) -> Asset:
    product, polygon = PRODUCTS[block], geometry.polygon_of(bbox)
    ids: Dict[str, str] = {
        what: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{account_id}/{what}/{block}/{scene.id}/{title}"))
        for what in ("asset", "order")
    }
    delivered = stamp(min(scene.acquired + _DELIVERED_AFTER, now()))
    return Asset(
        id=ids["asset"],
        account_id=account_id,
        block=block,
        sensor=product.sensor,
        scene_id=scene.id,
        polygon=polygon,
        acquired=stamp(scene.acquired),
        cloud_cover=scene.cloud_cover,
        order_id=ids["order"],
        name=scene.id,
        title=f"{title}, {product.title}",
        tags=("synthetic",),
        size=round(geometry.area_km2(polygon) * product.bytes_per_km2),
        created_at=delivered,
        updated_at=delivered,
    )


def _part(asset: Asset) -> StoredAsset:
    return StoredAsset(asset.id, asset.order_id, asset.block, asset.sensor, asset.scene_id, asset.polygon)
