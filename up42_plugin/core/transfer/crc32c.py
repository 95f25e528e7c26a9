"""CRC-32C (Castagnoli), which object storage tells of its content and Python's library does not have.

A CRC is linear, so a long message can be folded: each block of words is moved on by a whole block's length, with two
look-ups per word, and laid over the next block. numpy does that for a block at a time, without holding the interpreter.
"""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import numpy as np

_POLYNOMIAL = 0x82F63B78
_ALL_ONES = 0xFFFFFFFF
_WORD_BITS = 32
_HALF_BITS = 16
_WORDS = 1 << 16
_BLOCK = 4 * _WORDS


class Crc32c:
    """The CRC-32C of bytes as they come, used like a digest of ``hashlib``."""

    def __init__(self) -> None:
        self._bytes = _byte_table()
        self._low, self._high = _folding_tables(self._bytes)
        self._folded = np.zeros(_WORDS, dtype="<u4")
        self._parts = np.empty((2, _WORDS), dtype="<u4")
        self._blocks = 0
        self._rest = b""

    def update(self, data: bytes) -> None:
        """Take in more of the content."""
        view = memoryview(data)
        if self._rest:
            missing = _BLOCK - len(self._rest)
            self._rest += view[:missing]
            view = view[missing:]
            if len(self._rest) < _BLOCK:
                return
            self._fold(memoryview(self._rest))
            self._rest = b""
        whole = len(view) - len(view) % _BLOCK
        for start in range(0, whole, _BLOCK):
            self._fold(view[start : start + _BLOCK])
        self._rest = bytes(view[whole:])

    def digest(self) -> bytes:
        """Four bytes, most significant first."""
        state = _ALL_ONES
        if self._blocks:
            state = self._plain(0, self._folded.tobytes())
        return (self._plain(state, self._rest) ^ _ALL_ONES).to_bytes(4, "big")

    def _fold(self, block: memoryview) -> None:
        words = np.frombuffer(block, dtype="<u4")
        if self._blocks:
            halves = self._folded.view("<u2")
            low, high = self._parts
            np.take(self._low, halves[0::2], out=low, mode="wrap")
            np.take(self._high, halves[1::2], out=high, mode="wrap")
            np.bitwise_xor(low, high, out=low)
            np.bitwise_xor(low, words, out=self._folded)
        else:
            self._folded[:] = words
            self._folded[0] ^= np.uint32(_ALL_ONES)
        self._blocks += 1

    def _plain(self, state: int, data: bytes) -> int:
        table = self._bytes
        for byte in data:
            state = (state >> 8) ^ table[(state ^ byte) & 0xFF]
        return state


def _byte_table() -> List[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return table


def _folding_tables(table: Sequence[int]) -> Tuple[Any, Any]:
    """What the lower and the upper half of a word become a block further on."""
    moved = _matrix_power(_word_step(table), _WORDS)
    return _half_table(moved[:_HALF_BITS]), _half_table(moved[_HALF_BITS:])


def _word_step(table: Sequence[int]) -> List[int]:
    """What each bit of the state becomes when a word of zeros is taken in."""
    images = []
    for bit in range(_WORD_BITS):
        state = 1 << bit
        for _ in range(4):
            state = (state >> 8) ^ table[state & 0xFF]
        images.append(state)
    return images


def _matrix_power(step: List[int], times: int) -> List[int]:
    result = [1 << bit for bit in range(_WORD_BITS)]
    while times:
        if times & 1:
            result = [_applied(step, value) for value in result]
        step = [_applied(step, value) for value in step]
        times >>= 1
    return result


def _applied(matrix: Sequence[int], value: int) -> int:
    result = 0
    for bit in range(_WORD_BITS):
        if value >> bit & 1:
            result ^= matrix[bit]
    return result


def _half_table(images: Sequence[int]) -> Any:
    table = np.zeros(1, dtype="<u4")
    for image in images:
        table = np.concatenate([table, table ^ np.uint32(image)])
    return table
