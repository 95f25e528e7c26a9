"""A service inside the test's process, over real HTTP, with small runners instead of the real blocks."""

from __future__ import annotations

import json
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional

import requests

from up42_plugin.sandbox.application import Application
from up42_plugin.sandbox.archive import Grid, Scene
from up42_plugin.sandbox.catalogue import Catalogue
from up42_plugin.sandbox.runners.contract import Usage
from up42_plugin.sandbox.seed import Entrance, enter
from up42_plugin.sandbox.server import SandboxServer
from up42_plugin.sandbox.services import Services, World, build_services

AWS, SUPERRESOLUTION = "e6d0cb52-b649-4fca-9f2f-e215b7c02a37", "f6c29b0a-75bd-44a1-a040-f18c9e881d1d"
VISUAL, SHARPENING = "c4cb8913-2ef3-4e82-a426-65ea8faacd9a", "e374ea64-dc3b-4500-bb4b-974260fb203e"
PLEIADES, NDVI = "7bcfa144-e261-4228-b18e-4fc3d35e0b73", "d0da4ac9-94c6-4905-80f5-c95e702ca878"
ANALYTIC = "e13d8e92-2763-4640-80d6-1501b2729707"
SUPERRESOLUTION_WORKFLOW = "Sentinel-2 L2A → Super-resolution"
SHARPENING_WORKFLOW = "Sentinel-2 visual → Sharpening"
NDVI_WORKFLOW = "Pléiades → NDVI"
ANALYTIC_WORKFLOW = "Sentinel-2 analytic"
TERMINAL = ("SUCCEEDED", "FAILED", "CANCELLED", "ERROR")
TAORMINA = [15.282, 37.843, 15.302, 37.854]
AOI = {
    "type": "Polygon",
    "coordinates": [
        [
            [15.282326, 37.854051],
            [15.281897, 37.843275],
            [15.301208, 37.843139],
            [15.301809, 37.853577],
            [15.282326, 37.854051],
        ]
    ],
}
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")


def published_input() -> Dict[str, Any]:
    """The job input printed in the service's guide: clip_to_aoi with all geometries null."""
    return {
        "aws-s2-l2a:1": {
            "ids": None,
            "time": "2018-12-01T00:00:00+00:00/2021-12-31T23:59:59+00:00",
            "limit": 1,
            "time_series": None,
            "max_cloud_cover": 10,
            "contains": AOI,
        },
        "s2-superresolution:1": {
            "bbox": None,
            "contains": None,
            "intersects": None,
            "clip_to_aoi": True,
            "copy_original_bands": True,
        },
    }


def as_test_query(inputs: Mapping[str, Any]) -> Dict[str, Any]:
    return {**inputs, "config": {"mode": "DRY_RUN"}}


