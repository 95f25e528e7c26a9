"""A web server on loopback for the files of one folder: nginx where there is one, else a child process of our own.

Ours hands files to the kernel with ``sendfile`` and serves ranges, so that the server is no part of what is compared.

usage of the child: file_server.py FOLDER, prints the port
"""

from __future__ import annotations

import contextlib
import http.server
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

ROOT = Path(__file__).resolve().parents[2]
UNPACKED_NGINX = ROOT / "build" / "bench" / "nginx" / "usr" / "sbin" / "nginx"
STARTS_WITHIN_S = 20.0
_CONFIGURATION = """
daemon off;
worker_processes 1;
error_log stderr error;
pid {place}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    default_type application/gzip;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


@dataclass(frozen=True)
class FileServer:
    """``name`` is what serves, ``address`` where, without a slash at the end."""

    name: str
    address: str


def nginx() -> Optional[str]:
    """The program: the system's, or the one that was unpacked for us; None where there is none that starts."""
    for program in (shutil.which("nginx"), "/usr/sbin/nginx", str(UNPACKED_NGINX)):
        if program and Path(program).is_file():
            works = subprocess.run([program, "-v"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
            if works.returncode == 0:
                return program
    return None


@contextlib.contextmanager
def serving(folder: Path, program: Optional[str]) -> Iterator[FileServer]:
    """Serve the files of ``folder`` by nginx, or by ourselves when ``program`` is None."""
    with tempfile.TemporaryDirectory(prefix="up42-server-") as place:
        if program:
            port = _free_port()
            settings = Path(place) / "nginx.conf"
            user = "user root;\n" if os.geteuid() == 0 else ""
            text = user + _CONFIGURATION.format(place=place, port=port, folder=folder)
            settings.write_text(text, encoding="utf-8")
            command, name = [program, "-p", place, "-c", str(settings)], "nginx"
        else:
            command, name, port = [sys.executable, __file__, str(folder)], "sendfile", 0
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            if not port:
                assert server.stdout is not None
                port = int(server.stdout.readline())
            _wait_for(port, server)
            yield FileServer(name, f"http://127.0.0.1:{port}")
        finally:
            server.terminate()
            server.wait(STARTS_WITHIN_S)
            if server.stdout is not None:
                server.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"the server does not answer, it ended with {server.poll()}")


class Handler(http.server.SimpleHTTPRequestHandler):
    """Whole files, and what follows a byte."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            etag = f'"{about.st_mtime_ns:x}-{about.st_size:x}"'
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            same = self.headers.get("If-Range", etag) == etag
            start = int(asked[1]) if asked and same else 0
            if asked and same and start >= about.st_size:
                self._head(416, 0, etag, f"bytes */{about.st_size}")
                return
            where = f"bytes {start}-{about.st_size - 1}/{about.st_size}" if asked and same else ""
            self._head(206 if where else 200, about.st_size - start, etag, where)
            while start < about.st_size:
                sent = os.sendfile(self.connection.fileno(), file.fileno(), start, about.st_size - start)
                if not sent:
                    break
                start += sent

    def _head(self, status: int, length: int, etag: str, where: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", etag)
        if where:
            self.send_header("Content-Range", where)
        self.end_headers()
        self.wfile.flush()

    def log_message(self, *_arguments: object) -> None:
        pass


def main(folder: str) -> int:
    """Serve until terminated."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    def handler(*arguments: object, **more: object) -> Handler:
        return Handler(*arguments, directory=folder, **more)  # type: ignore[arg-type]

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)  # noqa: T201
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
