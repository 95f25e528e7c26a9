"""The seeded workflows with the real blocks, in a process of their own."""

from __future__ import annotations

import pytest
from jobs_client import Client

TIMES = "2021-05-01T00:00:00Z/2021-08-30T00:00:00Z"
BOX = [15.285, 37.845, 15.293, 37.851]
DATA = {"bbox": BOX, "time": TIMES, "limit": 1}
INPUTS = {
    "Sentinel-2 L2A → Super-resolution": {"aws-s2-l2a:1": DATA, "s2-superresolution:1": {"clip_to_aoi": True}},
    "Sentinel-2 visual → Sharpening": {"esa-s2-l2a-gtiff-visual:1": DATA, "sharpening:1": {}},
    "Pléiades → NDVI": {"oneatlas-pleiades-primary:1": DATA, "ndvi:1": {}},
    "Sentinel-2 analytic": {"esa-s2-l2a-gtiff-analytic:1": DATA},
    "Pléiades reflectance → Pan-sharpening": {"oneatlas-pleiades-fullscene:1": DATA, "pansharpen:1": {}},
    "SPOT streaming → Tiles": {"oneatlas-spot-aoiclipped:1": DATA, "tiling:1": {}},
}


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
