"""One observable at all angles, as a user would have it: recommended, run, and timed."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.utility.experiment import OBSERVABLES, lattice, swept


@dataclass(frozen=True)
class Row:
    """What came out for one observable."""

    values: list[float]
    way: str
    told_s: float
    recommend_s: float
    run_s: float
    memory_bytes: int
    peak_bytes: int
    fragments: str


def measured(number: int, angles: list[float]) -> Row:
    """Recommend a way for an observable at all angles, and take it."""
    from qdreamer_lab import QDreamer

    each = OBSERVABLES[number]
    circuit = swept(lattice())
    start = time.perf_counter()
    found = QDreamer().recommend(circuit, each.operator, [[angle] for angle in angles])
    recommended = time.perf_counter()
    result = found.run()
    over = time.perf_counter()
    plan = found.best.plan
    widths = [] if plan is None else [fragment.width for fragment in plan.fragments]
    return Row(
        values=np.ravel(result.data.evs).tolist(),
        way=found.best.title,
        told_s=found.best.makespan_s,
        recommend_s=recommended - start,
        run_s=over - recommended,
        memory_bytes=found.best.memory_bytes,
        peak_bytes=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        fragments=f"the largest group of terms has fragments of {widths} qubits",
    )
