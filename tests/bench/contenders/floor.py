"""Inflate an archive that is in memory already and keep nothing of it: what no download can be quicker than.

usage: floor.py ARCHIVE CHUNK [CHUNK...], prints ``{"seconds", "chunk"}`` of the best chunk size
"""

import json
import sys
import time
import zlib
from pathlib import Path


def inflate(view: memoryview, size: int) -> float:
    """Seconds for all of it, handed over in pieces of ``size`` bytes."""
    began = time.perf_counter()
    inflater = zlib.decompressobj(31)
    for start in range(0, len(view), size):
        inflater.decompress(view[start : start + size])
    if not inflater.eof:
        raise ValueError("the archive has no end")
    return time.perf_counter() - began


content = memoryview(Path(sys.argv[1]).read_bytes())
seconds, chunk = min((inflate(content, int(size)), int(size)) for size in sys.argv[2:])
print(json.dumps({"seconds": seconds, "chunk": chunk}))  # noqa: T201
