"""What surrounds every search: errors in the user's words, and a word when kernels compile.

It must not search.
"""

from __future__ import annotations

import itertools
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.errors import InfeasiblePlanError
from qdreamer_lab.search.problem import InfeasibleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["searching", "warm_up"]

_NOTICE = (
    "qdreamer-lab: compiling kernels, once per installation; this can take a minute "
    "(`qdreamer-lab warm` does it ahead of time) …"
)


@contextmanager
def searching() -> Iterator[None]:
    """Run a search; say so on standard error if it has to compile anything first.

    Raises:
        InfeasiblePlanError: where the search finds that no plan keeps the limits.
    """
    from numba.core import event

    with event.install_listener("numba:compile", _listener()):
        try:
            yield
        except InfeasibleError as error:
            raise InfeasiblePlanError(str(error), error.smallest_max_qubits) from None


def _listener() -> Any:
    from numba.core import event

    class Announcer(event.Listener):  # type: ignore[misc]  # numba has no types
        """Prints the notice at the first compilation; loading from disk is none."""

        said = False

        def on_start(self, event: Any) -> None:
            if not self.said:
                self.said = True
                print(_NOTICE, file=sys.stderr, flush=True)

        def on_end(self, event: Any) -> None:
            pass

    return Announcer()


def warm_up(report: Callable[[str], None] | None = None) -> None:
    """Compile every kernel of the finder and of the simulators, so that no later call has to.

    Args:
        report: called with a line of text before each step.
    """
    from qiskit import QuantumCircuit

    from qdreamer_lab.kernels.simulate.statevector import apply_two_qubit
    from qdreamer_lab.search.cost_models import MODELS
    from qdreamer_lab.search.finder import make_ready
    from qdreamer_lab.workload.estimator import DTYPES, CutEstimator
    from qdreamer_lab.workload.plan.find import plan_cuts

    for number, cost in enumerate(MODELS):
        if report is not None:
            report(f"compiling the cut finder, step {number + 1} of {len(MODELS)}: {cost}")
        make_ready(cost)
    if report is not None:
        report("compiling the simulator")
    circuit = QuantumCircuit(3)
    for low, high in ((0, 1), (1, 2), (0, 1), (1, 2)):
        circuit.cx(low, high)
    for kind, dtype in itertools.product(("gate", "wire"), DTYPES):
        plan = plan_cuts(circuit, 2, kinds=(kind,))
        estimator = CutEstimator(2, plan=plan, dtype=dtype)
        estimator.run([(circuit, ["ZZZ", "000"])]).result()
    CutEstimator(2, mode="sampled", shots=1000, seed=0).run([(circuit, "ZZZ")]).result()
    CutEstimator(3, method="matrix_product_state").run([(circuit, "ZZZ")]).result()
    for dtype in DTYPES:  # and the way of large states
        apply_two_qubit(np.zeros((1, 256), dtype), np.eye(4, dtype=dtype), 6, 7)
