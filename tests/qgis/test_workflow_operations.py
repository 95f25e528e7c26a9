"""Workflows made, changed and deleted in the background, on the real service."""

from __future__ import annotations

import pytest

from up42_plugin.api.errors import NotFoundError, ValidationError
from up42_plugin.api.exchange import plain_session
from up42_plugin.core.connections import ProjectKey
from up42_plugin.core.context import ThreadContext
from up42_plugin.plugin import make_provider
from up42_plugin.qgis_bridge.workflows import LONGEST_NAME, WorkflowOperations, copy_name


@pytest.fixture
def provider(sandbox):
    return make_provider(
        "one", sandbox.base_url, ProjectKey(sandbox.project_id, sandbox.project_api_key), plain_session
    )


@pytest.fixture
def service(provider):
    with provider.open(ThreadContext()) as service:
        yield service


@pytest.fixture
def operations(runner):
    return WorkflowOperations(runner)


def blocks_of(service, *workflow_and_place):
    found = {one.name: one for one in service.workflows()}
    return tuple(service.workflow(found[name].id).steps[place].block.id for name, place in workflow_and_place)


def names(service):
    return sorted(one.name for one in service.workflows())


def result(witness):
    """What a job brought; it must have succeeded."""
    what, value = witness.seen[0]
    assert what == "succeeded", value
    return value


def error_of(witness):
    """Why a job failed."""
    what, value = witness.seen[0]
    assert what == "failed"
    return value


def test_a_chain_that_the_service_refuses_leaves_no_workflow(operations, provider, service, watch):
    before = names(service)
    chain = blocks_of(service, ("Sentinel-2 analytic", 0), ("Pléiades → NDVI", 1))
    error = error_of(watch(operations.save(provider, "Impossible", chain)))
    assert isinstance(error, ValidationError)
    assert error.status == 422
    assert "Workflow cannot be saved because it contains errors" in error.user_message
    assert names(service) == before


def test_a_refused_change_leaves_the_workflow_as_it_was(operations, provider, service, watch):
    chain = blocks_of(service, ("Sentinel-2 analytic", 0))
    made = result(watch(operations.save(provider, "Steady", chain)))
    wrong = chain + blocks_of(service, ("Pléiades → NDVI", 1))
    error = error_of(watch(operations.save(provider, "Changed", wrong, made)))
    assert isinstance(error, ValidationError)
    present = service.workflow(made.id)
    assert (present.name, tuple(step.block.id for step in present.steps)) == ("Steady", chain)
    service.delete_workflow(made.id)


def test_made_renamed_duplicated_and_deleted(operations, provider, service, watch):
    chain = blocks_of(service, ("Sentinel-2 visual → Sharpening", 0), ("Sentinel-2 visual → Sharpening", 1))
    made = result(watch(operations.save(provider, "Walk", chain)))
    assert tuple(step.block.id for step in made.steps) == chain
    renamed = result(watch(operations.rename(provider, made, "Walk on")))
    assert (renamed.id, renamed.name, renamed.chain) == (made.id, "Walk on", made.chain)
    copy = result(watch(operations.duplicate(provider, renamed, copy_name("Walk on", names(service)))))
    assert (copy.name, copy.chain) == ("Walk on (copy)", made.chain)
    assert copy.id != made.id
    for one in (made, copy):
        assert result(watch(operations.delete(provider, one))) == one.id
    with pytest.raises(NotFoundError):
        service.workflow(made.id)
    assert result(watch(operations.delete(provider, made))) == made.id  # gone already: as wished


def test_what_can_follow_a_task_is_the_services_answer(operations, provider, service, watch):
    found = next(one for one in service.workflows() if one.name == "Sentinel-2 L2A → Super-resolution")
    first = service.workflow(found.id).steps[0]
    followers = result(watch(operations.followers(provider, found.id, first.name)))
    assert followers == {block.block_id for block in service.compatible_blocks(found.id, first.name)}
    assert blocks_of(service, (found.name, 1))[0] in followers


def test_details_leave_out_blocks_that_are_gone(operations, provider, watch):
    catalogue = result(watch(operations.catalogue(provider)))
    titles = [block.title.lower() for block in catalogue]
    assert titles == sorted(titles)
    assert not catalogue[0].capabilities
    gone = "b10cb10c-aaaa-4bbb-8ccc-000000000101"
    (whole,) = result(watch(operations.details(provider, [gone, catalogue[0].id])))
    assert whole.id == catalogue[0].id
    assert whole.capabilities


def test_copies_get_names_of_their_own_that_the_service_takes():
    assert copy_name("A", ["A"]) == "A (copy)"
    assert copy_name("A", ["A", "A (copy)"]) == "A (copy 2)"
    long = copy_name("x" * LONGEST_NAME, [])
    assert len(long) == LONGEST_NAME
    assert long.endswith("x (copy)")
