"""The command line: serves one data folder until it is told to end.

Prints one JSON line when it is ready. Ends on SIGTERM or SIGINT and, with ``--exit-with-parent``, when its standard
input closes; without that flag it never reads standard input. Exit codes: 0 ended as told, 1 cannot serve,
2 wrong arguments, 3 another process serves the data folder.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, List, Mapping, Optional, Sequence

from up42_plugin.sandbox.application import Application
from up42_plugin.sandbox.archive import SceneArchive
from up42_plugin.sandbox.lock import FolderInUse, FolderLock
from up42_plugin.sandbox.runners.contract import Runner
from up42_plugin.sandbox.seed import enter
from up42_plugin.sandbox.server import SandboxServer
from up42_plugin.sandbox.services import Services, World, build_services

logger = logging.getLogger(__name__)

DEFAULT_SEED = 42
FOLDER_IN_USE = 3
_LOG_BYTES = 1_000_000


class _Late:
    """Makes the archive and the runners when they are first needed: they load GDAL and NumPy."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._archive: Optional[SceneArchive] = None

    def archive(self) -> SceneArchive:
        from up42_plugin.sandbox.made_archive import MadeArchive  # noqa: PLC0415 - loads NumPy

        with self._lock:
            if self._archive is None:
                self._archive = MadeArchive(self._seed)
            return self._archive

    @staticmethod
    def runners() -> Mapping[str, Runner]:
        from up42_plugin.sandbox.runners.registry import RUNNERS  # noqa: PLC0415 - loads GDAL

        return RUNNERS


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command; returns its exit code."""
    options = _parser().parse_args(arguments)
    folder = Path(options.data_dir) if options.data_dir else Path(tempfile.mkdtemp(prefix="up42-sandbox-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _log(folder, options.verbose)
        return _serve(options, folder)
    except OSError as error:
        _say(f"The sandbox cannot serve {folder}: {error}")
        return 1
    finally:
        if not options.data_dir:
            logging.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


def _serve(options: argparse.Namespace, folder: Path) -> int:
    lock = FolderLock(folder)
    try:
        lock.acquire()
    except FolderInUse as used:
        _say(f"Another sandbox serves {folder}: {_address(used.line)}")
        return FOLDER_IN_USE
    try:
        _serve_locked(options, folder, lock)
    finally:
        lock.release()
    return 0


def _serve_locked(options: argparse.Namespace, folder: Path, lock: FolderLock) -> None:
    end = _ends(options.exit_with_parent)
    late = _Late(options.seed)
    server = SandboxServer(options.host, options.port)
    world = World(late.runners, late.archive)
    services = build_services(folder, server.base_url, world, options.speed, options.faults)
    try:
        line = _open(server, services)
        lock.publish(line)
        _print(line)
        while not end.wait(1.0):
            pass
    finally:
        lock.retract()
        server.stop()
        services.close()


def _open(server: SandboxServer, services: Services) -> str:
    """Begin to serve; the line to print."""
    entrance = enter(services)
    server.start(Application(services).answer, services.faults)
    resumed = services.engine.resume()
    logger.info("serving %s, %d jobs go on", services.base_url, resumed)
    return json.dumps(entrance.as_json(), ensure_ascii=True)


def _ends(with_parent: bool) -> threading.Event:
    """An event that is set when the process has to end."""
    end = threading.Event()

    def stop(_number: int, _frame: Any) -> None:
        end.set()

    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    if with_parent:
        threading.Thread(target=_watch_input, args=(end,), name="parent", daemon=True).start()
    return end


def _watch_input(end: threading.Event) -> None:
    """Wait for standard input to close, which it does when the parent ends."""
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        logger.info("standard input cannot be read")
    end.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m up42_plugin.sandbox", description="The built-in service: synthetic images, play credits."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (0: any free one)")
    parser.add_argument("--data-dir", help="folder to keep everything in (without: a temporary one)")
    parser.add_argument("--speed", type=_speed, default=1.0, help="how many times faster job clocks run (1)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="which made-up world the images show")
    parser.add_argument("--faults", action="store_true", help="offer POST and DELETE /_sandbox/faults")
    parser.add_argument("--exit-with-parent", action="store_true", help="end when standard input closes")
    parser.add_argument("--verbose", action="store_true", help="log every request to standard error")
    return parser


def _speed(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def _log(folder: Path, verbose: bool) -> None:
    """Warnings into a file of the data folder; everything to standard error when asked for."""
    file = RotatingFileHandler(folder / "sandbox.log", maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8", delay=True)
    file.setLevel(logging.WARNING)
    handlers: List[logging.Handler] = [file]
    if verbose:
        handlers.append(logging.StreamHandler(sys.stderr))
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, handlers=handlers, format="%(asctime)s %(name)s %(levelname)s %(message)s")


def _address(line: str) -> str:
    try:
        return str(json.loads(line)["base_url"])
    except (ValueError, KeyError, TypeError):
        return "it is starting"


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
