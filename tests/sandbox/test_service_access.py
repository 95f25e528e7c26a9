"""Tokens, the envelope, the project and its settings."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from service_kit import SUPERRESOLUTION_WORKFLOW

from up42_plugin.sandbox.clock import now
from up42_plugin.sandbox.tokens import Tokens


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def ask_token(service, form, auth=None, **arguments):
    return service.session.post(f"{service.base_url}/oauth/token", data=form, auth=auth, timeout=30, **arguments)


def test_project_key_gets_a_token_in_both_members_and_no_error_member(shared_service):
    entrance = shared_service.entrance
    answer = ask_token(
        shared_service, {"grant_type": "client_credentials"}, (entrance.project_id, entrance.project_api_key)
    )
    body = answer.json()
    assert answer.status_code == 200
    assert body["data"]["accessToken"] == body["access_token"]
    assert (body["token_type"], body["refresh_token"]) == ("bearer", None)
    assert "error" not in body
    claims = claims_of(body["access_token"])
    assert claims["exp"] - claims["iat"] == 300
    assert claims["sub"] == entrance.project_id
    assert claims["client_type"] == "API_KEY"


def test_person_gets_a_token_and_sees_the_project(shared_service):
    entrance = shared_service.entrance
    form = {"grant_type": "password", "username": entrance.username, "password": entrance.login}
    token = ask_token(shared_service, form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert claims_of(token)["client_type"] == "USER"
    project = shared_service.get(f"/projects/{entrance.project_id}", headers=headers)
    me = shared_service.get("/users/me", headers=headers)
    assert me["id"] == project["workspaceId"]


@pytest.mark.parametrize(
    ("form", "auth"),
    [
        ({"grant_type": "client_credentials"}, ("wrong", "pair")),
        ({"grant_type": "client_credentials"}, None),
        ({"grant_type": "password", "username": "a@example.org", "password": "b"}, None),
    ],
)
def test_wrong_pair_is_401_with_an_empty_body(shared_service, form, auth):
    answer = ask_token(shared_service, form, auth)
    assert (answer.status_code, answer.content) == (401, b"")


def test_token_without_form_or_grant_is_415(shared_service):
    entrance = shared_service.entrance
    pair = (entrance.project_id, entrance.project_api_key)
    assert ask_token(shared_service, {}, pair).status_code == 415
    assert ask_token(shared_service, {"grant_type": "magic"}, pair).status_code == 415
    answer = ask_token(shared_service, None, pair, json={"grant_type": "client_credentials"})
    assert answer.status_code == 415


def test_expired_token_is_told_in_the_documented_words(shared_service):
    services = shared_service.services
    principal = services.tokens.check(shared_service.headers["Authorization"])
    old = Tokens(services.tokens._key, lambda: now() - timedelta(seconds=1200)).issue(principal)
    answer = shared_service.call("GET", "settings", headers={"Authorization": f"Bearer {old}"})
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert answer.json()["data"] is None
    assert (error["code"], error["details"]) == ("UNAUTHORIZED", None)
    assert error["message"].startswith("ACCESS_TOKEN_EXPIRED: JWT expired at 20")
    assert ". Current time: 20" in error["message"]
    assert error["message"].endswith(" milliseconds.  Allowed clock skew: 0 milliseconds.")


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer a.b.c", "Basic YTpi", "nonsense", "Bearer \u20ac"])
def test_bad_tokens_are_401(shared_service, header):
    answer = shared_service.call("GET", "settings", headers={"Authorization": header.encode("utf-8")})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHORIZED"


def test_token_that_was_changed_is_401(shared_service):
    head, body, signature = shared_service.token().split(".")
    forged = base64.urlsafe_b64encode(json.dumps({**claims_of(f"{head}.{body}"), "exp": 9999999999}).encode())
    header = f"Bearer {head}.{forged.decode().rstrip('=')}.{signature}"
    assert shared_service.call("GET", "settings", headers={"Authorization": header}).status_code == 401


def test_key_sees_its_own_project_only(service):
    accounts = service.services.accounts
    account = accounts.account(accounts.project(service.entrance.project_id).account_id)
    limits = accounts.limits(service.entrance.project_id)
    other = accounts.add_project(account, "Other", "", "other-key", limits)
    answer = service.call("GET", f"/projects/{other.id}")
    assert answer.status_code == 404
    assert answer.json() == {
        "error": {
            "code": "RESOURCE_NOT_FOUND",
            "message": f"Project not found with id '{other.id}'",
            "details": None,
        },
        "data": None,
    }
    job_path = f"/projects/{other.id}/workflows/{service.workflow(SUPERRESOLUTION_WORKFLOW)}"
    assert service.call("GET", job_path).status_code == 404


def test_project_tells_its_workspace(shared_service):
    project = shared_service.get(f"/projects/{shared_service.entrance.project_id}")
    assert project["id"] == shared_service.entrance.project_id
    assert set(project) >= {"name", "description", "createdAt", "workspaceId", "displayId"}


def test_settings_have_string_values_and_ranges(shared_service):
    settings = {setting["name"]: setting for setting in shared_service.get("settings")}
    assert {name: setting["value"] for name, setting in settings.items()} == {
        "MAX_CONCURRENT_JOBS": "5",
        "JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE": "10",
        "JOB_QUERY_MAX_AOI_SIZE": "100",
    }
    assert settings["JOB_QUERY_MAX_AOI_SIZE"]["range"] == {"min": 1, "max": 1000}


def test_settings_are_changed_in_both_forms(service):
    answer = service.call("PUT", "settings", json=[{"name": "MAX_CONCURRENT_JOBS", "value": 7}])
    assert answer.status_code == 200
    values = {"MAX_CONCURRENT_JOBS": "3", "JOB_QUERY_MAX_AOI_SIZE": "50", "JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE": "20"}
    answer = service.call("POST", "settings", json={"settings": values})
    assert answer.status_code == 201
    assert {setting["name"]: setting["value"] for setting in answer.json()["data"]} == values
    assert {setting["name"]: setting["value"] for setting in service.get("settings")} == values


def test_settings_outside_their_range_are_refused_whole(service):
    entries = [{"name": "JOB_QUERY_MAX_AOI_SIZE", "value": "10"}, {"name": "MAX_CONCURRENT_JOBS", "value": "100"}]
    answer = service.call("PUT", "settings", json=entries)
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": "VALIDATION_ERROR",
        "message": 'Field "list[1].value" must be in range Range[1,10], got 100',
        "details": None,
    }
    for body in ([{"name": "NONE", "value": 1}], [{"name": "MAX_CONCURRENT_JOBS", "value": "x"}], {}, [1]):
        assert service.call("PUT", "settings", json=body).status_code == 400
    assert service.call("POST", "settings", json={"settings": {"MAX_CONCURRENT_JOBS": 0}}).status_code == 400
    assert {setting["value"] for setting in service.get("settings")} == {"5", "10", "100"}


def test_trailing_slash_and_empty_body_change_nothing(shared_service):
    for path in ("settings", "workflows", "jobs"):
        plain = shared_service.call("GET", path)
        slashed = shared_service.call("GET", path + "/", json={})
        assert slashed.status_code == 200
        assert slashed.json() == plain.json()


def test_body_must_be_json(shared_service):
    xml = shared_service.call(
        "POST", "workflows", data="<a/>", headers={"Content-Type": "application/xml;charset=UTF-8"}
    )
    assert xml.status_code == 415
    assert xml.json() == {
        "data": None,
        "error": {
            "code": 415,
            "message": "Content type 'application/xml;charset=UTF-8' not supported",
            "details": None,
        },
    }
    for text in ("{", "[" * 100_000, '{"name": NaN}', b"\xff\xfe", "null", "3"):
        answer = shared_service.call("POST", "workflows", data=text, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, text[:20]
        assert answer.json()["data"] is None


def test_unknown_endpoints_and_methods_answer_in_the_envelope(shared_service):
    unknown = shared_service.call("GET", "/nowhere")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")
    assert shared_service.call("DELETE", "settings").status_code == 405
    assert shared_service.call("OPTIONS", "settings").status_code == 405
    assert shared_service.call("POST", "/_sandbox/elsewhere").status_code == 404
