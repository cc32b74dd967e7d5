"""A device that runs a part of a run: which one, where its tasks go, what its owner asks.

A description only; nothing runs here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

__all__ = ["MITIGATION", "Device", "DeviceOptions", "Terms"]


class Terms(Protocol):
    """Prices and waits of a device, as its owner states them; `DeviceTerms` are such."""

    @property
    def currency(self) -> str:
        """Of the prices."""

    @property
    def queue_s(self) -> float:
        """Expected wait before a run's first job, in seconds; 0 where nothing is stated."""

    def cost(self, seconds: float, shots: int, jobs: int) -> float | None:
        """What a run costs; None if no price is known."""


@dataclass(frozen=True, eq=False, slots=True)
class Device:
    """One of the devices of a run.

    Attributes:
        name: Unlike that of any other of them.
        backend: What circuits are written for.
        on: Kind of worker or pilot that stands for it, as the session takes it; None if the backend
            is reached from this process.
        terms: What its owner asks; None if that is not known.
    """

    name: str
    backend: BackendV2
    on: str | None = None
    terms: Terms | None = None


MITIGATION = ("readout", "twirling", "zne")
"""What can be done about a device's errors."""


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """How devices run circuits, whichever they are; `CutEstimator` explains each.

    Attributes:
        mid_circuit: Whether they are to measure in the middle of circuits; None asks each.
        mitigation: What is done about their errors, of `MITIGATION`.
        noise_factor: How many times as noisy two-qubit gates are made, an odd number.
    """

    mid_circuit: bool | None = None
    mitigation: tuple[str, ...] = ()
    noise_factor: int = 1
