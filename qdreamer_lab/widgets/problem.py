"""The circuit and the observables that are explored, checked once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qdreamer_lab.errors import CircuitError, PubError
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.observables import as_sparse

if TYPE_CHECKING:
    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit

__all__ = ["MOST_SLIDERS", "Problem", "problem_of"]

MOST_SLIDERS = 8
"""Unbound parameters that get a slider each."""

START_VALUE = 0.5
"""Where those begin: at zero, rotations would be no gates at all."""

_KEPT = 32
"""Sets of parameter values remembered."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What is explored.

    Attributes:
        circuit: As it was given.
        observables: As they were given, or the default.
        default: The observables are ours.
        names: Of unbound parameters, in the circuit's order.
    """

    circuit: QuantumCircuit
    observables: Any
    default: bool
    names: tuple[str, ...]
    _bound: OrderedDict[tuple[float, ...], tuple[QuantumCircuit, BlockCircuit]] = field(
        default_factory=OrderedDict, repr=False
    )

    @property
    def num_qubits(self) -> int:
        """Of the circuit."""
        return int(self.circuit.num_qubits)

    @property
    def start(self) -> tuple[float, ...]:
        """Values of the parameters to begin with."""
        return (START_VALUE,) * len(self.names)

    def bound(self, values: tuple[float, ...]) -> tuple[QuantumCircuit, BlockCircuit]:
        """The circuit with its parameters bound, and its light cone in normal form."""
        known = self._bound.get(values)
        if known is None:
            circuit = self.circuit.assign_parameters(list(values)) if values else self.circuit
            known = circuit, to_blocks(circuit, self.observables)
            self._bound[values] = known
            while len(self._bound) > _KEPT:
                self._bound.popitem(last=False)
        return known

    @property
    def title(self) -> str:
        """What is explored, in words."""
        what = "mean of Z over all qubits (the default)" if self.default else self._count()
        name = self.circuit.name
        named = f"{name}, " if name and not name.startswith("circuit-") else ""
        return f"{named}{self.num_qubits} qubits; {what}"

    def _count(self) -> str:
        each = [len(item) for item in as_sparse(self.observables, self.num_qubits)]
        terms = f"{sum(each)} term{'' if sum(each) == 1 else 's'}"
        many = f"{len(each)} observables" if len(each) > 1 else "one observable"
        return f"{many}, {terms}"


def problem_of(circuit: object, observables: Any) -> Problem:
    """Check a circuit and its observables.

    Args:
        circuit: Unitary; up to `MOST_SLIDERS` parameters may be unbound.
        observables: As Qiskit's estimators take them; None for the mean of Z over all qubits.

    Raises:
        CircuitError: If there is no circuit, or an empty one, or one that is not unitary.
        PubError: If too many parameters are unbound.
        ObservableError: If the observables do not belong to the circuit.
    """
    if not isinstance(circuit, QuantumCircuit):
        raise CircuitError(
            f"CutExplorer takes a qiskit.QuantumCircuit, got {type(circuit).__name__}"
        )
    if circuit.num_qubits == 0 or not circuit.data:
        raise CircuitError(
            f"the circuit is empty ({circuit.num_qubits} qubits, no gates): there is nothing to "
            "cut or to run"
        )
    names = tuple(parameter.name for parameter in circuit.parameters)
    if len(names) > MOST_SLIDERS:
        raise PubError(
            f"the circuit has {len(names)} unbound parameters; there are sliders for up to "
            f"{MOST_SLIDERS}: bind the others with circuit.assign_parameters"
        )
    default = observables is None
    if default:
        n = circuit.num_qubits
        observables = SparsePauliOp.from_sparse_list([("Z", [k], 1 / n) for k in range(n)], n)
    as_sparse(observables, circuit.num_qubits)
    made = Problem(circuit, observables, default, names)
    made.bound(made.start)
    return made
