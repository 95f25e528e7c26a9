"""Calls of the classic client that the seam does not need, against the built-in service."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from dialect_kit import SUPERRESOLUTION

from up42_plugin.api import errors
from up42_plugin.api.classic.client import ClassicClient
from up42_plugin.api.classic.webhooks import WebhookInfo
from up42_plugin.api.classic.workflows import NewTask
from up42_plugin.api.exchange import plain_session
from up42_plugin.api.tokens import AccountGrant, ProjectKeyGrant, TokenProvider
from up42_plugin.api.transport import Transport
from up42_plugin.core.context import ThreadContext


def client_of(sandbox, grant):
    transport = Transport(
        sandbox.base_url, TokenProvider(grant), plain_session, ThreadContext(), user_agent="up42-qgis/t"
    )
    return ClassicClient(transport, sandbox.project_id)


@pytest.fixture
def client(sandbox):
    client = client_of(sandbox, ProjectKeyGrant(sandbox.project_id, sandbox.project_api_key))
    yield client
    client.transport.close()


def test_signing_in_with_an_account(sandbox):
    client = client_of(sandbox, AccountGrant(sandbox.username, sandbox.password))
    assert client.projects.account()
    assert client.projects.get().name
    with pytest.raises(errors.AuthError, match="E-mail or password is wrong"):
        client_of(sandbox, AccountGrant(sandbox.username, "not-it")).projects.get()


def test_the_marketplace_needs_no_sign_in(sandbox):
    client = client_of(sandbox, ProjectKeyGrant(sandbox.project_id, "not-the-key"))
    assert {block.type for block in client.blocks.marketplace()} == {"DATA", "PROCESSING"}


def test_blocks_and_their_coverage(client):
    block = next(block for block in client.blocks.list() if block.name == "aws-s2-l2a")
    assert client.blocks.get(block.id).parameters["limit"]["type"] == "integer"
    assert client.blocks.coverage(block.id)["type"] == "FeatureCollection"


def test_validators(client):
    assert client.blocks.validate_job_input({"aws-s2-l2a:1": {"limit": 1}}).valid
    wrong = client.blocks.validate_job_input({"aws-s2-l2a:1": {"limit": -1}})
    assert not wrong.valid
    assert wrong.errors
    assert not client.blocks.validate_manifest({}).valid


def test_compatible_blocks_before_and_between(client, sandbox):
    workflow = sandbox.workflows[SUPERRESOLUTION]
    before = client.workflows.compatible_blocks(workflow, before=["s2-superresolution:1"])
    between = client.workflows.compatible_blocks(workflow, "aws-s2-l2a:1", ["s2-superresolution:1"])
    assert "aws-s2-l2a" in {block.name for block in before}
    assert "aws-s2-l2a" not in {block.name for block in between}
    with pytest.raises(errors.ValidationError, match="does not contain tasks"):
        client.workflows.compatible_blocks(workflow, "nothing:1")


def test_validating_a_job_and_its_estimate(client, sandbox):
    workflow = sandbox.workflows[SUPERRESOLUTION]
    tasks = client.workflows.tasks(workflow)
    chain = [
        NewTask(task.name, parent, task.block.id, task.block_version)
        for task, parent in zip(tasks, [None, *(task.name for task in tasks)])
    ]
    bbox = [15.28, 37.84, 15.31, 37.86]
    inputs = {"aws-s2-l2a:1": {"bbox": bbox, "limit": 1}, "s2-superresolution:1": {"bbox": bbox, "clip_to_aoi": True}}
    client.estimates.validate(chain, inputs)
    with pytest.raises(errors.ValidationError):
        client.estimates.validate(chain, {"aws-s2-l2a:1": {}})
    job = client.jobs.create(workflow, "estimated", {**inputs, "config": {"mode": "DRY_RUN"}})
    assert {share.task for share in client.estimates.of_job(job.id)} == {task.name for task in tasks}


def test_the_credit_history_and_what_a_workflow_used(client, sandbox):
    today = datetime.now(timezone.utc).date()
    entries = list(client.credits.history(today - timedelta(days=1), today + timedelta(days=1)))
    assert all(isinstance(entry.delta, int) for entry in entries)
    assert client.workflows.credits_spent(sandbox.workflows[SUPERRESOLUTION]) >= 0


def test_one_webhook_is_read(client):
    workspace = client.projects.get().workspace_id
    made = client.webhooks.create(workspace, WebhookInfo("n", "https://127.0.0.1:9/x", ("job.status",)))
    assert client.webhooks.get(workspace, made.id).name == "n"
    client.webhooks.delete(workspace, made.id)
    with pytest.raises(errors.NotFoundError, match="This webhook no longer exists"):
        client.webhooks.get(workspace, made.id)


def test_unknown_things_are_named(client):
    nowhere = "00000000-0000-4000-8000-000000000000"
    for call, subject in ((client.jobs.get, "job"), (client.workflows.get, "workflow"), (client.blocks.get, "block")):
        with pytest.raises(errors.NotFoundError, match=f"This {subject} no longer exists"):
            call(nowhere)
