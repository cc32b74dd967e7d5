"""Figures that the reference group published or committed, and what they were measured with.

They stand here as they were handed down to this project; who relies on one looks it up there.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CIRCUITS", "CUTTING_30", "PILOT_START", "PREDICTIONS", "THROUGHPUT", "Published"]

_MIDDLEWARE = "P. Mantha et al., Pilot-Quantum, arXiv:2412.18519"
_HYBRID = "Hybrid Quantum-HPC Middleware Systems, arXiv:2604.03445"


@dataclass(frozen=True)
class Published:
    """A figure.

    Attributes:
        low: The figure, or the smallest of a range.
        high: The greatest.
        unit: What it counts.
        setting: What it was measured with.
        source: Where it stands.
    """

    low: float
    high: float
    unit: str
    setting: str
    source: str

    @property
    def text(self) -> str:
        """The figure with its unit."""
        number = f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"
        return f"{number} {self.unit}"


def _cut(seconds: float) -> Published:
    setting = "16 cores; fragments sampled, error bar not told"
    return Published(seconds, seconds, "s", setting, _HYBRID)


CUTTING_30 = {
    12: _cut(168.8),
    10: _cut(97.5),
    8: _cut(63.7),
    6: _cut(57.5),
    4: _cut(64.8),
    2: _cut(103.5),
}
"""EfficientSU2 of 30 qubits, linear, two repetitions, Z on the last qubit: by greatest width."""

THROUGHPUT = Published(22, 127, "tasks/s", "Ray, tasks without work", _MIDDLEWARE)
PILOT_START = Published(4.6, 8.0, "s", "a pilot on a cluster", _MIDDLEWARE)
CIRCUITS = Published(890, 890, "s", "128 cores; 2.25 s on 64 GPUs", _MIDDLEWARE)
"""1,024 random circuits of 25 qubits and depth one."""

PREDICTIONS = Published(82, 82, "% at best", "Q-Dreamer's cost model", _HYBRID)
