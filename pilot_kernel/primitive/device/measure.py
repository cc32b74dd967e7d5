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
    provider = provider_of(backend)
    if provider is None:
        return read_out(backend, circuits, shots, seed=seed, memory=memory)
    tidy = [each if _is_tidy(each) else _tidied(each) for each in circuits]
    live = [number for number, each in enumerate(tidy) if each.num_clbits]
    pubs = [SamplerPub(tidy[number], shots=shots) for number in live]
    found = dict(zip(live, sample(provider, backend, pubs, seed), strict=True))
    return [_readout(each, found.get(number), shots) for number, each in enumerate(tidy)]


def _is_tidy(circuit: QuantumCircuit) -> bool:
    """Whether a circuit's registers hold each bit once and in order.

    Qiskit's primitives take the bits of a register for neighbours, whatever they are.
    """
    held = [bit for register in circuit.cregs for bit in register]
    return held == list(circuit.clbits) and all(register.size for register in circuit.cregs)


def _tidied(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same with all of its bits in one register."""
    if any(isinstance(step.operation, ControlFlowOp) for step in circuit.data):
        raise QpuError(
            f"circuit {circuit.name!r} has registers without bits, bits without a register or "
            "registers that share bits, and conditions: samplers of QPUs mistake its bits; give "
            "every bit one register"
        )
    out = QuantumCircuit(circuit.num_qubits, circuit.num_clbits)
    out.global_phase = circuit.global_phase
    for step in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in step.qubits]
        out.append(step.operation, qubits, [circuit.find_bit(bit).index for bit in step.clbits])
    return out


def _readout(circuit: QuantumCircuit, result: PubResult | None, shots: int) -> Readout:
    bits = np.zeros((shots, circuit.num_clbits), dtype=bool)
    for register in circuit.cregs:
        assert result is not None
        at = [circuit.find_bit(bit).index for bit in register]
        bits[:, at] = result.data[register.name].to_bool_array(order="little")
    return Readout(bits, np.ones(shots, dtype=np.int64), in_order=True)
