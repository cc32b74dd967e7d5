"""Circuits through whatever reaches their device: its provider's sampler, or its `run`.

Everything that reads out shots asks here, cut runs included, so that a device is reached in one way
only.
"""

from collections.abc import Sequence

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ControlFlowOp
from qiskit.primitives.containers import PubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2

from pilot_kernel.errors import QpuError
from pilot_kernel.primitive.device.provider.jobs import sample
from pilot_kernel.primitive.device.provider.registry import provider_of
from pilot_kernel.primitive.device.readout import Readout, read_out
from pilot_kernel.primitive.device.shot_limit import shot_parts

__all__ = ["measure"]


def measure(
    backend: BackendV2,
    circuits: Sequence[QuantumCircuit],
    shots: int,
    *,
    seed: int | None = None,
    memory: bool = True,
) -> list[Readout]:
    """Run circuits and read what came back.

    More shots than the backend takes in one job are run in several.

    Args:
        backend: Where to run.
        circuits: In the backend's terms, with all parameters bound.
        shots: Of each circuit.
        seed: For simulators; the k-th circuit has `seed + SEED_STEP * k` on Aer.
        memory: Ask for the order of the shots.

    Raises:
        QpuError: A job was not taken, has failed, or is lost.
        ReadoutError: A result is missing, empty, or not one of the circuit's.
    """
    found = [
        # A backend that knows seeds must not measure the same again.
        _measured(backend, circuits, part, None if seed is None else seed + number, memory)
        for number, part in enumerate(shot_parts(shots, backend))
    ]
    return found[0] if len(found) == 1 else [_joined(each) for each in zip(*found, strict=True)]


def _joined(parts: Sequence[Readout]) -> Readout:
    """What was measured on one circuit in several jobs."""
    bits = np.concatenate([part.bits for part in parts])
    counts = np.concatenate([part.counts for part in parts])
    return Readout(bits, counts, in_order=all(part.in_order for part in parts))


def _measured(
    backend: BackendV2,
    circuits: Sequence[QuantumCircuit],
    shots: int,
    seed: int | None,
    memory: bool,
) -> list[Readout]:
    """As `measure`, for as many shots as go into one job."""
    provider = provider_of(backend)
    if provider is None:
        return read_out(backend, circuits, shots, seed=seed, memory=memory)
    sent = [_tidied(each) for each in circuits]
    live = [number for number, each in enumerate(sent) if each.num_clbits]
    pubs = [SamplerPub(sent[number], shots=shots) for number in live]
    found = dict(zip(live, sample(provider, backend, pubs, seed), strict=True))
    return [
        _readout(circuit, sent[number], found.get(number), shots)
        for number, circuit in enumerate(circuits)
    ]


def _tidied(circuit: QuantumCircuit) -> QuantumCircuit:
    """A circuit whose registers hold each of its bits once and in order, and whose bits are read.

    Primitives take the bits of a register for neighbours, and those of Braket take all bits for
    measured. What is not so gets one register, of the bits that are measured.

    Raises:
        QpuError: It has conditions, which may be on those registers.
    """
    held = [bit for register in circuit.cregs for bit in register]
    whole = held == list(circuit.clbits) and all(register.size for register in circuit.cregs)
    conditional = any(isinstance(step.operation, ControlFlowOp) for step in circuit.data)
    read = _read_bits(circuit)
    if whole and (conditional or len(read) == circuit.num_clbits):
        return circuit
    if conditional:
        raise QpuError(
            f"circuit {circuit.name!r} has registers without bits, bits without a register or "
            "registers that share bits, and conditions: samplers of QPUs mistake its bits; give "
            "every bit one register"
        )
    out = QuantumCircuit(circuit.num_qubits, len(read))
    out.global_phase = circuit.global_phase
    place = {bit: number for number, bit in enumerate(read)}
    for step in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in step.qubits]
        bits = [place[circuit.find_bit(bit).index] for bit in step.clbits]
        out.append(step.operation, qubits, bits)
    return out


def _read_bits(circuit: QuantumCircuit) -> list[int]:
    """The classical bits that anything is written to, or may be."""
    return sorted({circuit.find_bit(bit).index for step in circuit.data for bit in step.clbits})


def _readout(
    circuit: QuantumCircuit, sent: QuantumCircuit, result: PubResult | None, shots: int
) -> Readout:
    bits = np.zeros((shots, circuit.num_clbits), dtype=bool)
    places = range(circuit.num_clbits) if sent is circuit else _read_bits(circuit)
    for register in sent.cregs:
        assert result is not None
        at = [places[sent.find_bit(bit).index] for bit in register]
        bits[:, at] = result.data[register.name].to_bool_array(order="little")
    return Readout(bits, np.ones(shots, dtype=np.int64), in_order=True)
