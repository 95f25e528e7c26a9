"""What the New Job form held last, kept over restarts."""

from __future__ import annotations

from typing import Any, Dict, Optional

from up42_plugin.core.configuration import GeometricFilter
from up42_plugin.gui.area_desk import AreaDesk
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.job_details import JobDetails
from up42_plugin.gui.recipe_desk import RecipeDesk
from up42_plugin.gui.search_section import SearchValues
from up42_plugin.qgis_bridge.settings import PluginSettings

_LONGEST_TEXT = 500_000


class FormMemory:
    """Saves the form and fills it again. The workflow is chosen when the project's workflows are known.

    ``area`` is set once that section is joined with its source.
    """

    def __init__(
        self, dock: Up42Dock, details: JobDetails, settings: PluginSettings, recipes: Optional[RecipeDesk] = None
    ) -> None:
        self._dock, self._details, self._settings, self._recipes = dock, details, settings, recipes
        self._workflow_id = ""
        self._view: Dict[str, Any] = {}
        self.area: Optional[AreaDesk] = None

    def restore(self) -> None:
        """Fill the search form as it was; anything unreadable keeps its default."""
        saved = self._settings.last_configuration()
        self._workflow_id = str(saved.get("workflow_id", ""))
        if self._workflow_id:
            self._dock.workflow.want(self._workflow_id)  # at once: another one's search would replace the restored one
        view = saved.get("view")
        self._view = view if isinstance(view, dict) else {}
        self._details.restore_memory(saved.get("forms"))
        self._restore_presets(saved.get("presets"))
        if self.area is not None:
            self.area.restore_memory(saved.get("area"))
        values = self._dock.search.values
        try:
            restored = SearchValues(
                GeometricFilter(saved.get("filter", values.geometric_filter.value)),
                str(saved.get("start", values.start)),
                str(saved.get("end", values.end)),
                int(saved.get("limit", values.limit)),
                int(saved.get("clouds", values.max_cloud_cover)),
            )
        except (TypeError, ValueError):
            return
        self._dock.search.set_values(restored)

    def restore_workflow(self) -> None:
        """Choose the workflow of last time and show it as it was, once; later choices are the person's."""
        wanted, self._workflow_id = self._workflow_id, ""
        view, self._view = self._view, {}
        if wanted:
            index = self._dock.workflow.combo.findData(wanted)
            if index >= 0:
                self._dock.workflow.combo.setCurrentIndex(index)
                self._restore_view(view)

    def save(self) -> None:
        """Remember the form."""
        values = self._dock.search.values
        workflow = self._dock.workflow.current
        saved: Dict[str, Any] = {
            "workflow_id": workflow.id if workflow is not None else self._workflow_id,
            "filter": values.geometric_filter.value,
            "start": values.start,
            "end": values.end,
            "limit": values.limit,
            "clouds": values.max_cloud_cover,
            "forms": self._details.to_memory(),
            "presets": self._recipes.chosen if self._recipes is not None else {},
            "view": self._present_view() if workflow is not None else self._view,
        }
        if self.area is not None:
            saved["area"] = self.area.to_memory()
        self._settings.set_last_configuration(saved)

    def _restore_presets(self, saved: Any) -> None:
        if self._recipes is not None and isinstance(saved, dict):
            self._recipes.restore_chosen({str(key): str(name) for key, name in saved.items()})

    def _present_view(self) -> Dict[str, Any]:
        """Form or JSON, which groups are open, and a text that no form could be made into again."""
        open_groups = [form.task for form in self._dock.parameters.forms if not form.isCollapsed()]
        view: Dict[str, Any] = {"json": self._dock.presets.json_button.isChecked(), "open": open_groups}
        text = self._details.text
        if (self._details.trouble or self._details.typed) and len(text) <= _LONGEST_TEXT:
            view["text"] = text
        return view

    def _restore_view(self, view: Dict[str, Any]) -> None:
        open_groups = view.get("open")
        for form in self._dock.parameters.forms:
            form.setCollapsed(not isinstance(open_groups, list) or form.task not in open_groups)
        text = view.get("text")
        if view.get("json") is True or isinstance(text, str):
            self._details.show_json(True)
        if isinstance(text, str):
            self._dock.parameters.json.type_text(text)
