"""Places for the nodes of a small graph, so that distances follow its shape.

Stress majorization (Gansner, Koren and North, 2004) from a classical scaling of the graph's
distances: deterministic, whole arrays at a time, and lattices come out flat.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["spread"]

_STEPS = 30
"""Rounds of majorization; more change nothing that can be seen."""

_MOST = 600
"""Graphs with more nodes go on a circle: distances between all would take too long."""

_FLAT = 0.12
"""A drawing less high than this part of its width is a line, and is folded."""

_FOLD = 10
"""Lines up to this long are not folded."""


def spread(num_nodes: int, edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """Place nodes.

    Args:
        num_nodes: N, at least 0.
        edges: (e, 2), without loops.

    Returns:
        (n, 2) coordinates; wider than high, centred on the origin.
    """
    return _spread(num_nodes, np.ascontiguousarray(edges, dtype=np.int64).tobytes())


@functools.lru_cache(maxsize=16)
def _spread(num_nodes: int, packed: bytes) -> NDArray[np.float64]:
    edges = np.frombuffer(packed, dtype=np.int64).reshape(-1, 2)
    if num_nodes <= 2 or num_nodes > _MOST:
        places = _circle(num_nodes)
    else:
        distance = _distances(num_nodes, edges)
        places = _turned(_majorized(_scaled(distance), distance))
        extent = np.ptp(places, axis=0)
        if extent[1] < _FLAT * extent[0]:
            places = _folded(np.argsort(places[:, 0], kind="stable"))
    places.setflags(write=False)  # it is kept for the next call
    return places


def _circle(n: int) -> NDArray[np.float64]:
    angle = 2 * np.pi * np.arange(n) / max(1, n) + np.pi
    reach = 0.0 if n < 2 else max(1.0, n / (2 * np.pi))
    return reach * np.stack([np.cos(angle), -np.sin(angle)], axis=1)


def _distances(n: int, edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, n) steps between nodes; parts that hang together lie a little further than they reach."""
    steps = np.full((n, n), np.inf)
    steps[edges[:, 0], edges[:, 1]] = steps[edges[:, 1], edges[:, 0]] = 1.0
    np.fill_diagonal(steps, 0.0)
    for middle in range(n):
        np.minimum(steps, steps[:, middle, None] + steps[middle], out=steps)
    apart = np.isinf(steps)
    if apart.any():
        steps[apart] = max(2.0, 0.6 * float(steps[~apart].max()) + 1.0)
    return steps


def _scaled(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2) classical multidimensional scaling."""
    n = len(distance)
    square = distance**2
    rows = square.mean(axis=0)
    inner = -0.5 * (square - rows - rows[:, None] + square.mean())
    values, vectors = np.linalg.eigh(inner)
    places = vectors[:, -2:][:, ::-1] * np.sqrt(np.maximum(values[-2:][::-1], 1e-12))
    # The sign of an eigenvector is arbitrary: node 0 goes to the left, and up.
    places *= np.where(places[0] > 0, -1.0, 1.0)
    # Nodes in one place would push nowhere.
    golden = np.arange(n) * (math.pi * (3 - math.sqrt(5)))
    return np.asarray(places + 0.01 * np.stack([np.cos(golden), np.sin(golden)], axis=1))


def _majorized(places: NDArray[np.float64], distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lower the sum of ((distance drawn - distance) / distance)² step by step."""
    n = len(distance)
    weight = 1.0 / np.maximum(distance, 1.0) ** 2
    np.fill_diagonal(weight, 0.0)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    inverse = np.linalg.inv(laplacian + 1.0 / n)
    pull = weight * distance
    for _ in range(_STEPS):
        x, y = places.T
        drawn = np.hypot(x[:, None] - x, y[:, None] - y)
        ratio = pull / np.maximum(drawn, 1e-9)
        np.fill_diagonal(ratio, 0.0)
        places = np.asarray(inverse @ (ratio.sum(axis=1)[:, None] * places - ratio @ places))
    return places


def _turned(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The long side along x."""
    centred = places - places.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    turned = centred @ axes[:, ::-1]
    return np.asarray(turned * np.where(turned[0] > 0, -1.0, 1.0))


def _folded(order: NDArray[np.int64]) -> NDArray[np.float64]:
    """A line in rows, every other one backwards."""
    n = len(order)
    columns = n if n <= _FOLD else math.ceil(math.sqrt(2 * n))
    row, column = np.divmod(np.arange(n), columns)
    column = np.where(row % 2, columns - 1 - column, column)
    places = np.empty((n, 2))
    places[order] = np.stack([column, -1.0 * row], axis=1)
    return np.asarray(places - places.mean(axis=0))
