"""The secure front of a service, as a process of its own: takes TLS off and passes the bytes on.

usage: tls_process.py CERTIFICATE KEY HOST:PORT
It prints its port as JSON when it listens on loopback.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys

from proxy_process import _pipe


async def main() -> None:
    """Listen until somebody ends the process."""
    certificate, key, place = sys.argv[1:4]
    host, _, port = place.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        beyond_reader, beyond_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_pipe(reader, beyond_writer), _pipe(beyond_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
