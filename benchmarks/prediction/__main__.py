"""Predicted against measured: Q-Dreamer and the published power law on circuits run for real.

    python -m benchmarks.prediction                        # a quarter of an hour on two cores
    python -m benchmarks.prediction --quick                # a few circuits, to see that it works
    python -m benchmarks.prediction --rows rows.jsonl      # predict again what was measured before
    python -m benchmarks.prediction --before rows.jsonl    # set two measurements side by side

Every circuit of `grid.py` is run uncut and cut, exact and sampled, on one worker, on two, and on
one with two cores, in a random order, each time with other shots. What each pilot can do is
measured before. Half of the circuits are for fitting, the other half for
testing. A row says how to make its circuit again. The table says what was wanted; the plot is
static HTML.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
import time
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import pilot_kernel
from benchmarks.prediction import scores
from benchmarks.prediction.bench import NO_TIME, Bench, SkippedError, machine, place
from benchmarks.prediction.dreams import Dreams, recovery, standard_errors
from benchmarks.prediction.grid import JOBS, PLACES, Way, halves, ways
from benchmarks.prediction.plot import write_plot
from benchmarks.prediction.rows import Row, load, save
from qdreamer_lab.dreamer.machine.profile import MachineProfile
from qdreamer_lab.dreamer.model.power_law import PowerLawModel
from qdreamer_lab.errors import QDreamerError

QUICK = ("su2_16_2", "ghz_12_2", "ghz_18_1", "su2_20_2")
"""Jobs of a quick run."""

RUNS = 5
"""Of every way, if there is time. They lie far apart, so that a machine that is slow for a while
spoils one of them and not the row."""


def measure_all(
    bench: Bench, jobs: tuple[Any, ...], seed: int, most_s: float
) -> tuple[list[Row], list[Any], list[str]]:
    """Rows, results of the runs that are the medians, and what was skipped.

    Every way is run once in a random order, then all again in another, until time is up.
    """
    listed: list[Way] = []
    skipped: list[str] = []
    for job in jobs:
        found, left_out = ways(job)
        listed += found
        skipped += left_out
    samples: dict[Way, list[Any]] = {way: [] for way in listed}
    began = time.perf_counter()
    rng = np.random.default_rng(seed)
    for turn in range(RUNS + 1):  # the first one warms up
        for number in rng.permutation(len(listed)).tolist():
            way = listed[number]
            if way not in samples or time.perf_counter() - began > most_s:
                continue
            try:
                if turn:
                    samples[way].append(bench.sample(way, turn))
                else:
                    bench.check(way)
            except SkippedError as reason:
                skipped.append(str(reason))
                del samples[way]
        print(
            f"{time.perf_counter() - began:6.0f} s  turn {turn} of {RUNS}: {len(samples)} ways",
            file=sys.stderr,
            flush=True,
        )
    rows, results = [], []
    for way, found in samples.items():
        try:
            row, result = bench.row(way, found)
        except SkippedError as reason:
            skipped.append(str(reason))
        else:
            rows.append(row)
            results.append(result)
    return rows, results, skipped


def evaluate(
    rows: list[Row],
    results: list[Any],
    jobs: tuple[Any, ...],
    bench: Bench,
    profiles: dict[str, MachineProfile],
    seed: int,
) -> tuple[list[scores.Figure], list[scores.Guess], list[scores.Guess]]:
    """The table, and the guesses at rows of the testing and of the fitting half."""
    fit_names, test_names = halves(jobs, seed)
    fit = [k for k, row in enumerate(rows) if row.job in fit_names]
    test = [row for row in rows if row.job in test_names]
    dreams = Dreams(bench, profiles)
    untold = dreams.guesses(test)
    order = np.random.default_rng(seed).permutation(fit).tolist()
    dreams.observe([rows[k] for k in order], [results[k] for k in order])
    guesses = dreams.guesses(test)
    fitted = dreams.guesses([rows[k] for k in fit])
    try:
        law = PowerLawModel.fit(scores.law_rows(fitted))
    except QDreamerError as error:
        print(f"the power law cannot be fitted: {error}", file=sys.stderr)
        law = None
    figures = [
        *scores.choices(guesses),
        scores.decisions(guesses),
        *scores.speedups(guesses, law),
        *scores.times(guesses),
        *scores.ceiling(guesses, seed),
        scores.Figure(
            "  time, calibrated only", f"{scores.median_error(untold):.1%}", "", None, "no run seen"
        ),
        scores.memory(guesses),
        *standard_errors(dreams, test, seed),
        *recovery(Dreams(bench, profiles), rows, results, order, test),
    ]
    return figures, guesses, fitted


def read(path: Path) -> tuple[list[Row], list[str], list[Any]]:
    """Rows of an earlier run, what it skipped, and its results, which lie beside the rows."""
    return *load(path), pickle.loads(path.with_suffix(".pickle").read_bytes())


def profiles_of(bench: Bench, path: Path, *, known: bool) -> dict[str, MachineProfile]:
    """What the machine can do, by pilot: measured beside the rows, and kept beside them.

    Args:
        bench: The bench.
        path: Of the rows.
        known: The rows are of an earlier run; profiles that were not kept with it are measured now.
    """
    kept = path.with_suffix(".profiles.json")
    if known and kept.exists():
        texts = json.loads(kept.read_text())
        return {on: MachineProfile.from_json(text) for on, text in texts.items()}
    found = {place(*each): MachineProfile.measure(bench.session, place(*each)) for each in PLACES}
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({on: profile.to_json() for on, profile in found.items()}))
    return found


def write_guesses(path: Path, tested: list[scores.Guess], fitted: list[scores.Guess]) -> None:
    """Keep what was predicted of each row, as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    halves = (("test", tested), ("fit", fitted))
    lines = [{"half": half, **asdict(guess)} for half, guesses in halves for guess in guesses]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def main() -> None:
    """Measure or read rows, predict them, print the table and write the plot."""
    parser = argparse.ArgumentParser("benchmarks.prediction", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=Path, help="rows of an earlier run, instead of measuring")
    parser.add_argument("--before", type=Path, help="rows of another run, to hold them together")
    parser.add_argument("--quick", action="store_true", help="four circuits only")
    parser.add_argument("--minutes", type=float, default=13.0, help="to measure, at most")
    parser.add_argument("--seed", type=int, default=1, help="of circuits, shots and the order")
    parser.add_argument("--out", type=Path, default=Path("artifacts/prediction.jsonl"))
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    jobs = tuple(job for job in JOBS if not args.quick or job.name in QUICK)
    rows, skipped, results = read(args.rows) if args.rows else ([], [], [])
    seed = rows[0].seed if rows else args.seed
    with pilot_kernel.Session() as session:
        bench = Bench(session, seed)
        if rows:
            jobs = tuple(job for job in JOBS if job.name in {row.job for row in rows})
            profiles = profiles_of(bench, args.rows, known=True)
        else:
            head = machine()
            profiles = profiles_of(bench, args.out, known=False)
            rows, results, skipped = measure_all(bench, jobs, seed, 60 * args.minutes)
            save(args.out, head, rows, skipped)
            args.out.with_suffix(".pickle").write_bytes(pickle.dumps(results))
        if not {row.job for row in rows} & halves(jobs, seed)[1]:
            sys.exit("no circuit to test on was measured often enough: give it more --minutes")
        figures, tested, fitted = evaluate(rows, results, jobs, bench, profiles, seed)
    shown = [text for text in skipped if not text.endswith(NO_TIME)]
    print(f"{len(rows)} rows of {len(jobs)} circuits; {len(skipped) - len(shown)} more had no time")
    print("".join(f"  skipped: {text}\n" for text in shown))
    print(f"{'':50s} {'seen':>12s}  {'wanted':>12s}")
    print("\n".join(figure.line() for figure in figures))
    if args.before:
        print(f"the same, as foretold by the measurement in {args.before}, on all rows:")
        again = scores.repeatability(rows, load(args.before)[0])
        print("\n".join(figure.line() for figure in again))
    write_guesses(args.out.with_suffix(".predicted.jsonl"), tested, fitted)
    print(f"\nrows: {args.rows or args.out}, plot: {write_plot(args.out, tested, fitted)}")


if __name__ == "__main__":
    main()
