"""What a prediction is asked for: a circuit, observables, parameter values, checked as a PUB is.

Reads what Qiskit gives and hands on what `workload` takes. It must not plan or price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.exceptions import QiskitError
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from pilot_kernel.errors import PubError as TextError
from pilot_kernel.primitive.pub.complaints import complaint
from pilot_kernel.primitive.pub.observable_text import with_texts_read
from qdreamer_lab.errors import PubError
from qdreamer_lab.workload.arguments import check_above_zero
from qdreamer_lab.workload.bindings import all_bound
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.gates import check_is_circuit
from qdreamer_lab.workload.circuit.observables import product_terms
from qdreamer_lab.workload.pubs import check_names, pairing
from qdreamer_lab.workload.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = ["Wanted", "request_of"]

_LOOKED = 16
"""Sets of parameter values among which the one is found that stands for all."""


@dataclass(frozen=True, eq=False, slots=True)
class Wanted:
    """A circuit and observables, in the forms that the two modes take.

    Attributes:
        circuit: With one set of parameter values, the one that takes the most work of those that
            were looked at.
        given: The observables as they were given.
        request: That set alone, for `workload`.
        terms: Distinct terms of its observables.
        circuits: With each set of parameter values.
        num_observables: Values wanted, of all sets.
    """

    circuit: QuantumCircuit
    given: Any
    request: Request
    terms: tuple[Factors, ...]
    circuits: tuple[QuantumCircuit, ...]
    num_observables: int

    @property
    def num_qubits(self) -> int:
        """Of the circuit."""
        return int(self.circuit.num_qubits)

    @property
    def num_terms(self) -> int:
        """Terms of all observables."""
        return sum(len(terms) for terms in self.request.observables)

    @property
    def sets(self) -> int:
        """Sets of parameter values; 1 for a bound circuit."""
        return len(self.circuits)


def request_of(
    circuit: QuantumCircuit, observables: Any, precision: float, parameter_values: Any = None
) -> Wanted:
    """Check a circuit, its observables and its parameter values.

    Raises:
        PubError: If they do not fit together, or a parameter has no value.
        ObservableError: If an observable is none.
        CircuitError: If the circuit cannot be cut.
        QDreamerError: If the precision is not more than zero.
    """
    check_above_zero(precision=precision)
    check_is_circuit(circuit)
    names = ", ".join(sorted(parameter.name for parameter in circuit.parameters))
    if names and parameter_values is None:
        raise PubError(
            f"the circuit has unbound parameters: {names}; bind them first, or give their values "
            "as parameter_values="
        )
    try:
        pub = EstimatorPub.coerce(
            with_texts_read((circuit, observables, parameter_values)), precision
        )
        check_names(pub)
    except TextError as error:
        raise PubError(str(error)) from error
    except (TypeError, ValueError, OverflowError, QiskitError) as error:
        said = complaint(error, (circuit, observables, parameter_values), observables=True)
        raise PubError(said) from error
    if not np.isfinite(pub.parameter_values.as_array()).all():
        raise PubError("parameter values must be finite numbers")
    which, sparse = pairing(pub)
    if which.size == 0:
        raise PubError("there is nothing to estimate: no observables, or no parameter values")
    circuits = all_bound(circuit, pub.parameter_values)
    number = _heaviest(circuits)
    mine = np.unique(which[1][which[0] == number])
    products = tuple(product_terms(sparse[k]) for k in mine.tolist())
    count = len(products)
    pairs = np.stack([np.zeros(count, np.int64), np.arange(count, dtype=np.int64)], axis=1)
    heaviest = circuits[number]
    request = Request(
        source=heaviest,
        values=({},),
        circuits=(heaviest,),
        observables=products,
        pairs=pairs,
        precision=float(precision),
    )
    terms = tuple(dict.fromkeys(term.factors for each in products for term in each))
    given = observables if len(circuits) == 1 else sparse
    return Wanted(
        circuit=heaviest,
        given=given,
        request=request,
        terms=terms,
        circuits=circuits,
        num_observables=int(which[0].size),
    )


def _heaviest(circuits: Sequence[QuantumCircuit]) -> int:
    """The one of some that entangles most, by the cost of cutting all its blocks.

    Angles such as 0 make gates vanish, and sweeps like to begin with them.
    """
    if len(circuits) == 1:
        return 0
    looked = np.unique(np.linspace(0, len(circuits) - 1, _LOOKED).round().astype(int)).tolist()
    return int(max(looked, key=lambda k: np.log(to_blocks(circuits[k]).gammas).sum()))
