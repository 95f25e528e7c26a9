"""Everything the routes work with, put together for one data folder."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from up42_plugin.sandbox.billing import Billing
from up42_plugin.sandbox.catalogue import Catalogue
from up42_plugin.sandbox.clock import JobClock
from up42_plugin.sandbox.engine import Engine
from up42_plugin.sandbox.faults import Faults
from up42_plugin.sandbox.notifier import JOB_STATUS, Notifier, job_event
from up42_plugin.sandbox.records.accounts import Accounts
from up42_plugin.sandbox.records.credits import Credits
from up42_plugin.sandbox.records.jobs import Job, Jobs
from up42_plugin.sandbox.records.webhooks import Webhooks
from up42_plugin.sandbox.records.workflows import Workflows
from up42_plugin.sandbox.scenes import SceneCounter
from up42_plugin.sandbox.signing import UrlSigner
from up42_plugin.sandbox.store import Store
from up42_plugin.sandbox.stored import Storage
from up42_plugin.sandbox.taskrun import ArchiveSource, Parts, Runners
from up42_plugin.sandbox.tokens import Tokens
from up42_plugin.sandbox.workspace import Workspace

_KEY_BYTES = 32


@dataclass(frozen=True)
class Services:
    """The parts of one running sandbox. ``faults`` is None when they are not asked for."""

    base_url: str
    store: Store
    accounts: Accounts
    workflows: Workflows
    jobs: Jobs
    credits: Credits
    webhooks: Webhooks
    catalogue: Catalogue
    tokens: Tokens
    signer: UrlSigner
    workspace: Workspace
    engine: Engine
    notifier: Notifier
    scenes: SceneCounter
    storage: Storage
    faults: Optional[Faults]

    def close(self) -> None:
        """Stop everything; unfinished jobs go on at the next start."""
        self.notifier.close()
        self.engine.close()
        self.store.close()


@dataclass(frozen=True)
class World:
    """Where runners and scenes come from; asked when they are first needed."""

    runners: Runners
    archive: ArchiveSource


def build_services(
    data_dir: Path, base_url: str, world: World, speed: float = 1.0, with_faults: bool = False
) -> Services:
    """Open (or make) the data folder's store and put the parts together."""
    store = Store(data_dir / "sandbox.sqlite")
    catalogue = Catalogue.load()
    accounts, jobs, credits_ = Accounts(store), Jobs(store), Credits(store)
    webhooks, notifier = Webhooks(store), Notifier()
    workspace = Workspace(data_dir / "jobs")
    storage = Storage(store, catalogue, Workspace(data_dir / "assets"), world.archive, world.runners)
    key = _signing_key(store)
    teller = _Teller(accounts, webhooks, notifier)
    parts = Parts(
        jobs=jobs,
        workspace=workspace,
        catalogue=catalogue,
        billing=Billing(store, jobs, credits_, accounts, catalogue),
        clock=JobClock(speed),
        runners=world.runners,
        archive=world.archive,
        on_status=teller.tell,
        stored=storage.parts,
        buckets=data_dir / "buckets",
    )
    return Services(
        base_url=base_url,
        store=store,
        accounts=accounts,
        workflows=Workflows(store),
        jobs=jobs,
        credits=credits_,
        webhooks=webhooks,
        catalogue=catalogue,
        tokens=Tokens(key),
        signer=UrlSigner(key),
        workspace=workspace,
        engine=Engine(parts),
        notifier=notifier,
        scenes=SceneCounter(world.archive, world.runners, stored=storage.square_km),
        storage=storage,
        faults=Faults() if with_faults else None,
    )


def _signing_key(store: Store) -> bytes:
    name = "signing_key"
    kept = store.meta(name)
    if kept is None:
        kept = secrets.token_hex(_KEY_BYTES)
        store.set_meta(name, kept)
    return bytes.fromhex(kept)


class _Teller:
    """Turns a job's new status into deliveries."""

    def __init__(self, accounts: Accounts, webhooks: Webhooks, notifier: Notifier) -> None:
        self._accounts = accounts
        self._webhooks = webhooks
        self._notifier = notifier

    def tell(self, job: Job, task_id: Optional[str]) -> None:
        project = self._accounts.project(job.project_id)
        if project is None:
            return
        workspace = self._accounts.account(project.account_id).workspace_id
        event = job_event(job.status, job.id, job.project_id, job.workflow_id, task_id)
        for webhook in self._webhooks.list(workspace):
            if webhook.form.active and JOB_STATUS in webhook.form.events:
                self._notifier.tell(webhook, event)
