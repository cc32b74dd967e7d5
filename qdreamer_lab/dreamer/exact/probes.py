"""Probes of exact mode: its own functions on small fragments and small reconstructions.

The calls travel to a worker like any task. Nothing is timed or fitted here.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qdreamer_lab.dreamer.exact.cost import JoinShape, contract_counts, exact_counts, gpu_counts
from qdreamer_lab.dreamer.exact.shape import fragment_shape, join_steps
from qdreamer_lab.dreamer.fragment.probes import probe_program, state_probes
from qdreamer_lab.dreamer.model.coefficients import paid
from qdreamer_lab.dreamer.model.probe import Probe
from qdreamer_lab.workload.exact.lower import FragmentJob
from qdreamer_lab.workload.exact.reconstruct import Reconstruction
from qdreamer_lab.workload.exact.wanted_terms import summed_terms, wanted_terms
from qdreamer_lab.workload.fragment.simulate import FragmentCall, run_fragments
from qdreamer_lab.workload.pubs import request_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["exact_probes", "gpu_probes", "join_probes", "local_probes"]


def exact_probes(cores: int) -> list[Probe]:
    """The engine's programs, and fragments such that every coefficient matters in some of them."""
    found = state_probes(cores)
    for name, program, operators in _gram_cases():
        job = FragmentJob(program, operators)
        calls = (FragmentCall(program, operators, {}, {}),)
        call = partial(run_fragments, calls, None, "complex128")
        found.append(Probe(name, call, exact_counts(fragment_shape(job), cores)))
    return found


_Case = tuple[str, "FragmentProgram", tuple["Factors", ...]]


def gpu_probes() -> list[Probe]:
    """Fragments on the GPU of a worker, such that every coefficient of GPUs matters in some."""
    found = []
    for width, gates, cuts, operators in (
        (3, 3, 0, 1), (3, 3, 0, 30), (12, 40, 4, 1), (12, 200, 0, 1), (16, 60, 2, 12),
        (10, 20, 6, 40), (12, 12, 7, 20), (20, 60, 0, 1), (20, 6, 0, 60), (24, 4, 0, 1),
        (24, 100, 0, 1), (24, 4, 0, 24), (26, 60, 0, 1),
    ):  # fmt: skip
        program = probe_program(width, ["dense"] * gates + ["branch"] * cuts)
        wanted = _strings(width, operators, "Z")
        calls = (FragmentCall(program, wanted, {}, {}),)
        shape = fragment_shape(FragmentJob(program, wanted), gpu=True)
        call = partial(run_fragments, calls, None, "complex128", "GPU")
        found.append(Probe(f"gpu {width} {gates} {cuts} {operators}", call, gpu_counts(shape)))
    return found


def _gram_cases() -> list[_Case]:
    """(width, cuts, open qubits, operators)."""
    cases: list[_Case] = [("fragment", probe_program(2, ["dense"]), ())]
    for width, cuts, still_open, operators in (
        (3, 6, 0, _strings(3, 1, "Z")),
        (4, 6, 0, _strings(4, 12, "Z")),
        (6, 6, 0, _strings(6, 1, "Z")),
        (8, 5, 0, _strings(8, 30, "Z")),
        (8, 5, 3, _strings(5, 4, "Z")),
        (10, 4, 0, _strings(10, 60, "Z")),
        (11, 5, 0, _strings(11, 1, "Z")),
        (11, 4, 0, _strings(11, 12, "Z")),
        (12, 3, 0, _strings(12, 3, "X")),
        (6, 3, 0, _strings(6, 6, "X")),
        (15, 2, 0, _strings(15, 4, "Z")),
        (16, 1, 0, _strings(16, 3, "X")),
        (18, 0, 0, _strings(18, 17, "Z")),
        (20, 0, 0, _strings(20, 20, "X")[8:]),
        (18, 0, 0, _strings(18, 18, "X")[4:]),
        (21, 0, 0, _strings(21, 21, "X")[6:14]),
        (21, 0, 0, _strings(21, 12, "Z")),
        (22, 0, 0, _strings(22, 22, "X")[6:12]),
        (10, 3, 0, _strings(10, 4, "+")),
        (13, 3, 0, _strings(13, 2, "+")),
        (14, 0, 0, _strings(14, 30, "Z")),
        (5, 2, 0, _strings(5, 60, "?")),
        (8, 2, 0, _strings(8, 300, "?")),
        (12, 0, 0, _strings(12, 600, "?")),
        (12, 3, 0, _strings(12, 30, "?")),
        (13, 1, 0, _strings(13, 150, "?")),
        (16, 0, 0, _strings(16, 150, "?")),
        (16, 2, 0, _strings(16, 12, "?")),
        (19, 0, 0, _strings(19, 40, "?")),
        (21, 0, 0, _strings(21, 8, "?")),
        (10, 5, 0, _strings(10, 20, "?")),
    ):
        program = probe_program(width, ["dense"] + ["branch"] * cuts, still_open)
        cases.append((f"gram {width} {cuts} {len(operators)}", program, operators))
    return cases


