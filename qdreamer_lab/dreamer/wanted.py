"""What a prediction is asked for: a bound circuit and its observables, checked as a PUB is.

Reads what Qiskit gives and hands on what `workload` takes. It must not plan or price.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qdreamer_lab.errors import PubError, QDreamerError
from qdreamer_lab.workload.estimate import Request, RunOptions
from qdreamer_lab.workload.observables import as_sparse, product_terms

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.dispatch import SessionLike
    from qdreamer_lab.workload.observables import Factors
    from qdreamer_lab.workload.plan import CutPlan

__all__ = ["Wanted", "request_of", "run_options"]


@dataclass(frozen=True, eq=False, slots=True)
class Wanted:
    """A circuit and observables, in the forms that the two modes take.

    Attributes:
        circuit: bound.
        given: the observables as they were given.
        request: for `workload`.
        terms: distinct terms of all observables.
    """

    circuit: QuantumCircuit
    given: Any
    request: Request
    terms: tuple[Factors, ...]

    @property
    def num_qubits(self) -> int:
        """Of the circuit."""
        return int(self.circuit.num_qubits)

    @property
    def num_observables(self) -> int:
        """Values wanted."""
        return len(self.request.observables)


def request_of(circuit: QuantumCircuit, observables: Any, precision: float) -> Wanted:
    """Check a circuit and its observables.

    Raises:
        PubError: if they do not fit together, or the circuit has unbound parameters.
        ObservableError: if an observable is none.
        QDreamerError: if the precision is not more than zero.
    """
    if isinstance(precision, bool) or not isinstance(precision, (int, float)) or not precision > 0:
        raise QDreamerError(f"precision={precision!r}: a number above zero")
    names = ", ".join(sorted(parameter.name for parameter in circuit.parameters))
    if names:
        raise PubError(f"the circuit has unbound parameters: {names}; bind them first")
    try:
        pub = EstimatorPub.coerce((circuit, observables), precision)
    except (TypeError, ValueError) as error:
        raise PubError(str(error)) from error
    sparse = as_sparse(pub.observables, circuit.num_qubits)
    products = tuple(product_terms(one) for one in sparse)
    count = len(products)
    pairs = np.stack([np.zeros(count, np.int64), np.arange(count, dtype=np.int64)], axis=1)
    request = Request(circuit, ({},), (circuit,), products, pairs, float(precision))
    terms = tuple(dict.fromkeys(term.factors for one in products for term in one))
    return Wanted(circuit, observables, request, terms)


def run_options(
    max_qubits: int,
    plan: CutPlan | None,
    session: SessionLike | None,
    on: str | None,
    method: str = "statevector",
) -> RunOptions:
    """The options of a run like that, the others being those of a fresh `CutEstimator`."""
    stop = threading.Event()
    return RunOptions(
        max_qubits, plan, session, on, 0, None, None, "complex128", stop, method=method
    )
