"""The packed plugin: what the plugin site demands of it, and that it works where it is unpacked."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# of the README; no help page shows them
PICTURES = (
    "area",
    "builder",
    "confirm",
    "desktop",
    "downloads",
    "job_menu",
    "jobs",
    "json",
    "map",
    "sheet",
    "stand_in",
    "styles",
)


def run(*command, cwd=ROOT, **environment):
    """Run a command without what this process has on its own module search path."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables.update(environment)
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False, timeout=100)


def packed(folder):
    done = run(sys.executable, ROOT / ".ci/package.py", folder)
    assert done.returncode == 0, done.stderr
    return folder / "up42_plugin.zip"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return packed(tmp_path_factory.mktemp("packed"))


@pytest.fixture(scope="module")
def plugins_folder(archive, tmp_path_factory):
    """A folder of plugins, as a profile of QGIS has one, with this plugin unpacked into it."""
    folder = tmp_path_factory.mktemp("plugins")
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    return folder


def test_the_site_takes_the_archive(archive):
    done = run(sys.executable, ROOT / ".ci/check_zip.py", archive)
    assert done.returncode == 0, done.stdout


def test_the_site_takes_the_metadata(plugins_folder):
    done = run(sys.executable, ROOT / ".ci/check_metadata.py", plugins_folder / "up42_plugin")
    assert done.returncode == 0, done.stdout


def test_packing_twice_gives_the_same_bytes(archive, tmp_path):
    again = packed(tmp_path)
    assert hashlib.sha256(archive.read_bytes()).digest() == hashlib.sha256(again.read_bytes()).digest()


def test_names_are_sorted_and_times_fixed(archive):
    with zipfile.ZipFile(archive) as file:
        entries = file.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    paths = [Path(entry.filename) for entry in entries]
    assert paths == sorted(paths)


def test_every_source_file_and_resource_is_in_it(archive):
    with zipfile.ZipFile(archive) as file:
        names = set(file.namelist())
    sources = {f"{path.relative_to(ROOT)}" for path in (ROOT / "up42_plugin").rglob("*.py")}
    resources = {f"up42_plugin/{path.relative_to(ROOT)}" for path in (ROOT / "resources").rglob("*.*")}
    assert sources <= names
    of_the_readme = {f"up42_plugin/resources/help/{name}.png" for name in PICTURES}
    assert {name for name in resources if not name.endswith(".ts")} - of_the_readme <= names
    assert not of_the_readme & names
    assert {"up42_plugin/LICENSE", "up42_plugin/metadata.txt", "up42_plugin/CHANGELOG.md"} <= names
    assert not [name for name in names if "test" in Path(name).parts]


def test_the_licence_is_whole(plugins_folder):
    text = (plugins_folder / "up42_plugin/LICENSE").read_text("utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "Version 2, June 1991" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_importing_the_package_needs_no_qgis(plugins_folder):
    code = "import sys, up42_plugin; print(up42_plugin.__file__, 'qgis' in sys.modules)"
    done = run(sys.executable, "-c", code, cwd=plugins_folder)
    assert done.stdout.split() == [str(plugins_folder / "up42_plugin/__init__.py"), "False"], done.stderr


def test_every_module_can_be_imported_where_it_is_unpacked(plugins_folder):
    code = """
import importlib, pathlib, sys
root = pathlib.Path.cwd()
for path in sorted(root.glob("up42_plugin/**/*.py")):
    parts = path.relative_to(root).with_suffix("").parts
    if parts[-1] != "__main__":
        module = importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        assert module.__file__ == str(path), module.__file__
"""
    done = run(sys.executable, "-c", code, cwd=plugins_folder, QT_QPA_PLATFORM="offscreen")
    assert done.returncode == 0, done.stderr


def test_resources_and_version_are_found_where_it_is_unpacked(plugins_folder):
    code = """
import json
from up42_plugin.resources import package_parent, plugin_version, resource_path
print(json.dumps([str(resource_path("sample", "taormina.geojson")), plugin_version(), str(package_parent())]))
"""
    done = run(sys.executable, "-c", code, cwd=plugins_folder)
    sample, version, parent = json.loads(done.stdout)
    assert sample == str(plugins_folder / "up42_plugin/resources/sample/taormina.geojson")
    assert f"version={version}\n" in (ROOT / "metadata.txt").read_text("utf-8")
    assert parent == str(plugins_folder)


def test_the_sandbox_runs_where_it_is_unpacked(plugins_folder):
    done = run(sys.executable, "-m", "up42_plugin.sandbox", "--help", cwd=plugins_folder)
    assert done.returncode == 0, done.stderr
    for option in ("--host", "--port", "--data-dir", "--speed", "--seed", "--faults", "--exit-with-parent"):
        assert option in done.stdout


def test_qgis_sees_a_plugin_it_can_load(plugins_folder):
    code = """
import qgis.utils
qgis.utils.plugin_paths[:] = ["."]
qgis.utils.updateAvailablePlugins()
print(qgis.utils.available_plugins, qgis.utils.pluginMetadata("up42_plugin", "name"))
"""
    done = run(sys.executable, "-c", code, cwd=plugins_folder, QT_QPA_PLATFORM="offscreen")
    assert done.stdout.strip() == "['up42_plugin'] UP42 Imagery", done.stderr
