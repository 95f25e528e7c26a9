"""The project's own checks: each finds what it is there for."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT_PYTHON = ROOT / ".venv-lint/bin/python"


def check(script, *arguments, python=sys.executable):
    """Run a check; returns its exit code and what it says."""
    command = [str(python), str(ROOT / ".ci" / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, done.stdout


@pytest.fixture
def lint_python():
    if not LINT_PYTHON.exists():
        pytest.skip("the linters are not installed here: make lint does that")
    return LINT_PYTHON


class TestQt6:
    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("from qgis.PyQt.QtWidgets import QDesktopWidget", "QDesktopWidget does not exist in PyQt6"),
            ("from qgis.PyQt.QtCore import Qt\nQt.AlignLeft", "Qt.AlignLeft does not exist"),
            ("from qgis.PyQt.QtCore import Qt as Q\nQ.ItemDataRole.Nothing", "Q.ItemDataRole.Nothing does not exist"),
            ("from qgis.PyQt import QtCore\nQtCore.Qt.UserRole", "QtCore.Qt.UserRole does not exist"),
            ("import qgis.PyQt.QtCore as C\nC.Qt.UserRole", "C.Qt.UserRole does not exist"),
            ("import qgis.PyQt.QtCore", "is to be imported by name"),
            ("from PyQt5.QtCore import Qt", "PyQt5.QtCore is bound to one Qt"),
            ("import PyQt6.QtCore", "PyQt6.QtCore is bound to one Qt"),
            ("dialog.exec_()", ".exec_() is gone"),
        ],
    )
    def test_it_finds(self, lint_python, tmp_path, source, said):
        (tmp_path / "bad.py").write_text(source, "utf-8")
        code, output = check("check_qt6.py", tmp_path, python=lint_python)
        assert code == 1
        assert said in output

    def test_it_passes_what_both_have(self, lint_python, tmp_path):
        (tmp_path / "good.py").write_text(
            "from qgis.PyQt.QtWidgets import QAction, QDialog\nfrom qgis.PyQt.QtCore import Qt\n"
            "Qt.ItemDataRole.UserRole\nQDialog().exec()\n",
            "utf-8",
        )
        assert check("check_qt6.py", tmp_path, python=lint_python)[0] == 0


class TestEnums:
    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("from qgis.PyQt.QtCore import Qt\nQt.AlignLeft", "Qt.AlignLeft is to be Qt.AlignmentFlag.AlignLeft"),
            ("from qgis.PyQt import QtCore\nQtCore.Qt.Horizontal", "is to be Qt.Orientation.Horizontal"),
            ("import qgis.core\nqgis.core.Qgis.Warning", "is to be Qgis.MessageLevel.Warning"),
            ("from qgis.core import Qgis\nQgis.Warning", "Qgis.Warning is to be Qgis.MessageLevel.Warning"),
            ("from qgis.core import QgsTask\nQgsTask.CanCancel", "is to be QgsTask.Flag.CanCancel"),
            ("from qgis.core import QgsWkbTypes as W\nW.PolygonGeometry", "W.PolygonGeometry is to be Qg"),
            ("from qgis.core import QgsMapLayerProxyModel as M\nM.Filters(1)", "M.Filters is gone in newer versions"),
            ("from qgis.PyQt.QtCore import Qt\nQt.ItemFlags()", "Qt.ItemFlags is gone in newer versions"),
            (
                "import qgis.PyQt.QtWidgets as W\nclass D(W.QDialog):\n    def f(self):\n        self.Accepted",
                "self.Accepted is to be QDialog.DialogCode.Accepted",
            ),
        ],
    )
    def test_it_finds(self, tmp_path, source, said):
        (tmp_path / "bad.py").write_text(source, "utf-8")
        code, output = check("check_enums.py", tmp_path)
        assert code == 1
        assert said in output

    def test_it_passes_scoped_members(self, tmp_path):
        (tmp_path / "good.py").write_text(
            "from qgis.core import Qgis, QgsMapLayerType, QgsTask\nfrom qgis.PyQt.QtCore import Qt\n"
            "Qgis.MessageLevel.Warning\nQgsMapLayerType.RasterLayer\nQgsTask.Flag.CanCancel\n"
            "Qt.ItemDataRole.UserRole\nclass T(QgsTask):\n    def f(self):\n        return self.isCanceled()\n",
            "utf-8",
        )
        assert check("check_enums.py", tmp_path)[0] == 0


class TestFiles:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("x = 1\n" * 401, "401 lines, more than 400"),
            ("DATA = '/" + "root/data'\n", "a path of one machine"),
            ("# T" + "ODO: later\n", "unfinished work"),
            ("# see iss" + "ue 7\n", "talk about planning"),
            ("# as PLAN" + ".md says\n", "a document that is not here"),
        ],
    )
    def test_it_finds(self, tmp_path, text, said):
        (tmp_path / "bad.py").write_text(text, "utf-8")
        code, output = check("check_files.py", tmp_path)
        assert code == 1
        assert said in output

    def test_it_passes_a_plain_file(self, tmp_path):
        (tmp_path / "good.py").write_text("# README.md tells more\nx = 1\n" * 200, "utf-8")
        assert check("check_files.py", tmp_path)[0] == 0


class TestMetadata:
    @pytest.fixture
    def folder(self, tmp_path):
        for name in ("metadata.txt", "LICENSE", "CHANGELOG.md"):
            shutil.copy(ROOT / name, tmp_path)
        shutil.copytree(ROOT / "resources/icons", tmp_path / "resources/icons")
        return tmp_path

    def test_it_passes_ours(self, folder):
        assert check("check_metadata.py", folder) == (0, "metadata.txt: good\n")

    @pytest.mark.parametrize(
        ("before", "after", "said"),
        [
            ("tracker=", "elsewhere=", "tracker is missing"),
            ("version=0", "version=v0", "version is not of the form"),
            ("about=", "about=<b>New</b> ", "about holds HTML"),
            ("category=Raster", "category=Images", "category is none of"),
            ("icons/up42_imagery.png", "icons/up42_imagery.svg", "icon is no PNG"),
            ("qgisMaximumVersion=4.99", "qgisMaximumVersion=3.4", "are no range"),
            ("homepage=https", "homepage=http", "homepage is no https address"),
            ("unofficial", "official", "unofficial"),
            ("server=no", "supportsQt6=yes", "supportsQt6 has no meaning"),
            ("[general]", "", "cannot be read"),
        ],
    )
    def test_it_finds(self, folder, before, after, said):
        metadata = folder / "metadata.txt"
        text = metadata.read_text("utf-8")
        assert before in text
        metadata.write_text(text.replace(before, after), "utf-8")
        code, output = check("check_metadata.py", folder)
        assert code == 1
        assert said in output


def zipped(path, files, mode=0o100644):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, text)
    return path


WHOLE = {"up42_plugin/__init__.py": "", "up42_plugin/metadata.txt": "", "up42_plugin/LICENSE": ""}


class TestZip:
    def test_it_passes_a_whole_one(self, tmp_path):
        assert check("check_zip.py", zipped(tmp_path / "a.zip", WHOLE))[0] == 0

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"up42_plugin/run.sh": ""}, "a kind of file that the site refuses"),
            ({"up42_plugin/x.cpython-311.pyc": ""}, "a kind of file that the site refuses"),
            ({"up42_plugin/__pycache__/x.txt": ""}, "a name that the site refuses"),
            ({"up42_plugin/../x.txt": ""}, "a name that the site refuses"),
            ({"other/x.txt": ""}, "not one top folder"),
            ({"up42_plugin/.bandit": ""}, "settings of a scanner"),
        ],
    )
    def test_it_finds_what_does_not_belong(self, tmp_path, more, said):
        code, output = check("check_zip.py", zipped(tmp_path / "a.zip", {**WHOLE, **more}))
        assert code == 1
        assert said in output

    def test_it_finds_what_is_missing(self, tmp_path):
        files = {name: text for name, text in WHOLE.items() if "LICENSE" not in name}
        code, output = check("check_zip.py", zipped(tmp_path / "a.zip", files))
        assert code == 1
        assert "LICENSE is missing" in output

    def test_it_finds_links_and_programs(self, tmp_path):
        for mode in (0o120644, 0o100755):
            code, output = check("check_zip.py", zipped(tmp_path / "a.zip", WHOLE, mode))
            assert code == 1
            assert "not a plain file" in output


class TestSite:
    @pytest.mark.parametrize(
        ("source", "rule"),
        [
            ("def f(token: str = ''):\n    return token\n", "B107"),
            ("import requests\nrequests.get('https://example.org', verify=False, timeout=1)\n", "B501"),
            ("import subprocess\nsubprocess.run('ls', shell=True)\n", "B602"),
            ("def f():\n    return missing\n", "F821"),
            ("ADDRESS = 'https://user:" + "Xk29dkQ1@example.org'\n", "Basic Auth Credentials"),
        ],
    )
    def test_it_finds(self, lint_python, tmp_path, source, rule):
        archive = zipped(tmp_path / "a.zip", {**WHOLE, "up42_plugin/bad.py": source})
        code, output = check("check_site.py", archive, python=lint_python)
        assert code == 1
        assert rule in output

    def test_what_is_only_warned_about_passes(self, lint_python, tmp_path):
        archive = zipped(tmp_path / "a.zip", {**WHOLE, "up42_plugin/fine.py": "assert 1 + 1 == 2\n"})
        code, output = check("check_site.py", archive, python=lint_python)
        assert code == 0
        assert "1 x B101" in output
