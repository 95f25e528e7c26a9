"""What jobs leave behind: data.json, archives behind signed addresses, quicklooks."""

from __future__ import annotations

import re
from typing import List, Optional, Tuple

from up42_plugin.sandbox.messages import ApiError, Request, Response, bare, wrapped
from up42_plugin.sandbox.records.jobs import SUCCEEDED, Job, JobTask
from up42_plugin.sandbox.router import Route
from up42_plugin.sandbox.routes.access import NOT_FOUND, Access
from up42_plugin.sandbox.services import Services
from up42_plugin.sandbox.workspace import Archive

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_GZIP = "application/gzip"
_XML = "application/xml; charset=UTF-8"
_REFUSALS = {
    "ExpiredToken": "The provided token has expired.",
    "SignatureDoesNotMatch": "The request signature we calculated does not match the signature you provided.",
    "AccessDenied": "Access denied.",
    "NoSuchKey": "The specified key does not exist.",
}


class Outputs:
    """Hands out outputs."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._access = Access(services)

    def job_features(self, request: Request) -> Response:
        """``GET …/jobs/{job}/outputs/data-json``: of the last task, without the envelope."""
        job = self._access.job(request)
        return self._features(job, self._last_task(job))

    def task_features(self, request: Request) -> Response:
        """``GET …/tasks/{task}/outputs/data-json``."""
        job = self._access.job(request)
        return self._features(job, self._access.job_task(request, job))

    def job_download(self, request: Request) -> Response:
        """``GET …/jobs/{job}/downloads/results``: a signed address of the last task's archive."""
        job = self._access.job(request)
        return self._download(request, job, self._last_task(job))

    def task_download(self, request: Request) -> Response:
        """``GET …/tasks/{task}/downloads/results``."""
        job = self._access.job(request)
        return self._download(request, job, self._access.job_task(request, job))

    def quicklooks(self, request: Request) -> Response:
        """``GET …/tasks/{task}/outputs/quicklooks``: file names."""
        job = self._access.job(request)
        task = self._access.job_task(request, job)
        if task.status != SUCCEEDED:
            return wrapped([])
        return wrapped(self._services.workspace.task(job.id, task.id).pictures())

    def quicklook(self, request: Request) -> Response:
        """``GET …/outputs/quicklooks/{name}``: the picture."""
        job = self._access.job(request)
        task = self._access.job_task(request, job)
        files, name = self._services.workspace.task(job.id, task.id), request.parameters["name"]
        if task.status != SUCCEEDED or name not in files.pictures():
            raise ApiError(404, f"Quicklook not found with name {name}", NOT_FOUND)
        kind = "image/png" if name.lower().endswith(".png") else "image/jpeg"
        return Response(200, (files.quicklooks / name).read_bytes(), kind)

    def archive(self, request: Request) -> Response:
        """The archive behind a signed address; no token needed, byte ranges served."""
        refusal = self._services.signer.refusal(
            request.path, request.argument("Expires"), request.argument("Signature")
        )
        if request.expire_urls:
            refusal = "ExpiredToken"
        if refusal is not None:
            return refused(403, refusal)
        task = self._services.jobs.artifact(request.parameters["job"], int(request.parameters["number"]))
        archive = task and self._services.workspace.task(task.job_id, task.id).archive()
        if not archive:
            return refused(404, "NoSuchKey")
        return archive_response(request, archive)

    def _features(self, job: Job, task: JobTask) -> Response:
        features = None
        if task.status == SUCCEEDED:
            features = self._services.workspace.task(job.id, task.id).features()
        if features is None:
            raise ApiError(404, f"No outputs found for job task {task.id} of job {job.id}", NOT_FOUND)
        return bare(features)

    def _download(self, request: Request, job: Job, task: JobTask) -> Response:
        archive: Optional[Archive] = None
        if task.status == SUCCEEDED:
            archive = self._services.workspace.task(job.id, task.id).archive()
        if archive is None:
            raise ApiError(404, f"No results found for job task {task.id} of job {job.id}", NOT_FOUND)
        path = f"/artifacts/{job.id}/{job.id}-{task.artifact}/output.tgz"
        return wrapped({"url": self._services.signer.sign(self._services.base_url, path, request.expire_urls)})

    def _last_task(self, job: Job) -> JobTask:
        return self._services.jobs.tasks(job.id)[-1]


def refused(status: int, code: str) -> Response:
    """How the store behind signed addresses says no."""
    text = (
        f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{_REFUSALS[code]}</Message></Error>"
    )
    return Response(status, text.encode("utf-8"), _XML)


def archive_response(request: Request, archive: Archive) -> Response:
    """An archive, or the part of it that was asked for."""
    etag = f'"{archive.sha256[:32]}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "x-goog-hash": f"md5={archive.md5}"}
    wanted = request.headers.get("range")
    if wanted is None or request.headers.get("if-range", etag) != etag:
        return Response(200, b"", _GZIP, headers, archive.path, 0, archive.size)
    match = _RANGE.fullmatch(wanted.replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        return Response(200, b"", _GZIP, headers, archive.path, 0, archive.size)
    span = _span(match.group(1), match.group(2), archive.size)
    if span is None:
        return Response(416, b"", _GZIP, {**headers, "Content-Range": f"bytes */{archive.size}"})
    first, last = span
    headers["Content-Range"] = f"bytes {first}-{last}/{archive.size}"
    return Response(206, b"", _GZIP, headers, archive.path, first, last - first + 1)


def _span(first: str, last: str, size: int) -> Optional[Tuple[int, int]]:
    """First and last byte of a range of a file, None when it cannot be served."""
    if not first:
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last or size - 1), size - 1)
    return (start, end) if start <= end else None


def routes(services: Services) -> List[Route]:
    """The endpoints of this area."""
    area = Outputs(services)
    job = "/projects/{project}/jobs/{job}"
    task = job + "/tasks/{task}"
    return [
        Route("GET", job + "/outputs/data-json", area.job_features),
        Route("GET", job + "/downloads/results", area.job_download),
        Route("GET", task + "/outputs/data-json", area.task_features),
        Route("GET", task + "/downloads/results", area.task_download),
        Route("GET", task + "/outputs/quicklooks", area.quicklooks),
        Route("GET", task + "/outputs/quicklooks/{name}", area.quicklook),
        Route("GET", "/artifacts/{job}/{folder}-{number}/output.tgz", area.archive, token=False),
    ]
