"""Block ``ais-hvp``: positions that ships sent."""

from __future__ import annotations

from up42_plugin.sandbox.runners.earth.vessels import positions as run

__all__ = ["run"]
