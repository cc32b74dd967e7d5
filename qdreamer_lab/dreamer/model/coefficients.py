"""Every coefficient of the cost model: its name, its unit, a nominal value, what it stands for.

The model is linear: seconds are counts times coefficients. Counts are arrays in the order of
`COEFFICIENTS`. Descriptions only; nothing is measured here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "COEFFICIENTS",
    "PER_SHOT",
    "PHASES",
    "PLACE",
    "SIZES",
    "Coefficient",
    "Counts",
    "hats",
    "paid",
    "summed",
]

PHASES = ("plan", "lower", "transpile", "dispatch", "execute", "transfer", "contract")
"""Phases of a run, in order."""

SIZES = (("small", 18), ("medium", 22), ("large", 25), ("huge", 26))
"""Working sets for which memory-bound coefficients are known, and log2 of their bytes: in the
second-level cache, in the last level, in as much of that as a process gets, in memory."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """What one unit of some work costs.

    Attributes:
        name: What the cost model calls it.
        unit: What one count is.
        nominal_ns: Nanoseconds per count on a machine that was never measured.
        text: What it stands for.
    """

    name: str
    unit: str
    nominal_ns: float
    text: str


def _sized(name: str, unit: str, nominal: tuple[float, ...], text: str) -> list[Coefficient]:
    """A coefficient for each working set."""
    return [
        Coefficient(f"{name}_{size}", unit, ns, f"{text}, {size} working set")
        for (size, _), ns in zip(SIZES, nominal, strict=True)
    ]


COEFFICIENTS: tuple[Coefficient, ...] = (
    *_sized("one_qubit", "amplitude", (1.0, 1.1, 1.6, 2), "one-qubit gate between shots"),
    *_sized("sweep", "amplitude", (0.6, 1.9, 2.2, 2.2), "reading or writing, in a pass"),
    *_sized("shared_sweep", "amplitude", (0.05, 0.1, 0.2, 0.3), "the same on any number of cores"),
    Coefficient("dense", "amplitude", 0.8, "dense two-qubit gate on a tile in the cache"),
    Coefficient("half", "amplitude", 0.45, "one-qubit or multiplexed gate on a tile"),
    Coefficient("diagonal", "amplitude", 0.25, "phase table on a tile"),
    Coefficient("crowded", "amplitude", 2.0, "what a gate on a tile's lowest bit takes longer"),
    Coefficient("shared_gate", "amplitude", 0.02, "a gate on any number of cores"),
    Coefficient("wake", "pass", 4e4, "sharing a pass or a sweep out among threads"),
    Coefficient("batch", "batch", 2e5, "beginning a batch of states"),
    Coefficient("pass", "pass", 6e4, "setting a pass up"),
    Coefficient("operation", "operation", 500.0, "setting an operation of a pass up"),
    Coefficient("visit", "operation and tile", 100.0, "beginning an operation on a tile"),
    Coefficient("fresh", "byte", 0.2, "memory touched for the first time"),
    Coefficient("step", "gate", 2e3, "reading a gate"),
    Coefficient("fragment", "fragment", 6e4, "setting a fragment up"),
    Coefficient("gpu_fragment", "fragment", 4e5, "setting a fragment up for a GPU"),
    Coefficient("gpu_pass", "pass", 5e4, "packing and launching a pass"),
    Coefficient("gpu_sweep", "amplitude", 0.005, "reading or writing on a GPU"),
    Coefficient("gpu_gate", "amplitude", 0.004, "dense two-qubit gate on a tile of a GPU"),
    Coefficient("gpu_group", "operator", 5e4, "beginning the sums for an operator on a GPU"),
    Coefficient("gpu_product", "product", 0.006, "product of two amplitudes on a GPU"),
    Coefficient("gpu_result", "byte", 0.2, "fetching results from a GPU"),
    Coefficient("gram_dot", "product and string", 0.2, "inner product of rows for a Pauli string"),
    Coefficient("gram_pair", "product", 0.5, "product of two amplitudes"),
    Coefficient("gram_string", "product and string", 0.13, "sum of products for a Pauli string"),
    Coefficient("gram_transform", "product", 1.0, "all sums at once, for many Pauli strings"),
    *_sized(
        "gram_sweep", "amplitude", (0.6, 0.8, 1.5, 2.0), "reading states, for all Pauli strings"
    ),
    Coefficient("gram_flip", "amplitude", 1.2, "signs or X and Y of a string, on a state"),
    Coefficient("gram_block", "pair and block", 25.0, "one block of products"),
    Coefficient("gram_entry", "pair, block and string", 2.0, "one sum over a block"),
    Coefficient("gram_sign", "sign", 0.3, "table of a Pauli string's signs"),
    Coefficient("gram_parity", "block and string", 30.0, "sign of a string for a block"),
    Coefficient("gram_operator", "operator", 1e3, "recognising an operator"),
    Coefficient("gram_finish", "matrix element", 15.0, "completing a Gram matrix"),
    Coefficient("gram_group", "part of a sweep", 1.5e4, "setting up one kernel call"),
    Coefficient("general", "amplitude", 6.0, "operator that is no Pauli string"),
    Coefficient("general_product", "multiply-add", 0.6, "products of such states"),
    Coefficient("pair_axes", "tensor element", 4.0, "bringing a tensor's axes into order"),
    Coefficient("join", "contraction step", 1.2e5, "setting up one step of reconstruction"),
    Coefficient("join_move", "tensor element", 4.0, "copying operands into order"),
    Coefficient("join_product", "multiply-add", 0.5, "products of tensor elements"),
    Coefficient("term", "term and step", 60.0, "finding out which terms share a step"),
    Coefficient("added", "term", 2e3, "adding a term to an observable's value"),
    Coefficient("arrange", "amplitude", 2.5, "copying a batch of states"),
    *_sized("combine", "amplitude and choice", (0.8, 1.0, 1.6, 2), "one operation at a cut"),
    *_sized("square", "probability", (2.0, 2.5, 3.0, 3.75), "probabilities and their sums"),
    *_sized("shot", "shot", (60.0, 120.0, 300.0, 375), "drawing one shot"),
    Coefficient("tally", "shot and operator", 3.0, "reading an operator off a shot"),
    Coefficient("variant", "variant", 9e4, "handling one variant"),
    Coefficient("leg", "operation", 6e3, "setting up one operation at a cut"),
    Coefficient("fold", "tensor element of a group", 3.0, "folding a variant in"),
    Coefficient("fold_product", "multiply-add", 0.6, "products in folding"),
    Coefficient("tensor", "byte", 0.3, "making and adding tensors with their groups"),
    Coefficient("weigh", "variant and round", 4e4, "how much each variant matters"),
    Coefficient("weigh_product", "multiply-add", 1.0, "products in that"),
    Coefficient("glue_call", "contraction", 8e4, "setting up one contraction of a term"),
    Coefficient("glue_product", "multiply-add", 1.0, "products in gluing"),
    Coefficient("round", "round", 1e6, "deciding on a round of shots"),
    Coefficient("trip", "task", 1.2e7, "from submitting a task to having its result"),
    Coefficient("task", "task", 1.5e6, "handing out one task and taking it in"),
    Coefficient("transfer", "byte", 2.0, "serialising and sending arguments and results"),
    Coefficient("run", "run", 5e5, "beginning and ending a run"),
    Coefficient("observable", "term", 4.5e3, "reading a term of an observable"),
    Coefficient("told", "operator", 2.5e3, "telling a task of an operator"),
    Coefficient("planning", "nanosecond", 1.0, "planning, as timed when the plan was made"),
    Coefficient("device", "nanosecond", 1.0, "time on a device, as its own durations have it"),
    Coefficient("job", "nanosecond", 1.0, "a device's overhead per job, and its queue, as given"),
    Coefficient("transpiling", "gate", 2e5, "transpiling a fragment for a device"),
    Coefficient("chain", "circuit", 1e5, "setting up a matrix product state simulation"),
    Coefficient("chain_block", "block", 1.5e4, "turning a block so that it can be applied"),
    Coefficient("chain_split", "decomposition", 3e4, "one decomposition, of a block or a swap"),
    Coefficient("chain_entry", "matrix element", 110.0, "elements of what is decomposed"),
    Coefficient("chain_svd", "multiply-add", 0.8, "singular values, x y min(x, y) for x by y"),
    Coefficient("chain_string", "Pauli string", 8e3, "setting up one Pauli string"),
    Coefficient("chain_letter", "Pauli matrix", 3e3, "one Pauli matrix of a string"),
    Coefficient("chain_site", "string and site", 3e3, "one site that a Pauli string spans"),
    Coefficient("chain_site_product", "multiply-add", 0.1, "products at these sites"),
    Coefficient("clifford", "circuit", 5e4, "setting up Pauli strings"),
    Coefficient("clifford_block", "block", 1.2e4, "carrying Pauli strings through a block"),
    Coefficient("clifford_string", "block and string", 8.0, "each string of these"),
    Coefficient("clifford_letter", "qubit and string", 10.0, "writing and reading letters"),
)
"""In the order of every array of counts."""

PLACE = {coefficient.name: k for k, coefficient in enumerate(COEFFICIENTS)}
"""Where a coefficient stands."""

PER_SHOT = np.array(
    [each.name == "tally" or each.name.startswith("shot_") for each in COEFFICIENTS]
)
"""Which coefficients are paid for each shot."""


def hats(size_bytes: float) -> tuple[float, ...]:
    """Weights of the working sets at a size: linear in log2 between them."""
    power = math.log2(max(size_bytes, 1.0))
    powers = [at for _, at in SIZES]
    weights = [0.0] * len(powers)
    after = next((k for k, at in enumerate(powers) if power <= at), len(powers))
    if after in (0, len(powers)):
        weights[min(after, len(powers) - 1)] = 1.0
        return tuple(weights)
    part = (power - powers[after - 1]) / (powers[after] - powers[after - 1])
    weights[after - 1 : after + 1] = 1.0 - part, part
    return tuple(weights)


class Counts:
    """How often each coefficient is paid, in their order."""

    def __init__(self) -> None:
        self.array: NDArray[np.float64] = np.zeros(len(COEFFICIENTS))

    def add(self, name: str, count: float) -> None:
        """Pay a coefficient so many times."""
        self.array[PLACE[name]] += count

    def add_sized(self, name: str, count: float, size_bytes: float) -> None:
        """Pay a coefficient that depends on the working set."""
        first = PLACE[f"{name}_{SIZES[0][0]}"]
        self.array[first : first + len(SIZES)] += count * np.array(hats(size_bytes))


def paid(name: str, count: float) -> NDArray[np.float64]:
    """Counts of one coefficient."""
    counts = np.zeros(len(COEFFICIENTS))
    counts[PLACE[name]] = count
    return counts


def summed(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Counts of several things together."""
    return np.sum(parts, axis=0) if len(parts) else np.zeros(len(COEFFICIENTS))
