"""A sampler's PUB on a device: its circuits, and its registers from what was read out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers import BitArray, DataBin
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.primitives.containers.sampler_pub_result import SamplerPubResult

from pilot_kernel.errors import ReadoutError
from pilot_kernel.primitive.device.readout import Readout

__all__ = ["circuits_of", "result_of"]


def circuits_of(pub: SamplerPub) -> list[QuantumCircuit]:
    """One circuit for each point of the sweep, in the order of the flattened PUB."""
    return list(np.ravel(pub.parameter_values.bind_all(pub.circuit)))


def result_of(pub: SamplerPub, readouts: Sequence[Readout], seed: int) -> SamplerPubResult:
    """Put what was read out into the PUB's registers.

    Args:
        pub: The PUB.
        readouts: Of `circuits_of(pub)`.
        seed: Of the order of shots whose order is not known.

    Raises:
        ReadoutError: The points of a sweep came with different numbers of shots.
    """
    numbers = sorted({readout.shots for readout in readouts}) or [pub.shots]
    if len(numbers) > 1:
        raise ReadoutError(
            f"{pub.shots} shots were asked for at each point, and between {numbers[0]} and "
            f"{numbers[-1]} came back; one result has no room for that: give each point a PUB of "
            "its own"
        )
    shots = [each.shot_by_shot((seed, k)) for k, each in enumerate(readouts)]
    table = np.array(shots, dtype=bool).reshape(len(shots), numbers[0], pub.circuit.num_clbits)
    data = {register.name: _array(pub, table, register) for register in pub.circuit.cregs}
    return SamplerPubResult(
        DataBin(**data, shape=pub.shape),
        metadata={"shots": numbers[0], "circuit_metadata": pub.circuit.metadata},
    )


def _array(pub: SamplerPub, table: Any, register: Any) -> BitArray:
    bits = [pub.circuit.find_bit(bit).index for bit in register]
    array = BitArray.from_bool_array(table[..., bits], order="little")
    return BitArray(array.array.reshape(*pub.shape, *array.array.shape[1:]), array.num_bits)
