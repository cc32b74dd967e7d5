"""From a case and a place to a prediction: seconds per phase, makespan, interval."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.model.belief import Z80
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS, PER_SHOT, PHASES, paid
from qdreamer_lab.dreamer.model.makespan import play
from qdreamer_lab.dreamer.predict.prediction import FIRST_RUN, Account, Phase, Prediction
from qdreamer_lab.dreamer.predict.wide_tasks import task_cores, wide_slots
from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.workload.execution.pace import Pace
from qdreamer_lab.workload.plan.plan import CutPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.model.belief import Belief
    from qdreamer_lab.dreamer.model.case import Case, Work
    from qdreamer_lab.dreamer.predict.configuration import Configuration
    from qdreamer_lab.dreamer.predict.place import Place
    from qdreamer_lab.dreamer.prediction_request import Wanted

__all__ = ["priced"]

_OBJECTS_BYTES = 1 << 19
"""What plans, programs and results take besides arrays."""

_PLAYED = 24
"""Sets of parameter values with tasks of their own that are dealt out one by one."""


@dataclass(frozen=True, eq=False, slots=True)
class _Executed:
    """All rounds played through.

    Attributes:
        counts: (k,) over all workers.
        share: Wall time over the time of all workers together.
        tasks: How many there were.
        memory: Bytes of the worker that holds most.
        sent: Bytes of all arguments and results.
        coming: Bytes of results that arrive at once.
        cores: Of the task that has most.
    """

    counts: NDArray[np.float64]
    share: float
    tasks: int
    memory: int
    sent: int
    coming: int
    cores: int


def priced(
    case: Case,
    wanted: Wanted,
    configuration: Configuration,
    place: Place,
    *,
    held: bool = False,
) -> Prediction:
    """What a case will take.

    Args:
        case: The run, planned.
        wanted: What is run.
        configuration: How, with the number of workers.
        place: Where; fragments run as tasks of its session, or else in this process.
        held: There are more workers, and the run is held to fewer: none waits with a task ready.
    """
    belief, session = place.belief, place.session is not None
    workers = configuration.workers if session else 1
    done = _executed(case, place, workers, held=held)
    trips = max(len(case.rounds), done.tasks / workers) if held else len(case.rounds)
    accounts = _accounts(case, wanted, done, trips if session else None)
    phases = tuple(
        Phase(account.name, belief.seconds(account.counts) * account.share, account.num_bytes)
        for account in accounts
    )
    makespan = sum(phase.seconds for phase in phases)
    here = case.here_bytes + done.coming
    peak = max(done.memory, here) if session else done.memory + here
    spread = Z80 * _deviation(accounts, phases, belief, makespan, case)
    made = Prediction(
        configuration=configuration,
        makespan_s=makespan,
        interval=(makespan * math.exp(-spread), makespan * math.exp(spread)),
        phases=phases,
        memory_bytes=_OBJECTS_BYTES + peak,
        shots=case.shots,
        qpu_seconds=case.qpu_s,
        standard_error=case.standard_error,
        plan=None if case.plan is None else CutPlan.of(case.plan),
        variants=case.variants,
        tasks=done.tasks,
        notes=(*case.notes, *place.notes),
        num_qubits=wanted.num_qubits,
        num_observables=wanted.num_observables,
        accounts=tuple(accounts),
        sets=case.sets,
        cores=done.cores if session else place.cores,
        lent=session and done.cores > place.cores,
        rounds=max(1, len(case.rounds)),
        first_run_s=place.first_run_s,
    )
    return replace(made, notes=(*made.notes, *_first_run(made, here=not session)))


def _first_run(made: Prediction, *, here: bool) -> list[str]:
    """What to know while code has yet to be loaded there, if it matters beside the run itself."""
    if not made.first_run_matters:
        return []
    where = "in this process" if here else "on these workers"
    more, all_of_it = seconds_text(made.first_run_s), seconds_text(made.now_s)
    low, high = map(seconds_text, made.now_interval)
    return [
        f"{FIRST_RUN} {where} loads code, which takes about {more} more: {all_of_it} in all "
        f"(80 % interval: {low} to {high})"
    ]


def _accounts(case: Case, wanted: Wanted, done: _Executed, trips: float | None) -> list[Account]:
    """What each phase pays for, once all rounds were played through.

    Args:
        case: The run.
        wanted: What is run.
        done: How its rounds went.
        trips: How often a worker is waited for with nothing else to do; None in this process.
    """
    ways = paid("run", 1) + paid("observable", wanted.num_terms)
    transfer = case.transfer + paid("transfer", done.sent)
    if trips is not None:
        ways += paid("trip", trips) + paid("task", done.tasks)
        transfer += paid("told", case.told)
    accounts = (
        Account("plan", paid("planning", case.plan_s * 1e9)),
        Account("lower", paid("planning", case.lower_s * 1e9)),
        Account("transpile", paid("transpiling", case.transpiled)),
        Account("dispatch", ways),
        Account("execute", done.counts, done.share, done.memory, case.counts_doubt),
        Account("transfer", transfer, 1.0, done.sent),
        Account("contract", case.contract, 1.0, case.here_bytes),
    )
    return [account for account in accounts if account.counts.any()]


def _executed(case: Case, place: Place, workers: int, *, held: bool) -> _Executed:
    """Deal out the work of every round; the arguments are those of `priced`."""
    session = place.session is not None
    counts, sent = np.zeros(len(COEFFICIENTS)), 0.0
    wall = busy = 0.0
    tasks = memory = coming = 0
    pace = Pace()
    most = workers if held else None
    repeated = min(case.repeats, _PLAYED)
    times = case.repeats / repeated  # what was not played through goes on in the same way
    cores = place.cores
    for once in case.rounds:
        works: Sequence[Work] = once * repeated
        count = sum(work.items for work in works)
        given = task_cores(works, place.nodes, workers, pace.seconds_per_work, held=held)
        works = [work.on(many) for work, many in zip(works, given, strict=True)]
        slots = wide_slots(place.nodes, given, workers)
        cores = max([cores, *(many for many in given if many is not None)])
        slower = place.contention if min(slots, count) > 1 else 1.0
        shares = [work.share(place.belief.values, slower) for work in works]
        played = play(shares, slots, ahead=session, most=most, pace=pace)
        wall, busy = wall + played.makespan_s, busy + played.busy_s
        tasks += round(times * sum(played.tasks))
        for work, pieces in zip(works, played.tasks, strict=True):
            counts += times * slower * (work.items * work.each + pieces * work.once)
            memory = max(memory, work.held(pieces) if session else work.memory_bytes)
            if session:
                sent += times * work.sent(pieces)
                coming = max(coming, work.coming(pieces, workers))
    return _Executed(
        counts=counts,
        share=wall / busy if busy > 0 else 1.0,
        tasks=tasks,
        memory=memory,
        sent=int(sent),
        coming=coming,
        cores=cores,
    )


_ONCE = frozenset({"plan", "lower", "transpile"})
"""Phases that there are once, however many rounds of shots there are."""


def _deviation(
    accounts: list[Account],
    phases: tuple[Phase, ...],
    belief: Belief,
    total: float,
    case: Case,
) -> float:
    """Standard deviation of the logarithm of the makespan."""
    if total <= 0:
        return 0.0
    parts = sum(
        (account.counts * account.share * belief.values for account in accounts),
        np.zeros(len(COEFFICIENTS)),
    )
    share = parts * 1e-9 / total
    variance = float(share @ belief.covariance @ share)
    for phase in phases:
        spread = float(belief.spreads[PHASES.index(phase.name)])
        variance += (spread * phase.seconds / total) ** 2
        if phase.name == "execute":
            variance += (case.counts_doubt * phase.seconds / total) ** 2
    variance += (case.shots_doubt * float(share[PER_SHOT].sum())) ** 2
    again = sum(phase.seconds for phase in phases if phase.name not in _ONCE)
    variance += (case.rounds_doubt * again / total) ** 2
    return math.sqrt(variance + (3e-4 / total) ** 2)
