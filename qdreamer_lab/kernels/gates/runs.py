"""Runs of gates on one pair of qubits: which gate is in which run, and what each run comes to."""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]
Matrices = NDArray[np.complex128]


@kernel
def runs_of(places: Ints, num_qubits: int, merge: bool) -> tuple[Ints, Ints, int]:
    """Sort gates into runs; a one-qubit gate goes to the next run on its wire, else to the last.

    Args:
        places: (m, 2) qubits of each gate; -1 after a single one.
        num_qubits: Of the circuit.
        merge: Whether two-qubit gates on the same pair, with none between, are one run.

    Returns:
        (m,) the run of each gate, -1 on qubits without runs; (m, 2), of which the first rows are
        the runs' qubits, ascending; and how many runs there are.
    """
    run_of = np.full(len(places), -1, np.int64)
    pairs = np.empty((len(places), 2), np.int64)
    count = 0
    last = np.full(num_qubits, -1, np.int64)  # run on each wire
    waiting = np.full(num_qubits, -1, np.int64)  # last of the gates that no run has taken yet
    before = np.full(len(places), -1, np.int64)  # the one before it
    for gate in range(len(places)):
        first, second = places[gate]
        if second < 0:
            before[gate] = waiting[first]
            waiting[first] = gate
            continue
        low, high = min(first, second), max(first, second)
        run = last[low]
        if run < 0 or run != last[high] or not merge:
            run = count
            pairs[run, 0], pairs[run, 1] = low, high
            last[low] = last[high] = run
            count += 1
        run_of[gate] = run
        take(low, run, waiting, before, run_of)
        take(high, run, waiting, before, run_of)
    for qubit in range(num_qubits):
        take(qubit, last[qubit], waiting, before, run_of)
    return run_of, pairs, count


@kernel
def take(qubit: int, run: int, waiting: Ints, before: Ints, run_of: Ints) -> None:
    """Put the gates that wait on a qubit into a run."""
    while waiting[qubit] >= 0:
        run_of[waiting[qubit]] = run
        waiting[qubit] = before[waiting[qubit]]


@kernel
def run_products(
    places: Ints, matrices: Matrices, run_of: Ints, pairs: Ints, runs: Matrices, alone: Matrices
) -> None:
    """Multiply every run out, and the gates on each qubit that has none.

    Args:
        places: (m, 2) as in `runs_of`.
        matrices: (m, 4, 4); of a one-qubit gate the first two rows and columns count.
        run_of: (m,) from `runs_of`.
        pairs: (runs, 2) from `runs_of`.
        runs: (runs, 4, 4) what the gates are multiplied to from the left, in place; the lower qubit
            of a run is its least significant one.
        alone: (qubits, 4, 4) the same of qubits without runs, as the low one of two.
    """
    placed, scratch = np.empty((4, 4), np.complex128), np.empty((4, 4), np.complex128)
    for gate in range(len(places)):
        first, run = places[gate, 0], run_of[gate]
        target = alone[first] if run < 0 else runs[run]
        low = first if run < 0 else pairs[run, 0]
        place(matrices[gate], places[gate, 1] < 0, first != low, placed)
        multiply(placed, target, scratch)


@kernel
def place(matrix: Matrices, single: bool, swapped: bool, out: Matrices) -> None:
    """Write a gate as a (4, 4) matrix; `swapped` if its first qubit is the high one of the run."""
    for i in range(4):
        for j in range(4):
            row, column = i, j
            if swapped:
                row, column = (i & 1) << 1 | i >> 1, (j & 1) << 1 | j >> 1
            if not single:
                out[i, j] = matrix[row, column]
            elif row >> 1 == column >> 1:
                out[i, j] = matrix[row & 1, column & 1]
            else:
                out[i, j] = 0.0


@kernel
def multiply(left: Matrices, right: Matrices, scratch: Matrices) -> None:
    """Put left @ right, both (4, 4), in the place of `right`."""
    for i in range(4):
        for j in range(4):
            scratch[i, j] = right[i, j]
            right[i, j] = 0.0
    for i in range(4):
        for k in range(4):
            if left[i, k] != 0:
                for j in range(4):
                    right[i, j] += left[i, k] * scratch[k, j]


@kernel
def unitarity_gap(matrix: Matrices) -> float:
    """Return the greatest entry of U†U - 1, and 0 where an entry is not finite."""
    size, gap = len(matrix), 0.0
    for i in range(size):
        for j in range(size):
            entry = -1.0 + 0j if i == j else 0j
            for k in range(size):
                entry += matrix[k, i].conjugate() * matrix[k, j]
            if not np.isfinite(abs(entry)):
                return 0.0
            gap = max(gap, abs(entry))
    return gap
