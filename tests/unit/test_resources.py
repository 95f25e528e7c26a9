"""Files that are not code, found beside the package and in it."""

from __future__ import annotations

import importlib.util
import json
import shutil

import pytest
from sandbox_process import ROOT

from up42_plugin.resources import package_parent, plugin_version, resource_path


@pytest.fixture
def copied(tmp_path):
    """The module as it would be in a package elsewhere; returns it and that package's folder."""

    def load():
        folder = tmp_path / "plugins" / "up42_plugin"
        folder.mkdir(parents=True)
        shutil.copy(ROOT / "up42_plugin/resources.py", folder)
        spec = importlib.util.spec_from_file_location("copied_resources", folder / "resources.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module, folder

    return load()


def test_a_checkout_has_them_beside_the_package():
    assert resource_path("sample", "taormina.geojson") == ROOT / "resources/sample/taormina.geojson"
    assert package_parent() == ROOT


def test_an_installed_plugin_has_them_in_it(copied):
    module, folder = copied
    (folder / "resources").mkdir()
    (folder / "resources/a.svg").write_text("<svg/>", "utf-8")
    (folder / "metadata.txt").write_text("[general]\nname=x\nversion=9.8.7\n", "utf-8")
    (folder.parent / "resources").mkdir()
    assert module.resource_path("a.svg") == folder / "resources/a.svg"
    assert module.plugin_version() == "9.8.7"
    assert module.package_parent() == folder.parent


def test_a_plugin_that_is_not_whole_says_what_is_missing(copied):
    module, folder = copied
    with pytest.raises(FileNotFoundError, match="resources belongs to the plugin"):
        module.resource_path("a.svg")
    with pytest.raises(FileNotFoundError, match=r"metadata\.txt belongs to the plugin"):
        module.plugin_version()
    (folder / "resources").mkdir()
    with pytest.raises(FileNotFoundError):
        module.resource_path("a.svg")


def test_the_version_is_that_of_the_metadata():
    assert f"\nversion={plugin_version()}\n" in (ROOT / "metadata.txt").read_text("utf-8")


def test_the_sample_is_one_closed_polygon_called_taormina():
    (feature,) = json.loads(resource_path("sample", "taormina.geojson").read_text("utf-8"))["features"]
    assert feature["properties"] == {"name": "Taormina"}
    (ring,) = feature["geometry"]["coordinates"]
    assert feature["geometry"]["type"] == "Polygon"
    assert ring[0] == ring[-1]
    assert len(ring) == 5
