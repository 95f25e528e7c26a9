"""Fetch an output by the vendor's own client; to be run by the Python that has it.

usage: sdk.py URL FOLDER, prints ``{"seconds"}``
"""

import json
import sys
import time

from up42.utils import download_archive

began = time.perf_counter()
files = download_archive(sys.argv[1], sys.argv[2])
seconds = time.perf_counter() - began
if not files:
    sys.exit("nothing was unpacked")
print(json.dumps({"seconds": seconds}))  # noqa: T201
