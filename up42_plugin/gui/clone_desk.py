"""Clone to New Job: the form as a job had it."""

from __future__ import annotations

from typing import Callable, Optional

from qgis.core import Qgis
from qgis.PyQt.QtCore import QObject

from up42_plugin.core.configuration import CONFIG, JobConfiguration
from up42_plugin.core.job_form import JobForm
from up42_plugin.core.jobs import Mode
from up42_plugin.core.run import Run
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.new_job import NewJob
from up42_plugin.gui.rerun_desk import NO_WORKFLOW
from up42_plugin.qgis_bridge.hub import ConnectionHub


class CloneDesk(QObject):
    """Fills the form; the area is the job's, as typed in the JSON, with the way back to the map's beside it."""

    def __init__(
        self,
        dock: Up42Dock,
        *,
        new_job: NewJob,
        hub: ConnectionHub,
        tell: Callable[[str, Qgis.MessageLevel], None],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._dock, self._new_job, self._hub, self._tell = dock, new_job, hub, tell

    def clone(self, run: Run) -> None:
        """Take over workflow, area, filter and parameters of a job."""
        if run.connection_id != self._hub.current.id:
            self._refuse(run, f"It belongs to {self._hub.name_of(run.connection_id)}: choose that connection first.")
            return
        workflow_id = run.configuration.workflow.id
        section = self._dock.workflow
        known = [workflow.id for workflow in section.workflows]
        if workflow_id not in known:
            self._refuse(run, NO_WORKFLOW)
            return
        section.combo.setCurrentIndex(known.index(workflow_id))
        form = self._new_job.details.form
        if form is None or form.workflow.id != workflow_id:
            self._refuse(run, "Its workflow has no blocks.")
            return
        self._new_job.details.apply(form_of(run.configuration, form))
        self._dock.setUserVisible(True)
        self._dock.tabs.setCurrentWidget(self._dock.new_job)

    def with_selection(self, run: Run) -> Optional[JobConfiguration]:
        """The job's configuration for the area that is selected now; None, with the reason told, without one."""
        area = self._new_job.selection.aoi
        if area is None:
            self._refuse(run, "Select polygons on the map first.")
            return None
        return form_of(run.configuration, JobForm(run.configuration.workflow), keep_area=False).configuration(area)

    def _refuse(self, run: Run, why: str) -> None:
        self._tell(f"{run.name} was not taken over. {why}", Qgis.MessageLevel.Warning)


def form_of(configuration: JobConfiguration, present: JobForm, keep_area: bool = True) -> JobForm:
    """The form of a configuration, for the workflow as ``present`` has it."""
    body = configuration.inputs(Mode.TEST_QUERY)
    body.pop(CONFIG)
    found = JobForm.defaults(present.workflow).with_body(body, None)
    return found if keep_area else JobForm(found.workflow, found.geometric_filter, found.parameters)
