"""Which qubits of a device are neighbours, and what a swap between two of them is worth.

Plain data from what users give: a coupling map, a backend or its target, or pairs of qubits. It
must not know circuits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from qdreamer_lab.errors import PlanError

__all__ = ["Couplings", "read_couplings", "read_swap_price"]

_USUAL_ERROR = 0.01
"""Of a two-qubit gate, where the device says nothing: about that of devices of 2023."""

_GATES_PER_SWAP = 3


@dataclass(frozen=True, slots=True)
class Couplings:
    """The neighbours of a device.

    Attributes:
        num_qubits: Of the device.
        edges: Pairs of neighbours, the smaller number first, ascending; all qubits hang together.
        error: Median error of its two-qubit gates, from 0 to less than 1; None if it says nothing.
    """

    num_qubits: int
    edges: tuple[tuple[int, int], ...]
    error: float | None = None

    @property
    def swap_bits(self) -> float:
        """Bits that a swap is worth by the error of its gates.

        A swap takes three two-qubit gates. Nothing goes wrong in them with probability
        p = (1 - error)³. Values shrink by about as much, and to scale them up again at the same
        standard error takes 1/p² times the shots: 6 log2(1 / (1 - error)) bits of sampling
        overhead (Cai et al., arXiv:2210.00921, on overheads by the fault-free probability).
        """
        error = _USUAL_ERROR if self.error is None else self.error
        return -2 * _GATES_PER_SWAP * math.log2(1 - error)


def read_swap_price(given: object) -> float | None:
    """Read a price of a swap.

    Raises:
        PlanError: If it is no finite number of at least 0.
    """
    if given is None:
        return None
    bits = float(given) if isinstance(given, float | int | np.integer | np.floating) else math.nan
    if isinstance(given, bool) or not math.isfinite(bits) or bits < 0:
        raise PlanError(f"swap_price must be a number of bits of at least 0, got {given!r}")
    return bits


def read_couplings(given: Any) -> Couplings | None:
    """Read the neighbours of a device; directions are not looked at.

    Args:
        given: A `CouplingMap`, a backend or its `Target`, pairs of qubits, or None.

    Raises:
        PlanError: If it is none of these, has no pairs, or does not hang together.
    """
    if given is None or isinstance(given, Couplings):
        return given
    target = getattr(given, "target", given)
    if hasattr(target, "build_coupling_map"):
        return _of_target(target)
    if hasattr(given, "get_edges"):
        return _checked(given.get_edges(), int(given.size()))
    return _checked(given)


def _of_target(target: Any) -> Couplings:
    found = target.build_coupling_map()
    if found is None:
        raise PlanError(
            "the device names no couplings, so all of its qubits count as coupled: "
            "no swaps are needed, leave coupling_map out"
        )
    errors = [
        known.error
        for name in target.operation_names
        for qubits, known in (target[name] or {}).items()
        if qubits is not None and len(qubits) == 2 and getattr(known, "error", None) is not None
    ]
    working = [each for each in errors if 0 <= each < 1]  # broken gates are said to have error 1
    return _checked(
        found.get_edges(), int(found.size()), float(np.median(working)) if working else None
    )


def _checked(given: object, size: int | None = None, error: float | None = None) -> Couplings:
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise PlanError(
            f"coupling_map must be a CouplingMap, a backend, its target, or pairs of qubits, got "
            f"{given!r}"
        )
    edges = sorted({_pair(each) for each in given})
    if not edges:
        raise PlanError("coupling_map has no pairs of qubits: give those that are neighbours")
    qubits = {qubit for edge in edges for qubit in edge}
    count = max(qubits) + 1 if size is None else size
    parts = _parts(edges, count)
    if len(parts) > 1:
        sizes = ", ".join(str(len(part)) for part in parts[:6]) + ", …" * (len(parts) > 6)
        raise PlanError(
            f"coupling_map falls into {len(parts)} parts, of {sizes} qubits, between which nothing "
            "can be swapped: give one of them, numbered from 0, as CouplingMap.reduce makes it"
        )
    return Couplings(count, tuple(edges), error)


def _pair(given: object) -> tuple[int, int]:
    listed = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else []
    whole = all(isinstance(q, int | np.integer) and not isinstance(q, bool) for q in listed)
    if len(listed) != 2 or not whole or min(listed) < 0 or listed[0] == listed[1]:
        raise PlanError(
            f"coupling_map must consist of pairs of two different qubits, counted from 0, got "
            f"{given!r}"
        )
    low, high = sorted(map(int, listed))
    return low, high


def _parts(edges: list[tuple[int, int]], count: int) -> list[set[int]]:
    """The qubits that hang together, the most first."""
    beside: dict[int, list[int]] = {qubit: [] for qubit in range(count)}
    for low, high in edges:
        beside[low].append(high)
        beside[high].append(low)
    parts: list[set[int]] = []
    left = set(beside)
    while left:
        reached, ahead = set(), [min(left)]
        while ahead:
            qubit = ahead.pop()
            if qubit not in reached:
                reached.add(qubit)
                ahead += beside[qubit]
        parts.append(reached)
        left -= reached
    return sorted(parts, key=len, reverse=True)
