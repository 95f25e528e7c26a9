"""The seeded workflows with the real blocks, in a process of their own."""

from __future__ import annotations

import time

import pytest
import requests

TIMES = "2021-05-01T00:00:00Z/2021-08-30T00:00:00Z"
BOX = [15.285, 37.845, 15.293, 37.851]
DATA = {"bbox": BOX, "time": TIMES, "limit": 1}
INPUTS = {
    "Sentinel-2 L2A → Super-resolution": {"aws-s2-l2a:1": DATA, "s2-superresolution:1": {"clip_to_aoi": True}},
    "Sentinel-2 visual → Sharpening": {"esa-s2-l2a-gtiff-visual:1": DATA, "sharpening:1": {}},
    "Pléiades → NDVI": {"oneatlas-pleiades-primary:1": DATA, "ndvi:1": {}},
    "Sentinel-2 analytic": {"esa-s2-l2a-gtiff-analytic:1": DATA},
}


class Client:
    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.project_url = f"{sandbox.base_url}/projects/{sandbox.project_id}"

    def call(self, method, path, **arguments):
        answer = requests.post(
            f"{self.sandbox.base_url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(self.sandbox.project_id, self.sandbox.project_api_key),
            timeout=60,
        )
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return requests.request(method, f"{self.project_url}/{path}", headers=headers, timeout=60, **arguments)

    def run(self, workflow, inputs):
        path = f"workflows/{self.sandbox.workflows[workflow]}/jobs"
        until = time.monotonic() + 100
        answer = self.call("POST", path, json=inputs)
        while answer.status_code == 429 and time.monotonic() < until:
            time.sleep(0.2)
            answer = self.call("POST", path, json=inputs)
        assert answer.status_code == 200, answer.text
        job_id = answer.json()["data"]["id"]
        while time.monotonic() < until:
            job = self.call("GET", f"jobs/{job_id}").json()["data"]
            if job["status"] in ("SUCCEEDED", "FAILED", "CANCELLED", "ERROR"):
                return job
            time.sleep(0.1)
        raise AssertionError("the job does not end")


@pytest.mark.parametrize("workflow", list(INPUTS))
def test_seeded_workflow_runs_and_costs_what_was_estimated(sandbox, workflow):
    client = Client(sandbox)
    job = client.run(workflow, INPUTS[workflow])
    tasks = client.call("GET", f"jobs/{job['id']}/tasks").json()["data"]
    logs = [client.call("GET", f"jobs/{job['id']}/tasks/{task['id']}/logs").text for task in tasks]
    assert job["status"] == "SUCCEEDED", logs
    assert client.call("GET", f"jobs/{job['id']}/outputs/data-json").json()["features"]
    parts = [
        task[part]["credit"]
        for task in client.call("GET", f"jobs/{job['id']}/estimate").json()["data"].values()
        for part in ("blockConsumption", "machineConsumption")
    ]
    used = client.call("GET", f"jobs/{job['id']}/credits").json()["data"]["creditsUsed"]
    assert sum(part["min"] for part in parts) <= used <= sum(part["max"] for part in parts)


def test_test_query_of_each_seeded_workflow_finds_scenes(sandbox):
    client = Client(sandbox)
    for workflow, inputs in INPUTS.items():
        job = client.run(workflow, {**inputs, "config": {"mode": "DRY_RUN"}})
        assert job["status"] == "SUCCEEDED"
        features = client.call("GET", f"jobs/{job['id']}/outputs/data-json").json()["features"]
        assert features
        task = client.call("GET", f"jobs/{job['id']}/tasks").json()["data"][0]
        names = client.call("GET", f"jobs/{job['id']}/tasks/{task['id']}/outputs/quicklooks").json()["data"]
        assert {name.rpartition(".")[0] for name in names} == {feature["id"] for feature in features}
