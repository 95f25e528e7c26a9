"""Where outputs go: the options' rows, the folder beside the project, and clearing the disk; over a real service."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest
from plugin_kit import ANALYTIC, SMALL, SPEED, idle, plugin_in, wait_for
from qgis.core import QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import QAbstractButton, QDialog, QLabel, QVBoxLayout
from sandbox_process import start_sandbox

from up42_plugin.core import fetching
from up42_plugin.core.disk_use import READ_ONLY, TEMPORARY, DiskUse
from up42_plugin.core.job_entry import OnDisk
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_outputs import LedgerOutputs
from up42_plugin.core.unpack import RECEIPT
from up42_plugin.gui.job_commands import JobCommand
from up42_plugin.gui.job_texts import facts
from up42_plugin.gui.output_place import use_text
from up42_plugin.qgis_bridge.layer_metadata import identity

NBSP = "\u00a0"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("places") / "data", *SPEED) as running:
        yield running


@pytest.fixture
def kit(tmp_path, qgis_app, monkeypatch):
    """The plugin, its folders outside of the temporary folder."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with plugin_in(tmp_path / "plugin") as kit:
        yield kit


@pytest.fixture
def page(kit):
    """The page in a dialog, as QGIS's options show it."""
    dialog = QDialog(kit.iface.window)
    page = kit.iface.options[0].createWidget(dialog)
    QVBoxLayout(dialog).addWidget(page)
    dialog.resize(820, 640)
    dialog.show()
    yield page
    page.editing.close()
    dialog.close()
    dialog.deleteLater()


def output(root: Path, name: str, size: int) -> Path:
    folder = root / name / "final"
    folder.mkdir(parents=True)
    (folder / RECEIPT).write_bytes(b"{}")
    (folder / "a.tif").write_bytes(b"x" * size)
    return folder


def use(page) -> str:
    wait_for(lambda: page.place.use.text().startswith("UP42 outputs"), "the folder's use")
    return page.place.use.text()


def bought(kit, sandbox):
    """A live job that succeeded, not loaded."""
    kit.connect(sandbox)
    kit.choose(ANALYTIC)
    kit.area(SMALL)
    kit.test_query()
    return kit.live_job()


