"""transfer: an output brought down and unpacked, beside what others take for the same archive.

One GeoTIFF of 512 MB in a tar.gz, served on loopback. In every round each contender takes its turn, in another order
each time: the plugin's own transfer, the vendor's client (``download_archive``), ``curl | tar xz``, and zlib's bare
inflation of the archive in memory, which is the floor. Each runs in a process of its own that has imported what it
needs before its time begins, and leaves nothing behind for the next. What else a machine does only ever adds to a time:
the best of all rounds counts for each. There are further rounds, for all, while a limit is missed.

- ``ratio_sdk``, ``ratio_curl_tar``, ``ratio_zlib``: the plugin's best time over theirs.
- ``median_ratio_…``: the same of the medians.
- ``peak_mb_512``, ``peak_mb_4096``: how far the process grew while it fetched 512 MB and 4 GB, in 10^6 bytes.
- ``server``, ``seconds`` (all rounds), ``archive_mb``, ``unpacked_mb``, ``chunk`` (of the floor, in bytes).

usage: transfer.py RESULT [--megabytes N]
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

ROOT = Path(__file__).resolve().parents[3]
BENCH = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(BENCH))

from file_server import nginx, serving  # noqa: E402
from limits import LIMITS  # noqa: E402
from scene_archive import MB, TIF, PackedOutput, long_archive, room_for, scene  # noqa: E402

BUILD = ROOT / "build" / "bench"
SDK = ROOT / ".venv-sdk" / "bin" / "python"
BASH = shutil.which("bash") or "/bin/bash"
ROUNDS, MOST_ROUNDS = 5, 9
#: On a machine that is busy all day more rounds would not help.
FURTHER_WITHIN_S = 300.0
CHUNKS = tuple(str(1 << shift) for shift in (14, 16, 17, 18, 19, 20, 22))
LONG_MB = 4096
OTHERS = ("sdk", "curl_tar", "zlib")
TIMEOUT_S = 600.0

Contender = Callable[[], float]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def child(*command: str) -> Dict[str, Any]:
    """Run a contender; the JSON that it prints. Raises ``CalledProcessError`` with what it said."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
    )
    if done.returncode:
        say(done.stderr[-2000:])
    done.check_returncode()
    value: Dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return value


class Race:
    """All contenders over one archive. Every one unpacks into a folder of its own, which is looked at and removed."""

    def __init__(self, archive: PackedOutput, url: str, place: Path) -> None:
        self._archive, self._url, self._place = archive, url, place
        self.contenders: Dict[str, Contender] = {"plugin": self._plugin, "zlib": self._zlib}
        if SDK.is_file():
            self.contenders["sdk"] = self._sdk
        if shutil.which("curl") and shutil.which("tar"):
            self.contenders["curl_tar"] = self._curl_tar
        self.chunk = 0
        self.seconds: Dict[str, List[float]] = {name: [] for name in self.contenders}

    def round(self) -> None:
        """Let everybody run once; who begins changes."""
        names = list(self.contenders)
        turn = len(self.seconds["plugin"]) % len(names)
        for name in names[turn:] + names[:turn]:
            os.sync()
            try:
                self.seconds[name].append(self.contenders[name]())
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                if name in ("plugin", "zlib"):
                    raise
                say(f"  {name} failed, no ratio with it: {error}")
                del self.contenders[name], self.seconds[name]
        told = ", ".join(f"{name} {seconds[-1]:.2f} s" for name, seconds in self.seconds.items())
        say(f"  round {len(self.seconds['plugin'])}: {told}")

    def ratios(self) -> Dict[str, Any]:
        """Of the best times."""
        return {f"ratio_{other}": self.ratio(other) for other in OTHERS}

    def ratio(self, other: str, of: Callable[[Sequence[float]], float] = min) -> Optional[float]:
        """The plugin's time over another's; None for who did not run."""
        theirs = self.seconds.get(other)
        return round(of(self.seconds["plugin"]) / of(theirs), 3) if theirs else None

    def _plugin(self) -> float:
        return self._into(lambda folder: float(fetch(self._url, folder)["seconds"]), made=False)

    def _sdk(self) -> float:
        script = str(BENCH / "contenders" / "sdk.py")
        return self._into(lambda folder: float(child(str(SDK), script, self._url, str(folder))["seconds"]))

    def _curl_tar(self) -> float:
        def run(folder: Path) -> float:
            script = 'set -o pipefail; curl -sSf "$1" | tar xz -C "$2"'
            began = time.perf_counter()
            subprocess.run([BASH, "-c", script, "_", self._url, str(folder)], check=True, timeout=TIMEOUT_S)
            return time.perf_counter() - began

        return self._into(run)

    def _zlib(self) -> float:
        chunks = (str(self.chunk),) if self.chunk else CHUNKS
        value = child(sys.executable, str(BENCH / "contenders" / "floor.py"), self._archive.path, *chunks)
        self.chunk = int(value["chunk"])
        return float(value["seconds"])

    def _into(self, run: Callable[[Path], float], made: bool = True) -> float:
        with tempfile.TemporaryDirectory(dir=self._place) as place:
            folder = Path(place) / "result"
            if made:
                folder.mkdir()
            seconds = run(folder)
            found = [path for path in folder.rglob(TIF) if path.stat().st_size == self._archive.unpacked]
            if not found:
                raise RuntimeError(f"{TIF} is not there whole")
        return seconds


