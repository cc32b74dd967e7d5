"""Which gates one pass can take: those that follow from a first gate, as far as a tile holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qdreamer_lab.kernels.jit import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Limits", "best_pass"]


class Limits(NamedTuple):
    """What a pass costs and how large a tile is; times are in nanoseconds.

    Attributes:
        tile_bits: Qubits in a tile, at most.
        low: Mask of the qubits that belong to every tile.
        width: Qubits of a state.
        rows: States.
        pass_ns: Reading and writing an amplitude.
        start_ns: Beginning a pass.
        crowded: (k,) Share that gates take longer, by how many qubits of the tile are left that no
            gate mixes: they come lowest, so that what belongs together comes in runs.
    """

    tile_bits: int
    low: int
    width: int
    rows: float
    pass_ns: float
    start_ns: float
    crowded: NDArray[np.float64]


@kernel
def count_bits(mask: int) -> int:
    """How many bits are set."""
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


@kernel
def absorbed(
    masks: NDArray[np.int64],
    mixed: NDArray[np.int64],
    weights: NDArray[np.float64],
    held: int,
    touched: int,
    room: int,
    limits: Limits,
) -> tuple[float, int, int]:
    """Take all gates on the qubits `held` that nothing blocks.

    Returns:
        Their weights added up, the qubits that they mix, and the qubits that the next gate would
        bring in, 0 if none fits: one that brings fewest, and of these the first.
    """
    work, mixing, blocked, best, fewest = 0.0, 0, 0, 0, 99
    for k in range(masks.shape[0]):
        mask = masks[k]
        if mask & blocked:
            blocked |= mask
        elif mask & ~held == 0:
            work += weights[k]
            mixing |= mixed[k]
        else:
            blocked |= mask
            if count_bits(held | mask | limits.low) <= room:
                new = mask & ~held
                # A qubit that doubles the states comes after those that do not.
                extra = count_bits(new) + 4 * count_bits(new & ~touched)
                if extra < fewest:
                    best, fewest = new, extra
    return work, mixing, best


@kernel
def best_pass(
    masks: NDArray[np.int64],
    mixed: NDArray[np.int64],
    weights: NDArray[np.float64],
    touched: int,
    limits: Limits,
) -> int:
    """Find the qubits whose pass does most for its time.

    From each gate that could come first, the qubits are grown by the gate that needs fewest new
    ones; every stage is a candidate. A gate counts as what it would take on whole states, so passes
    that do their work while states are small are worth most.

    Args:
        masks: (m,) Qubits of each gate that is left, in order.
        mixed: (m,) Of these, the qubits that it mixes; none for a diagonal.
        weights: (m,) Time that each takes per amplitude.
        touched: Qubits that were in a pass before.
        limits: Of tiles, and what passes cost.

    Returns:
        The qubits, as bits.
    """
    best, answer, blocked = -1.0, 0, 0
    room = max(limits.tile_bits, 2 + count_bits(limits.low))
    spare = limits.crowded.shape[0] - 1
    for seed in range(masks.shape[0]):
        first = masks[seed] & blocked == 0
        blocked |= masks[seed]
        if not first:
            continue
        held = masks[seed]
        while held:
            work, mixing, new = absorbed(masks, mixed, weights, held, touched, room, limits)
            after = touched | held | limits.low
            still = count_bits(after & ~mixing)
            time = limits.pass_ns + work * (1 + limits.crowded[min(still, spare)])
            size = limits.rows * 2.0 ** count_bits(after)
            score = work / (limits.start_ns + size * time)
            if score > best:
                best, answer = score, held
            held = held | new if new else 0
    return answer
