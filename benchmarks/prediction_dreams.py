"""What `prediction.py` asks of Q-Dreamer: calibrate, observe, predict, from wrong values too."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from prediction_grid import JOBS, Way
from prediction_rows import Bench, Row, place
from prediction_scores import Figure, Guess, median_error

from qdreamer_lab.dreamer.dreamer import QDreamer

if TYPE_CHECKING:
    from collections.abc import Iterable

BY_NAME = {job.name: job for job in JOBS}
WRONG = 3.0
"""By how much the coefficients of the recovery test are wrong."""

SAMPLES = 10
CONFIGURATIONS = 5
"""50 sampled runs in all, from which the standard error is seen."""


class Dreams:
    """A `QDreamer` on a bench's session.

    Args:
        bench: where rows were measured.
        dreamer: what predicts.
    """

    def __init__(self, bench: Bench, dreamer: QDreamer) -> None:
        self.bench = bench
        self.dreamer = dreamer

    @classmethod
    def calibrated(cls, bench: Bench) -> Dreams:
        """Calibrated by micro-runs, without having seen any row."""
        dreamer = QDreamer(bench.session)
        dreamer.calibrate()
        return cls(bench, dreamer)

    def predict(self, way: Way, **options: Any) -> Any:
        """The prediction of one way."""
        seed = self.bench.seed
        return self.dreamer.predict(
            way.job.circuit(seed),
            way.job.observables(way.mode, seed),
            max_qubits=way.width,
            mode=way.mode,
            on=place(way.workers),
            workers=way.workers,
            **{"precision": way.job.precision, **options},
        )

    def guesses(self, rows: Iterable[Row]) -> list[Guess]:
        """What is predicted of rows."""
        found = []
        for row in rows:
            one = self.predict(way_of(row))
            low, high = one.interval
            found.append(Guess(row, one.makespan_s, low, high, one.memory_bytes))
        return found

    def observe(self, rows: list[Row], results: list[Any]) -> None:
        """Learn from runs."""
        for _row, result in zip(rows, results, strict=True):
            self.dreamer.observe(result)


def way_of(row: Row) -> Way:
    """The way that a row measured."""
    return Way(BY_NAME[row.job], row.width, row.mode, row.workers)


def standard_errors(dreams: Dreams, rows: list[Row], seed: int) -> list[Figure]:
    """Predicted standard errors against the scatter of 50 sampled runs around exact values."""
    sampled = [row for row in rows if row.mode == "sampled" and row.seconds < 1.0]
    chosen = np.random.default_rng(seed).permutation(len(sampled))[:CONFIGURATIONS]
    ratios = [_error_ratio(dreams, sampled[k]) for k in chosen]
    if not ratios:
        return [Figure("standard error, predicted / observed", "no cases", "0.85-1.15", None)]
    worst = max(ratios, key=lambda ratio: abs(ratio - 1))
    met = 0.85 <= worst <= 1.15
    shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    return [Figure("standard error, predicted / observed", f"{worst:.2f}", "0.85-1.15", met, shown)]


def _error_ratio(dreams: Dreams, row: Row) -> float:
    """Predicted standard error over the observed one, of the value that is known least."""
    bench, way = dreams.bench, way_of(row)
    exact = bench.run(replace(way, mode="exact", width=row.width)).data.evs
    seen = np.array([bench.run(way, seed=100 + k).data.evs for k in range(SAMPLES)])
    said = np.array(bench.run(way, seed=99).data.stds)
    # The goal is the greatest standard error of any value; which one that is, a run says itself.
    widest = np.argsort(said)[-max(1, len(said) // 10) :]
    observed = float(np.sqrt(np.mean(np.square(seen - exact)[:, widest])))
    predicted = float(np.max(dreams.predict(way).standard_error))
    return predicted * float(np.sqrt(np.mean(np.square(said[widest])))) / said.max() / observed


def recovery(
    bench: Bench, rows: list[Row], results: list[Any], places: Any, test: list[Row]
) -> list[Figure]:
    """Errors with coefficients that are wrong by a factor, before and after some observed runs."""
    start = Dreams.calibrated(bench).dreamer.profile
    belief = replace(start.belief, values=start.belief.values * WRONG)
    wrong = Dreams(bench, QDreamer(bench.session, profile=replace(start, belief=belief)))
    before = median_error(wrong.guesses(test))
    wrong.observe([rows[k] for k in places], [results[k] for k in places])
    guesses = wrong.guesses(test)
    after = median_error(guesses)
    inside = statistics.mean(g.low <= g.row.seconds <= g.high for g in guesses)
    note = f"{before:.0%} before, {len(places)} runs seen, interval covers {inside:.0%}"
    return [
        Figure(
            f"time, from coefficients x {WRONG:g}", f"{after:.1%}", "<= 12 %", after <= 0.12, note
        )
    ]
