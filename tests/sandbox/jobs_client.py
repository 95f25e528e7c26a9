"""A small client for jobs at a sandbox process of its own."""

from __future__ import annotations

import time

import requests


class Client:
    """Runs jobs at a sandbox process."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.project_url = f"{sandbox.base_url}/projects/{sandbox.project_id}"

    def call(self, method, path, **arguments):
        """A request to a path under the project."""
        answer = requests.post(
            f"{self.sandbox.base_url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(self.sandbox.project_id, self.sandbox.project_api_key),
            timeout=60,
        )
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return requests.request(method, f"{self.project_url}/{path}", headers=headers, timeout=60, **arguments)

    def run(self, workflow, inputs):
        """Submit a job of a workflow by its name, and wait for its end; the job."""
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
