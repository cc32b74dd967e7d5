"""What the planner of passes weighs for a GPU: how large tiles are, and what operations cost.

A tile lies in shared memory. Two blocks at least share a multiprocessor, so that one reads and
writes while the other computes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.engine.passes.plan import PassCosts

if TYPE_CHECKING:
    from qdreamer_lab.engine.gpu.device import GpuDevice

__all__ = ["LEAST_SHARED_BYTES", "gpu_costs"]

LEAST_SHARED_BYTES = 48 << 10
"""Shared memory that a block has on every GPU without asking."""

_BANDWIDTH = 3.0e12
"""Bytes per second that memory moves on an H100, counting reads and writes; measured. The planner
needs the ratio of memory's to shared memory's speed, which differs little between GPUs."""

_GATES_NS = {16: (2.9e-3, 2.2e-3), 8: (1.7e-3, 1.7e-3)}
"""What a dense two-qubit gate and one of half its arithmetic take per amplitude, by its bytes: the
slope over 8 to 32 gates in one pass over 26 qubits, on an H100."""

_START_NS = 4000.0
"""A launch, and the time in which the last blocks of a pass leave multiprocessors idle."""


def gpu_costs(device: GpuDevice, itemsize: int, tile_bits: int | None = None) -> PassCosts:
    """Costs and tiles for a GPU.

    Args:
        device: The GPU.
        itemsize: Bytes of an amplitude: 16 or 8.
        tile_bits: Qubits in a tile, as many as pay if None.
    """
    if tile_bits is None:
        room = min(device.shared_block_bytes, (device.shared_bytes >> 1) - 1024)
        room = max(room, LEAST_SHARED_BYTES)  # a block's own share is 1 KB
        tile_bits = (room // itemsize).bit_length() - 1
    moved = 2e9 * itemsize / _BANDWIDTH
    dense, half = _GATES_NS[itemsize]
    return PassCosts(
        tile_bits=min(tile_bits, (device.shared_block_bytes // itemsize).bit_length() - 1),
        pass_ns=moved,
        start_ns=_START_NS,
        dense_two_ns=dense,
        half_ns=half,
        diagonal_ns=half,  # of tables, into which several are gathered
        crowded=(0.0,),  # which bits of a tile gates mix makes no difference: places are swizzled
    )
