"""Scan the packed plugin as the plugin site does on upload: Bandit, detect-secrets and Flake8, each by rule.

What the site refuses fails here; what it only warns about is counted.

usage: .venv-lint/bin/python .ci/check_site.py build/up42_plugin.zip
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Iterator, List, NamedTuple

from project import tell

_BLOCKING = """
    B102 B103 B105 B106 B107 B111 B201 B202 B301 B302 B304 B305 B306 B307 B312 B321 B323 B401 B402 B412 B413 B501 B502
    B503 B504 B505 B506 B507 B601 B602 B604 B605 B609 B610 B611 B612 B613 B615 B701
"""
#: Bandit's rules that block an upload.
BLOCKING_BANDIT = frozenset(_BLOCKING.split())
#: Kinds of secrets that are guesses and only warned about; every other kind blocks.
GUESSED_SECRETS = frozenset({"Base64 High Entropy String", "Hex High Entropy String", "Secret Keyword"})
FLAKE8_SELECT = "E9,F821,F823,F831"


class Finding(NamedTuple):
    """One thing a scanner says."""

    where: str
    rule: str
    text: str
    blocking: bool


def _run(module: str, *arguments: str, folder: Path) -> str:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
    if done.returncode not in (0, 1) or (done.returncode and not done.stdout):
        raise SystemExit(f"{module} could not run: {done.stderr.strip()}")
    return done.stdout


def bandit(folder: Path) -> Iterator[Finding]:
    """Yield Bandit's findings below a folder."""
    report = json.loads(_run("bandit", "--recursive", "--quiet", "--format", "json", ".", folder=folder))
    for error in report["errors"]:
        yield Finding(error["filename"], "unreadable", error["reason"], blocking=True)
    for result in report["results"]:
        where = f"{result['filename']}:{result['line_number']}"
        yield Finding(where, result["test_id"], result["issue_text"], result["test_id"] in BLOCKING_BANDIT)


def secrets(folder: Path) -> Iterator[Finding]:
    """Yield what detect-secrets takes for secrets below a folder."""
    report = json.loads(_run("detect_secrets", "scan", "--all-files", "--no-verify", ".", folder=folder))
    for name, results in report["results"].items():
        for result in results:
            kind = result["type"]
            yield Finding(f"{name}:{result['line_number']}", kind, "looks like a secret", kind not in GUESSED_SECRETS)


def flake8(folder: Path) -> Iterator[Finding]:
    """Yield the errors that Flake8 sees below a folder."""
    listed = _run(
        "flake8",
        "--isolated",
        f"--select={FLAKE8_SELECT}",
        "--format=%(path)s:%(row)d\t%(code)s\t%(text)s",
        folder=folder,
    )
    for line in listed.splitlines():
        yield Finding(*line.split("\t", 2), blocking=True)


def main(arguments: List[str]) -> int:
    """Unpack and scan the given archive."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(arguments[0]) as packed:
            packed.extractall(folder)
        findings = [*bandit(folder), *secrets(folder), *flake8(folder)]
    warned = Counter(finding.rule for finding in findings if not finding.blocking)
    if warned:
        sys.stdout.write(
            "warned, not blocking: " + ", ".join(f"{n} x {rule}" for rule, n in sorted(warned.items())) + "\n"
        )
    blocking = [f"{found.where}: {found.rule} {found.text}" for found in findings if found.blocking]
    return tell(blocking, "the plugin site's scans")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
