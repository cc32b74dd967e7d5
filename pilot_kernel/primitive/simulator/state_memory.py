"""Whether a circuit's state fits a worker, asked before anything is submitted."""

from collections.abc import Sequence
from typing import Any

from qiskit.primitives.containers.estimator_pub import EstimatorPub

from pilot_kernel.primitive.pub.state_size import check_state
from pilot_kernel.primitive.simulator.aer import is_clifford
from pilot_kernel.primitive.simulator.prepare import is_mixed
from pilot_kernel.resource.pilot import PilotStatus

__all__ = ["check_memory"]

_FREE_METHODS = frozenset({"matrix_product_state", "stabilizer", "extended_stabilizer"})


def check_memory(pubs: Sequence[Any], method: str, on: Sequence[PilotStatus]) -> None:
    """Refuse a circuit whose state no worker could hold.

    Args:
        pubs: PUBs written for simulators.
        method: Aer's simulation method.
        on: The pilots that may get them.

    Raises:
        PubError: A state is too large; the message says how large, what the limit is, and to how
            many qubits the circuit would have to be cut.
    """
    if method in _FREE_METHODS:
        return
    for number, pub in enumerate(pubs):
        circuit = pub.circuit
        mixed = isinstance(pub, EstimatorPub) and is_mixed(circuit)
        if method == "automatic" and not mixed and is_clifford(circuit):
            continue
        check_state(
            *(number, circuit.num_qubits, on),
            power=2 if mixed or method == "density_matrix" else 1,
            advice=lambda widest: (
                f"Cut it to {widest} qubits, as qdreamer_lab.CutEstimator(max_qubits={widest}) "
                "does, or choose another simulation method, such as method='matrix_product_state'"
            ),
        )
