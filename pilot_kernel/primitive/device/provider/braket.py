"""Amazon Braket's devices and local simulators, through the sampler of qiskit-braket-provider.

Its local simulators work offline and know no seeds. Expectation values are made of samples, with
error bars of our own. Only local simulators have been tried.
"""

from collections.abc import Iterable
from typing import Any

from qiskit import QuantumCircuit
from qiskit_braket_provider import BraketSampler

from pilot_kernel.errors import QpuError
from pilot_kernel.primitive.device.provider.registry import Provider

__all__ = ["PROVIDER"]


class _Sampler(BraketSampler):  # type: ignore[misc]
    """Braket's sampler, without the circuits whose bits it mistakes (0.27.1)."""

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> Any:
        pubs = list(pubs)
        for pub in pubs:
            if not _is_read_at_the_end(pub.circuit):
                raise QpuError(
                    f"circuit {pub.circuit.name!r} has mid-circuit measurements, or measures "
                    "into the same bit twice, and Braket's sampler reads each bit once, at the end"
                )
        return super().run(pubs, shots=shots)


def _is_read_at_the_end(circuit: QuantumCircuit) -> bool:
    """Whether every bit is measured once, and nothing happens to its qubit afterwards."""
    read: list[Any] = []
    over: set[Any] = set()
    for step in circuit.data:
        if step.name != "barrier" and not over.isdisjoint(step.qubits):
            return False
        if step.name == "measure":
            read += step.clbits
            over.update(step.qubits)
        elif step.clbits:
            return False
    return len(read) == len(set(read)) == len(circuit.clbits)


def _sampler(backend: Any, seed: int | None) -> _Sampler:
    """A sampler for circuits that are in a device's terms already; a seed has no effect."""
    return _Sampler(backend, optimization_level=0)


PROVIDER = Provider(sampler=_sampler)
