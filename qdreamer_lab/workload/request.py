"""What is to be estimated, and what is fixed about how. Descriptions only: nothing runs here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.circuit.lightcone import GateList
    from qdreamer_lab.workload.circuit.terms import ProductTerm
    from qdreamer_lab.workload.cut.partition import Partition

__all__ = ["DTYPES", "Request", "RunSettings"]

DTYPES = ("complex128", "complex64")
"""Of state vectors."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Request:
    """Expectation values that are wanted.

    Attributes:
        source: The circuit as it was given.
        values: For each set of parameter values (a binding), every parameter's by name.
        circuits: The circuit with each binding.
        observables: The terms of each distinct observable.
        pairs: (values, 2) int64; the binding and the observable of each value wanted.
        precision: Standard error wanted.
        first_gates: The gates of the first of `circuits`, where they have been read already.
    """

    source: QuantumCircuit
    values: tuple[dict[str, float], ...]
    circuits: tuple[QuantumCircuit, ...]
    observables: tuple[tuple[ProductTerm, ...], ...]
    pairs: NDArray[np.int64]
    precision: float
    first_gates: GateList | None = None


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class RunSettings:
    """What is computed to answer a request; `CutEstimator` explains each.

    Where it is computed is said by an `Execution`.

    Attributes:
        max_qubits: Greatest width of a fragment.
        devices: Widths of devices, widest first, for one fragment of a plan each; None for any
            number of fragments.
        plan: A plan to use instead of making one.
        seed: An explicit integer, for planning.
        entropy: In sampled mode, where the shots' randomness comes from.
        shots: In sampled mode, shots of each binding, whatever the precision.
        max_shots: In sampled mode, most shots of a binding for a precision.
        dtype: One of `DTYPES`.
    """

    max_qubits: int
    devices: tuple[int, ...] | None = None
    plan: Partition | None = None
    seed: int = 0
    entropy: tuple[int, ...] = (0,)
    shots: int | None = None
    max_shots: int = 10_000_000
    dtype: str = "complex128"
