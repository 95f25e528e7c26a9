"""What the New Job form held last, kept over restarts."""

from __future__ import annotations

from typing import Any, Dict

from up42_plugin.core.configuration import GeometricFilter
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.job_details import JobDetails
from up42_plugin.gui.search_section import SearchValues
from up42_plugin.qgis_bridge.settings import PluginSettings


class FormMemory:
    """Saves the form and fills it again. The workflow is chosen when the project's workflows are known."""

    def __init__(self, dock: Up42Dock, details: JobDetails, settings: PluginSettings) -> None:
        self._dock, self._details, self._settings = dock, details, settings
        self._workflow_id = ""

    def restore(self) -> None:
        """Fill the search form as it was; anything unreadable keeps its default."""
        saved = self._settings.last_configuration()
        self._workflow_id = str(saved.get("workflow_id", ""))
        self._details.restore_memory(saved.get("forms"))
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
        """Choose the workflow of last time, once; later choices are the person's."""
        wanted, self._workflow_id = self._workflow_id, ""
        if wanted:
            index = self._dock.workflow.combo.findData(wanted)
            if index >= 0:
                self._dock.workflow.combo.setCurrentIndex(index)

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
        }
        self._settings.set_last_configuration(saved)
