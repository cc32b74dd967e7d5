"""Cut runs on local workers, and in the loop of a classical optimizer."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from cut_runtime_rows import Row, at_least, ends_and_middle, seconds_text, su2, timed
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp
from scipy.optimize import minimize

from pilot_kernel import Session
from qdreamer_lab import CutEstimator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def wide_exact(session: Session) -> Any:
    """Four fragments of 17 qubits, of which two have six cuts."""
    circuit = su2(68, reps=3)
    estimator = CutEstimator(17, mode="exact", session=session)
    return estimator.run([(circuit, ends_and_middle(68))]).result()[0]


def many_variants(session: Session) -> Any:
    """Three fragments of 8 qubits with hundreds of variants."""
    circuit = su2(24, reps=2)
    estimator = CutEstimator(8, mode="sampled", shots=20_000_000, seed=1, session=session)
    return estimator.run([(circuit, ends_and_middle(24))]).result()[0]


def workers() -> Iterator[Row]:
    """The same run on one worker and on two, in turns."""
    for name, run in (
        ("exact, su2 68 q W=17", wide_exact),
        ("sampled, su2 24 q W=8", many_variants),
    ):
        seconds: dict[int, list[float]] = {1: [], 2: []}
        busy: dict[int, list[float]] = {1: [], 2: []}
        load = os.getloadavg()[0]
        for _ in range(2):
            for count in seconds:
                found, passed = on_workers(count, run)
                seconds[count].append(passed)
                busy[count].append(sum(row.seconds for row in found.metadata["fragments"]))
        one, two = (min(seconds[count]) for count in (1, 2))
        yield at_least(
            f"two workers against one, {name}",
            one / two,
            1.6,
            seconds_text(two),
            f"one worker {seconds_text(one)}",
            seconds=seconds,
            busy_seconds=busy,
            load_before=load,
            cores=os.cpu_count(),
        )


def on_workers(count: int, run: Callable[[Session], Any]) -> tuple[Any, float]:
    """Run on so many local workers that are up and warm."""
    with Session() as session:
        session.add_pilot("local://", cores_per_node=count)
        warm = su2(12, reps=1)
        for _ in range(2):
            for mode in ("exact", "sampled"):
                small = CutEstimator(6, mode=mode, session=session)
                small.run([(warm, ends_and_middle(12))], precision=0.1).result()
        return timed(lambda: run(session))


def loop() -> Iterator[Row]:
    """A variational loop of scipy's, on one estimator and on a new one for each call."""
    num_qubits, width = 24, 12
    ansatz = efficient_su2(num_qubits, su2_gates=["ry"], entanglement="linear", reps=1)
    bonds = [("ZZ", [k, k + 1], -1.0) for k in range(num_qubits - 1)]
    fields = [("X", [k], -0.7) for k in range(num_qubits)]
    energy = SparsePauliOp.from_sparse_list([*bonds, *fields], num_qubits)
    start = np.random.default_rng(3).uniform(-0.5, 0.5, ansatz.num_parameters)
    least = ansatz.num_parameters + 2  # COBYLA's first simplex
    kept = CutEstimator(width, mode="exact")

    def again(values: np.ndarray) -> float:
        return float(kept.run([(ansatz, energy, values)]).result()[0].data.evs)

    def anew(values: np.ndarray) -> float:
        fresh = CutEstimator(width, mode="exact")
        return float(fresh.run([(ansatz, energy, values)]).result()[0].data.evs)

    found = []
    for function in (again, anew):
        function(start)
        began = time.perf_counter()
        best = minimize(function, start, method="COBYLA", options={"maxiter": least})
        found.append(((time.perf_counter() - began) / best.nfev, best.fun, best.nfev))
    (ours, value, count), (theirs, other, _) = found
    assert abs(value - other) < 1e-6, (value, other)
    raw = {"seconds": ours, "peer_seconds": theirs, "energy": value, "evaluations": count}
    yield Row(
        f"TFIM {num_qubits} q W={width}, COBYLA, {count} evaluations",
        f"{seconds_text(ours)} each",
        f"planning anew {seconds_text(theirs)} each",
        theirs / ours,
        "> 1x",
        theirs > ours,
        raw,
    )
