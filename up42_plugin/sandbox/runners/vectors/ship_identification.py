"""Block ``ship-identification``: which ships those are that were found."""

from __future__ import annotations

from up42_plugin.sandbox.runners.earth.vessels import identify as run

__all__ = ["run"]
