"""Measurement outcomes from the amplitudes of a state, in NumPy or anything that looks like it.

Amplitudes are added up block by block first, so that a state is read once and next to nothing is
held beside it. The same code serves arrays on a GPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["drawn"]

_BLOCK = 256
"""Amplitudes whose probabilities are added up; an outcome is looked for in one block alone."""

_AT_ONCE = 1 << 18
"""Amplitudes whose probabilities are held at a time."""


def drawn(state: Any, uniforms: Any, xp: Any = np) -> Any:
    """Outcomes of measuring all qubits, by inverse transform sampling.

    Args:
        state: (2**n,) amplitudes, normalised or not.
        uniforms: (shots,) float64 of [0, 1), one for each outcome.
        xp: NumPy, or the module that the arrays belong to.

    Returns:
        (shots,) int64; an outcome of probability zero never comes up.
    """
    size = len(state)
    block = min(size, _BLOCK)
    sums = xp.empty(size // block, dtype=np.float64)
    for first in range(0, size, _AT_ONCE):
        weights = _weights(state[first : first + _AT_ONCE], xp)
        sums[first // block : (first + len(weights)) // block] = weights.reshape(-1, block).sum(1)
    edges = xp.cumsum(sums)
    order = xp.argsort(uniforms)
    # The last edge itself would lie beyond everything; a product may round to it.
    places = xp.minimum(uniforms[order] * edges[-1], xp.nextafter(edges[-1], 0.0))
    which = xp.minimum(xp.searchsorted(edges, places, side="right"), _last(sums[None], xp)[0])
    hit = xp.unique(which)
    ends = xp.searchsorted(which, hit, side="right")
    found = xp.empty(len(uniforms), dtype=np.int64)
    start = 0
    for first in range(0, len(hit), _AT_ONCE // block):
        rows = hit[first : first + _AT_ONCE // block]
        end = int(ends[first + len(rows) - 1])
        inner = _edges_within(state.reshape(-1, block)[rows], edges, rows, xp)
        place = xp.searchsorted(inner.ravel(), places[start:end], side="right")
        place = xp.minimum(place, inner.size - 1)
        found[order[start:end]] = rows[place // block] * block + place % block
        start = end
    return found


def _edges_within(amplitudes: Any, edges: Any, rows: Any, xp: Any) -> Any:
    """Cumulated probabilities (rows, block) of some blocks, on the scale of all.

    From the last amplitude of a block that is not zero on, they are the block's edge itself: then
    rounding leads neither out of a block nor to what has no probability.
    """
    weights = _weights(amplitudes, xp)
    before = xp.where(rows > 0, edges[rows - 1], 0.0)
    inner = xp.minimum(before[:, None] + xp.cumsum(weights, axis=1), edges[rows][:, None])
    tail = xp.arange(weights.shape[1])[None] >= _last(weights, xp)[:, None]
    return xp.where(tail, edges[rows][:, None], inner)


def _weights(amplitudes: Any, xp: Any) -> Any:
    """Probabilities, in double precision."""
    real, imag = (part.astype(np.float64) for part in (amplitudes.real, amplitudes.imag))
    return xp.square(real) + xp.square(imag)


def _last(weights: Any, xp: Any) -> Any:
    """(rows,) place of the last entry that is not zero: rounding must not lead beyond it."""
    return weights.shape[1] - 1 - xp.argmax(weights[:, ::-1] > 0, axis=1)