def wait_for(condition: Callable[[], Any], timeout_s: float = 60.0) -> Any:
    """The first true value of ``condition``."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


class OneSceneArchive:
    """An archive with one scene over every area."""

    def search(self, query) -> List[Scene]:
        ring = [[14.0, 37.0], [16.0, 37.0], [16.0, 39.0], [14.0, 39.0], [14.0, 37.0]]
        footprint = {"type": "Polygon", "coordinates": [ring]}
        moment = datetime(2021, 6, 1, tzinfo=timezone.utc)
        grid = Grid(32633, 0.0, 0.0, 10.0, 10, 10)
        bbox = (14.0, 37.0, 16.0, 39.0)
        return [Scene("one", query.sensor, "S2A", "33SWB", moment, 1.0, footprint, bbox, grid, 150.0, 60.0)]

    def read(self, scene, bands, grid):
        raise NotImplementedError

    def quicklook(self, scene, size=512):
        raise NotImplementedError


def write_features(task, names: List[str]) -> None:
    features = []
    for name in names:
        feature = {
            "type": "Feature",
            "id": Path(name).stem,
            "bbox": TAORMINA,
            "geometry": task.geometry,
            "properties": {} if task.test_query else {"up42.data_path": name},
        }
        features.append(feature)
    collection = {"type": "FeatureCollection", "features": features}
    (task.target / "data.json").write_text(json.dumps(collection), encoding="utf-8")


def data_runner(task) -> Usage:
    """Makes one small file and its quicklook."""
    feature_id = str(uuid.uuid4())
    task.log("INFO", "Search gave 1 results")
    if not task.test_query:
        folder = task.target / feature_id
        folder.mkdir()
        (folder / "image.tif").write_bytes(b"II*\0" + bytes(100_000))
    write_features(task, [feature_id])
    (task.quicklooks / f"{feature_id}.jpg").write_bytes(JPEG)
    return Usage(square_km=2.0, scenes=1, output_bytes=100_000, pixels=50_000)


def processing_runner(task) -> Usage:
    """Copies what the task before made into one file."""
    sources = sorted(path for path in task.source.rglob("*") if path.is_file() and path.name != "data.json")
    (task.target / "result.tif").write_bytes(b"".join(path.read_bytes() for path in sources))
    write_features(task, ["result.tif"])
    return Usage(square_km=2.0, scenes=1, output_bytes=100_000, pixels=50_000)


def default_runners() -> Dict[str, Callable]:
    data = dict.fromkeys((AWS, VISUAL, PLEIADES, ANALYTIC), data_runner)
    return {**data, **dict.fromkeys((SUPERRESOLUTION, SHARPENING, NDVI), processing_runner)}


@dataclass
class Gate:
    """A runner that waits until it is let through, and notices a cancelled job."""

    entered: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)
    runner: Callable = data_runner

    def __call__(self, task) -> Usage:
        self.entered.set()
        while not self.opened.wait(0.01):
            task.check()
        return self.runner(task)


class Service:
    """A running service and a client for it."""

    def __init__(self, services: Services, entrance: Entrance) -> None:
        self.services = services
        self.entrance = entrance
        self.base_url = entrance.base_url
        self.project_url = f"{entrance.base_url}/projects/{entrance.project_id}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.headers = {"Authorization": f"Bearer {self.token()}"}

    def token(self) -> str:
        answer = self.session.post(
            f"{self.base_url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(self.entrance.project_id, self.entrance.project_api_key),
            timeout=30,
        )
        return answer.json()["access_token"]

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """A request to a path of the service, or to a path under the project when it begins without /."""
        url = self.base_url + path if path.startswith("/") else f"{self.project_url}/{path}"
        headers = {**self.headers, **arguments.pop("headers", {})}
        return self.session.request(method, url, headers=headers, timeout=30, **{"allow_redirects": False, **arguments})

    def get(self, path: str, **arguments: Any) -> Any:
        """The member ``data`` of a good answer."""
        answer = self.call("GET", path, **arguments)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["error"] is None
        return body["data"]

    def workflow(self, name: str) -> str:
        return self.entrance.workflows[name]

    def submit(self, workflow: str, inputs: Mapping[str, Any], name: Optional[str] = None) -> requests.Response:
        query = {} if name is None else {"name": name}
        return self.call("POST", f"workflows/{self.workflow(workflow)}/jobs", params=query, json=inputs)

    def run(self, workflow: str, inputs: Mapping[str, Any], name: Optional[str] = None) -> Dict[str, Any]:
        """Submit and wait for the end; the job."""
        answer = self.submit(workflow, inputs, name)
        assert answer.status_code == 200, answer.text
        return self.ended(answer.json()["data"]["id"])

    def ended(self, job_id: str) -> Dict[str, Any]:
        def over() -> Optional[Dict[str, Any]]:
            job = self.get(f"jobs/{job_id}")
            return job if job["status"] in TERMINAL else None

        return wait_for(over)

    def reaches(self, job_id: str, status: str) -> None:
        wait_for(lambda: self.get(f"jobs/{job_id}")["status"] == status)

    def balance(self) -> int:
        return self.get("/accounts/me/credits/balance")["balance"]

    def tasks(self, job_id: str) -> List[Dict[str, Any]]:
        return self.get(f"jobs/{job_id}/tasks")

    def log(self, job_id: str, number: int = 0) -> str:
        return self.call("GET", f"jobs/{job_id}/tasks/{self.tasks(job_id)[number]['id']}/logs").text

    def set_limit(self, name: str, value: int) -> None:
        answer = self.call("PUT", "settings", json=[{"name": name, "value": value}])
        assert answer.status_code == 200, answer.text


@contextmanager
def running_service(
    data_dir: Path,
    runners: Optional[Mapping[str, Callable]] = None,
    speed: float = 2000.0,
    faults: bool = True,
    archive: Callable[[], Any] = OneSceneArchive,
) -> Iterator[Service]:
    """Serve a data folder until the context is left."""
    data_dir.mkdir(parents=True, exist_ok=True)
    server = SandboxServer("127.0.0.1", 0)
    world = World(lambda: default_runners() if runners is None else runners, archive)
    services = build_services(data_dir, server.base_url, world, speed, faults)
    entrance = enter(services)
    server.poll_s = 0.01
    server.start(Application(services).answer, services.faults)
    services.engine.resume()
    service = Service(services, entrance)
    try:
        yield service
    finally:
        service.session.close()
        server.stop()
        services.close()


def catalogue() -> Catalogue:
    return Catalogue.load()