def in_project(kit, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert QgsProject.instance().write(str(path))


def downloads(monkeypatch):
    """Notes each output that is fetched from the service."""
    fetched, whole = [], fetching.fetch_output

    def noting(source, folder, context, **how):
        fetched.append(folder)
        return whole(source, folder, context, **how)

    monkeypatch.setattr(fetching, "fetch_output", noting)
    return fetched


def folders_of(kit, layers):
    return {Path(layer.source().split("|")[0]).parent for layer in layers}


def test_what_a_folder_holds_is_told_and_follows_the_field(kit, page, tmp_path):
    assert use(page).startswith("UP42 outputs here: none, ")
    assert page.place.note.isHidden()
    for number in range(2):
        output(tmp_path / "satellite", f"job-{number}1111111", 1_550_000)
    page.folder.setFilePath(str(tmp_path / "satellite"))
    wait_for(lambda: "2 jobs".replace(" ", NBSP) in page.place.use.text(), "the other folder")
    assert use(page).startswith(f"UP42 outputs here: 3.1{NBSP}MB in 2{NBSP}jobs, ")
    assert use(page).endswith("B free")
    page.folder.setFilePath(str(tmp_path / "temporary" / "x"))
    wait_for(lambda: page.place.note.text == TEMPORARY, "the warning")
    assert page.place.note.isVisible()
    (tmp_path / "file").write_text("")
    page.folder.setFilePath(str(tmp_path / "file" / "x"))
    wait_for(lambda: page.place.note.text == READ_ONLY, "the warning")
    page.folder.setFilePath(str(tmp_path / "satellite"))
    wait_for(page.place.note.isHidden, "the warning to go")


def test_the_words_for_a_folder():
    assert use_text(DiskUse(12, 3_100_000_000, 40_000_000_000)) == (
        f"UP42 outputs here: 3.1{NBSP}GB in 12{NBSP}jobs, 40.0{NBSP}GB free"
    )
    assert use_text(DiskUse(1, 0, None)) == f"UP42 outputs here: 0{NBSP}bytes in 1{NBSP}job"


def test_closing_the_page_at_once_does_no_harm(kit):
    dialog = QDialog(kit.iface.window)
    page = kit.iface.options[0].createWidget(dialog)
    page.place.show_old()
    dialog.deleteLater()
    idle()
    assert not [line for line in kit.lines if "Traceback" in line]


def test_outputs_go_beside_the_project_and_are_found_from_everywhere(kit, page, sandbox, tmp_path, monkeypatch):
    fetched = downloads(monkeypatch)
    page.place.beside_project.setChecked(True)
    page.apply()
    run = bought(kit, sandbox)
    job_id = run.job.id
    in_project(kit, tmp_path / "study" / "project.qgz")
    layers = kit.load(run)
    beside = tmp_path / "study" / "UP42"
    assert {folder.parent.parent for folder in folders_of(kit, layers)} == {beside}
    (stored,) = [
        item
        for item in LedgerOutputs(Ledger(kit.folder / "profile" / "ledger.sqlite")).outputs(kit.connection.id, job_id)
        if not item.task_id
    ]
    assert stored.folder.parent.parent == beside
    assert len(fetched) == 1
    in_project(kit, tmp_path / "study" / "project.qgz")
    kit.loaded.clear()
    layers = None

    # in another project it comes from there; nothing is downloaded again
    QgsProject.instance().clear()
    idle()
    layers = kit.load(run)
    assert {folder.parent.parent for folder in folders_of(kit, layers)} == {beside}
    assert len(fetched) == 1
    wait_for(lambda: kit.row(run).entry.on_disk is OnDisk.SOMETHING, "the mark")
    shown = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()) or True)
    kit.row(run).do(JobCommand.OPEN_FOLDER)
    wait_for(lambda: shown, "the folder")
    assert shown == [str(stored.folder.parent)]
    kit.loaded.clear()
    layers = None

    # the project, moved with its outputs, has its layers, and takes no second ones
    QgsProject.instance().clear()
    idle()
    (tmp_path / "study").rename(tmp_path / "moved")
    assert QgsProject.instance().read(str(tmp_path / "moved" / "project.qgz"))
    ours = [layer for layer in QgsProject.instance().mapLayers().values() if identity(layer)[1] == job_id]
    assert ours
    assert all(layer.isValid() for layer in ours)
    again = kit.load(run)
    assert {layer.id() for layer in again} <= {layer.id() for layer in ours}
    assert len(fetched) == 1
    kit.loaded.clear()
    ours = again = None

    # and deleting the local files finds them there
    kit.desk.dashboard.commands.files.delete([kit.row(run).entry])
    wait_for(lambda: not list((tmp_path / "moved" / "UP42").glob("*")), "the files to go")
    assert not [layer for layer in QgsProject.instance().mapLayers().values() if identity(layer)[1] == job_id]
    wait_for(lambda: kit.row(run).entry.on_disk is OnDisk.NOTHING, "the mark")


def test_an_unsaved_project_takes_the_general_folder_and_keeps_to_it(kit, page, sandbox, tmp_path):
    page.place.beside_project.setChecked(True)
    page.apply()
    run = bought(kit, sandbox)
    layers = kit.load(run)
    assert {folder.parent.parent for folder in folders_of(kit, layers)} == {kit.outputs}
    in_project(kit, tmp_path / "late" / "project.qgz")
    layers = kit.load(run)
    assert {folder.parent.parent for folder in folders_of(kit, layers)} == {kit.outputs}
    assert not (tmp_path / "late" / "UP42").exists()
    kit.loaded.clear()


