"""``python3 -m up42_plugin.sandbox``: the built-in service as a process of its own."""

from __future__ import annotations

import logging
import os
import sys

from up42_plugin.sandbox.command import main
from up42_plugin.sandbox.interpreter import hand_over

if __name__ == "__main__":
    # Megabytes. Rasters are worked on in windows; by itself GDAL would keep a twentieth of the memory full of blocks.
    os.environ.setdefault("GDAL_CACHEMAX", "256")
    # Only asking for help, or arguments that are wrong, needs no other Python.
    asks_help = any(argument in ("-h", "--help") for argument in sys.argv[1:])
    code = None if asks_help else hand_over(sys.argv[1:])
    if code is None:
        code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Blocks that still compute must not hold up the end, nor crash while the interpreter is taken down under them.
    os._exit(code)
