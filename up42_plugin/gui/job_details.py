"""The details of a new job: search, parameters and JSON are views of one form, kept for each workflow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QMessageBox

from up42_plugin.core.aoi import AOI
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.job_form import JobForm, in_words, notes_by_line, only_in_json, read
from up42_plugin.core.json_text import JsonText, JsonTextError
from up42_plugin.core.parameters import IDS, TIME
from up42_plugin.core.recipes import Recipe, RecipeError
from up42_plugin.core.validation import Problem
from up42_plugin.core.workflow import Workflow
from up42_plugin.gui import search_binding
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.json_editor import broken_json_question
from up42_plugin.gui.texts import area_text

_REMEMBERED = 20
_CHECKING = "Checking the JSON…"


class JobDetails(QObject):
    """Holds the form of the chosen workflow; ``changed`` when a person made it another."""

    changed = pyqtSignal()

    def __init__(self, dock: Up42Dock, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._dock = dock
        self.form: Optional[JobForm] = None
        self._forms: Dict[str, JobForm] = {}
        self._saved: Dict[str, Any] = {}
        self._drafts: Dict[str, str] = {}
        self._aoi: Optional[AOI] = None
        self._is_json = self._pending = self._showing = False
        self._document: Optional[JsonText] = None
        self._broken: Optional[JsonTextError] = None
        self._collapsed: Tuple[bool, bool] = (False, False)
        self._fields = dock.search.values
        self._question: Optional[QMessageBox] = None
        self._lines: List[int] = []
        dock.search.changed.connect(self._search_edited)
        dock.search.any_time_asked.connect(self._any_time)
        dock.parameters.edited.connect(self._parameter_edited)
        dock.parameters.json.touched.connect(self._text_touched)
        dock.parameters.json.settled.connect(self._text_settled)
        dock.presets.view_asked.connect(self.show_json)
        dock.presets.area_button.clicked.connect(self.use_map_area)
        dock.foot.line_asked.connect(self.go_to_problem)

    # what the form amounts to

    @property
    def trouble(self) -> str:
        """Why there is no configuration: a text that cannot be read, or one that was not read yet. Empty else."""
        if self._pending:
            return _CHECKING
        return str(self._broken) if self._broken is not None else ""

    @property
    def typed(self) -> bool:
        """Whether the geometries come from the JSON."""
        return self.form is not None and self.form.geometries is not None

    def area(self, selected: Optional[AOI]) -> Optional[AOI]:
        """The area that the form asks for: a typed one, else the one selected on the map."""
        return self.form.typed_area() if self.form is not None and self.typed else selected

    def configuration(self, selected: Optional[AOI]) -> Optional[JobConfiguration]:
        """What the form asks for; None without a workflow or while the text cannot be read."""
        return self.form.configuration(selected) if self.form is not None and not self.trouble else None

    @property
    def text(self) -> str:
        """The job as JSON: in that view as it was typed."""
        if self._is_json:
            return self._dock.parameters.json.text
        return self.form.text(self._aoi) if self.form is not None else ""

    def located(self, problems: Sequence[Problem]) -> Tuple[str, ...]:
        """The problems in words, in the JSON view with their lines, which are marked there."""
        document = self._with_lines() if problems and self.form is not None and not self.trouble else None
        return in_words(problems, document, self.form.workflow if self.form is not None else None)

    def mark(self, problems: Sequence[Problem]) -> None:
        """Mark the lines of these problems, or the one where the text cannot be read."""
        marks: Dict[int, str] = {}
        if self._is_json and self._broken is not None:
            marks[self._broken.line] = self._broken.reason
        elif problems and self.form is not None and not self._pending:
            marks = notes_by_line(problems, self._with_lines(), self.form.workflow)
        if not self._pending:
            self._dock.parameters.json.show_marks(marks)
            self._lines = list(marks)
        self._dock.foot.show_line(bool(marks))

    @property
    def marked(self) -> bool:
        """Whether lines of the JSON are marked."""
        return bool(self._lines)

    def go_to_problem(self) -> None:
        """Put the cursor into the first line that has a problem."""
        if self._lines:
            self._dock.parameters.json.go_to(self._lines[0])

    # what comes from outside

    def show_workflow(self, workflow: Optional[Workflow], most_scenes: Optional[int]) -> None:
        """Show the form of another workflow; the search goes along."""
        if workflow is None or not workflow.steps:
            self._keep_draft()
            self._forms = self._all_forms()
            self.form = None
            self._dock.parameters.build(None, ())
            self._leave_json()
            self._show()
            return
        before = self.form
        same = before is not None and before.workflow.id == workflow.id
        if before is None or before.workflow != workflow:
            self._dock.parameters.build(workflow, search_binding.SEARCHED)
        if not same:
            self._keep_draft()
        self._guarded(lambda: self._dock.search.set_bounds(most_scenes, workflow.data_step.block.parameters))
        self.form = self._adopted(workflow, before)
        self._show()
        if self._is_json and not same:
            self._fill_editor()

    def set_area(self, aoi: Optional[AOI]) -> None:
        """Another area is selected on the map; a text that follows the map follows it."""
        if aoi == self._aoi:
            return
        self._aoi = aoi
        if self._is_json and not self.typed and not self.trouble:
            self._fill_editor()

    def apply(self, form: JobForm) -> None:
        """Take over a whole form: a preset, an import, the defaults."""
        self.form = form
        self._show()
        if self._is_json:
            self._fill_editor()
        self.changed.emit()

    def use_map_area(self) -> None:
        """Forget the typed geometries."""
        if self.form is not None and not self.trouble:
            self.apply(replace(self.form, geometries=None))

    def show_json(self, json: bool) -> None:
        """Show the form as fields or as JSON. A text that cannot be read is asked about first."""
        if json == self._is_json or self.form is None:
            self._dock.presets.show_view(self._is_json)
            return
        if json:
            self._is_json = True
            self._collapsed = (self._dock.area.isCollapsed(), self._dock.workflow.isCollapsed())
            self._show_view()
            self._fill_editor()
            self.changed.emit()
            return
        if self._pending:
            self._read_text()
        if self._broken is not None:
            self._dock.presets.show_view(True)
            self._ask()
            return
        self._leave_json()
        self._show()
        self.changed.emit()

    def to_memory(self) -> Dict[str, Any]:
        """The forms of the workflows seen last, as plain JSON; scenes that were chosen are not kept."""
        found = dict(self._saved)
        for workflow_id, form in self._all_forms().items():
            found.pop(workflow_id, None)
            found[workflow_id] = Recipe.of("", self._without_scene(form)).to_json()
        return dict(list(found.items())[-_REMEMBERED:])

    def restore_memory(self, saved: Any) -> None:
        """Take what :meth:`to_memory` gave; forms are made of it when their workflow is chosen."""
        self._saved = dict(saved) if isinstance(saved, dict) else {}

    def close(self) -> None:
        """Close the question, if there is one; the sections remember how they were in the form."""
        if self._is_json:
            self._dock.area.setCollapsed(self._collapsed[0])
            self._dock.workflow.setCollapsed(self._collapsed[1])
        if self._question is not None:
            self._question.done(0)

    def _all_forms(self) -> Dict[str, JobForm]:
        forms = dict(self._forms)
        if self.form is not None:
            forms.pop(self.form.workflow.id, None)
            forms[self.form.workflow.id] = self.form
        return forms

    def _without_scene(self, form: JobForm) -> JobForm:
        step = form.workflow.data_step
        ids = form.parameters.get(step.name, {}).get(IDS)
        if not ids or not self._dock.search.offers(ids):
            return form
        return form.with_ids(None, self._dock.search.values.limit)

    def _adopted(self, workflow: Workflow, before: Optional[JobForm]) -> JobForm:
        """The form for a workflow: as it was, as it was saved, or the defaults; with the search of the one before."""
        if before is not None:
            self._forms[before.workflow.id] = before
        known = self._forms.get(workflow.id)
        if known is not None and before is known and known.workflow.same_chain(workflow):
            return replace(known, workflow=workflow)
        fresh = JobForm.defaults(workflow, self._dock.search.values.geometric_filter)
        if known is None:
            known = self._restored(workflow.id, fresh)
        form = known.adopted(fresh) if known is not None else fresh
        if before is not None:
            return search_binding.carried(before, form)
        if known is not None:
            return form
        parameters = workflow.data_step.block.parameters
        return form.with_values(workflow.data_step.name, search_binding.written(self._dock.search.values, parameters))

    def _restored(self, workflow_id: str, fresh: JobForm) -> Optional[JobForm]:
        try:
            return Recipe.from_json(self._saved.pop(workflow_id, None)).form(fresh)
        except RecipeError:
            return None

    def _show(self) -> None:
        """Bring every field up to date with the form."""
        form, search = self.form, self._dock.search
        if form is not None:
            values = search_binding.shown(form, search.values)
            ids = form.parameters.get(form.workflow.data_step.name, {}).get(IDS)
            self._guarded(lambda: search.show_values(values, bool(ids), self.typed))
            for group in self._dock.parameters.forms:
                group.set_values(form.parameters.get(group.task, {}))
                group.setVisible(group.is_needed)
            tasks = [task for task, name in only_in_json(form) if not name]
            self._dock.parameters.other_tasks.setText(f"Only in JSON: {', '.join(tasks)}")
            self._dock.parameters.other_tasks.setVisible(bool(tasks))
        self._tell()

    def _tell(self) -> None:
        """What is said beside the fields: what they cannot show, and a typed area."""
        form = self.form
        self._fields = self._dock.search.values
        beyond = search_binding.beyond_fields(form, self._fields) if form is not None else ""
        self._dock.search.show_note(f"Set otherwise, and used: {beyond}" if beyond else "")
        typed = form.typed_area() if form is not None else None
        size = f": {area_text(typed.area_km2)}" if typed is not None else ", as it is typed there"
        self._dock.presets.show_typed_area(f"Area from JSON{size}" if self.typed else "")
        self._dock.presets.show_usable(form is not None, bool(self.trouble))

    def _guarded(self, act: Any) -> None:
        self._showing = True
        try:
            act()
        finally:
            self._showing = False

    def _search_edited(self) -> None:
        if self._showing:
            return
        if self.form is not None:
            self.form = search_binding.edited(self.form, self._fields, self._dock.search.values)
            self._after_edit()
        self.changed.emit()

    def _any_time(self) -> None:
        if self.form is not None and TIME in self.form.workflow.data_step.block.parameters:
            self.apply(self.form.with_values(self.form.workflow.data_step.name, {TIME: None}))

    def _parameter_edited(self, task: str, name: str) -> None:
        if self.form is None:
            return
        value = self._dock.parameters.form_of(task).values[name]
        first = task == self.form.workflow.data_step.name
        if first and name == IDS and (value is None or isinstance(value, list)):
            self.form = self.form.with_ids(value, self._dock.search.limit.value())
        else:
            self.form = self.form.with_values(task, {name: value})
        self._after_edit()
        self.changed.emit()

    def _after_edit(self) -> None:
        """A field was edited: the others that show the same follow."""
        self._fields = self._dock.search.values
        form = self.form
        if form is None:
            return
        step = form.workflow.data_step
        ids = form.parameters.get(step.name, {}).get(IDS)
        values = replace(search_binding.shown(form, self._fields), start=self._fields.start, end=self._fields.end)
        self._guarded(lambda: self._dock.search.show_values(values, bool(ids), self.typed))
        for group in self._dock.parameters.forms:
            if group.task == step.name:
                group.set_values(form.parameters.get(step.name, {}))
        self._tell()
        if self._is_json and not self.trouble:
            self._fill_editor()

    # JSON

    def _fill_editor(self) -> None:
        """Show the form as text, or the text that could not be read when this workflow was left."""
        if self.form is None:
            return
        draft = self._drafts.pop(self.form.workflow.id, None)
        self._dock.parameters.json.show_text(draft if draft is not None else self.form.text(self._aoi))
        self._pending, self._broken, self._document = False, None, None
        if draft is not None or self.typed:
            self._read_text()
        self._tell()

    def _with_lines(self) -> Optional[JsonText]:
        """The text with its lines; one that was written here is read only when a line is asked for."""
        if self._document is None and self._is_json and not self.trouble:
            self._document = read(self._dock.parameters.json.text)
        return self._document

    def _read_text(self) -> None:
        self._pending = False
        try:
            self._document = read(self._dock.parameters.json.text)
        except JsonTextError as error:
            self._broken, self._document = error, None
            return
        self._broken = None
        if self.form is not None:
            self.form = self.form.with_body(self._document.value, self._aoi)

    def _text_touched(self) -> None:
        if not self._pending:
            self._pending = True
            self._tell()
            self.changed.emit()

    def _text_settled(self) -> None:
        if self._is_json:
            self._read_text()
            self._show()
            self.changed.emit()

    def _keep_draft(self) -> None:
        if self._is_json and self.form is not None and self.trouble:
            if self._pending:
                self._read_text()
            if self._broken is not None:
                self._drafts[self.form.workflow.id] = self._dock.parameters.json.text
        self._pending, self._broken = False, None

    def _ask(self) -> None:
        """Broken text is never lost without a yes."""
        if self._question is not None:
            self._question.raise_()
            return
        box = self._question = broken_json_question(self._broken, self._dock.window())

        def answered(*_: object) -> None:
            discarded = box.buttonRole(box.clickedButton()) == QMessageBox.ButtonRole.DestructiveRole
            self._question = None
            box.deleteLater()
            if discarded:
                self._leave_json()
                self._show()
                self.changed.emit()

        box.finished.connect(answered)
        box.open()

    def _leave_json(self) -> None:
        if self._is_json:
            self._is_json = False
            self._show_view()
        self._pending, self._broken, self._document = False, None, None
        self.mark(())

    def _show_view(self) -> None:
        json, dock = self._is_json, self._dock
        dock.presets.show_view(json)
        dock.parameters.show_view(json)
        dock.search.setVisible(not json)
        dock.area.setCollapsed(json or self._collapsed[0])
        dock.workflow.setCollapsed(json or self._collapsed[1])
