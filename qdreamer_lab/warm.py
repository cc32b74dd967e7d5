"""Compile every kernel ahead of time, so that no later call has to wait for it.

Numba keeps machine code on disk: compiling takes a minute or two once per installation, loading
some tenths of a second once per process.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit

from pilot_kernel.resource.worker_environment import usable_cores
from qdreamer_lab.isolated_call import guarded
from qdreamer_lab.search.cost_models import MODELS
from qdreamer_lab.search.finder import make_ready
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.cut.partition import Partition
from qdreamer_lab.workload.estimator import CutEstimator
from qdreamer_lab.workload.plan.plan import CutPlan
from qdreamer_lab.workload.request import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["warm_simulators", "warm_up"]

_LABELS = {
    "gate": [[0, 0], [0, 1], [0, 0], [0, 1]],
    "wire": [[0, 0], [1, 1], [2, 2], [3, 3]],
}
"""The fragments that both ends of each block of `_circuit` are in, by what is cut."""


def warm_up(report: Callable[[str], None] | None = None) -> None:
    """Compile every kernel of the finder and of the simulators, so that no later call has to.

    With several cores, another process compiles those of the simulators meanwhile.

    Args:
        report: Called with a line of text before each step.
    """
    with ExitStack() as stack:
        if usable_cores() > 1:
            beside = stack.enter_context(ThreadPoolExecutor(1)).submit(guarded, warm_simulators)
            stack.callback(beside.result)
        for number, cost in enumerate(MODELS):
            if report is not None:
                report(f"compiling the cut finder, step {number + 1} of {len(MODELS)}: {cost}")
            make_ready(cost, limited=True)
        if report is not None:
            report("compiling the simulator")
    warm_simulators()  # what the other process compiled is loaded
    CutEstimator(2).run([(_circuit(), "ZZZ")]).result()  # with a plan of its own
    CutEstimator(2, mode="sampled", shots=1000, seed=0).run([(_circuit(), "ZZZ")]).result()


def warm_simulators() -> None:
    """Compile the kernels of the simulators, and none of the finder's: the plans are given."""
    circuit = _circuit()
    blocks = to_blocks(circuit)
    lone = np.zeros(0, np.int64)
    plans = {
        kind: CutPlan.of(Partition(blocks, np.array(labels, np.int64), lone, 2))
        for kind, labels in _LABELS.items()
    }
    for plan, dtype in itertools.product(plans.values(), DTYPES):
        estimator = CutEstimator(2, plan=plan, dtype=dtype)
        estimator.run([(circuit, ["ZZZ", "0+0"])]).result()  # "+" needs a gate of its own
    sampled = CutEstimator(2, plan=plans["gate"], mode="sampled", shots=1000, seed=0)
    sampled.run([(circuit, "ZZZ")]).result()
    CutEstimator(3, method="matrix_product_state").run([(circuit, "ZZZ")]).result()


def _circuit() -> QuantumCircuit:
    """A small circuit of four blocks."""
    circuit = QuantumCircuit(3)
    for low, high in ((0, 1), (1, 2), (0, 1), (1, 2)):
        circuit.cx(low, high)
    circuit.unitary([[1, 0], [0, 1]], [0])  # a matrix, which is looked at
    return circuit
