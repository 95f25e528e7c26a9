"""What a sandbox itself says, over HTTP and beside the plugin."""

from __future__ import annotations

import itertools
from typing import Any, List, Mapping
from urllib.parse import quote

import requests
from sandbox_process import RunningSandbox

FAULTS = "/_sandbox/faults"
UNAUTHORIZED = 401


class Remote:
    """The service's own view of a sandbox, over HTTP and beside the plugin."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        self._session = requests.Session()
        self._session.trust_env = False
        self._token = ""

    def close(self) -> None:
        self._session.close()

    def arm(self, method: str = "*", path_glob: str = "*", **fault: Any) -> None:
        """Have requests go wrong: those of this method and path."""
        value = {"match": {"method": method, "path_glob": path_glob}, **fault}
        self._call("POST", FAULTS, json=value)

    def disarm(self) -> None:
        """Have everything go well again."""
        self._call("DELETE", FAULTS)

    def armed(self) -> List[Mapping[str, Any]]:
        """The faults that have not been used up."""
        return self._call("GET", FAULTS).json()["data"]

    def balance(self) -> int:
        """Credits left in the account."""
        return int(self.get("/accounts/me/credits/balance")["data"]["balance"])

    def jobs(self) -> List[Mapping[str, Any]]:
        """The project's jobs, newest first."""
        pages = (self.get(f"{self._project}/jobs?page={number}")["data"] for number in itertools.count())
        return [job for page in itertools.takewhile(bool, pages) for job in page]

    def job(self, job_id: str) -> Mapping[str, Any]:
        """One job."""
        return self.get(f"{self._project}/jobs/{job_id}")["data"]

    def submit(self, workflow: str, name: str, inputs: Mapping[str, Any]) -> str:
        """Run a seeded workflow as somebody else would; gives the job's id."""
        path = f"{self._project}/workflows/{self.sandbox.workflows[workflow]}/jobs?name={quote(name)}"
        return self._signed_in("POST", path, json=inputs).json()["data"]["id"]

    def cancel(self, job_id: str) -> None:
        """Cancel a job as somebody else would."""
        self._signed_in("POST", f"{self._project}/jobs/{job_id}/cancel")

    def set_limit(self, name: str, value: int) -> None:
        """Change a setting of the project."""
        self._signed_in("POST", f"{self._project}/settings", json={"settings": {name: value}})

    def get(self, path: str) -> Any:
        """The parsed answer of a GET."""
        return self._signed_in("GET", path).json()

    def _signed_in(self, method: str, path: str, **more: Any) -> requests.Response:
        for _ in range(2):
            headers = {"Authorization": f"Bearer {self._token}"}
            answer = self._call(method, path, check=False, headers=headers, **more)
            if answer.status_code != UNAUTHORIZED:
                break
            self._sign_in()
        answer.raise_for_status()
        return answer

    @property
    def _project(self) -> str:
        return f"/projects/{self.sandbox.project_id}"

    def _sign_in(self) -> None:
        key = (self.sandbox.project_id, self.sandbox.project_api_key)
        answer = self._call("POST", "/oauth/token", data={"grant_type": "client_credentials"}, auth=key)
        self._token = answer.json()["data"]["accessToken"]

    def _call(self, method: str, path: str, check: bool = True, **more: Any) -> requests.Response:
        answer = self._session.request(method, f"{self.sandbox.base_url}{path}", timeout=30, **more)
        if check:
            answer.raise_for_status()
        return answer
