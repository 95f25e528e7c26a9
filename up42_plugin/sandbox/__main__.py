"""``python3 -m up42_plugin.sandbox``: the built-in service as a process of its own."""

from __future__ import annotations

import sys

from up42_plugin.sandbox.command import main

if __name__ == "__main__":
    sys.exit(main())
