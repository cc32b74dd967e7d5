"""Pieces of PUBs on a state engine, where one takes them, and the refusal of what no GPU runs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.primitives.containers import BitArray, DataBin, PubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.primitives.containers.sampler_pub_result import SamplerPubResult

from pilot_kernel.primitive.pub.pieces import Piece
from pilot_kernel.primitive.simulator.expectation import estimate_on_engine
from pilot_kernel.primitive.simulator.final_measurements import Measured, measured_last
from pilot_kernel.primitive.simulator.prepare import is_mixed
from pilot_kernel.primitive.simulator.state_engines import (
    StateEngine,
    StateWork,
    engine_for,
    engine_on_gpu,
)

__all__ = ["check_gpu", "run_on_engine"]

_MOST_BITS = 63
"""Measured qubits that fit into a number; a state of so many fits nowhere."""


def check_gpu(pubs: Sequence[Any], method: str) -> None:
    """Refuse PUBs that no GPU would run, before anything is submitted.

    Args:
        pubs: PUBs written for simulators.
        method: Aer's simulation method, as the user says it.

    Raises:
        PubError: One of them; the message says why.
    """
    for number, pub in enumerate(pubs):
        engine_on_gpu(_gates_of(pub), method, number, sampled=isinstance(pub, SamplerPub))


def run_on_engine(piece: Piece, method: str, device: str) -> tuple[PubResult, str] | None:
    """Run a piece on the engine that takes its circuit.

    Args:
        piece: Of a PUB that was written for simulators.
        method: Aer's simulation method, as the user says it.
        device: "CPU" or "GPU".

    Returns:
        The result and the engine's name; None if the piece is Aer's.

    Raises:
        PubError: It was to run on a GPU, and cannot.
    """
    pub: Any = piece.pub
    gates = _gates_of(pub)
    sets, sampled = pub.parameter_values.size, isinstance(pub, SamplerPub)
    if device == "GPU":
        engine: StateEngine | None = engine_on_gpu(gates, method, piece.number, sampled=sampled)
    elif isinstance(gates, str):
        return None
    else:
        engine = engine_for(gates, sets, method, sampled=sampled)
    if engine is None or isinstance(gates, str):
        return None
    free = tuple(gates.parameters)
    values = np.empty((1, 0))  # of one state, whatever values there are that nothing depends on
    if free:
        values = pub.parameter_values.as_array(free).reshape(sets, len(free))
    work = StateWork(gates, values, device)
    if not sampled:
        return estimate_on_engine(pub, engine, work, piece.seed), engine.name
    last = measured_last(pub.circuit)
    assert isinstance(last, Measured)
    return _sampled(pub, engine, work, last, piece.seed), engine.name


def _gates_of(pub: Any) -> QuantumCircuit | str:
    """The gates of a PUB whose measurements, if it has any, come last; or what is in the way."""
    if not isinstance(pub, SamplerPub):
        return "has resets on the way" if is_mixed(pub.circuit) else pub.circuit
    last = measured_last(pub.circuit)
    if isinstance(last, str):
        return last
    measured = len(set(last.qubit_of.values()))
    return last.gates if measured <= _MOST_BITS else f"measures {measured} qubits"


def _sampled(
    pub: SamplerPub, engine: StateEngine, work: StateWork, last: Measured, seed: int | None
) -> PubResult:
    qubits = sorted(set(last.qubit_of.values()))
    sets = pub.parameter_values.size
    if len(work.values) == sets:
        drawn = engine.draws(work, qubits, pub.shots, seed)
    else:  # sets of values that the circuit has no use for: one state, drawn from for each of them
        drawn = engine.draws(work, qubits, pub.shots * sets, seed).reshape(sets, pub.shots)
    place = {bit: qubits.index(qubit) for bit, qubit in last.qubit_of.items()}
    fields = {}
    for register in pub.circuit.cregs:
        bits = np.zeros((sets, pub.shots, register.size), dtype=np.bool_)
        for column, bit in enumerate(register):
            if bit in place:
                bits[:, :, column] = drawn >> place[bit] & 1
        fields[register.name] = _packed(bits.reshape(*pub.shape, pub.shots, register.size))
    metadata = {"shots": pub.shots, "circuit_metadata": pub.circuit.metadata}
    return SamplerPubResult(DataBin(**fields, shape=pub.shape), metadata=metadata)


def _packed(bits: NDArray[np.bool_]) -> BitArray:
    """Bits (..., shots, bits), the first being the least significant, as Qiskit keeps them."""
    size = bits.shape[-1]
    if not size:
        return BitArray(np.zeros((*bits.shape[:-1], 0), dtype=np.uint8), 0)
    return BitArray.from_bool_array(bits, order="little")
