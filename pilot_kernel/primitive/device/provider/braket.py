"""Amazon Braket's devices and local simulators, through the sampler of qiskit-braket-provider.

Its local simulators work offline and know no seeds. Expectation values are made of samples, with
error bars of our own. Only local simulators have been tried.
"""

from typing import Any

from qiskit_braket_provider import BraketSampler

from pilot_kernel.primitive.device.provider.registry import Provider

__all__ = ["PROVIDER"]


def _sampler(backend: Any, seed: int | None) -> BraketSampler:
    """A sampler for circuits that are in a device's terms already.

    Args:
        backend: The device.
        seed: Without effect.
    """
    return BraketSampler(backend, optimization_level=0)


PROVIDER = Provider(sampler=_sampler)
