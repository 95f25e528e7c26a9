"""What accounts have in storage: deliveries of former orders."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from up42_plugin.sandbox.clock import stamp
from up42_plugin.sandbox.store import Store, insert


@dataclass(frozen=True)
class Asset:
    """One delivery: the part of a scene inside a polygon (GeoJSON, EPSG:4326), as the block ``block`` delivers it.

    ``size`` is in bytes; times are stamps of the store.
    """

    id: str
    account_id: str
    block: str
    sensor: str
    scene_id: str
    polygon: Mapping[str, Any]
    acquired: str
    cloud_cover: float
    order_id: str
    name: str
    title: str
    tags: Tuple[str, ...]
    size: int
    created_at: str
    updated_at: str


class Assets:
    """Assets in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, assets: Sequence[Asset]) -> None:
        """Put these into storage, all or none; what is there already stays."""
        with self._store.transaction() as db:
            for asset in assets:
                if db.execute("SELECT 1 FROM assets WHERE id = ?", (asset.id,)).fetchone() is None:
                    values = {**vars(asset), "polygon": json.dumps(asset.polygon), "tags": json.dumps(asset.tags)}
                    insert(db, "assets", values)

    def list(self, account_id: str) -> List[Asset]:
        """An account's assets, newest first."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM assets WHERE account_id = ? ORDER BY created_at DESC, id", (account_id,)
            ).fetchall()
        return [_asset(row) for row in rows]

    def get(self, asset_id: str) -> Optional[Asset]:
        """One asset, whoever's it is."""
        with self._store.reading() as db:
            row = db.execute("SELECT * FROM assets WHERE id = ?", (asset_id,)).fetchone()
        return None if row is None else _asset(row)

    def describe(self, asset_id: str, title: str, tags: Sequence[str]) -> None:
        """Give a title and tags."""
        with self._store.transaction() as db:
            db.execute(
                "UPDATE assets SET title = ?, tags = ?, updated_at = ? WHERE id = ?",
                (title, json.dumps(list(tags)), stamp(), asset_id),
            )

    def keep_size(self, asset_id: str, size: int) -> None:
        """The size of the packed delivery, once it is known."""
        with self._store.transaction() as db:
            db.execute("UPDATE assets SET size = ? WHERE id = ?", (size, asset_id))


def _asset(row: sqlite3.Row) -> Asset:
    values = dict(row)
    values["polygon"], values["tags"] = json.loads(values["polygon"]), tuple(json.loads(values["tags"]))
    return Asset(**values)
