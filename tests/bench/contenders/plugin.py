"""Fetch an output as the plugin does: its session, its signed download, its transfer. No application is started.

usage: plugin.py URL FOLDER, prints ``{"seconds", "peak_mb"}``
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from up42_plugin.api.download import SignedDownload, SignedUrl  # noqa: E402
from up42_plugin.api.transport import Transport  # noqa: E402
from up42_plugin.core.context import ThreadContext  # noqa: E402
from up42_plugin.core.transfer import fetch_output  # noqa: E402
from up42_plugin.qgis_bridge.network import NetworkSettings, session_factory  # noqa: E402

PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
NOW = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)
STATUS = Path("/proc/self/status")


class PeakMemory:
    """How far the process's memory grew above what it was in the beginning, at its highest."""

    def __init__(self) -> None:
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak is counted anew
        except OSError:
            print("the peak cannot be counted anew: it may hold what came before", file=sys.stderr)  # noqa: T201
        self._begin = _kilobytes(NOW)

    def grown_mb(self) -> float:
        """In 10^6 bytes."""
        return (_kilobytes(PEAK) - self._begin) * 1024 / 1e6


def _kilobytes(pattern: re.Pattern[str]) -> int:
    found = pattern.search(STATUS.read_text(encoding="ascii")) if STATUS.exists() else None
    return int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(url: str, folder: Path) -> int:
    """Fetch it once."""
    context = ThreadContext(lambda _percent, _text: None)
    sessions = session_factory(NetworkSettings("up42-qgis/bench"))
    with Transport(url.rpartition("/")[0], None, sessions, context) as transport:
        source = SignedDownload(transport, lambda: SignedUrl(url))
        memory, began = PeakMemory(), time.perf_counter()
        fetch_output(source, folder, context)
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "peak_mb": memory.grown_mb()}))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
