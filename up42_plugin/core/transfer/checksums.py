"""The checksums of its content that a server tells, compared with what came."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from typing import Any, Dict, Mapping

from up42_plugin.core.output_errors import DamagedArchiveError
from up42_plugin.core.transfer.crc32c import Crc32c

_CRC32C = "crc32c"
_SIZES = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64, _CRC32C: 4}


class Checksums:
    """Computes, of bytes as they come, every checksum the server told; ``expected`` as hexadecimal or base64 text.

    What is of an unknown kind, or cannot be read, is left out.
    """

    def __init__(self, expected: Mapping[str, str]) -> None:
        self._expected: Dict[str, bytes] = {}
        for name, size in _SIZES.items():
            digest = _digest_bytes(expected.get(name, ""), size)
            if digest:
                self._expected[name] = digest
        self._running: Dict[str, Any] = {name: _new(name) for name in self._expected}

    def update(self, data: bytes) -> None:
        """Take in more of the content."""
        for running in self._running.values():
            running.update(data)

    def verify(self) -> None:
        """Raise ``DamagedArchiveError`` when one differs from the server's."""
        for name, running in self._running.items():
            if running.digest() != self._expected[name]:
                raise DamagedArchiveError(f"the {name.upper()} checksum differs from the server's")


def _new(name: str) -> Any:
    return Crc32c() if name == _CRC32C else hashlib.new(name, usedforsecurity=False)


def _digest_bytes(text: str, size: int) -> bytes:
    """A digest as servers send it, base64 or hexadecimal; empty for anything else."""
    for decode in (bytes.fromhex, _from_base64):
        with contextlib.suppress(ValueError):
            raw = decode(text)
            if len(raw) == size:
                return raw
    return b""


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
