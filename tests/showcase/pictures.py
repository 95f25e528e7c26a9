"""Pictures of the dock and its dialogs in every state, light and dark, from QGIS Desktop and a sandbox.

Leaves ``build/pictures/light`` and ``build/pictures/dark``. A state that cannot be reached is an error, told with what
was waited for and a picture of the screen.

usage: pictures.py [light|dark]
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Dict, List

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(HERE)]

from desktop import BUILD, environment, profile, run  # noqa: E402
from picture_names import PICTURES, THEMES  # noqa: E402

from tests.sandbox_process import RunningSandbox, start_sandbox  # noqa: E402

OUT = BUILD / "pictures"
INSIDE = HERE / "inside_pictures.py"
SCREEN = "-screen 0 1600x1200x24"
GIVE_UP_AFTER_S = 420
# Slower than the sandbox inside of QGIS: a test query takes long enough to be seen running.
SPEED = "1"


def say(text: str) -> None:
    """One line of what happens, at once."""
    print(text, flush=True)  # noqa: T201 - the command talks to the person


def variables(folder: Path, theme: str, service: RunningSandbox) -> Dict[str, str]:
    """The environment of the desktop, with what is to be done in it."""
    return {
        **environment(folder),
        "UP42_PICTURES_CODE": str(HERE),
        "UP42_PICTURES_FOLDER": str(OUT / theme),
        "UP42_PICTURES_THEME": THEMES[theme],
        "UP42_PICTURES_SERVICE": service.line,
        "UP42_PICTURES_REPORT": str(folder / "report.json"),
    }


def take(theme: str) -> List[str]:
    """Make the pictures of one theme; returns what went wrong."""
    folder = OUT / f"{theme}-profile"
    for path in (folder, OUT / theme):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    qgis = shutil.which("qgis")
    if qgis is None:
        return ["QGIS is not installed; run `make setup`."]
    profiles = profile(folder, f"[UI]\nUITheme={THEMES[theme]}\n")
    line = ["xvfb-run", "-a", "-s", SCREEN, qgis, "--nologo", "--noversioncheck", "--profiles-path", str(profiles)]
    with start_sandbox(folder / "service", "--speed", SPEED) as service:
        status = run([*line, "--code", str(INSIDE)], variables(folder, theme, service), GIVE_UP_AFTER_S)
    return problems(theme, folder / "report.json", status)


def problems(theme: str, report: Path, status: int) -> List[str]:
    """What is missing after a run of QGIS that ended with ``status``."""
    if not report.is_file():
        return [f"QGIS ended with {status} and left no report."]
    told = json.loads(report.read_text("utf-8"))
    found = [str(problem) for problem in told["problems"]]
    found += [f"{name}.png is missing." for name in PICTURES if not (OUT / theme / f"{name}.png").is_file()]
    return found


def main(arguments: List[str]) -> int:
    """Make the pictures of the themes given, or of all; 1 when a state was not reached."""
    wanted = arguments or list(THEMES)
    unknown = [theme for theme in wanted if theme not in THEMES]
    if unknown:
        say(f"There is no theme {unknown[0]}; there are: {', '.join(THEMES)}.")
        return 2
    failed = False
    for theme in wanted:
        say(f"Pictures of the theme {theme} …")
        found = take(theme)
        for problem in found:
            say(f"  {problem}")
        failed = failed or bool(found)
        if not found:
            say(f"  {len(PICTURES)} pictures in {os.path.relpath(OUT / theme, ROOT)}/")
            shutil.rmtree(OUT / f"{theme}-profile", ignore_errors=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
