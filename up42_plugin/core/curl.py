"""A job's submission as a command for a terminal, without anybody's token."""

from __future__ import annotations

import json
import shlex
from typing import Any, Mapping


def curl_command(url: str, body: Mapping[str, Any]) -> str:
    """The request as curl makes it in a POSIX shell; the token is taken from the variable ``UP42_ACCESS``."""
    return " \\\n  ".join(
        [
            f"curl --request POST {shlex.quote(url)}",
            '--header "Authorization: Bearer $UP42_ACCESS"',
            "--header 'Content-Type: application/json'",
            f"--data-binary {shlex.quote(json.dumps(body, ensure_ascii=False))}",
        ]
    )
