"""Compile every kernel ahead of time, so that no later call has to wait for it.

Numba keeps machine code on disk: compiling takes a minute once per installation, loading some
tenths of a second once per process.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from qiskit import QuantumCircuit

from qdreamer_lab.search.cost_models import MODELS
from qdreamer_lab.search.finder import make_ready
from qdreamer_lab.workload.estimator import CutEstimator
from qdreamer_lab.workload.plan.find import plan_cuts
from qdreamer_lab.workload.request import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["warm_up"]


def warm_up(report: Callable[[str], None] | None = None) -> None:
    """Compile every kernel of the finder and of the simulators, so that no later call has to.

    Args:
        report: Called with a line of text before each step.
    """
    for number, cost in enumerate(MODELS):
        if report is not None:
            report(f"compiling the cut finder, step {number + 1} of {len(MODELS)}: {cost}")
        make_ready(cost, limited=True)
    if report is not None:
        report("compiling the simulator")
    circuit = QuantumCircuit(3)
    for low, high in ((0, 1), (1, 2), (0, 1), (1, 2)):
        circuit.cx(low, high)
    circuit.unitary([[1, 0], [0, 1]], [0])  # a matrix, which is looked at
    for kind, dtype in itertools.product(("gate", "wire"), DTYPES):
        plan = plan_cuts(circuit, 2, kinds=(kind,))
        estimator = CutEstimator(2, plan=plan, dtype=dtype)
        estimator.run([(circuit, ["ZZZ", "0+0"])]).result()  # "+" needs a gate of its own
    CutEstimator(2, mode="sampled", shots=1000, seed=0).run([(circuit, "ZZZ")]).result()
    CutEstimator(3, method="matrix_product_state").run([(circuit, "ZZZ")]).result()
