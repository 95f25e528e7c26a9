"""The tab Jobs over a service, as a person opens it, in this session and in the next."""

from __future__ import annotations

from plugin_kit import ANALYTIC, idle, wait_for
from qgis.core import QgsProject
from test_cancelling import somebody_elses_inputs

from tests.job_rows import JobRow
from up42_plugin.core.connections import ProjectKey


def look(kit):
    """Open the tab Jobs, and wait until the service has answered."""
    kit.dock.tabs.setCurrentWidget(kit.dock.jobs_page)
    jobs = kit.desk.dashboard.jobs
    wait_for(lambda: jobs._status.of(jobs.connection_id).updated is not None, "the list", of=kit.situation)
    idle()
    jobs.show_now()
    return kit.dock.jobs


def row_of(kit, job_id):
    jobs = kit.desk.dashboard.jobs
    entry = wait_for(lambda: jobs.list.find(kit.connection.id, job_id), "the job in the list", of=kit.situation)
    row = JobRow(kit.desk, key=entry.key)
    wait_for(lambda: row.entry is not None, "the row", of=kit.situation)
    return row


def again(kit, service):
    """QGIS was closed, and is there again; the person signs in and opens the dock."""
    kit.plugin.unload()
    QgsProject.instance().clear()
    kit.runs.clear()
    kit.loaded.clear()
    kit.start()
    kit.dock.setUserVisible(True)
    key = ProjectKey(service.sandbox.project_id, service.sandbox.project_api_key)
    kit.desk.hub.sign_in(kit.connection, key, keep=False)
    kit.wait_until_ready()
    return look(kit)


def somebody_elses(service, mode="DRY_RUN", name="Somebody else's"):
    inputs = somebody_elses_inputs()
    inputs["config"]["mode"] = mode
    job_id = service.submit(ANALYTIC, name, inputs)
    wait_for(lambda: service.job(job_id)["status"] == "SUCCEEDED", "their job")
    return job_id
