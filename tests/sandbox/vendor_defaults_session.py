"""What the vendor's own client, up42-py 0.31.0, takes for the defaults of every block. Runs in its environment.

Every block stands in a workflow that the service accepts, as far as there is one: data blocks alone, processing blocks
behind whatever the service lets them follow. A block that the service accepts nowhere is handed to the client's method
as the client itself reads it from the marketplace.

usage: python vendor_defaults_session.py < order.json
The order names base_url, project_id, project_api_key and the folder for report.json:
``{"blocks": {id: title}, "chains": [{"workflow", "blocks", "defaults"}], "refused": {id: reason},
"details": {id: defaults}}``.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any, Dict, List, Set, Tuple

import up42
from vendor_client_session import rewrite_address

Chain = Tuple[str, ...]


class Marketplace:
    """The client's project, and what it was told of each block."""

    def __init__(self) -> None:
        self.project = up42.initialize_project()
        blocks = up42.get_blocks(basic=False)
        self.names = {block["id"]: block["name"] for block in blocks}
        self.data = [block["id"] for block in blocks if block["type"] == "DATA"]
        self.processing = [block["id"] for block in blocks if block["type"] != "DATA"]
        self.chains: List[Dict[str, Any]] = []
        self.refused: Dict[str, str] = {}
        self.behind: Dict[Chain, Set[str]] = {}

    def make(self, chain: Chain) -> bool:
        """A workflow of these blocks, its defaults, and what may follow it; False where the service refuses it."""
        workflow = self.project.create_workflow(name=f"Defaults {len(self.chains)} {len(self.refused)}")
        tasks = [f"{self.names[block]}:{number}" for number, block in enumerate(chain, 1)]
        full = [
            {"name": task, "parentName": tasks[number - 1] if number else None, "blockId": block}
            for number, (task, block) in enumerate(zip(tasks, chain))
        ]
        try:
            workflow.add_workflow_tasks(full)
        except Exception as error:
            self.refused[chain[-1]] = f"{type(error).__name__}: {error}"
            return False
        found = {
            "workflow": workflow.workflow_id,
            "blocks": list(chain),
            "defaults": workflow._get_default_parameters(),
        }
        self.chains.append(found)
        self.behind[chain] = set(workflow.get_compatible_blocks().values())
        return True

    def details(self, block: str) -> Dict[str, Any]:
        """What the client's method makes of a block that stands in no workflow."""
        workflow = self.project.create_workflow(name=f"Details {self.names[block]}"[:100])
        task = {"name": "task", "block": up42.get_block_details(block)}
        workflow.get_workflow_tasks = lambda basic=False: [task]
        return dict(workflow._get_default_parameters()["task"])


def session() -> Dict[str, Any]:
    """Find a place for every block, and note its defaults."""
    place = Marketplace()
    for block in place.data:
        place.make((block,))
    missing = set(place.processing)
    tried: Set[str] = set()
    while missing:
        step = next(
            (
                (chain, sorted(behind & missing - tried))
                for chain, behind in place.behind.items()
                if behind & missing - tried
            ),
            None,
        )
        if step is None:
            break
        chain, blocks = step
        tried.add(blocks[0])
        if place.make((*chain, blocks[0])):
            missing.discard(blocks[0])
    for block in missing - set(place.refused):
        place.refused[block] = "no chain that the service accepts lets it follow"
    return {
        "blocks": place.names,
        "chains": place.chains,
        "refused": place.refused,
        "details": {block: place.details(block) for block in place.refused},
    }


def main() -> None:
    """Read the order, go through the session, write the report."""
    order = json.load(sys.stdin)
    rewrite_address(order["base_url"])
    logging.disable(logging.CRITICAL)
    up42.authenticate(project_id=order["project_id"], project_api_key=order["project_api_key"])
    Path(order["folder"], "report.json").write_text(json.dumps(session(), default=str), "utf-8")


if __name__ == "__main__":
    main()
