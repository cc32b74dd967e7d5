"""Compile every kernel ahead of time, so that no later call has to wait for it.

Numba keeps machine code on disk: compiling takes a minute or two once per installation, loading
some tenths of a second once per process.
"""

from __future__ import annotations

import itertools
import pkgutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit

from pilot_kernel.resource.worker_environment import usable_cores
from qdreamer_lab import kernels
from qdreamer_lab.isolated_call import guarded
from qdreamer_lab.kernels.loading import not_in_cache
from qdreamer_lab.kernels.pieces.packing import pack
from qdreamer_lab.kernels.simulate.shot_counts import read_all
from qdreamer_lab.search.cost_models import MODELS, plan_price
from qdreamer_lab.search.finder import make_ready
from qdreamer_lab.search.problem import CutProblem
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.cut.partition import Partition
from qdreamer_lab.workload.estimator import CutEstimator
from qdreamer_lab.workload.plan.plan import CutPlan
from qdreamer_lab.workload.request import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["left_out", "warm_other_half", "warm_simulators", "warm_up"]

DEMO_COSTS = ("lo", "work")
"""Cost models under which the demo looks for plans."""

DEMO_DTYPES = ("complex128",)
"""How precise the demo's states are."""

_LABELS = {
    "gate": [[0, 0], [0, 1], [0, 0], [0, 1]],
    "wire": [[0, 0], [1, 1], [2, 2], [3, 3]],
}
"""The fragments that both ends of each block of `_circuit` are in, by what is cut."""


def warm_up(report: Callable[[str], None] | None = None, *, demo: bool = False) -> None:
    """Compile every kernel of the finder and of the simulators, so that no later call has to.

    With several cores, another process compiles about half of it meanwhile.

    Args:
        report: Called with a line of text before each step.
        demo: Only those that the demo needs: two of the cost models, no limits on the number of
            fragments, double precision.
    """
    costs = DEMO_COSTS if demo else tuple(MODELS)
    dtypes = DEMO_DTYPES if demo else DTYPES
    with ExitStack() as stack:
        if usable_cores() > 1:
            pool = stack.enter_context(ThreadPoolExecutor(1))
            stack.callback(pool.submit(guarded, warm_other_half, dtypes).result)
        for number, cost in enumerate(costs):
            if report is not None:
                report(f"compiling the cut finder, step {number + 1} of {len(costs)}: {cost}")
            make_ready(cost, limited=not demo)
        if report is not None:
            report("compiling the simulator")
    warm_other_half(dtypes)  # what the other process compiled is loaded
    CutEstimator(2).run([(_circuit(), "ZZZ")]).result()  # with a plan of its own
    CutEstimator(2, mode="sampled", shots=1000, seed=0).run([(_circuit(), "ZZZ")]).result()
    if not demo:
        _warm_the_rare()


def left_out() -> list[str]:
    """Kernels that `warm_up` has not compiled: there should be none."""
    rooms = pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}.")
    return [name for room in rooms if room.ispkg for name in not_in_cache(room.name)]


def _warm_the_rare() -> None:
    """Compile what small circuits do not come to."""
    one, ones = np.ones(1, np.int64), np.ones((1, 1))
    pack(one, 1)
    read_all(ones, one, one, one, ones)


def warm_other_half(dtypes: Sequence[str]) -> None:
    """Compile the price of a plan, which is a fifth of the finder, and then the simulators.

    Args:
        dtypes: Precisions of the simulators, `"complex64"` and `"complex128"`.
    """
    pairs = np.array([[0, 1], [1, 2]], np.int64)
    problem = CutProblem(3, pairs, np.full(2, 3.17), 2, sine=np.ones(2))
    plan_price(problem, np.zeros((2, 2), np.int64), "locc")
    warm_simulators(dtypes)


def warm_simulators(dtypes: Sequence[str] = DTYPES) -> None:
    """Compile the kernels of the simulators, and none of the finder's: the plans are given.

    Args:
        dtypes: Their precisions.
    """
    circuit = _circuit()
    blocks = to_blocks(circuit)
    lone = np.zeros(0, np.int64)
    plans = {
        kind: CutPlan.of(Partition(blocks, np.array(labels, np.int64), lone, 2))
        for kind, labels in _LABELS.items()
    }
    for plan, dtype in itertools.product(plans.values(), dtypes):
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
