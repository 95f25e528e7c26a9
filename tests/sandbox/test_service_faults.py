"""Faults on demand, and clients that behave badly."""

from __future__ import annotations

import json
import socket
import threading
from urllib.parse import urlsplit

import pytest
import requests
from service_kit import ANALYTIC_WORKFLOW, AOI, as_test_query, running_service, wait_for

INPUT = {"esa-s2-l2a-gtiff-analytic:1": {"intersects": AOI}}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    with running_service(tmp_path_factory.mktemp("faulty") / "data") as service:
        service.set_limit("MAX_CONCURRENT_JOBS", 10)
        yield service


@pytest.fixture(autouse=True)
def no_fault_is_left(request):
    yield
    if "faulty" in request.fixturenames:
        request.getfixturevalue("faulty").call("DELETE", "/_sandbox/faults")


def arm(service, **fault):
    answer = service.call("POST", "/_sandbox/faults", json=fault)
    assert answer.status_code == 200, answer.text


def raw(service, data, timeout=30):
    """Send bytes, read until the other side closes."""
    address = urlsplit(service.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=timeout) as connection:
        connection.sendall(data)
        parts = []
        while True:
            try:
                part = connection.recv(65536)
            except ConnectionResetError:
                break
            if not part:
                break
            parts.append(part)
        return b"".join(parts)


def test_faults_are_not_there_without_the_flag(serve):
    service = serve(faults=False)
    for method in ("POST", "GET", "DELETE"):
        answer = service.call(method, "/_sandbox/faults", json={"status": 500})
        assert answer.status_code == 404
    assert service.call("GET", "settings").status_code == 200


def test_status_and_body_come_as_armed_and_as_often(faulty):
    arm(faulty, match={"method": "GET", "path_glob": "*/settings"}, times=2, status=503, body={"title": "down"})
    for _ in range(2):
        answer = faulty.call("GET", "settings/")
        assert (answer.status_code, answer.json()) == (503, {"title": "down"})
    assert faulty.call("GET", "settings").status_code == 200
    arm(faulty, status=200, body='{"data": [', headers={"Retry-After": "7", "Content-Type": "application/json"})
    answer = faulty.call("GET", "settings")
    assert (answer.status_code, answer.text) == (200, '{"data": [')
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["content-type"] == "application/json"


def test_fault_waits_for_its_request(faulty):
    arm(faulty, match={"method": "POST", "path_glob": "/projects/*/jobs"}, status=500)
    assert faulty.call("GET", "jobs").status_code == 200
    assert faulty.get("/_sandbox/faults")[0]["times"] == 1


def test_first_requests_can_go_free_and_faults_can_stay(faulty):
    arm(faulty, match={"path_glob": "*/settings"}, skip=2, times=None, status=500)
    assert [faulty.call("GET", "settings").status_code for _ in range(5)] == [200, 200, 500, 500, 500]
    faulty.call("DELETE", "/_sandbox/faults")
    assert faulty.call("GET", "settings").status_code == 200


def test_several_faults_are_used_up_in_order(faulty):
    faults = [{"status": 500}, {"status": 502}]
    assert faulty.call("POST", "/_sandbox/faults", json=faults).status_code == 200
    assert [faulty.call("GET", "settings").status_code for _ in range(3)] == [500, 502, 200]


@pytest.mark.parametrize(
    "fault", [{"surprise": 1}, {"times": "x"}, 3, {"match": {"host": "a"}}, {"match": [1]}, {"headers": 1}]
)
def test_bad_faults_are_refused(faulty, fault):
    assert faulty.call("POST", "/_sandbox/faults", json=fault).status_code == 400


def test_lost_answer_is_carried_out(faulty):
    arm(faulty, match={"method": "POST", "path_glob": "*/workflows/*/jobs"}, lose_answer=True)
    with pytest.raises(requests.ConnectionError):
        faulty.submit(ANALYTIC_WORKFLOW, as_test_query(INPUT), "lost")
    assert [job["name"] for job in faulty.get("jobs") if job["name"] == "lost"] == ["lost"]


@pytest.mark.parametrize("count", [0, 1, 100])
def test_cut_request_is_not_carried_out(faulty, count):
    arm(faulty, match={"method": "POST", "path_glob": "*/workflows/*/jobs"}, cut_request_after_bytes=count)
    with pytest.raises(requests.ConnectionError):
        faulty.submit(ANALYTIC_WORKFLOW, as_test_query(INPUT), f"cut {count}")
    assert f"cut {count}" not in [job["name"] for job in faulty.get("jobs")]


