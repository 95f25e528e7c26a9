"""QGIS Desktop with the plugin loaded and the sandbox connected, on a throw-away profile.

With a display it stays open for the person. Without one it runs under Xvfb, carries the main job out on its own, and
leaves ``build/desktop.png`` and ``build/desktop.json``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict, List, Optional

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
PACKAGE = BUILD / "up42_plugin.zip"
INSIDE = Path(__file__).resolve().parent / "inside_desktop.py"
PICTURE, REPORT = BUILD / "desktop.png", BUILD / "desktop.json"
GIVE_UP_AFTER_S = 240

PROFILE_INI = """[locale]
overrideFlag=true
userLocale=en_US
globalLocale=en_US
[PythonPlugins]
up42_plugin=true
MetaSearch=false
db_manager=false
grassprovider=false
[qgis]
checkVersion=false
askToSaveProjectChanges=false
showTips=false
[core]
NewsFeed\\httpsfeedqgisorg\\disabled=true
"""


def profile(folder: Path, settings: str = "") -> Path:
    """A fresh profile below ``folder``, as QGIS looks for it there, with the packed plugin installed.

    ``settings`` are further lines of its ini file.
    """
    default = folder / "profiles" / "default"
    (default / "QGIS").mkdir(parents=True)
    (default / "QGIS" / "QGIS3.ini").write_text(PROFILE_INI + settings)
    plugins = default / "python" / "plugins"
    plugins.mkdir(parents=True)
    with zipfile.ZipFile(PACKAGE) as package:
        for member in package.infolist():
            package.extract(member, plugins)
    return folder


def environment(folder: Path) -> Dict[str, str]:
    """The environment of the desktop: nothing of the person's profile, nothing of the checkout."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("QGIS_", "PYTHON", "VIRTUAL_ENV"))}
    for name in ("home", "runtime", "outputs", "temporary"):
        (folder / name).mkdir()
    (folder / "runtime").chmod(0o700)
    kept.update(
        HOME=str(folder / "home"),
        XDG_RUNTIME_DIR=str(folder / "runtime"),
        # QGIS marks layers from the temporary folder as temporary, and the checkout may lie in the system's
        TMPDIR=str(folder / "temporary"),
        LC_ALL="C.UTF-8",
        UP42_DESKTOP_OUTPUTS=str(folder / "outputs"),
        UP42_DESKTOP_PICTURE=str(PICTURE),
        UP42_DESKTOP_REPORT=str(REPORT),
    )
    return kept


def command(profiles: Path, shown: bool) -> List[str]:
    """The command line of QGIS, under a virtual display when there is none."""
    qgis = shutil.which("qgis")
    if qgis is None:
        raise SystemExit("QGIS is not installed; run `make setup`.")
    line = [qgis, "--nologo", "--noversioncheck", "--profiles-path", str(profiles)]
    if shown:
        return line
    return ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", *line, "--code", str(INSIDE)]


def run(line: List[str], env: Dict[str, str], timeout: Optional[float]) -> int:
    """Run a command to its end, or end it and all that it started when it takes too long."""
    process = subprocess.Popen(line, env=env, start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        return process.wait(timeout)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        return 1
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> int:
    """Open the desktop; without a display, check that it left its picture and report."""
    shown = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    BUILD.mkdir(exist_ok=True)
    for path in (PICTURE, REPORT):
        path.unlink(missing_ok=True)
    folder = BUILD / "desktop"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    line, env = command(profile(folder), shown), environment(folder)
    status = run(line, env, None if shown else GIVE_UP_AFTER_S)
    if shown:
        return status
    if not PICTURE.is_file() or not REPORT.is_file():
        print(f"QGIS ended with {status} and left no picture.", file=sys.stderr)  # noqa: T201
        return 1
    report = json.loads(REPORT.read_text("utf-8"))
    print(json.dumps(report, indent=2, ensure_ascii=False))  # noqa: T201
    return 0 if report["dock_visible"] and report["layers"] and not report.get("problem") else 1


if __name__ == "__main__":
    sys.exit(main())
