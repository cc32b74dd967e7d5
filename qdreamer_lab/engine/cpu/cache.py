"""How large tiles are on this machine: its second-level cache decides, and is looked at once."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path

from qdreamer_lab.engine.passes.plan import PassCosts

__all__ = ["cpu_costs", "second_level_bytes", "tile_bits_for", "tile_scratch_bytes"]

_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")

_LEAST_BITS, _MOST_BITS = 12, 17
"""Smaller tiles take few gates; larger ones leave threads too little to share out."""


@cache
def cpu_costs(itemsize: int) -> PassCosts:
    """What the planner weighs on this machine; the ratios between operations differ little.

    Args:
        itemsize: Bytes of an amplitude.
    """
    size = second_level_bytes(_CACHES)
    return PassCosts() if size is None else PassCosts(tile_bits=tile_bits_for(size, itemsize))


def tile_bits_for(cache_bytes: int, itemsize: int) -> int:
    """Qubits of a tile that takes half of a cache: the rest is for what is read and written."""
    bits = (cache_bytes // (2 * itemsize)).bit_length() - 1
    return min(max(bits, _LEAST_BITS), _MOST_BITS)


def tile_scratch_bytes(states_bytes: int, itemsize: int, cores: int, *, branches: bool) -> int:
    """Memory that the tiles of all threads take while states are made.

    Args:
        states_bytes: Size of the batch.
        itemsize: Bytes of an amplitude.
        cores: Threads at once.
        branches: Whether there are choices: then a thread keeps a tile while it works on a copy.
    """
    tile = min(itemsize << cpu_costs(itemsize).tile_bits, states_bytes)
    threads = min(cores, max(1, states_bytes // tile))
    return threads * tile * (2 if branches else 1)


def second_level_bytes(caches: Path) -> int | None:
    """Size of the second-level cache as Linux tells it; None where it does not.

    Args:
        caches: The folder with a folder for each cache of a core.
    """
    with suppress(OSError, ValueError):
        for folder in sorted(caches.glob("index*")):
            if (folder / "level").read_text().strip() == "2":
                return int((folder / "size").read_text().strip().removesuffix("K")) << 10
    return None