def test_cut_answer_is_carried_out_and_short(faulty):
    arm(faulty, match={"method": "POST"}, cut_after_bytes=0)
    with pytest.raises(requests.ConnectionError):
        faulty.submit(ANALYTIC_WORKFLOW, as_test_query(INPUT), "cut at once")
    assert "cut at once" in [job["name"] for job in faulty.get("jobs")]
    arm(faulty, match={"path_glob": "*/settings"}, cut_after_bytes=10)
    token = faulty.headers["Authorization"]
    path = urlsplit(faulty.project_url).path + "/settings"
    answer = raw(faulty, f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b'{"data":[{'
    announced = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    assert int(announced.split(b":")[1]) > 100


def test_cut_download_stops_inside_the_file(faulty):
    job = faulty.run(ANALYTIC_WORKFLOW, INPUT)
    url = faulty.get(f"jobs/{job['id']}/downloads/results")["url"]
    size = int(faulty.session.head(url, timeout=30).headers["content-length"])
    arm(faulty, match={"path_glob": "/artifacts/*"}, cut_after_bytes=50)
    parts = urlsplit(url)
    answer = raw(faulty, f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert len(answer.partition(b"\r\n\r\n")[2]) == 50 < size


def test_expired_addresses(faulty):
    job = faulty.run(ANALYTIC_WORKFLOW, INPUT)
    arm(faulty, match={"path_glob": "*/downloads/results"}, expire_urls=True)
    old = faulty.get(f"jobs/{job['id']}/downloads/results")["url"]
    assert faulty.session.get(old, timeout=30).status_code == 403
    new = faulty.get(f"jobs/{job['id']}/downloads/results")["url"]
    arm(faulty, match={"path_glob": "/artifacts/*"}, expire_urls=True)
    assert b"ExpiredToken" in faulty.session.get(new, timeout=30).content
    assert faulty.session.get(new, timeout=30).status_code == 200


def test_delayed_answer_comes_after_the_work_and_held_request_before(faulty):
    arm(faulty, match={"method": "POST"}, delay_s=30)
    with pytest.raises(requests.Timeout):
        requests.post(
            f"{faulty.project_url}/workflows/{faulty.workflow(ANALYTIC_WORKFLOW)}/jobs?name=late",
            json=as_test_query(INPUT),
            headers=faulty.headers,
            timeout=1,
        )
    wait_for(lambda: "late" in [job["name"] for job in faulty.get("jobs")])
    arm(faulty, match={"method": "POST"}, hold_s=4)
    with pytest.raises(requests.Timeout):
        requests.post(
            f"{faulty.project_url}/workflows/{faulty.workflow(ANALYTIC_WORKFLOW)}/jobs?name=later",
            json=as_test_query(INPUT),
            headers=faulty.headers,
            timeout=0.5,
        )
    assert "later" not in [job["name"] for job in faulty.get("jobs")]
    wait_for(lambda: "later" in [job["name"] for job in faulty.get("jobs")])


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"GET //%00/../..%2f HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"BREW /pot HTTP/1.1\r\nConnection: close\r\n\r\n",
    ],
)
def test_bad_requests_get_an_error_in_the_envelope(faulty, request_bytes):
    answer = raw(faulty, request_bytes)
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    assert 400 <= status < 600
    assert json.loads(body)["data"] is None
    assert faulty.call("GET", "settings").status_code == 200


def test_clients_that_go_away_do_no_harm(faulty):
    address = urlsplit(faulty.base_url)
    path = urlsplit(faulty.project_url).path
    for data in (b"", b"GET", b"POST /oauth/token HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf"):
        socket.create_connection((address.hostname, address.port)).close()
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(data)
    for _ in range(20):
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(
                f"GET {path}/jobs HTTP/1.1\r\nAuthorization: {faulty.headers['Authorization']}\r\n\r\n".encode()
            )
    assert faulty.call("GET", "settings").status_code == 200


def test_connections_are_kept_alive(faulty):
    address = urlsplit(faulty.base_url)
    request = b"GET /marketplace/blocks HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        stream = connection.makefile("rb")
        for _ in range(3):
            connection.sendall(request)
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = {}
            while True:
                line = stream.readline().strip()
                if not line:
                    break
                name, _, value = line.decode().partition(": ")
                headers[name.lower()] = value
            json.loads(stream.read(int(headers["content-length"])))


def test_many_clients_are_answered_at_once(faulty):
    answers = []

    def ask():
        with requests.Session() as session:
            session.trust_env = False
            for _ in range(5):
                url = f"{faulty.project_url}/jobs"
                answers.append(session.get(url, headers=faulty.headers, timeout=60).status_code)

    crowd = [threading.Thread(target=ask) for _ in range(40)]
    for member in crowd:
        member.start()
    for member in crowd:
        member.join()
    assert answers == [200] * 200


def test_internal_errors_are_500_and_stay_inside(faulty, monkeypatch):
    def broken(*_arguments):
        raise RuntimeError("inside")

    monkeypatch.setattr(faulty.services.accounts, "settings", broken)
    answer = faulty.call("GET", "settings")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "UNKNOWN_ERROR"
    assert "inside" not in answer.text
