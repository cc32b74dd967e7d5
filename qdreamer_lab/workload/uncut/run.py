"""Uncut runs by other methods than state vectors, from end to end: one task per circuit.

Ties the steps together and keeps the clock; what the steps do is said where they are.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.execution.dispatch import Chunk, run_chunks
from qdreamer_lab.workload.execution.foresight import ROUGH_S, warn_if_long
from qdreamer_lab.workload.execution.limits import task_limit_bytes
from qdreamer_lab.workload.execution.progress import FragmentProgress, Report
from qdreamer_lab.workload.request import Estimate
from qdreamer_lab.workload.uncut.circuit import check_chain, clifford_of, whole_of
from qdreamer_lab.workload.uncut.simulate import WholeResult, run_matrix_product_state
from qdreamer_lab.workload.uncut.stabilizer import string_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.execution.dispatch import FragmentRow
    from qdreamer_lab.workload.request import Request, RunOptions
    from qdreamer_lab.workload.uncut.circuit import Whole
    from qdreamer_lab.workload.uncut.stabilizer import CliffordGates

__all__ = ["matrix_product_state_task", "run_whole", "stabilizer_task"]

_Call = tuple["Callable[..., WholeResult]", tuple[object, ...], float]
"""What to call, with which arguments, and roughly how many operations it is."""


def run_whole(request: Request, options: RunOptions) -> Estimate:
    """Estimate without cutting, by `options.method`.

    Raises:
        MethodError: if the method does not apply to the circuit.
        MemoryLimitError: if a matrix product state may not fit.
        PlanError: if the circuit is wider than `options.max_qubits`, or a plan is given.
        CancelledError: if `options.stop` was set.
    """
    start = time.perf_counter()
    _check(request, options)
    limit = task_limit_bytes(options)
    chunks, wanted, plans = [], [], []
    for k, circuit in enumerate(request.circuits):
        mine = np.unique(request.pairs[request.pairs[:, 0] == k, 1])
        whole = whole_of(circuit, [request.observables[i] for i in mine.tolist()])
        function, arguments, work = _call(whole, options.method, limit)
        suffix = f"-binding-{k}" if len(request.circuits) > 1 else ""
        chunks.append(Chunk(k, 0, circuit.num_qubits, 1, work, function, arguments, suffix))
        wanted.append(mine)
        if k == 0:
            plans.append(whole.plan())
    warn_if_long(options, ROUGH_S * sum(chunk.work for chunk in chunks))
    planned = time.perf_counter()
    rows: list[FragmentRow] = []
    values: dict[int, NDArray[np.float64]] = {}

    def keep(chunk: Chunk, result: WholeResult, row: FragmentRow) -> None:
        rows.append(row)
        values[chunk.binding] = result.values
        if options.progress is not None:
            done = FragmentProgress(0, len(rows), len(chunks))
            options.progress(Report((done,), row, over=len(rows) == len(chunks)))

    run_chunks(
        chunks,
        options.session,
        on=options.on,
        stop=options.stop,
        keep=keep,
        most_workers=options.most_workers,
    )
    evs = np.array(
        [values[k][np.searchsorted(wanted[k], one)] for k, one in request.pairs.tolist()], float
    )
    seconds = {
        "plan_s": planned - start,
        "execute_s": time.perf_counter() - planned,
        "contract_s": 0.0,
    }
    rows.sort(key=lambda row: row.binding)
    return Estimate(evs, np.zeros_like(evs), tuple(rows), tuple(plans), len(chunks), 0, seconds, ())


def _check(request: Request, options: RunOptions) -> None:
    if options.plan is not None:
        raise PlanError(f"method={options.method!r} runs circuits uncut and takes no plan")
    width = int(request.source.num_qubits)
    if width > options.max_qubits:
        raise PlanError(
            f"method={options.method!r} runs circuits uncut: it needs max_qubits={width}, got "
            f"{options.max_qubits}"
        )


def _call(whole: Whole, method: str, limit_bytes: int) -> _Call:
    if method == "stabilizer":
        return stabilizer_task(whole)
    chain = whole.chain()
    assert chain is not None
    check_chain(chain, limit_bytes)
    return matrix_product_state_task(whole, chain.svd)


def matrix_product_state_task(whole: Whole, work: float) -> _Call:
    """The task of a matrix product state."""
    return run_matrix_product_state, (whole.row, whole.sums), work


def stabilizer_task(whole: Whole) -> _Call:
    """The task of a Clifford circuit.

    Raises:
        MethodError: if it is none.
    """
    pairs, gates = clifford_of(whole)
    strings = whole.strings
    number = {string: k for k, string in enumerate(strings)}
    sums = [
        (np.array([c for c, _ in one]), np.array([number[string] for _, string in one], np.int64))
        for one in whole.sums
    ]
    function = partial(_stabilizer, whole.row.num_qubits + 1)
    return function, (pairs, gates, strings, sums), float(len(pairs) * (1000 + len(strings)))


def _stabilizer(
    num_qubits: int,
    pairs: NDArray[np.int64],
    gates: CliffordGates,
    strings: tuple[Factors, ...],
    sums: list[tuple[NDArray[np.float64], NDArray[np.int64]]],
) -> WholeResult:
    start = time.perf_counter()
    found = string_values(num_qubits, pairs, gates, strings)
    values = np.array([coefficients @ found[which] for coefficients, which in sums])
    return WholeResult(values, time.perf_counter() - start)
