"""The sandbox as it is, but that its blocks compute nothing: jobs by the hundred, one credit each.

usage: as ``python3 -m up42_plugin.sandbox``
"""

from __future__ import annotations

import os
import sys

from tests.sandbox.service_kit import ANALYTIC, write_features
from up42_plugin.sandbox import command
from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.contract import Task, Usage


def nothing(task: Task) -> Usage:
    """A scene without a picture."""
    write_features(task, ["scene"])
    (task.target / "scene").write_bytes(b"")
    return Usage(square_km=1.0, scenes=1, output_bytes=0, pixels=0)


if __name__ == "__main__":
    registry.RUNNERS = {ANALYTIC: nothing}
    code = command.main()
    sys.stdout.flush()
    os._exit(code)
