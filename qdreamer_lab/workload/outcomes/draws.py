"""Outcomes drawn from the distribution of joined pieces, piece by piece.

Each piece is asked once for every beginning that was drawn, however many shots share it, and large
pieces are asked in two steps: for a block of neighbouring outcomes, then for one of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.outcomes.network import Network
    from qdreamer_lab.workload.outcomes.piece import Piece

__all__ = ["drawn_outcomes"]

_MOST_DIRECT = 8
"""Bits of a piece that is asked in one step, at most."""

_PART = 1 << 22
"""Numbers of an array, about: 64 MB."""

_LEAST_AT_ONCE = 256
"""Shots that are drawn together at least: those that begin alike share their work."""


def drawn_outcomes(
    network: Network, shots: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Per piece of a network, (shots,) outcomes."""
    most = max(_LEAST_AT_ONCE, _PART // network.widest)
    parts = [min(most, shots - first) for first in range(0, shots, most)]
    drawn = zip(*(_drawn(network, part, rng) for part in parts), strict=True)
    return [np.concatenate(mine) for mine in drawn]


def _drawn(network: Network, shots: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """As `drawn_outcomes`, of so few shots that all their beginnings have room at once."""
    known = network.start()
    counts = np.array([shots], np.int64)
    paths: list[NDArray[np.int64]] = []
    for place, piece in enumerate(network.pieces):
        environments = network.environments(place, known)
        before, outcomes, counts = _asked(piece, environments, counts, rng)
        paths = [*(path[before] for path in paths), outcomes]
        if place + 1 < len(network.pieces):
            step = max(1, _PART // max(1, known[0].size, piece.choices**2))
            parts = [slice(k, k + step) for k in range(0, len(before), step)]
            known = np.concatenate(
                [network.advanced(place, known[before[p]], outcomes[p]) for p in parts]
            )
    order = rng.permutation(shots)
    return [np.repeat(path, counts)[order] for path in paths]


def _asked(
    piece: Piece,
    environments: NDArray[np.complex128],
    counts: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Outcomes of a piece for some beginnings.

    Args:
        piece: The piece.
        environments: (n, choices, choices).
        counts: (n,) shots of each beginning.
        rng: Where chance comes from.

    Returns:
        (m,) beginnings, (m,) outcomes and (m,) shots of each pair that was drawn.
    """
    bits = len(piece.qubits)
    size = 1 if bits <= _MOST_DIRECT else 1 << bits // 2
    blocks = piece.blocks(size).reshape(piece.outcomes // size, -1)
    around = environments.reshape(len(environments), -1)
    found = []
    step = max(1, _PART // len(blocks))
    for first in range(0, len(counts), step):
        some = around[first : first + step]
        chances = _shares(some.real @ blocks.real.T - some.imag @ blocks.imag.T)
        hits = rng.multinomial(counts[first : first + step], chances)
        rows, places = np.nonzero(hits)
        found.append((rows + first, places, hits[rows, places]))
    before, block, shots = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if size == 1:
        return before, block, shots
    inside = [
        _inside(piece, environments[one], slice(b * size, (b + 1) * size), n, rng)
        for one, b, n in zip(before.tolist(), block.tolist(), shots.tolist(), strict=True)
    ]
    lengths = [len(outcomes) for outcomes, _ in inside]
    return (
        np.repeat(before, lengths),
        np.concatenate([outcomes for outcomes, _ in inside]),
        np.concatenate([hits for _, hits in inside]),
    )


def _inside(
    piece: Piece,
    environment: NDArray[np.complex128],
    block: slice,
    shots: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Outcomes among those of a block, and how often each was drawn."""
    amplitudes = piece.amplitudes[:, :, block]
    chances = np.einsum("uax,uax->x", amplitudes.conj(), environment @ amplitudes).real
    hits = rng.multinomial(shots, _shares(chances))
    places = np.flatnonzero(hits)
    return block.start + places, hits[places]


def _shares(masses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities along the last axis, from masses that rounding may have made negative."""
    masses = np.maximum(masses, 0.0)
    return np.asarray(masses / masses.sum(axis=-1, keepdims=True))
