"""Exact mode from end to end: plan, simulate fragments, put them together.

Ties the steps together and keeps the clock; what the steps do is said where they are.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.workload.estimate import Estimate, Seconds
from qdreamer_lab.workload.exact.fold import Contracted, Folding, Unit, waves
from qdreamer_lab.workload.exact.plans import ExactPlans, bound_group, parts_that_fit
from qdreamer_lab.workload.exact.wanted_terms import summed_terms, wanted_terms
from qdreamer_lab.workload.execution.decisions import PlanDropped
from qdreamer_lab.workload.execution.long_run_warning import EXACT_S
from qdreamer_lab.workload.fragment.task_memory import task_memory_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.exact.term_group import Group
    from qdreamer_lab.workload.exact.wanted_terms import WantedTerms
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.request import Request, RunSettings

__all__ = ["ExactRunner"]


class ExactRunner:
    """Estimates by simulating fragments as state vectors; keeps the plans of the last request."""

    def __init__(self) -> None:
        self._plans = ExactPlans()

    def run(self, request: Request, settings: RunSettings, execution: Execution) -> Estimate:
        """Estimate all values of a request.

        Raises:
            MemoryLimitError: If something does not fit, even in slices.
            PlanError: If the given plan does not belong to the circuit.
            CancelledError: If `execution.stop` was set.
            PlanDropped: If the plan is given up; values of finished bindings go with it.
        """
        start = time.perf_counter()
        wanted = wanted_terms(request)
        values = [np.zeros(len(binding.terms)) for binding in wanted]
        here = execution.limit_bytes()
        units = self._units(request, wanted, values, settings, execution, here)
        operations = sum(unit.work + unit.how.contraction.operations for unit in units)
        execution.warn_if_long(EXACT_S * operations)
        planned = time.perf_counter()
        folding = Folding(settings.dtype, execution, units)
        try:
            for wave in waves(units, here // 2):
                folding.run(wave)
        except PlanDropped as dropped:
            evs = summed_terms(request, wanted, values)
            final = np.array([folding.finished(k) for k in request.pairs[:, 0].tolist()], np.bool_)
            dropped.keep(np.where(final, evs, np.nan), np.where(final, 0.0, np.nan), final)
            raise
        executed = time.perf_counter()
        evs = summed_terms(request, wanted, values)
        return Estimate(
            evs=evs,
            stds=np.zeros_like(evs),
            rows=tuple(sorted(folding.rows, key=lambda row: (row.binding, row.fragment))),
            plans=tuple(unit.part.plan for unit in units if unit.binding == 0),
            variants=sum(row.variants for row in folding.rows),
            shots=0,
            seconds=Seconds(
                plan_s=planned - start,
                execute_s=executed - planned - folding.contract_s,
                contract_s=folding.contract_s + time.perf_counter() - executed,
            ),
        )

    def _units(
        self,
        request: Request,
        wanted: list[WantedTerms],
        values: list[NDArray[np.float64]],
        settings: RunSettings,
        execution: Execution,
        here: int,
    ) -> list[Unit]:
        """Everything that is to be run; nothing is, if something cannot fit in `here` bytes."""
        same = execution.in_process and execution.device == "CPU"  # which is not looked at twice
        task = here if same else task_memory_bytes(execution)
        itemsize = np.dtype(settings.dtype).itemsize
        units = []
        known: dict[Any, list[tuple[Group, Contracted]]] = {}
        for binding, circuit in enumerate(request.circuits):
            gates = None if binding else request.first_gates
            for part in self._plans.runs(circuit, wanted[binding].terms, settings, gates):
                key = part.group, part.program.axes()
                if key not in known:  # all bindings with this group and these cuts fit alike
                    known[key] = [
                        (less.group, Contracted.of(less.program, sliced, contraction))
                        for less, sliced, contraction in parts_that_fit(
                            part, itemsize, task, here // 2
                        )
                    ]
                for group, how in known[key]:
                    mine = part if group is part.group else bound_group(group, part.plan)
                    units.append(Unit(binding, mine, how, values[binding]))
        return units
