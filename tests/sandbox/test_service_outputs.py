"""Outputs: feature collections, archives behind signed addresses, quicklooks, usage."""

from __future__ import annotations

import io
import json
import tarfile
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit, urlunsplit

import pytest
from service_kit import (
    AWS,
    JPEG,
    SUPERRESOLUTION_WORKFLOW,
    Gate,
    as_test_query,
    default_runners,
    published_input,
    running_service,
    write_features,
)

from up42_plugin.sandbox import signing, workspace
from up42_plugin.sandbox.clock import now
from up42_plugin.sandbox.runners.contract import Usage


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A service with one finished live job and one finished test query."""
    with running_service(tmp_path_factory.mktemp("done") / "data") as service:
        service.live = service.run(SUPERRESOLUTION_WORKFLOW, published_input())["id"]
        service.tested = service.run(SUPERRESOLUTION_WORKFLOW, as_test_query(published_input()))["id"]
        yield service


def fetch(service, url, **headers):
    """Ask without a token, as the address needs none."""
    return service.session.get(url, headers=headers, timeout=30)


def members(content):
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        return {member.name: member for member in archive.getmembers()}


def task_path(service, job_id, number, rest):
    return f"jobs/{job_id}/tasks/{service.tasks(job_id)[number]['id']}/{rest}"


def test_feature_collection_comes_without_envelope_and_is_the_last_tasks(done):
    for path in (f"jobs/{done.live}/outputs/data-json", f"jobs/{done.live}/outputs/data-json/"):
        body = done.call("GET", path, json={}).json()
        assert body["type"] == "FeatureCollection"
        assert body["features"][0]["properties"]["up42.data_path"] == "result.tif"
    first = done.call("GET", task_path(done, done.live, 0, "outputs/data-json")).json()
    assert first["features"][0]["properties"]["up42.data_path"] != "result.tif"


def test_archive_has_one_top_folder_with_folder_entries_owned_by_root(done):
    url = done.get(task_path(done, done.live, 0, "downloads/results"))["url"]
    content = fetch(done, url).content
    found = members(content)
    assert {name.split("/")[0] for name in found} == {"output"}
    assert found["output"].isdir()
    assert found["output/data.json"].isfile()
    folder = next(name for name, member in found.items() if member.isdir() and name != "output")
    assert f"{folder}/image.tif" in found
    assert {(member.uid, member.gid, member.uname) for member in found.values()} == {(0, 0, "root")}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        packed = json.load(archive.extractfile("output/data.json"))
    assert packed == done.call("GET", task_path(done, done.live, 0, "outputs/data-json")).json()


def test_signed_address_is_on_this_host_and_needs_no_token(done):
    url = done.get(f"jobs/{done.live}/downloads/results/")["url"]
    parts = urlsplit(url)
    assert url.startswith(done.base_url + f"/artifacts/{done.live}/{done.live}-")
    assert parts.path.endswith("/output.tgz")
    assert set(parse_qs(parts.query)) == {"GoogleAccessId", "Expires", "Signature"}
    answer = fetch(done, url)
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].startswith('"')
    assert "output/result.tif" in members(answer.content)
    assert fetch(done, url, Authorization="Bearer anything").status_code == 200


def test_address_expires_after_fifteen_minutes(done):
    url = done.get(f"jobs/{done.live}/downloads/results")["url"]
    expires = int(parse_qs(urlsplit(url).query)["Expires"][0])
    assert abs(expires - (now() + timedelta(minutes=15)).timestamp()) < 30
    later = signing.UrlSigner(done.services.signer._key, lambda: now() - timedelta(minutes=16))
    old = later.sign(done.base_url, urlsplit(url).path)
    answer = fetch(done, old)
    assert answer.status_code == 403
    assert b"<Code>ExpiredToken</Code>" in answer.content
    assert answer.headers["content-type"].startswith("application/xml")


@pytest.mark.parametrize("change", ["path", "expires", "signature", "nothing"])
def test_address_that_was_tampered_with_is_refused(done, change):
    parts = urlsplit(done.get(f"jobs/{done.live}/downloads/results")["url"])
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    path = parts.path
    if change == "path":
        path = path.replace("output.tgz", "x/../output.tgz")
        other = done.get(task_path(done, done.live, 0, "downloads/results"))["url"]
        path = urlsplit(other).path
    elif change == "expires":
        query["Expires"] = str(int(query["Expires"]) + 3600)
    elif change == "signature":
        query["Signature"] = "AAAA"
    else:
        query = {}
    answer = done.session.get(urlunsplit((parts.scheme, parts.netloc, path, "", "")), params=query, timeout=30)
    assert answer.status_code == 403
    assert b"<Error>" in answer.content


def test_byte_ranges_are_served(done):
    url = done.get(f"jobs/{done.live}/downloads/results")["url"]
    whole = fetch(done, url)
    size = len(whole.content)
    for wanted, first, last in (
        ("bytes=0-9", 0, 9),
        ("bytes=100-", 100, size - 1),
        ("bytes=-7", size - 7, size - 1),
        (f"bytes=10-{size + 1000}", 10, size - 1),
    ):
        part = fetch(done, url, Range=wanted)
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert part.content == whole.content[first : last + 1]
        assert part.headers["etag"] == whole.headers["etag"]


def test_range_past_the_end_is_416_and_foreign_ranges_are_ignored(done):
    url = done.get(f"jobs/{done.live}/downloads/results")["url"]
    size = len(fetch(done, url).content)
    beyond = fetch(done, url, Range=f"bytes={size}-")
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{size}"
    for wanted in ("bytes=0-1,5-6", "lines=1-2", "bytes=-", "bytes=x-"):
        answer = fetch(done, url, Range=wanted)
        assert (answer.status_code, len(answer.content)) == (200, size)


def test_range_of_changed_content_starts_over(done):
    url = done.get(f"jobs/{done.live}/downloads/results")["url"]
    etag = fetch(done, url).headers["etag"]
    assert fetch(done, url, Range="bytes=5-", **{"If-Range": etag}).status_code == 206
    assert fetch(done, url, Range="bytes=5-", **{"If-Range": '"other"'}).status_code == 200


def test_head_tells_the_size_without_the_content(done):
    url = done.get(f"jobs/{done.live}/downloads/results")["url"]
    head = done.session.head(url, timeout=30)
    assert head.status_code == 200
    assert int(head.headers["content-length"]) == len(fetch(done, url).content)
    assert head.content == b""


def test_quicklooks_are_listed_in_the_envelope_and_served_without(done):
    for job_id in (done.live, done.tested):
        names = done.get(task_path(done, job_id, 0, "outputs/quicklooks"))
        features = done.call("GET", task_path(done, job_id, 0, "outputs/data-json")).json()["features"]
        assert names == [f"{features[0]['id']}.jpg"]
        picture = done.call("GET", task_path(done, job_id, 0, f"outputs/quicklooks/{names[0]}"))
        assert (picture.content, picture.headers["content-type"]) == (JPEG, "image/jpeg")
    assert done.get(task_path(done, done.live, 1, "outputs/quicklooks")) == []


@pytest.mark.parametrize("name", ["none.jpg", "..%2F..%2Fdata.json", "%2e%2e%2fdata.json", "data.json"])
def test_foreign_quicklook_names_are_404(done, name):
    answer = done.call("GET", task_path(done, done.live, 0, f"outputs/quicklooks/{name}"))
    assert answer.status_code == 404


def test_test_query_has_metadata_and_usage_and_no_paths(done):
    body = done.call("GET", f"jobs/{done.tested}/outputs/data-json").json()
    assert "up42.data_path" not in body["features"][0]["properties"]
    url = done.get(f"jobs/{done.tested}/downloads/results")["url"]
    content = fetch(done, url).content
    assert sorted(members(content)) == ["output", "output/data.json", "output/usage.json"]
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        usage = json.load(archive.extractfile("output/usage.json"))
    assert usage["credits"]["used"] == 0
    assert 0 < usage["credits"]["liveMin"] <= usage["credits"]["liveMax"]
    assert usage["area"]["squareKm"] == pytest.approx(2.011, abs=0.001)


def test_outputs_of_an_unfinished_job_are_404(serve):
    gate = Gate()
    service = serve(runners={**default_runners(), AWS: gate})
    job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
    assert gate.entered.wait(30)
    for rest in ("outputs/data-json", "downloads/results"):
        for path in (f"jobs/{job_id}/{rest}", task_path(service, job_id, 0, rest)):
            answer = service.call("GET", path)
            assert answer.status_code == 404
            assert answer.json()["error"]["code"] == "RESOURCE_NOT_FOUND"
    assert service.get(task_path(service, job_id, 0, "outputs/quicklooks")) == []
    gate.opened.set()


def test_quicklooks_come_when_their_task_is_done(serve):
    gate = Gate()

    def early(task):
        (task.quicklooks / "early.jpg").write_bytes(JPEG)
        return gate(task)

    service = serve(runners={**default_runners(), AWS: early})
    job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
    assert gate.entered.wait(30)
    path = task_path(service, job_id, 0, "outputs/quicklooks/early.jpg")
    assert service.call("GET", path).status_code == 404
    gate.opened.set()
    service.ended(job_id)
    assert service.call("GET", path).content == JPEG


def test_packed_files_belong_to_root_whoever_packs_them():
    member = tarfile.TarInfo("output/data.json")
    member.uid, member.gid, member.uname, member.gname = 1000, 1000, "someone", "some"
    packed = workspace._as_root(member)
    assert (packed.uid, packed.gid, packed.uname, packed.gname) == (0, 0, "root", "root")


def test_collection_may_be_empty(serve):
    def nothing(task):
        write_features(task, [])
        return Usage()

    service = serve(runners={**default_runners(), AWS: nothing})
    job = service.run(SUPERRESOLUTION_WORKFLOW, as_test_query(published_input()))
    assert service.call("GET", f"jobs/{job['id']}/outputs/data-json").json() == {
        "type": "FeatureCollection",
        "features": [],
    }
    assert service.get(task_path(service, job["id"], 0, "outputs/quicklooks")) == []


def test_unpacked_files_are_cleared_away_when_a_job_is_over(done):
    folder = done.services.workspace.task(done.live, done.tasks(done.live)[0]["id"]).root
    assert sorted(path.name for path in folder.iterdir()) == [
        "data.json",
        "output.json",
        "output.tgz",
        "quicklooks",
        "task.log",
    ]
