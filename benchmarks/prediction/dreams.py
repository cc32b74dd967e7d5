"""What the benchmark asks of Q-Dreamer: calibrate, observe, predict, from wrong values too."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.prediction.bench import place
from benchmarks.prediction.grid import JOBS, Way
from benchmarks.prediction.scores import Figure, Guess, median_error
from qdreamer_lab import CutEstimator
from qdreamer_lab.dreamer.dreamer import QDreamer
from qdreamer_lab.dreamer.machine.profile import MachineProfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from benchmarks.prediction.bench import Bench
    from benchmarks.prediction.rows import Row


BY_NAME = {job.name: job for job in JOBS}
WRONG = 3.0
"""By how much the coefficients of the recovery test are wrong."""

OBSERVED = 20
MOST_SAMPLED_S = 1.0
SAMPLES = 10
CONFIGURATIONS = 5
"""50 sampled runs in all, from which the standard error is seen."""


class Dreams:
    """A `QDreamer` on a bench's session; it learns for each of the pilots apart.

    Args:
        bench: The bench on which rows were measured.
        profiles: Those to start from, by name of the pilot; nothing of them is stored on disk.
    """

    def __init__(self, bench: Bench, profiles: Mapping[str, MachineProfile]) -> None:
        self.bench = bench
        self.dreamer = QDreamer(bench.session, profile=MachineProfile.nominal())
        for on, profile in profiles.items():
            self.dreamer.engine.keep(on, profile)

    def predict(self, way: Way, **options: Any) -> Any:
        """The prediction of one way."""
        seed = self.bench.seed
        return self.dreamer.predict(
            way.job.circuit(seed),
            way.job.observables(way.mode, seed),
            max_qubits=way.width,
            mode=way.mode,
            on=place(way.workers, way.cores),
            workers=way.workers,
            **{"precision": way.job.precision, **options},
        )

    def guesses(self, rows: Iterable[Row]) -> list[Guess]:
        """What is predicted of rows."""
        found = []
        for row in rows:
            said = self.predict(way_of(row))
            found.append(Guess(row, said.makespan_s, *said.interval, said.memory_bytes))
        return found

    def observe(self, rows: list[Row], results: list[Any]) -> None:
        """Learn from runs, each after it was predicted."""
        for row, result in zip(rows, results, strict=True):
            self.dreamer.observe(result, self.predict(way_of(row)))


def way_of(row: Row) -> Way:
    """The way that a row measured."""
    return Way(BY_NAME[row.job], row.width, row.mode, row.workers, row.cores)


def standard_errors(dreams: Dreams, rows: list[Row], seed: int) -> list[Figure]:
    """Predicted standard errors against the scatter of 50 sampled runs around exact values."""
    name, wanted = "standard error, predicted / observed", "0.85-1.15"
    sampled = [row for row in rows if row.mode == "sampled" and row.seconds < MOST_SAMPLED_S]
    chosen = np.random.default_rng(seed).permutation(len(sampled))[:CONFIGURATIONS]
    if not len(chosen):
        return [Figure(name, "no cases", wanted, None)]
    offs = [_offs(dreams, sampled[k]) for k in chosen]
    ratios = [1 / float(np.sqrt(np.mean(np.square(off)))) for off in offs]
    overall = 1 / float(np.sqrt(np.mean([np.mean(np.square(off)) for off in offs])))
    note = f"{SAMPLES * len(chosen)} runs; by circuit " + ", ".join(f"{r:.2f}" for r in ratios)
    return [Figure(name, f"{overall:.2f}", wanted, 0.85 <= overall <= 1.15, note)]


def _offs(dreams: Dreams, row: Row) -> NDArray[np.float64]:
    """(runs, observables) distance from the exact value, in predicted standard errors."""
    bench, way = dreams.bench, way_of(row)
    circuit, strings = way.job.circuit(bench.seed), way.job.observables(way.mode, bench.seed)
    exact = CutEstimator(way.width, mode="exact").run([(circuit, strings)]).result()[0].data.evs
    runs = [bench.run(way, seed=100 + k).data for k in range(SAMPLES)]
    # What is predicted is the greatest standard error of all observables. How much less that of
    # each other one is, the runs say themselves.
    said = np.sqrt(np.mean([np.square(run.stds) for run in runs], axis=0))
    predicted = dreams.predict(way).standard_error * said / said.max()
    return np.array([run.evs for run in runs] - exact) / np.maximum(predicted, 1e-12)


def recovery(
    start: Dreams, rows: list[Row], results: list[Any], places: list[int], test: list[Row]
) -> list[Figure]:
    """Errors of coefficients that are wrong by a factor, before and after some observed runs.

    On the pilot of two workers alone, since each pilot is a machine of its own.
    """
    places = [k for k in places if rows[k].workers == 2][:OBSERVED]
    test = [row for row in test if row.workers == 2]
    doubtful = MachineProfile.nominal()  # as little is known of a machine that was never measured
    values = start.dreamer.profile(place(2)).belief.values * WRONG
    doubtful = replace(doubtful, belief=replace(doubtful.belief, values=values))
    wrong = Dreams(start.bench, {place(2): doubtful})
    before = median_error(wrong.guesses(test))
    wrong.observe([rows[k] for k in places], [results[k] for k in places])
    guesses = wrong.guesses(test)
    after = median_error(guesses)
    inside = statistics.mean(g.low <= g.row.seconds <= g.high for g in guesses)
    note = f"{before:.0%} before, {len(places)} runs seen; 80 % interval covers {inside:.0%}"
    name = f"time, from coefficients x {WRONG:g}"
    return [Figure(name, f"{after:.1%}", "<= 12 %", after <= 0.12, note)]
