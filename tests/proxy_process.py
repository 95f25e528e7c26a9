"""An HTTP proxy as a process of its own: tunnels (CONNECT) and whole addresses, with a password when it is given one.

It stands for a company's proxy: it alone knows where names lead. It prints its port as JSON when it listens, and writes
a line for every request to its log: method, target and what came of it.

usage: proxy_process.py --log FILE [--user NAME --password WORD] [--map NAME=HOST:PORT ...]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hmac
import json
from pathlib import Path
from typing import Dict, Tuple
from urllib.parse import urlsplit

Place = Tuple[str, int]
_HEAD_LIMIT = 64 * 1024
_CHUNK = 64 * 1024


class Proxy:
    """Asks for the password, then passes on what it is given to where its map leads."""

    def __init__(self, login: str, places: Dict[str, Place], log: Path) -> None:
        self._expected = "Basic " + base64.b64encode(login.encode()).decode() if login else ""
        self._places, self._log = places, log

    def note(self, method: str, target: str, outcome: str) -> None:
        with self._log.open("a", encoding="utf-8") as file:
            file.write(f"{method} {target} {outcome}\n")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, to its end."""
        try:
            while await self._request(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        method, target, version = first.split(" ")
        headers = [line.partition(":")[::2] for line in lines]
        given = next((value.strip() for name, value in headers if name.lower() == "proxy-authorization"), "")
        if self._expected and not hmac.compare_digest(given, self._expected):
            self.note(method, target, "407")
            await self._refuse(writer, "407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="office"')
            return False
        tunnel = method == "CONNECT"
        address = urlsplit(f"//{target}" if tunnel else target)
        place = self._places.get(address.hostname or "")
        if place is None:
            self.note(method, target, "502")
            await self._refuse(writer, "502 Bad Gateway", "X-Reason: unknown name")
            return False
        beyond_reader, beyond_writer = await asyncio.open_connection(*place)
        self.note(method, target, "passed")
        if tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = address.path + (f"?{address.query}" if address.query else "")
            kept = [f"{name}:{value}" for name, value in headers if not name.lower().startswith("proxy-")]
            kept = [line for line in kept if not line.lower().startswith("connection:")]
            beyond_writer.write(
                "\r\n".join([f"{method} {path or '/'} {version}", *kept, "Connection: close", "", ""]).encode("latin-1")
            )
        await asyncio.gather(_pipe(reader, beyond_writer), _pipe(beyond_reader, writer))
        return False

    async def _refuse(self, writer: asyncio.StreamWriter, status: str, header: str) -> None:
        writer.write(f"HTTP/1.1 {status}\r\n{header}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything from one side to the other, then the end of it."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main() -> None:
    """Listen until somebody ends the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", required=True)
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--map", action="append", default=[])
    options = parser.parse_args()
    places: Dict[str, Place] = {}
    for line in options.map:
        name, _, place = line.partition("=")
        host, _, port = place.rpartition(":")
        places[name] = (host, int(port))
    login = f"{options.user}:{options.password}" if options.user else ""
    proxy = Proxy(login, places, Path(options.log))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=_HEAD_LIMIT)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
