"""Uncut runs by other methods than state vectors, from end to end: one task per circuit.

Ties the steps together and keeps the clock; what the steps do is said where they are.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import MethodError, PlanError
from qdreamer_lab.workload.estimate import Estimate, Seconds
from qdreamer_lab.workload.execution.chunk import Chunk
from qdreamer_lab.workload.execution.long_run_warning import ROUGH_S
from qdreamer_lab.workload.execution.progress import FragmentProgress, Report
from qdreamer_lab.workload.uncut.circuit import check_chain, uncut_circuit
from qdreamer_lab.workload.uncut.tasks import matrix_product_state_task, stabilizer_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.execution.chunk import FragmentRow
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.request import Request, RunSettings
    from qdreamer_lab.workload.uncut.circuit import UncutCircuit
    from qdreamer_lab.workload.uncut.simulate import UncutResult
    from qdreamer_lab.workload.uncut.tasks import UncutCall

__all__ = ["MatrixProductStateRunner", "StabilizerRunner"]


class _UncutRunner:
    """Runs every circuit of a request as one task.

    Attributes:
        method: How circuits are simulated.
        carries_back: Whether Clifford gates at the end are taken for changes of the observables.
    """

    method: str
    carries_back: bool

    def run(self, request: Request, settings: RunSettings, execution: Execution) -> Estimate:
        """Estimate all values of a request.

        Raises:
            MethodError: If the method does not apply to the circuit, or it was to run on a GPU.
            MemoryLimitError: If a matrix product state may not fit.
            PlanError: If the circuit is wider than `settings.max_qubits`, or a plan is given.
            CancelledError: If `execution.stop` was set.
        """
        start = time.perf_counter()
        self._check(request, settings, execution)
        limit = execution.task_limit_bytes()
        chunks, wanted, plans = [], [], []
        for k, circuit in enumerate(request.circuits):
            mine = np.unique(request.pairs[request.pairs[:, 0] == k, 1])
            observables = [request.observables[i] for i in mine.tolist()]
            whole = uncut_circuit(circuit, observables, carry_back=self.carries_back)
            function, arguments, work = self._call(whole, limit)
            chunk = Chunk(
                binding=k,
                fragment=0,
                width=circuit.num_qubits,
                variants=1,
                work=work,
                function=function,
                args=arguments,
                suffix=f"-binding-{k}" if len(request.circuits) > 1 else "",
            )
            chunks.append(chunk)
            wanted.append(mine)
            if k == 0:
                plans.append(whole.plan())
        execution.warn_if_long(ROUGH_S * sum(chunk.work for chunk in chunks))
        planned = time.perf_counter()
        rows: list[FragmentRow] = []
        values: dict[int, NDArray[np.float64]] = {}

        def keep(chunk: Chunk, result: UncutResult, row: FragmentRow) -> None:
            rows.append(row)
            values[chunk.binding] = result.values
            execution.binding_done()
            done = FragmentProgress(0, len(rows), len(chunks))
            execution.report(Report((done,), row, over=len(rows) == len(chunks)))

        execution.run(chunks, keep)
        evs = np.array(
            [values[k][np.searchsorted(wanted[k], o)] for k, o in request.pairs.tolist()], float
        )
        return Estimate(
            evs=evs,
            stds=np.zeros_like(evs),
            rows=tuple(sorted(rows, key=lambda row: row.binding)),
            plans=tuple(plans),
            variants=len(chunks),
            shots=0,
            seconds=Seconds(plan_s=planned - start, execute_s=time.perf_counter() - planned),
        )

    def _check(self, request: Request, settings: RunSettings, execution: Execution) -> None:
        if execution.device == "GPU":
            raise MethodError(
                f"method={self.method!r} does not run on GPUs: use method='statevector' or on='cpu'"
            )
        if settings.plan is not None:
            raise PlanError(f"method={self.method!r} runs circuits uncut and takes no plan")
        width = int(request.source.num_qubits)
        if width > settings.max_qubits:
            raise PlanError(
                f"method={self.method!r} runs circuits uncut: it needs max_qubits={width}, got "
                f"{settings.max_qubits}"
            )

    def _call(self, whole: UncutCircuit, limit_bytes: int) -> UncutCall:
        raise NotImplementedError


class MatrixProductStateRunner(_UncutRunner):
    """Estimates with matrix product states."""

    method = "matrix_product_state"
    carries_back = True

    def _call(self, whole: UncutCircuit, limit_bytes: int) -> UncutCall:
        chain = whole.chain()
        assert chain is not None
        check_chain(chain, limit_bytes)
        return matrix_product_state_task(whole, chain.svd)


class StabilizerRunner(_UncutRunner):
    """Estimates by carrying Pauli strings back through Clifford gates."""

    method = "stabilizer"
    carries_back = False  # which would leave nothing to do for the task

    def _call(self, whole: UncutCircuit, limit_bytes: int) -> UncutCall:
        return stabilizer_task(whole)