def fetch(url: str, folder: Path) -> Dict[str, Any]:
    """The plugin's transfer in a process of its own."""
    return child(sys.executable, str(BENCH / "contenders" / "plugin.py"), url, str(folder))


def missed(value: Mapping[str, Any]) -> bool:
    """Whether a ratio is above its limit; one that is not there will not come by another round."""
    ratios = {name: value.get(name) for name in (f"ratio_{other}" for other in OTHERS)}
    return any(ratio is not None and ratio > LIMITS[f"transfer.{name}"] for name, ratio in ratios.items())


def times(archive: PackedOutput, url: str, place: Path) -> Dict[str, Any]:
    """The ratios, and the seconds behind them."""
    race = Race(archive, url, place)
    for other in OTHERS:
        if other not in race.contenders:
            say(f"  {other} is not there: no ratio with it")
    began = time.monotonic()
    for _ in range(ROUNDS):
        race.round()
    value = race.ratios()
    for _ in range(MOST_ROUNDS - ROUNDS):
        if not missed(value) or time.monotonic() - began > FURTHER_WITHIN_S:
            break
        race.round()
        value = race.ratios()
    medians = {f"median_ratio_{other}": race.ratio(other, statistics.median) for other in OTHERS}
    seconds = {name: [round(one, 3) for one in all_] for name, all_ in race.seconds.items()}
    return {**value, **medians, "seconds": seconds, "chunk": race.chunk}


def peak(archive: PackedOutput, url: str, place: Path) -> float:
    """How far the plugin's process grows at most while it fetches an archive, in 10^6 bytes; the least of three."""
    found = []
    for _ in range(3 if archive.unpacked <= 1 << 30 else 1):
        with tempfile.TemporaryDirectory(dir=place) as folder:
            found.append(float(fetch(url, Path(folder) / "result")["peak_mb"]))
    return round(min(found), 1)


def main(arguments: List[str]) -> int:
    result = Path(arguments[0])
    long_mb = int(arguments[2]) if arguments[1:2] == ["--megabytes"] else LONG_MB
    began = time.monotonic()
    archive = scene(BUILD)
    say(f"  {archive.unpacked / MB:.0f} MB in {archive.size / MB:.0f} MB, there after {time.monotonic() - began:.0f} s")
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="run-", dir=BUILD)))
        server = stack.enter_context(serving(BUILD, nginx()))
        say(f"  served by {server.name}")
        value: Dict[str, Any] = {"server": server.name}
        url = f"{server.address}/{Path(archive.path).name}"
        value.update(times(archive, url, place))
        value["peak_mb_512"] = peak(archive, url, place)
        value["archive_mb"], value["unpacked_mb"] = archive.size // MB, archive.unpacked // MB
        if room_for(place, 3 * long_mb * MB):
            long = long_archive(place, long_mb)
            value["peak_mb_4096"] = peak(long, f"{server.address}/{place.name}/{Path(long.path).name}", place)
        else:
            say(f"  not enough room for {long_mb} MB: no peak_mb_4096")
        result.write_text(json.dumps(value), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
