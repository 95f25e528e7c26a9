"""Data from storage: which of the account's assets a data block can work on, and what is said of such a job.

No page of the service says what a test query does with assets. The vendor's client (``up42-py`` 0.31.0,
``workflow.py``, ``test_job``) sends one like any other, with ``config.mode`` beside the asset ids; so it is offered,
free, and a live job needs it first wherever the block offers test queries.
"""

from __future__ import annotations

from typing import Mapping, Sequence, Tuple

from up42_plugin.core.parameters import ASSET_IDS
from up42_plugin.core.service import StorageAsset
from up42_plugin.core.workflow import Block

NO_ESTIMATION = "There is no estimation for data from storage."
NOT_AVAILABLE_FROM_STORAGE = "Not available for data from storage"
AREA_NOT_NEEDED = "Not needed: data comes from storage"
SEARCH_NOT_USED = "Not used: data comes from storage"

# The families of products: how they are called, and the service's words for their collections.
_FAMILIES: Mapping[str, Tuple[str, Tuple[str, ...]]] = {
    "pleiades": ("Pléiades", ("phr", "pleiades")),
    "spot": ("SPOT 6/7", ("spot", "spot6", "spot7", "spot-6", "spot-7", "spot67")),
}


def takes_assets(block: Block) -> bool:
    """Whether a data block can work on what is in storage."""
    return ASSET_IDS in block.parameters


def product_text(asset: StorageAsset) -> str:
    """What the asset is an image of, in a word or two; empty where nothing is known."""
    family = _family_of(asset)
    return _FAMILIES[family][0] if family else asset.collection or asset.producer


def misfit(block: Block, asset: StorageAsset) -> str:
    """Why a block cannot work on an asset; empty when it can, and when only the service knows."""
    wanted, family = _family_of_block(block), _family_of(asset)
    if not wanted or wanted == family or not asset.collection:
        return ""
    return f"{block.title} takes {_FAMILIES[wanted][0]} only, not {product_text(asset)}."


def search_words(asset: StorageAsset) -> str:
    """Everything an asset can be found by."""
    day = f"{asset.acquired:%Y-%m-%d}" if asset.acquired is not None else ""
    words = (asset.name, asset.title, asset.producer, asset.collection, product_text(asset), day, asset.order_id)
    return " ".join((*words, asset.id)).lower()


def several(assets: Sequence[str]) -> str:
    """``1 asset``, ``2 assets``."""
    return "1 asset" if len(assets) == 1 else f"{len(assets):,} assets"


def _family_of(asset: StorageAsset) -> str:
    collection = asset.collection.lower()
    return next((name for name, (_, words) in _FAMILIES.items() if collection in words), "")


def _family_of_block(block: Block) -> str:
    return next((name for name in _FAMILIES if f"-{name}-" in block.name), "")
