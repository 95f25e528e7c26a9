"""Presets, and the whole of a job taken in, given out and copied."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, Mapping, Optional

from qgis.PyQt.QtCore import QObject, Qt
from qgis.PyQt.QtWidgets import QApplication, QDialog, QFileDialog, QInputDialog, QMessageBox

from up42_plugin.core.context import JobContext
from up42_plugin.core.curl import curl_command
from up42_plugin.core.dropped_file import LARGEST_RECIPE
from up42_plugin.core.job_form import JobForm, read
from up42_plugin.core.jobs import Mode
from up42_plugin.core.json_text import JsonTextError, parse
from up42_plugin.core.recipes import Recipe, RecipeError, is_recipe
from up42_plugin.core.service import ServiceProvider
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.job_details import JobDetails
from up42_plugin.gui.new_job import NewJob
from up42_plugin.gui.parameters_section import DEFAULTS, SAVE_AS
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.presets import PresetStore

_FILTER = "JSON (*.json)"


class RecipeDesk(QObject):
    """Carries out the preset row's commands."""

    def __init__(
        self,
        *,
        dock: Up42Dock,
        new_job: NewJob,
        presets: PresetStore,
        runner: JobRunner,
        provider: Callable[[], Optional[ServiceProvider]],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._dock, self._new_job, self._presets = dock, new_job, presets
        self._runner, self._provider = runner, provider
        self._chosen: Dict[str, str] = {}
        self._dialog: Optional[QDialog] = None
        dock.presets.preset_chosen.connect(self._preset_chosen)
        dock.workflow.chosen.connect(self.show_presets)
        actions = dock.presets.actions_by_name
        for name, slot in (
            ("Import…", self._ask_import),
            ("Export…", self._ask_export),
            ("Copy as JSON", self.copy_json),
            ("Copy as curl", self.copy_curl),
            ("Delete Preset", self.delete_preset),
            ("Reset to Defaults", self.reset),
        ):
            actions[name].triggered.connect(lambda _=False, slot=slot: slot())
        self.show_presets()

    @property
    def _details(self) -> JobDetails:
        return self._new_job.details

    @property
    def chosen(self) -> Dict[str, str]:
        """The preset chosen for each workflow, by the workflow's id."""
        return dict(self._chosen)

    def restore_chosen(self, chosen: Mapping[str, str]) -> None:
        """Show the presets chosen last time; the forms were remembered as they were."""
        self._chosen = dict(chosen)
        self.show_presets()

    def show_presets(self, *_: object) -> None:
        """Offer the presets of the chosen workflow."""
        form = self._details.form
        names = [recipe.name for recipe in self._presets.of(form.workflow.id)] if form is not None else []
        self._dock.presets.show_presets(names, self._chosen.get(form.workflow.id, "") if form is not None else "")
        self._dock.presets.show_usable(form is not None, bool(self._details.trouble))

    def reset(self) -> None:
        """Every parameter to its block's default, and the area from the map."""
        form = self._details.form
        if form is not None:
            self._chosen.pop(form.workflow.id, None)
            self._details.apply(JobForm.defaults(form.workflow, form.geometric_filter))
            self.show_presets()

    def save_preset(self, name: str) -> None:
        """Keep the form as a preset of the workflow; one of the same name is replaced."""
        form, name = self._details.form, name.strip()
        if form is None or not name or name in (DEFAULTS, SAVE_AS):
            self.show_presets()
            return
        self._presets.save(form.workflow.id, Recipe.of(name, form))
        self._chosen[form.workflow.id] = name
        self.show_presets()

    def delete_preset(self) -> None:
        """Forget the chosen preset; the form stays as it is."""
        form = self._details.form
        if form is not None:
            self._presets.delete(form.workflow.id, self._chosen.pop(form.workflow.id, ""))
            self.show_presets()

    def copy_json(self) -> None:
        """Put the job's JSON on the clipboard."""
        QApplication.clipboard().setText(self._details.text)

    def copy_curl(self) -> None:
        """Put the test query as a curl command on the clipboard; its token is left to the person."""
        configuration, provider = self._details.configuration(self._new_job.selection.aoi), self._provider()
        if configuration is None or provider is None:
            self._refuse("Not copied", self._details.trouble or "Choose a connection and a workflow first.")
            return
        url = provider.submission_url(configuration.workflow.id)
        QApplication.clipboard().setText(curl_command(url, configuration.inputs(Mode.TEST_QUERY)))

    def import_file(self, path: Path) -> None:
        """Take in a recipe, or a job's JSON keyed by task."""

        def work(context: JobContext) -> str:
            context.check()
            with path.open(encoding="utf-8-sig") as file:
                return file.read(LARGEST_RECIPE + 1)

        job = self._runner.start("UP42: reading a recipe", work)
        job.succeeded.connect(self.import_text)
        job.failed.connect(lambda error: self._refuse("Not imported", f"{path.name} cannot be read: {error}"))

    def import_text(self, text: str) -> None:
        """Take in the text of a recipe, or of a job's JSON keyed by task."""
        form = self._details.form
        if form is None:
            return
        try:
            wanted = self._imported(text, form)
        except (RecipeError, JsonTextError) as error:
            self._refuse("Not imported", str(error))
            return
        self._details.apply(wanted)

    def _imported(self, text: str, form: JobForm) -> JobForm:
        if len(text) > LARGEST_RECIPE:
            raise RecipeError("The file is too large for a recipe.")
        value = parse(text).value
        if is_recipe(value):
            return Recipe.from_json(value).form(form)
        return form.with_body(_tasks_of(read(text).value, form), self._new_job.selection.aoi)

    def export_file(self, path: Path) -> None:
        """Write the form as a recipe, without area and secrets."""
        form = self._details.form
        if form is None:
            return
        text = Recipe.of(path.stem, form).text()

        def work(context: JobContext) -> None:
            context.check()
            path.write_text(text, encoding="utf-8")

        job = self._runner.start("UP42: writing a recipe", work)
        job.failed.connect(lambda error: self._refuse("Not exported", f"{path.name} cannot be written: {error}"))

    def close(self) -> None:
        """Close the dialog, as with Cancel."""
        if self._dialog is not None:
            self._dialog.done(QDialog.DialogCode.Rejected)

    def _preset_chosen(self, name: str) -> None:
        form = self._details.form
        if form is None:
            return
        if name == SAVE_AS:
            self._ask_name()
        elif name == DEFAULTS:
            self.reset()
        else:
            recipe = next((known for known in self._presets.of(form.workflow.id) if known.name == name), None)
            try:
                if recipe is not None:
                    self._details.apply(recipe.form(form))
                    self._chosen[form.workflow.id] = name
            except RecipeError as error:
                self._refuse("Preset not used", str(error))
            self.show_presets()

    def _ask_name(self) -> None:
        dialog = QInputDialog(self._dock.window())
        dialog.setObjectName("presetName")
        dialog.setWindowTitle("Save as Preset")
        dialog.setLabelText("Name")
        form = self._details.form
        dialog.setTextValue(self._chosen.get(form.workflow.id, "") if form is not None else "")
        self._open(dialog, lambda: self.save_preset(dialog.textValue()), self.show_presets)

    def _ask_import(self) -> None:
        dialog = QFileDialog(self._dock.window(), "Import", "", _FILTER)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        self._open(dialog, lambda: self.import_file(Path(dialog.selectedFiles()[0])))

    def _ask_export(self) -> None:
        dialog = QFileDialog(self._dock.window(), "Export", "recipe.json", _FILTER)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        self._open(dialog, lambda: self.export_file(Path(dialog.selectedFiles()[0])))

    def _refuse(self, title: str, why: str) -> None:
        box = QMessageBox(QMessageBox.Icon.Warning, title, f"{title}. {why}", parent=self._dock.window())
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setObjectName("recipeRefused")
        self._open(box, lambda: None)

    def _open(
        self, dialog: QDialog, accepted: Callable[[], None], otherwise: Callable[[], None] = lambda: None
    ) -> None:
        """Open without blocking, one at a time."""
        self.close()
        self._dialog = dialog

        def finished(result: int) -> None:
            self._dialog = None
            (accepted if result == QDialog.DialogCode.Accepted else otherwise)()
            dialog.deleteLater()

        dialog.finished.connect(finished)
        dialog.open()


def _tasks_of(body: Dict[str, Dict[str, object]], form: JobForm) -> Dict[str, Dict[str, object]]:
    """A job's JSON for this workflow: it must name at least one of its tasks."""
    tasks = [step.name for step in form.workflow.steps]
    if not any(task in body for task in tasks):
        raise RecipeError(f"This is no recipe, and no JSON of a job with the tasks {', '.join(tasks)}.")
    return body
