"""Distributions by QCut, in an environment of its own: circuits in, results out, both as JSON.

    QCUT_PYTHON benchmarks/runtime/qcut_peer.py < circuits.json > results.json

Reads a list of {"qasm", "width", "shots"}; `shots` are those of all circuits together. Writes for
each {"circuits", "shots", "seconds", "probabilities"}, the last the nearest distribution over all
qubits, or {"error"}. Seconds are of the whole call, from circuit to distribution, the search for
cuts included, in a process where one small circuit ran before. It imports neither of our packages.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
import warnings
from typing import Any

from QCut import (
    CutOptions,
    estimate_probabilities,
    estimate_run,
    find_cuts,
    get_experiment_circuits,
    run_experiments,
)
from qiskit import QuantumCircuit, qasm2, transpile
from qiskit_aer import AerSimulator

LEAST = 2
"""Shots of a circuit, at least."""


def distribution(circuit: QuantumCircuit, width: int, shots: int) -> dict[str, Any]:
    """One circuit, cut and run with about so many shots in all."""
    start = time.perf_counter()
    backend = AerSimulator()
    pieces = max(2, math.ceil(circuit.num_qubits / width))
    options = CutOptions(finder_max_qubits=[width] * pieces, wire_cut_communication="never")
    cut = find_cuts(circuit, options)
    experiment = get_experiment_circuits(cut, qubits=list(range(circuit.num_qubits)))
    count = estimate_run(experiment, 1).circuits
    each = max(LEAST, round(shots / count))
    result = run_experiments(experiment, each, backend)
    found = estimate_probabilities(result).nearest_probabilities(top=None)
    seconds = time.perf_counter() - start
    table = [0.0] * (1 << circuit.num_qubits)
    for bits, probability in found.items():
        table[int(bits.replace(" ", ""), 2)] = float(probability)
    return {
        "circuits": count,
        "shots": count * each,
        "seconds": seconds,
        "probabilities": table,
    }


def main() -> None:
    """Answer all that is asked."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    small = QuantumCircuit(4)
    small.h(0)
    for qubit in range(3):
        small.cx(qubit, qubit + 1)
    distribution(transpile(small, basis_gates=["u", "cx"]), 2, 1000)
    answers = []
    for asked in json.load(sys.stdin):
        circuit = qasm2.loads(asked["qasm"], custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
        try:
            answers.append(distribution(circuit, asked["width"], asked["shots"]))
        except Exception as error:  # noqa: BLE001 a peer may fail; the row says how
            answers.append({"error": f"{type(error).__name__}: {error}"[:200]})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
