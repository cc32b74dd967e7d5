"""What a run in sampled mode would do, found out by planning it for real and taking no shots."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.device.case import device_rounds
from qdreamer_lab.dreamer.model.case import Case, Work, for_sets, timed_twice
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS
from qdreamer_lab.dreamer.sampled.chances import Chances
from qdreamer_lab.dreamer.sampled.cost import SampledShape, batch_counts, round_counts, shot_counts
from qdreamer_lab.dreamer.sampled.played_before import played_once
from qdreamer_lab.dreamer.sampled.rounds import ShotPlan, guessed_plan, played_rounds
from qdreamer_lab.dreamer.sampled.shape import round_shape, sampled_shape
from qdreamer_lab.dreamer.sampled.variance import fragment_moments, fragment_variances
from qdreamer_lab.workload.sampled.lower import lower
from qdreamer_lab.workload.sampled.plans import BoundPlans
from qdreamer_lab.workload.sampled.shot_goal import Goal
from qdreamer_lab.workload.sampled.simulate import check_memory
from qdreamer_lab.workload.sampled.work_sizes import batch_operations, variant_operations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.mode import Conditions
    from qdreamer_lab.dreamer.model.belief import Belief
    from qdreamer_lab.dreamer.prediction_request import Wanted
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.request import RunSettings
    from qdreamer_lab.workload.sampled.lower import SampledProgram

__all__ = ["sampled_case"]

_OVERHEAD_SHARE = 0.5
"""Exponent of the sampling overhead, a worst case, in the variance that shots are guessed from:
0.1 to 0.9 was found in chains, rings and GHZ states with up to four cuts."""

_HOPELESS = 512.0
"""Power of two that no number of shots is compared with in earnest, but that is a number."""

_WORKED_OUT, _GUESSED = 0.05, 1.0
"""Doubt about the number of shots for a precision, as the standard deviation of its logarithm, on
top of what games of chance differ by."""

_GUESSED_ROUNDS = 0.4
"""The same of the number of rounds, where the number of shots is guessed."""

_BENEFIT = 4
"""A guess must be over the greatest number of shots by this factor before it refuses anything."""

_PER_SHOT_BYTES = 24
"""Of the variant that is being drawn: random numbers, places, hits."""


def sampled_case(
    wanted: Wanted, settings: RunSettings, execution: Execution, conditions: Conditions
) -> Case:
    """Plan a run in sampled mode.

    Args:
        wanted: Circuit, observables and precision.
        settings: What is to be computed.
        execution: Where and how it is to run.
        conditions: The shots, if they are given; the device, if there is one; and how long the
            variances may be worked on.

    Raises:
        MemoryLimitError: If a fragment does not fit.
        PrecisionError: If the precision takes too many shots.
        PlanError: If the given plan does not belong to the circuit.
        CircuitError: If the circuit cannot be cut.
    """
    device = conditions.device
    plan, plan_s = timed_twice(lambda: BoundPlans().plans(wanted.request, settings)[0])
    program, lower_s = timed_twice(
        lambda: lower(plan, list(wanted.request.observables), joint=device is None)
    )
    limit = execution.task_limit_bytes()
    for fragment in program.fragments:
        check_memory(fragment, limit, simulated=device is None)
    shapes = [sampled_shape(fragment) for fragment in program.fragments]
    goal = Goal(wanted.request.precision, conditions.shots, settings.max_shots)
    found, note, doubt = _shot_plan(program, shapes, goal, conditions)
    rounds, qpu_s, about = _rounds(program, shapes, found, conditions)
    counted = round_counts(round_shape(program, program.gluing.num_observables))
    here_bytes = sum(
        shape.putting_together_bytes(program.gluing.num_observables) for shape in shapes
    )
    case = Case(
        plan=plan,
        plan_s=plan_s,
        lower_s=lower_s,
        rounds=rounds,
        transfer=np.zeros(len(COEFFICIENTS)),
        contract=counted * len(found.rounds),
        here_bytes=int(here_bytes),
        variants=program.num_variants,
        shots=found.shots,
        standard_error=found.standard_error,
        notes=tuple(each for each in (note, about) if each),
        transpiled=0 if device is None else sum(len(f.program.steps) for f in program.fragments),
        qpu_s=qpu_s,
        shots_doubt=doubt,
        rounds_doubt=found.doubt,
    )
    case = for_sets(case, wanted.sets, plan_s / 2)  # gates are read again, nothing is searched
    return replace(case, here_bytes=case.here_bytes * wanted.sets)  # all are put together at once


def _rounds(
    program: SampledProgram, shapes: list[SampledShape], found: ShotPlan, conditions: Conditions
) -> tuple[tuple[tuple[Work, ...], ...], float, str]:
    """The work of every round, the seconds of the device in them, and a word on these."""
    device = conditions.device
    if device is None:
        rounds = tuple(
            tuple(_work(shape, n, conditions) for shape, n in zip(shapes, each, strict=True))
            for each in found.rounds
        )
        return rounds, 0.0, ""
    programs = [fragment.program for fragment in program.fragments]
    sizes = [int(shape.tensor_bytes) for shape in shapes]
    rounds, qpu_s = device_rounds(programs, sizes, found.rounds, device)
    about = (
        f"times of {device.name} are from its target and from typical depths after routing, "
        f"with {device.job_overhead_s:g} s per job and {device.queue_s:g} s in the queue; a "
        "device that is simulated takes what its simulation takes"
    )
    return rounds, qpu_s, about


def _shot_plan(
    program: SampledProgram,
    shapes: list[SampledShape],
    goal: Goal,
    conditions: Conditions,
) -> tuple[ShotPlan, str, float]:
    """Rounds of shots, what they rest on, and the doubt about their number."""
    if not program.fragments:
        return ShotPlan((), 0.0), "nothing needs shots", 0.0
    seconds = sum(_looking_s(each, conditions.belief) for each in shapes)
    if seconds <= conditions.allowance_s and not any(shape.drawn for shape in shapes):
        found = played_once(program, goal, lambda: _played_out(program, goal))
        doubt = math.hypot(_WORKED_OUT, found.shots_doubt) if goal.shots is None else 0.0
        return found, "", doubt
    power = min(_OVERHEAD_SHARE * program.plan.log2_overhead, _HOPELESS)
    guess = program.gluing.prior_variance() * 2.0**power
    benefit = replace(goal, max_shots=_BENEFIT * goal.max_shots)
    found = guessed_plan([each.circuits for each in shapes], guess, benefit)
    note = (
        "shots and standard error are a guess from the sampling overhead, good to a factor of two "
        f"or three: working the variances out would take about {seconds:.2g} s"
    )
    if goal.shots is not None:
        return found, note, 0.0
    # Where variants are drawn at random, shots are what a round consists of.
    doubt = _GUESSED if any(shape.drawn for shape in shapes) else _GUESSED_ROUNDS
    return replace(found, doubt=doubt), note, _GUESSED


def _played_out(program: SampledProgram, goal: Goal) -> ShotPlan:
    """Rounds by the variances of all that fragments read."""
    weights = [fragment.weights() for fragment in program.fragments]
    seen = fragment_moments(program)
    return played_rounds(weights, Chances(program, seen, fragment_variances(program, seen)), goal)


def _looking_s(shape: SampledShape, belief: Belief) -> float:
    """How long working a fragment's variances out takes."""
    variants = shape.num_variants
    size = shape.amplitudes * shape.outcomes / max(1, shape.fragment.rows)
    moments = 2e-9 * size * shape.operators * (1 + shape.operators)
    each = belief.seconds(shot_counts(shape, 0.0, drawn=False)) + moments
    return belief.seconds(batch_counts(shape)) + variants * each


def _work(shape: SampledShape, shots: NDArray[np.int64], conditions: Conditions) -> Work:
    """The tasks of a fragment in one round."""
    mean = float(shots.mean())
    operators = sum(count for count, _ in shape.bases)
    reported = 0.0 if shape.drawn else shape.sample_bytes
    steps = shape.fragment.states.steps
    arguments = 4000 + 600 * steps + 100 * operators
    drawing = _PER_SHOT_BYTES * shots.max()
    return Work(
        items=len(shots),
        each=shot_counts(shape, mean, drawn=shape.drawn),
        once=batch_counts(shape, conditions.cores, gpu=conditions.gpu),
        work_each=variant_operations(shape.amplitudes, mean),
        work_once=batch_operations(shape.amplitudes, steps),
        memory_bytes=int(shape.states_bytes + shape.tensor_bytes + drawing),
        sent_bytes=int(arguments + shape.tensor_bytes),
        sent_each_bytes=16 + reported,
    )
