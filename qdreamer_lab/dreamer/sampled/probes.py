"""Probes of sampled mode: shots of small fragments, and what happens between two rounds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit

from qdreamer_lab.dreamer.model.probe import Probe
from qdreamer_lab.dreamer.sampled.cost import batch_counts, round_counts, shot_counts
from qdreamer_lab.dreamer.sampled.shape import round_shape, sampled_shape
from qdreamer_lab.workload.circuit.terms import ProductTerm
from qdreamer_lab.workload.execution.chunk import Chunk
from qdreamer_lab.workload.execution.threads import one_thread
from qdreamer_lab.workload.plan.find import plan_cuts
from qdreamer_lab.workload.sampled.lower import lower
from qdreamer_lab.workload.sampled.rounds import ShotRounds
from qdreamer_lab.workload.sampled.shot_goal import Goal
from qdreamer_lab.workload.sampled.shots import ShotRequest
from qdreamer_lab.workload.sampled.simulate import sample_fragment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.workload.sampled.lower import SampledProgram

__all__ = ["round_probes", "shot_probes", "small_chunk"]


def shot_probes(cores: int = 1) -> list[Probe]:
    """Fragments of sampled mode, with few shots and with many; shots are drawn on one core."""
    found = []
    for qubits, width, layers, letters, shots, most in (
        (8, 4, 1, "Z", 16, 64), (8, 4, 2, "ZX", 64, 64), (8, 4, 2, "Z", 1000, 32),
        (12, 4, 1, "Z", 64, 64), (16, 8, 1, "ZX", 32, 64), (16, 8, 1, "Z", 3000, 32),
        (20, 10, 1, "Z", 100, 64), (24, 12, 2, "ZX", 100, 64), (28, 14, 1, "Z", 500, 32),
        (30, 15, 2, "Z", 100, 32), (16, 16, 3, "ZX", 20000, 2), (20, 20, 2, "Z", 10000, 1),
        (12, 6, 3, "Z", 100, 96), (16, 16, 2, "Z", 200000, 1), (10, 10, 3, "Z", 100000, 1),
        (16, 8, 2, "Z", 10000, 8), (19, 19, 2, "Z", 32, 1),
    ):  # fmt: skip
        program = _program(qubits, width, layers, letters)
        fragment = max(program.fragments, key=lambda candidate: candidate.num_variants)
        shape = sampled_shape(fragment)
        variants = np.arange(min(most, fragment.num_variants))
        each = np.full(len(variants), shots)
        request = ShotRequest(variants, each, (1,), report=True)
        counts = batch_counts(shape, cores) + len(variants) * shot_counts(shape, shots, drawn=False)
        name = f"shots {qubits} {width} {layers} {shots}"
        found.append(Probe(name, partial(sample_fragment, fragment, request), counts))
    return found


def small_chunk() -> Chunk:
    """A task with next to nothing to do, as they are in sampled mode."""
    fragment = _program(8, 4, 1, "Z").fragments[0]
    request = ShotRequest(np.arange(4), np.full(4, 8), (1,), report=True)
    return Chunk(
        binding=0,
        fragment=0,
        width=4,
        variants=4,
        work=1.0,
        function=sample_fragment,
        args=(fragment, request),
    )


def round_probes() -> list[Probe]:
    """Taking in the first round of some runs."""
    found = []
    for qubits, width, layers, letters, apart in (
        (4, 4, 1, "Z", False), (8, 4, 1, "ZX", True), (12, 4, 1, "Z", False),
        (8, 4, 2, "ZX", True), (12, 6, 3, "Z", False), (24, 12, 2, "ZX", True),
        (30, 10, 1, "ZX", True),
    ):  # fmt: skip
        program = _program(qubits, width, layers, letters, apart=apart)
        goal = Goal(1.0, 64 * program.num_variants, 10**9)
        first = ShotRounds(program, goal, (0,))
        results = [
            (result.tensor, result.samples)
            for result in map(sample_fragment, program.fragments, first.requests())
        ]
        name = f"round {qubits} {width} {layers}"
        counts = round_counts(round_shape(program, program.gluing.num_observables))
        found.append(Probe(name, partial(_round, program, goal, results), counts))
    return found


def _round(program: SampledProgram, goal: Goal, results: Sequence[Any]) -> None:
    rounds = ShotRounds(program, goal, (0,))
    rounds.requests()
    with one_thread():
        rounds.take(results)


def _program(
    qubits: int, width: int, layers: int, letters: str, *, apart: bool = False
) -> SampledProgram:
    """A chain of rotations and CX, its neighbours measured: all in one value, or each apart."""
    rng = np.random.default_rng(qubits)
    circuit = QuantumCircuit(qubits)
    for _ in range(layers):
        for qubit in range(qubits):
            circuit.ry(rng.uniform(0, 3), qubit)
        for qubit in range(qubits - 1):
            circuit.cx(qubit, qubit + 1)
    terms = [
        ProductTerm(1.0, ((qubit, letter), (qubit + 1, letter)))
        for letter in letters
        for qubit in range(qubits - 1)
    ]
    plan = plan_cuts(circuit, width, kinds=("gate",), time_limit_s=0.0)
    return lower(plan, [[term] for term in terms] if apart else [terms])
