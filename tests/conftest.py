"""Shared by all tiers: one sandbox process for the session."""

from __future__ import annotations

import gc

import pytest
from sandbox_process import start_sandbox

from tests.seeds import SEED


def pytest_report_header():
    return f"seed of the fault tests: {SEED} (UP42_SEED={SEED} takes it again)"


@pytest.fixture(scope="session", autouse=True)
def no_dataset_outlives_qgis(request):
    """QGIS takes GDAL's drivers down when it ends; a dataset in a reference cycle that is freed later crashes."""
    if request.config.pluginmanager.hasplugin("pytest_qgis"):
        request.getfixturevalue("qgis_app")
    yield
    gc.collect()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    """A running sandbox with fast job clocks and faults. Tests share it: make your own jobs and workflows,
    clear the faults you arm, and start one of your own (``start_sandbox``) where credits or limits matter.
    """
    with start_sandbox(tmp_path_factory.mktemp("sandbox") / "data", "--speed", "200", "--faults") as running:
        yield running