def _strings(width: int, count: int, letter: str) -> tuple[Factors, ...]:
    """So many different operators; those with X or Y all flip other qubits, "?" stands for any."""
    if letter == "?":
        rng = np.random.default_rng(width)
        drawn = rng.choice(list("IXYZ"), size=(2 * count, width), p=(0.4, 0.2, 0.2, 0.2))
        words = dict.fromkeys(
            tuple((q, x) for q, x in enumerate(row) if x != "I") for row in drawn.tolist()
        )
        return tuple(words)[:count]
    if letter != "Z":
        return tuple(((k % width, letter),) for k in range(count))
    pairs = [(i, j) for i in range(width) for j in range(i + 1, width)]
    return (*(((i, "Z"), (j, "Z")) for i, j in pairs[: count - 1]), ((0, "Z"),))


def local_probes() -> list[Probe]:
    """What is done with observables before tasks, and with tensors after them."""
    return join_probes() + _observable_probes()


def _observable_probes() -> list[Probe]:
    """Reading many observables, and adding their terms up."""
    found = []
    for qubits, many in ((10, 150), (16, 600)):
        words = ["".join(word) for word in product("IXZ", repeat=qubits // 2)][1 : many + 1]
        strings = [word + word for word in words]
        pub = EstimatorPub.coerce((QuantumCircuit(qubits), strings))
        request = request_of(pub)
        wanted = wanted_terms(request)
        values = [np.ones(len(wanted[0].terms))]
        read, add = partial(request_of, pub), partial(summed_terms, request, wanted, values)
        found.append(Probe(f"read {many}", read, paid("observable", many)))
        found.append(Probe(f"added {many}", add, paid("added", many)))
    return found


def join_probes() -> list[Probe]:
    """Reconstructions: chains of fragments with random tensors."""
    rng = np.random.default_rng(0)
    found = []
    for fragments, cuts, operators, terms in (
        (2, 1, 4, 8), (2, 4, 10, 20), (3, 2, 10, 60), (3, 3, 4, 10), (4, 1, 20, 200), (2, 6, 6, 12),
        (6, 1, 3, 12), (3, 4, 4, 10),
    ):  # fmt: skip
        axes, shapes = [], []
        for k in range(fragments):
            mine = [c for c in range((fragments - 1) * cuts) if c // cuts in (k - 1, k)]
            axes.append([(cut, 4) for cut in mine])
            shapes.append((operators, *[4] * len(mine)))
        tensors = [rng.normal(size=shape).astype(np.complex128) for shape in shapes]
        operator_of = rng.integers(0, operators, size=(terms, fragments))
        whole = Reconstruction(axes)
        shape = _join_shape(whole, operator_of, operators)
        call = partial(whole.values, tensors, operator_of)
        found.append(Probe(f"join {fragments} {cuts}", call, contract_counts(shape)))
    return found


def _join_shape(whole: Reconstruction, operator_of: NDArray[np.int64], operators: int) -> JoinShape:
    return JoinShape(0.0, operator_of.shape[1], len(operator_of), join_steps(whole, operator_of))
