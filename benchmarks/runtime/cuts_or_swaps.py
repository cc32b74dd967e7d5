"""Cuts against swaps: what devices say of themselves, against how far off values really are.

    python -m benchmarks.runtime.cuts_or_swaps
    python -m benchmarks.runtime.cuts_or_swaps --pair fake_jakarta fake_guadalupe --seeds 2

Ten circuits of six qubits whose gates are not between neighbours of the device: run as they are
they need swaps, and narrow fragments need few or none, but cuts. Each is run on two fakes with the
noise that they were published with, uncut and cut for at most four and three qubits (if that is
another plan), all for the same standard error. `predicted` is the probability that nothing goes
wrong that reaches a value (`plan_success`), by which `prefer="fidelity"` goes; `observed` is the
mean distance from the noiseless values over observables and seeds. Told are the rank correlation
(Spearman) of the prediction and 1 - distance / mean size of the noiseless values, for each device,
over circuits and ways; and on how many circuits the way with the best prediction had the least
error (`least`), or one that is larger by less than two standard errors of shots (`right`).
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Pauli, Statevector
from scipy.stats import spearmanr

from pilot_kernel.primitive.device.backend import backend_named
from qdreamer_lab import CutEstimator, plan_cuts
from qdreamer_lab.dreamer.device.success import plan_success
from qdreamer_lab.dreamer.prediction_request import request_of

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

QUBITS = 6
WIDTHS = (6, 4, 3)
LABELS = [*("I" * (5 - k) + "Z" + "I" * k for k in range(QUBITS)), "IIZZII", "ZIIIIZ"]
MOST_OVERHEAD = 9.0
"""Bits of sampling overhead of ways that are looked at."""


def drawn(number: int) -> QuantumCircuit:
    """Two clusters of three qubits with triangles inside, and few gates between them."""
    rng = np.random.default_rng(number)
    circuit = QuantumCircuit(QUBITS)
    inside = ((0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5))
    between = [(0, 3), (2, 5), (1, 4)]
    for layer in range(1 + number % 4):
        for qubit in range(QUBITS):
            circuit.ry(float(rng.uniform(-0.5, 0.5)), qubit)
        for pair in inside[: 6 if number % 2 else 4]:
            circuit.rzz(float(rng.uniform(0.3, 1.2)), *pair)
        if layer < 1 + number // 5:
            circuit.rzz(float(rng.uniform(0.2, 0.8)), *between[(number + layer) % 3])
        circuit.rx(float(rng.uniform(-0.4, 0.4)), range(QUBITS))
    return circuit


def true_values(circuit: QuantumCircuit) -> np.ndarray:
    """(observables,) without noise."""
    state = Statevector(circuit)
    return np.array([state.expectation_value(Pauli(label)).real for label in LABELS])


def observed(
    circuit: QuantumCircuit, plan: object, backend: BackendV2, precision: float, seeds: int
) -> np.ndarray:
    """(seeds,) mean distance from the noiseless values."""
    truth, found = true_values(circuit), []
    for seed in range(seeds):
        cut = CutEstimator(
            QUBITS,
            plan=plan,
            backend=backend,
            default_precision=precision,
            seed=seed,
            mode="sampled",
        )
        found.append(cut.run([(circuit, LABELS)]).result()[0].data.evs)
    return np.abs(np.array(found) - truth).mean(axis=1)


def of_device(name: str, precision: float, seeds: int, circuits: int) -> None:
    """A row for each circuit, and the sums."""
    backend = backend_named(name)
    print(f"| {name} | predicted, uncut then cut | observed | chosen | right |")
    print("| --- | --- | --- | --- | --- |")
    predictions, kept, right, least = [], [], 0, 0
    for number in range(circuits):
        circuit = drawn(number)
        request = request_of(circuit, LABELS, precision).request
        ways = {}
        for width in WIDTHS:
            plan = plan_cuts(circuit, width)
            same = any(np.array_equal(plan.labels, other.labels) for other in ways.values())
            if plan.log2_overhead <= MOST_OVERHEAD and not same:
                ways[width] = plan
        told = {width: plan_success(request, plan, backend) for width, plan in ways.items()}
        seen = {w: observed(circuit, plan, backend, precision, seeds) for w, plan in ways.items()}
        chosen = max(told, key=lambda width: told[width])
        best = min(seen, key=lambda width: seen[width].mean())
        doubt = 2 * precision / np.sqrt(seeds * len(LABELS))
        good = seen[chosen].mean() <= seen[best].mean() + doubt
        right += good
        least += chosen == best
        predictions += told.values()
        size = np.abs(true_values(circuit)).mean()
        kept += [1 - each.mean() / size for each in seen.values()]
        print(
            f"| {number} | {', '.join(f'{w}: {each:.3f}' for w, each in told.items())} | "
            f"{', '.join(f'{w}: {each.mean():.4f}' for w, each in seen.items())} | "
            f"{chosen} | {'yes' if good else 'no'}{' (least)' if chosen == best else ''} |",
            flush=True,
        )
    rank = spearmanr(predictions, kept).statistic
    print(
        f"\n{name}: rank correlation {rank:.2f} over {len(kept)} ways, right on {right} of "
        f"{circuits}, least on {least}\n",
        flush=True,
    )


def main() -> None:
    """Read the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pair", nargs=2, default=["fake_jakarta", "fake_guadalupe"])
    parser.add_argument("--precision", type=float, default=0.02)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--circuits", type=int, default=10)
    chosen = parser.parse_args()
    start = time.process_time()
    for name in chosen.pair:
        of_device(name, chosen.precision, chosen.seeds, chosen.circuits)
    print(f"{time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
