"""Figures that the reference group published or committed: each with its setting and its source.

Settings are those of the programs committed beside the figures; what these leave open is said to
be so.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ANGLE",
    "CIRCUITS",
    "CIRCUITS_GPU",
    "CUTTING_30",
    "PILOT_START",
    "PREDICTIONS",
    "SPEEDUPS",
    "THROUGHPUT",
    "Published",
]

_MINI_APPS = "github.com/radical-cybertools/quantum-mini-apps"
_MIDDLEWARE = "github.com/radical-cybertools/pilot-quantum"
_PAPER = "arXiv:2604.03445"
_PLAN = (
    "as given in this project's plan; in no public source that was found: not in the abstracts of "
    f"{_PAPER} and arXiv:2412.18519, nor in the few tables looked at of {_MIDDLEWARE} "
    f"and {_MINI_APPS}; the papers' full texts could not be searched"
)


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


ANGLE = 0.4
"""Of all rotations of the circuits that were cut, in radians."""


def _cut(seconds: float) -> Published:
    setting = (
        "16 cores, one pilot on Ray; 1,000 samples of the decomposition, 4,096 shots each; no "
        "error bar recorded"
    )
    folder = "src/mini_apps/quantum_simulation/circuit_cutting_dreamer"
    source = f"{_MINI_APPS}, 0bb9dbc, {folder}/data/single-backend-results.csv and mini_app.py"
    return Published(seconds, seconds, "s", setting, source)


CUTTING_30 = {
    12: _cut(168.8),
    10: _cut(97.5),
    8: _cut(63.7),
    6: _cut(57.5),
    4: _cut(64.8),
    2: _cut(103.5),
}
"""EfficientSU2 of 30 qubits, linear, two repetitions, Z on the last qubit: by greatest width."""


def _faster(factor: float, workers: int) -> Published:
    setting = f"{workers} workers of a GPU cluster; times, shots and circuit not told"
    folder = "src/mini_apps/quantum_simulation/circuit_cutting/qdreamer"
    source = f"{_MINI_APPS}, b7d8e1f, {folder}/README.md and estimators.py"
    return Published(factor, factor, "x", setting, source)


SPEEDUPS = {
    (36, 20): _faster(520.0, 8),
    (36, 17): _faster(12.0, 8),
    (36, 15): _faster(3.5, 8),
    (34, 18): _faster(180.0, 4),
}
"""How many times sooner a cut run was over than the uncut one: by qubits and greatest width."""

THROUGHPUT = Published(
    *(22.0, 126.6, "tasks/s"),
    "Ray on 256 cores of 4 SLURM nodes, 1,024 to 8,192 tasks that sleep 0 s",
    f"{_MIDDLEWARE}, cf4259e, examples/benchmarks/result_benchmark.csv and "
    "pilot_ray_slurm_throughput.py",
)
PILOT_START = Published(4.6, 8.0, "s", "not told", _PLAN)
"""The committed rows of `CIRCUITS` have 5 s, for 128 cores as for 2,048.

So the factor of this row stands on a figure that nobody outside can look up; `reproduce` says so.
"""

_CIRCUITS = f"{_MINI_APPS}, 880884c, circuit_execution"
CIRCUITS = Published(
    *(890.2, 890.2, "s"),
    "128 cores, Dask on SLURM; gates on up to 4 qubits, a random Pauli string each, exact (Aer)",
    f"{_CIRCUITS}/results/workload_on_cpus.csv and scale_qtasks_pilot_cpus.py",
)
"""1,024 random circuits of 25 qubits and depth one."""

CIRCUITS_GPU = Published(
    *(2.25, 2.25, "s"),
    "64 GPUs, otherwise the same (cuStateVec)",
    f"{_CIRCUITS}/results/workload_on_gpus.csv and scale_qtasks_pilot_gpus.py",
)

PREDICTIONS = Published(
    *(82.0, 82.0, "% at best"),
    "Q-Dreamer's power law; the smaller of two speedups, predicted and seen, over the greater",
    f"{_PAPER}, abstract; {_MINI_APPS}, b7d8e1f, "
    "src/mini_apps/quantum_simulation/circuit_cutting/motif.py",
)
