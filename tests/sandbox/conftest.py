"""A service inside the test's own process, with small runners that do what a test needs."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from service_kit import running_service


@pytest.fixture
def service(tmp_path):
    """A service of this test's own."""
    with running_service(tmp_path / "data") as running:
        yield running


@pytest.fixture(scope="module")
def shared_service(tmp_path_factory):
    """One service for the questions of a module that change nothing."""
    with running_service(tmp_path_factory.mktemp("shared") / "data") as running:
        yield running


@pytest.fixture
def serve(tmp_path):
    """Start services with arguments of the test's own; they end with the test."""
    with ExitStack() as stack:
        yield lambda name="data", **arguments: stack.enter_context(running_service(tmp_path / name, **arguments))
