"""Into how many parts a pass is divided for the threads of a worker. Arithmetic only."""

from __future__ import annotations

__all__ = ["part_ends", "shares_of"]

_WORTH_THREADS = 1 << 20
"""Amplitudes times operations from which on waking threads pays: about a millisecond of work."""

_PARTS_PER_CORE = 4
"""A thread that is held up leaves its share to others."""


def shares_of(tiles: int, work: float, cores: int) -> int:
    """How many parts the tiles of a pass become.

    Args:
        tiles: Tiles of all rows, each of which is on its own.
        work: Amplitudes written, times operations and one more for reading and writing.
        cores: Threads at once.
    """
    if cores < 2 or work < _WORTH_THREADS:
        return 1
    return min(tiles, cores * _PARTS_PER_CORE)


def part_ends(tiles: int, shares: int) -> list[int]:
    """(shares + 1,) where each part begins, and the end of the last one."""
    return [tiles * k // shares for k in range(shares + 1)]
