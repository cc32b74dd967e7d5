"""Plans with a price of swaps against plans without: what errors devices predict, and what is seen.

    python -m benchmarks.runtime.cuts_for_swaps
    python -m benchmarks.runtime.cuts_for_swaps --price 0.5 --devices fake_sherbrooke --seeds 0

Circuits fit on the device as they are. Few qubits are neighbours there, so that they need swaps.
`without` is the plan of `plan_cuts` for the circuit's own width, which cuts nothing; `with` knows
the coupling map and counts each swap with `--price` bits. Told are cuts, swaps, sampling overhead,
the predicted error (1 - `plan_success`, of the parity of all qubits, for which everything counts),
and, with seeds, the mean distance of all <Z> and the parity from their noiseless values, in runs
with the published noise at equal standard error. The last line has the ratios, with by without,
as geometric means.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Pauli, Statevector

from pilot_kernel.primitive.device.backend import backend_named
from qdreamer_lab import CutEstimator, plan_cuts
from qdreamer_lab.dreamer.device.success import plan_success
from qdreamer_lab.dreamer.prediction_request import request_of

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

    from qdreamer_lab import CutPlan


def joined(pairs: list[tuple[int, int]], layers: int, weak: float) -> QuantumCircuit:
    """Layers of rotations about ZZ: strong between neighbours in number, weak between others."""
    circuit = QuantumCircuit(1 + max(map(max, pairs)))
    for _ in range(layers):
        circuit.ry(0.3, range(circuit.num_qubits))
        for low, high in pairs:
            circuit.rzz(1.0 if high == low + 1 else weak, low, high)
    circuit.rx(0.2, range(circuit.num_qubits))
    return circuit


def chain(first: int, count: int) -> list[tuple[int, int]]:
    """Pairs of qubits in a row."""
    return [(k, k + 1) for k in range(first, first + count - 1)]


CIRCUITS = {
    "two lines joined in their middles": joined([*chain(0, 4), *chain(4, 4), (1, 5)], 1, 0.1),
    "two lines joined twice": joined([*chain(0, 4), *chain(4, 4), (0, 6), (3, 5)], 1, 0.1),
    "two rings joined": joined([*chain(0, 4), (0, 3), *chain(4, 4), (4, 7), (1, 6)], 1, 0.2),
    "line with three hanging on": joined([*chain(0, 6), (1, 6), (3, 7), (4, 8)], 1, 0.1),
    "two lines, two layers": joined([*chain(0, 4), *chain(4, 4), (1, 6)], 2, 0.05),
}


def labels(count: int) -> list[str]:
    """The parity of all qubits, and Z on each."""
    return ["Z" * count, *("I" * (count - 1 - k) + "Z" + "I" * k for k in range(count))]


def distance(circuit: QuantumCircuit, plan: CutPlan, backend: BackendV2, seeds: int) -> float:
    """Mean distance from the noiseless values over observables and seeds."""
    wanted, state = labels(circuit.num_qubits), Statevector(circuit)
    truth = np.array([state.expectation_value(Pauli(label)).real for label in wanted])
    found = []
    for seed in range(seeds):
        options = {"plan": plan, "backend": backend, "seed": seed, "mode": "sampled"}
        cut = CutEstimator(circuit.num_qubits, default_precision=0.02, **options)
        found.append(cut.run([(circuit, wanted)]).result()[0].data.evs)
    return float(np.abs(np.array(found) - truth).mean())


def told(plan: CutPlan) -> str:
    """A plan in short."""
    swaps = "" if plan.swaps is None else f", {plan.swaps.total} swaps"
    return f"{plan.num_cuts} cuts{swaps}, 2^{plan.log2_overhead:.2f}"


def of_device(name: str, price: float | None, seeds: int) -> None:
    """A row for each circuit, and the ratios."""
    backend, ratios = backend_named(name), []
    print(f"| {name} | without | with | predicted | seen |\n| --- | --- | --- | --- | --- |")
    for title, circuit in CIRCUITS.items():
        count = circuit.num_qubits
        request = request_of(circuit, labels(count)[:1], 0.02).request
        uncut = plan_cuts(circuit, count, coupling_map=backend, swap_price=0.0)
        priced = plan_cuts(
            circuit, count, coupling_map=backend, swap_price=price, time_limit_s=20, rounds=2
        )
        errors = [1 - plan_success(request, plan, backend) for plan in (uncut, priced)]
        seen = [distance(circuit, plan, backend, seeds) for plan in (uncut, priced) if seeds]
        ratios.append([errors[1] / errors[0], seen[1] / seen[0] if seeds else np.nan])
        shown = " -> ".join(f"{each:.4f}" for each in seen)
        print(
            f"| {title} | {told(uncut)} | {told(priced)} | {errors[0]:.3f} -> {errors[1]:.3f} | "
            f"{shown} |",
            flush=True,
        )
    means = np.exp(np.log(ratios).mean(axis=0))
    print(f"\n{name}: predicted error x {means[0]:.2f}, seen x {means[1]:.2f}\n", flush=True)


def main() -> None:
    """Read the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", nargs="+", default=["fake_guadalupe", "fake_sherbrooke"])
    parser.add_argument("--price", type=float, default=2.0, help="bits of a swap")
    parser.add_argument("--seeds", type=int, default=2)
    chosen = parser.parse_args()
    start = time.process_time()
    for name in chosen.devices:
        of_device(name, chosen.price, chosen.seeds)
    print(f"{time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
