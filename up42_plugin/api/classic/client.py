"""The classic API of one project, for one worker."""

from __future__ import annotations

from up42_plugin.api.classic.assets import Assets
from up42_plugin.api.classic.blocks import Blocks
from up42_plugin.api.classic.credits import Credits
from up42_plugin.api.classic.estimates import Estimates
from up42_plugin.api.classic.jobs import Jobs
from up42_plugin.api.classic.outputs import Outputs
from up42_plugin.api.classic.projects import Projects
from up42_plugin.api.classic.webhooks import Webhooks
from up42_plugin.api.classic.workflows import Workflows
from up42_plugin.api.transport import Transport


class ClassicClient:
    """All calls of the classic API, by area. Its models are the service's; ``core`` makes its own of them."""

    def __init__(self, transport: Transport, project_id: str) -> None:
        self.transport = transport
        self.project_id = project_id
        self.projects = Projects(transport, project_id)
        self.blocks = Blocks(transport)
        self.workflows = Workflows(transport, project_id)
        self.estimates = Estimates(transport, project_id)
        self.jobs = Jobs(transport, project_id)
        self.outputs = Outputs(transport, project_id)
        self.credits = Credits(transport)
        self.webhooks = Webhooks(transport)
        self.assets = Assets(transport)
