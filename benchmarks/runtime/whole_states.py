"""Where the pilot's primitives are faster on this package's state vectors than on Aer.

    python -m benchmarks.runtime.whole_states 4 8 12 13 16 20

For circuits of so many qubits (EfficientSU2, two repetitions): a piece of a PUB as a worker runs
it, by Aer and by ours in turns, the least of several times; with one set of parameter values and
with a hundred. Expectation values must agree. The rule drawn from it is
`qdreamer_lab/workload/uncut/state/worth.py`, which this script switches off.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from qiskit.circuit.library import efficient_su2
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparsePauliOp, random_pauli_list

from pilot_kernel.primitive.pub.pieces import cut
from pilot_kernel.primitive.pub.shipment import Shipment, pack
from pilot_kernel.primitive.simulator import state_engines
from pilot_kernel.primitive.simulator.prepare import for_simulator
from pilot_kernel.primitive.simulator.run import Settings, simulate
from qdreamer_lab.workload.uncut.state import worth
from qdreamer_lab.workload.uncut.state.simulator import SIMULATOR

_REPEATS = 5
_ENGINES: dict[str, tuple[Any, ...]] = {"aer": (), "qdreamer-lab": (SIMULATOR,)}


def main() -> None:
    """Print a line for each width and kind of PUB."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "widths",
        nargs="*",
        type=int,
        default=[4, 8, 12, 13, 16, 20],
        metavar="QUBITS",
        help="widths of the circuits (default: 4 8 12 13 16 20)",
    )
    arguments = parser.parse_args()
    worth.NARROWEST = 0
    print(f"{'qubits':>6} {'PUB':>12} {'sets':>5} {'Aer ms':>10} {'ours ms':>10} {'ratio':>7}")
    for wide in arguments.widths:
        for kind in ("Z...Z", "1000 strings", "1,000 shots", "100,000 shots"):
            for sets in (1, 100) if wide <= 13 and not kind.startswith("100") else (1,):
                times = _times(pack(cut(for_simulator([_pub(kind, wide, sets)], "automatic"), 1)))
                aer, ours = (1e3 * times[name] for name in _ENGINES)
                print(f"{wide:6} {kind:>12} {sets:5} {aer:10.2f} {ours:10.2f} {aer / ours:7.2f}")


def _pub(kind: str, wide: int, sets: int) -> Any:
    circuit = efficient_su2(wide, reps=2)
    rng = np.random.default_rng(0)
    values = rng.random((*(() if sets == 1 else (sets,)), circuit.num_parameters))
    if kind.endswith("shots"):
        circuit.measure_all()
        return SamplerPub.coerce((circuit, values, int(kind.split()[0].replace(",", ""))))
    operator = SparsePauliOp("Z" * wide)
    if kind == "1000 strings":
        paulis = random_pauli_list(wide, 1000, seed=1, phase=False)
        operator = SparsePauliOp(paulis, rng.random(1000))
    return EstimatorPub.coerce((circuit, operator, values), 0.0)


def _times(shipment: Shipment) -> dict[str, float]:
    """The least of several times by each engine, in turns; the first ones are to get ready."""
    least = dict.fromkeys(_ENGINES, np.inf)
    found: dict[str, Any] = {}
    for turn in range(_REPEATS + 1):
        for name, engines in _ENGINES.items():
            state_engines.registered = lambda engines=engines: engines
            start = time.perf_counter()
            found[name] = [result for _, result in simulate(shipment, Settings())]
            taken = time.perf_counter() - start
            assert all(result.metadata["simulator"] == name for result in found[name])
            least[name] = min(least[name], taken) if turn else np.inf
    for aer, ours in zip(*found.values(), strict=True):
        if "evs" in aer.data:
            np.testing.assert_allclose(ours.data.evs, aer.data.evs, atol=1e-9)
    return least


if __name__ == "__main__":
    main()
