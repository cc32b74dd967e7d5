"""From a circuit that was read to the call that a worker gets for it.

It must not run anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.uncut.circuit import clifford_of
from qdreamer_lab.workload.uncut.simulate import run_matrix_product_state, run_stabilizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.workload.uncut.circuit import UncutCircuit
    from qdreamer_lab.workload.uncut.simulate import UncutResult

__all__ = ["UncutCall", "matrix_product_state_task", "stabilizer_task"]

UncutCall = tuple["Callable[..., UncutResult]", tuple[object, ...], float]
"""What to call, with which arguments, and roughly how many operations it is."""


def matrix_product_state_task(whole: UncutCircuit, work: float) -> UncutCall:
    """The task of a matrix product state.

    Args:
        whole: The circuit and its observables.
        work: Multiply-adds of its decompositions.
    """
    return run_matrix_product_state, (whole.row, whole.sums), work


def stabilizer_task(whole: UncutCircuit) -> UncutCall:
    """The task of a Clifford circuit.

    Raises:
        MethodError: If it is none.
    """
    pairs, gates = clifford_of(whole)
    strings = whole.strings
    number = {string: k for k, string in enumerate(strings)}
    sums = [
        (
            np.array([coefficient for coefficient, _ in each]),
            np.array([number[string] for _, string in each], np.int64),
        )
        for each in whole.sums
    ]
    arguments = (whole.row.num_qubits + 1, pairs, gates, strings, sums)
    return run_stabilizer, arguments, float(len(pairs) * (1000 + len(strings)))
