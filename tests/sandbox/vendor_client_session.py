"""A session with the vendor's own client, up42-py 0.31.0, against the sandbox. Runs in the client's environment.

The client is used as it is published. The one thing changed is the address its requests are sent to.

usage: python vendor_client_session.py < order.json
The order names base_url, project_id, project_api_key, aoi and the folder for all results, report.json among them.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Dict

import requests
import up42
from requests.adapters import HTTPAdapter

SERVICE = "https://api.up42.com"


def rewrite_address(base_url: str) -> None:
    """Send what is meant for the service to another address."""
    send = HTTPAdapter.send

    def send_elsewhere(self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        if request.url is not None and request.url.startswith(SERVICE):
            request.url = base_url + request.url[len(SERVICE) :]
        return send(self, request, *args, **kwargs)

    HTTPAdapter.send = send_elsewhere


def shown(job: up42.job.Job) -> Dict[str, Any]:
    """What is reported of a job."""
    info = job.info
    return {name: info[name] for name in ("id", "name", "mode", "status", "inputs", "workflowId", "finishedAt")}


Report = Dict[str, Any]


def look_around(report: Report) -> up42.project.Project:
    """The marketplace, the account and the project."""
    report["blocks"] = up42.get_blocks()
    report["data_blocks"] = up42.get_blocks(block_type="data")
    report["block_details"] = up42.get_block_details(report["blocks"]["aws-s2-l2a"])
    report["balance_before"] = up42.get_credits_balance()["balance"]
    project = up42.initialize_project()
    report["project"] = project.info
    report["settings"] = project.get_project_settings()
    project.update_project_settings(max_concurrent_jobs=4)
    report["max_concurrent_jobs"] = project.max_concurrent_jobs
    return project


def make_workflow(project: up42.project.Project, report: Report) -> up42.workflow.Workflow:
    """A workflow of two blocks, renamed."""
    workflow = project.create_workflow(name="Vendor client", description="Made by the client's own calls")
    report["compatible_with_nothing"] = workflow.get_compatible_blocks()
    workflow.add_workflow_tasks(["aws-s2-l2a", "s2-superresolution"])
    report["workflow_tasks"] = workflow.workflow_tasks
    report["compatible"] = workflow.get_compatible_blocks()
    report["parameters_info"] = workflow.get_parameters_info()
    workflow.update_name(name="Vendor client, renamed", description="Made by the client's own calls")
    report["workflow"] = workflow.info
    return workflow


def test_query(workflow: up42.workflow.Workflow, aoi: Any, folder: Path, report: Report) -> str:
    """Configuration, estimation and test query; returns the id of the first scene found."""
    parameters = workflow.construct_parameters(
        geometry=aoi, geometry_operation="contains", start_date="2021-04-01", end_date="2021-09-30", limit=2
    )
    parameters["aws-s2-l2a:1"]["max_cloud_cover"] = 20
    parameters["s2-superresolution:1"].update(clip_to_aoi=True, copy_original_bands=True)
    report["parameters"] = parameters
    report["estimation"] = workflow.estimate_job(parameters)
    job = workflow.test_job(parameters, track_status=True, name="vendor test")
    report["test_job"] = shown(job)
    report["test_results"] = job.get_results_json()
    report["quicklooks"] = job.download_quicklooks(folder / "quicklooks")
    report["test_tasks"] = job.get_jobtasks(return_json=True)
    report["test_credits"] = job.get_credits()
    return str(report["test_results"]["features"][0]["id"])


def live_job(workflow: up42.workflow.Workflow, aoi: Any, scene: str, folder: Path, report: Report) -> up42.job.Job:
    """The live job of one scene, and everything that it leaves."""
    parameters = workflow.construct_parameters(geometry=aoi, geometry_operation="contains", scene_ids=[scene])
    parameters["s2-superresolution:1"].update(clip_to_aoi=True, copy_original_bands=True)
    job = workflow.run_job(parameters, track_status=True, name="vendor live")
    report["job"] = shown(job)
    report["tasks"] = job.get_jobtasks(return_json=True)
    report["results"] = job.get_results_json()
    report["results_frame_crs"] = job.get_results_json(as_dataframe=True).crs.to_epsg()
    report["tasks_results"] = list(job.get_jobtasks_results_json().values())
    report["files"] = job.download_results(folder / "job")
    report["archive"] = job.download_results(folder / "archive", unpacking=False)
    report["task_files"] = job.get_jobtasks()[0].download_results(folder / "task")
    report["logs"] = job.get_logs(as_print=False, as_return=True)
    report["credits"] = job.get_credits()
    report["balance_after"] = up42.get_credits_balance()["balance"]
    return job


def repeat_and_cancel(job: up42.job.Job, workflow: up42.workflow.Workflow, report: Report) -> None:
    """Re-run and rename, for which the client has no call: its request method is used, with its token and retries."""
    address = f"{SERVICE}/projects/{job.project_id}/workflows/{workflow.workflow_id}/jobs/{job.job_id}"
    again = job.auth._request("POST", f"{address}?name=vendor%20again")["data"]
    job.auth._request("PUT", address, data={"name": "vendor renamed"})
    report["job_name"] = job.info["name"]
    repeated = up42.initialize_job(job_id=again["id"])
    report["repeated"] = shown(repeated)
    repeated.cancel_job()
    report["cancelled"] = cancelled(repeated)


def work_from_storage(project: up42.project.Project, aoi: Any, folder: Path, report: Report) -> None:
    """The assets in storage, one of them in every way the client knows, and a job on it."""
    storage = up42.initialize_storage()
    report["assets"] = storage.get_assets(return_json=True)
    report["assets_here"] = storage.get_assets(
        geometry=aoi, collection_names=["phr"], sources=["ARCHIVE"], return_json=True
    )
    asset = storage.get_assets(producer_names=["airbus"], search="Pléiades Display", limit=1)[0]
    report["asset_title"] = asset.update_metadata(title="Mine", tags=["vendor"])["title"]
    report["asset"] = asset.info
    report["asset_collection"] = asset.stac_info.to_dict()
    report["asset_items"] = [item.to_dict() for item in asset.stac_items]
    report["asset_files"] = asset.download(folder / "asset")
    workflow = project.create_workflow(name="Vendor client, from storage")
    workflow.add_workflow_tasks(["oneatlas-pleiades-display"])
    report["storage_parameters"] = workflow.construct_parameters(asset_ids=[asset.asset_id])
    tested = workflow.test_job(report["storage_parameters"], track_status=True, name="vendor storage test")
    report["storage_test"] = tested.get_results_json()
    job = workflow.run_job(report["storage_parameters"], track_status=True, name="vendor storage")
    report["storage_files"] = job.download_results(folder / "storage")
    report["storage_credits"] = job.get_credits()
    workflow.delete()


def session(order: Dict[str, Any]) -> Report:
    """Go through the whole life of a job and tell what the client was given at each step."""
    report: Report = {}
    folder, aoi = Path(order["folder"]), order["aoi"]
    up42.authenticate(project_id=order["project_id"], project_api_key=order["project_api_key"])
    project = look_around(report)
    workflow = make_workflow(project, report)
    scene = test_query(workflow, aoi, folder, report)
    job = live_job(workflow, aoi, scene, folder, report)
    repeat_and_cancel(job, workflow, report)
    report["project_jobs"] = [one["id"] for one in project.get_jobs(return_json=True)]
    report["test_jobs"] = [one["id"] for one in project.get_jobs(return_json=True, real_jobs=False)]
    report["workflow_jobs"] = [one["id"] for one in workflow.get_jobs(return_json=True)]
    work_from_storage(project, aoi, folder, report)
    workflow.delete()
    report["workflows"] = [one["id"] for one in project.get_workflows(return_json=True)]
    return report


def cancelled(job: up42.job.Job) -> str:
    """Follow a job that was cancelled, as the client does, to the word that it ends with."""
    try:
        job.track_status()
    except ValueError as error:
        while job.status == "CANCELLING":
            time.sleep(0.2)
        return f"{error} {job.status}"
    return str(job.status)


def main() -> None:
    """Read the order, go through the session, write the report."""
    order = json.load(sys.stdin)
    rewrite_address(order["base_url"])
    report = session(order)
    Path(order["folder"], "report.json").write_text(json.dumps(report, default=str), "utf-8")


if __name__ == "__main__":
    main()
