"""Packages that simulate state vectors in Aer's place, found by their entry points.

A package registers an object of the form of `StateEngine` under the entry point group
`pilot_kernel.simulators`. It is asked first whether it takes a circuit; what none takes, Aer runs.
Only such a package runs circuits on GPUs.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, Protocol

from numpy.typing import NDArray
from qiskit import QuantumCircuit

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.simulator.aer import is_clifford

__all__ = ["ENTRY_POINTS", "StateEngine", "StateWork", "engine_for", "engine_on_gpu", "registered"]

ENTRY_POINTS = "pilot_kernel.simulators"
"""The group of entry points that name a `StateEngine`."""

_METHODS = frozenset({"automatic", "statevector"})
"""Simulation methods that leave the choice of a state vector simulator open, or ask for one."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class StateWork:
    """Pure states: that of a circuit for each set of parameter values.

    Attributes:
        circuit: Gates on |0…0⟩, no measurements. What else is in it, such as a reset on the way,
            is a reason not to take it.
        values: (sets, parameters) values, in the order of `circuit.parameters`.
        device: "CPU" or "GPU": where states are held.
    """

    circuit: QuantumCircuit
    values: NDArray[Any]
    device: str = "CPU"


class StateEngine(Protocol):
    """What simulates states. Errors that it raises reach the user as they are.

    Attributes:
        name: What results say ran them.
    """

    name: str

    def refusal(
        self, circuit: QuantumCircuit, sets: int, device: str, *, sampled: bool
    ) -> str | None:
        """Why a circuit is not taken, in words that go on after its name; None if it is.

        Args:
            circuit: As in `StateWork`; it need not have values yet.
            sets: How many sets of parameter values there are.
            device: "CPU", where Aer may be quicker, or "GPU", where nobody else will run it.
            sampled: Whether shots are wanted, rather than expectation values.
        """
        ...

    def pauli_values(self, work: StateWork, x: NDArray[Any], z: NDArray[Any]) -> NDArray[Any]:
        """Expectation values of Pauli strings.

        Args:
            work: The states.
            x: (strings, n) bool; where a string has an X or a Y, qubit 0 first.
            z: (strings, n) bool; where it has a Z or a Y.

        Returns:
            (sets, strings) float64.
        """
        ...

    def draws(
        self, work: StateWork, qubits: Sequence[int], shots: int, seed: int | None
    ) -> NDArray[Any]:
        """Measure qubits of every state, again and again.

        Args:
            work: The states.
            qubits: Different qubits, at most 63.
            shots: How often.
            seed: Of the random numbers.

        Returns:
            (sets, shots) int64; bit k is what the k-th of `qubits` was found in.
        """
        ...


@lru_cache(maxsize=1)
def registered() -> tuple[StateEngine, ...]:
    """The engines that are installed here, by name; one that cannot be loaded is left out."""
    found: list[StateEngine] = []
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            found.append(point.load())
        except Exception as error:  # noqa: BLE001  # somebody's module may raise anything
            log.warning("simulator %s (%s) cannot be loaded: %s", point.name, point.value, error)
    return tuple(found)


def engine_for(
    circuit: QuantumCircuit, sets: int, method: str, *, sampled: bool
) -> StateEngine | None:
    """The engine that takes a circuit; None if it is Aer's, as Clifford circuits are.

    Args:
        circuit: Gates alone.
        sets: How many sets of parameter values there are.
        method: Aer's simulation method, as the user says it.
        sampled: Whether shots are wanted, rather than expectation values.
    """
    if method not in _METHODS or (method == "automatic" and is_clifford(circuit)):
        return None
    for engine in registered():
        if engine.refusal(circuit, sets, "CPU", sampled=sampled) is None:
            return engine
    return None


def engine_on_gpu(
    circuit: QuantumCircuit | str, method: str, number: int, *, sampled: bool
) -> StateEngine:
    """The engine that runs a circuit on a GPU, since Aer does not.

    Args:
        circuit: Gates alone; or, in words, what it has besides.
        method: Aer's simulation method, as the user says it.
        number: The PUB's number.
        sampled: Whether shots are wanted, rather than expectation values.

    Raises:
        PubError: There is none; the message says why.
    """
    elsewhere = "run it on='cpu'"
    if method not in _METHODS:
        raise PubError(
            f"method={method!r}: on GPUs circuits are run as state vectors; leave method= out, or "
            f"{elsewhere}"
        )
    engines = registered()
    if not engines:
        raise PubError(
            "no installed package simulates circuits on GPUs: pip install 'qdreamer-lab[gpu]' "
            f"here and where the workers are, or {elsewhere}"
        )
    if isinstance(circuit, str):
        raise PubError(
            f"PUB {number} {circuit}, and on GPUs only gates with measurements after them are run; "
            f"{elsewhere}"
        )
    reasons = []
    for engine in engines:
        reason = engine.refusal(circuit, 1, "GPU", sampled=sampled)
        if reason is None:
            return engine
        reasons.append(reason)
    raise PubError(f"PUB {number} cannot run on a GPU: it {'; it '.join(reasons)}; {elsewhere}")
