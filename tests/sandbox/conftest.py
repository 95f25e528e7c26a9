"""A service inside the test's own process, with small runners that do what a test needs."""

from __future__ import annotations