def test_a_folder_renamed_by_hand_is_downloaded_again_and_mends_the_layer(kit, sandbox, tmp_path, monkeypatch):
    run = bought(kit, sandbox)
    (layer,) = kit.load(run)
    identity_before, name = layer.id(), layer.name()
    in_project(kit, tmp_path / "p" / "project.qgz")
    kit.loaded.clear()
    layer = None
    QgsProject.instance().clear()
    idle()
    kit.outputs_of(run).rename(tmp_path / "elsewhere")
    assert QgsProject.instance().read(str(tmp_path / "p" / "project.qgz"))
    assert not QgsProject.instance().mapLayer(identity_before).isValid()
    fetched = downloads(monkeypatch)
    (layer,) = kit.load(run)
    assert len(fetched) == 1
    assert (layer.id(), layer.name(), layer.isValid()) == (identity_before, name, True)
    assert len([one for one in QgsProject.instance().mapLayers().values() if identity(one)[1] == run.job.id]) == 1
    kit.loaded.clear()


def test_old_outputs_are_ticked_by_the_person_and_deleted_with_their_layers(kit, page, sandbox, tmp_path):
    run = bought(kit, sandbox)
    kit.load(run)
    kit.loaded.clear()
    unknown = output(kit.outputs, "of-another-profile-99999999", 5_000_000)
    idle()
    kit.click(page.place.delete_button)
    dialog = page.place.dialog
    wait_for(lambda: dialog.tree.topLevelItemCount() >= 2, "the list")
    items = {
        dialog.tree.topLevelItem(row).text(0): dialog.tree.topLevelItem(row)
        for row in range(dialog.tree.topLevelItemCount())
    }
    assert dialog.tree.topLevelItem(0).text(0) == "of-another-profile-99999999"
    assert items["of-another-profile-99999999"].text(2) == f"5.0{NBSP}MB"
    assert items["of-another-profile-99999999"].text(3) == ""
    assert items[run.name].text(3) == f"1{NBSP}layer"
    assert not dialog.delete_button.isEnabled()
    assert "Tick" in dialog.delete_button.toolTip()
    assert dialog.ticked == ()
    items[run.name].setCheckState(0, Qt.CheckState.Checked)
    assert dialog.delete_button.isEnabled()
    assert f"1{NBSP}layer of this project will go too" in dialog.delete_button.toolTip()
    assert dialog.total.text().endswith(f"ticked, in 1{NBSP}job")
    kit.click(dialog.delete_button)
    wait_for(lambda: not kit.outputs_of(run).exists(), "the files to go")
    wait_for(
        lambda: (
            run.name not in [dialog.tree.topLevelItem(row).text(0) for row in range(dialog.tree.topLevelItemCount())]
        ),
        "the list",
    )
    assert unknown.is_dir()
    assert not [layer for layer in QgsProject.instance().mapLayers().values() if identity(layer)[1] == run.job.id]
    wait_for(lambda: kit.row(run).entry.on_disk is OnDisk.NOTHING, "the mark in the list of jobs")
    assert kit.loadable(run)
    dialog.reject()
    wait_for(lambda: page.place.dialog is None, "the dialog to close")
    assert f"{NBSP}jobs" in use(page)


def test_what_an_output_used_is_told_in_its_row(kit, sandbox):
    run = bought(kit, sandbox)
    kit.load(run)
    kit.loaded.clear()
    usage = {"credits": {"used": 3}, "area": {"squareKm": 0.47}}
    (kit.outputs_of(run) / "final" / "usage.json").write_text(json.dumps(usage))
    kit.desk.dashboard.jobs.read_disk()
    wait_for(lambda: kit.row(run).entry.usage, "the usage")
    assert dict(facts(kit.row(run).entry, run.created))["Usage"] == "credits used 3, area squareKm 0.47"


def test_every_field_of_the_options_has_a_letter_of_its_own(page):
    use(page)
    kinds = (QLabel, QAbstractButton)
    texts = [widget.text() for kind in kinds for widget in page.findChildren(kind) if widget.isVisible()]
    letters = [match[1].lower() for text in texts for match in [re.search("&([A-Za-z])", text)] if match]
    assert len(letters) == len(set(letters)) >= 10, sorted(letters)
