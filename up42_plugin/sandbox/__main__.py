"""``python3 -m up42_plugin.sandbox``: the built-in service as a process of its own."""

from __future__ import annotations

import logging
import os
import sys

from up42_plugin.sandbox.command import main

if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Blocks that still compute must not hold up the end, nor crash while the interpreter is taken down under them.
    os._exit(code)
