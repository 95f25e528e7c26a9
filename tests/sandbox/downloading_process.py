"""A process that fetches one output, and may be killed at it. usage: downloading_process.py ENTRANCE"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from download_kit import Entrance  # noqa: E402 - found by the line above

from up42_plugin.core.context import ThreadContext  # noqa: E402
from up42_plugin.core.service import Output  # noqa: E402
from up42_plugin.core.transfer import TransferPolicy, fetch_output  # noqa: E402


def main(entrance: Entrance) -> None:
    context = ThreadContext()
    with entrance.provider().open(context) as service:
        source = service.open_output(Output(entrance.job_id))
        fetch_output(source, Path(entrance.folder), context, policy=TransferPolicy(first_wait=0.01, longest_wait=0.1))


if __name__ == "__main__":
    main(Entrance(**json.loads(sys.argv[1])))
