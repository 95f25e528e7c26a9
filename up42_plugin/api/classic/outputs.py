"""What jobs leave behind: metadata, archives and quicklooks (sections 10.3 to 10.5 of the service's contract)."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from up42_plugin.api.calls import Call, path_of
from up42_plugin.api.classic.envelope import data_of, record_of
from up42_plugin.api.download import SignedUrl
from up42_plugin.api.fields import Record, unreadable
from up42_plugin.api.transport import Transport


class Outputs:
    """Calls about the outputs of one project's jobs. Without a task id they mean the job's last task."""

    def __init__(self, transport: Transport, project_id: str) -> None:
        self._transport = transport
        self._project_id = project_id

    def data_json(self, job_id: str, task_id: str = "") -> Dict[str, Any]:
        """The GeoJSON feature collection of an output, as it came; raises ``NotFoundError`` before the job's end."""
        call = Call("GET", self._path(job_id, task_id, "outputs", "data-json"), subject="output")
        collection = Record(self._transport.json(call), "data.json")
        if not isinstance(collection.raw("features"), list):
            raise unreadable(collection.at("features"), "a list", collection.raw("features"))
        return collection.members

    def download_url(self, job_id: str, task_id: str = "") -> SignedUrl:
        """Where the archive can be got for a while; ask just before downloading."""
        call = Call("GET", self._path(job_id, task_id, "downloads", "results"), subject="output")
        return SignedUrl(record_of(self._transport.json(call)).text("url"))

    def quicklook_names(self, job_id: str, task_id: str) -> Tuple[str, ...]:
        """File names of the quicklooks of a data task: feature id and ``.jpg``, ``.jpeg`` or ``.png``."""
        call = Call("GET", self._path(job_id, task_id, "outputs", "quicklooks"), subject="quicklook")
        names = data_of(self._transport.json(call))
        if not isinstance(names, list):
            raise unreadable("data", "a list", names)
        return tuple(name for name in names if isinstance(name, str))

    def quicklook(self, job_id: str, task_id: str, name: str) -> bytes:
        """One picture, JPEG or PNG."""
        path = self._path(job_id, task_id, "outputs", "quicklooks", name)
        return self._transport.request(Call("GET", path, accept="image/*, */*", subject="quicklook")).body

    def _path(self, job_id: str, task_id: str, *more: str) -> str:
        task = ("tasks", task_id) if task_id else ()
        return path_of("projects", self._project_id, "jobs", job_id, *task, *more)
