"""Zero-noise extrapolation: the same values at several levels of noise, and a line through them.

Temme, Bravyi and Gambetta, PRL 119, 180509. Values of a level are linear in shots, and so is the
line's end at no noise: error bars simply add up. They tell of shots, and nothing of how far what
noise does is from a line. Arithmetic on results only; nothing runs here.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PrecisionError
from qdreamer_lab.workload.estimate import Estimate, Seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.execution.progress import Report
    from qdreamer_lab.workload.request import Request, RunSettings

__all__ = ["FOLDING", "Level", "extrapolated", "levels_of", "of_levels"]

FOLDING = "zne"
"""What users call it as `mitigation=`."""

_FACTORS = (1, 3)
"""How many times as noisy two-qubit gates are made: the least that folding whole gates allows."""


@dataclass(frozen=True, eq=False, slots=True)
class Level:
    """What is run at one level of noise.

    Attributes:
        weight: Of its values among those of all levels.
        request: The values wanted, with the standard error that this level needs.
        settings: With the shots that this level may take.
        execution: With circuits as noisy as that.
    """

    weight: float
    request: Request
    settings: RunSettings
    execution: Execution


def levels_of(request: Request, settings: RunSettings, execution: Execution) -> list[Level]:
    """What to run at each level of noise; as it is, at one, if nothing is to be extrapolated.

    Shots are shared out as the weights say, which gives the smallest error bar.
    """
    if FOLDING not in execution.device_options.mitigation:
        return [Level(1.0, request, settings, execution)]
    weights = _weights(_FACTORS)
    total = sum(map(abs, weights))
    found = []
    for k, (factor, weight) in enumerate(zip(_FACTORS, weights, strict=True)):
        share = abs(weight) / total
        mine = replace(
            settings,
            entropy=(*settings.entropy, factor) if k else settings.entropy,
            shots=None if settings.shots is None else max(1, round(share * settings.shots)),
            max_shots=max(1, round(share * settings.max_shots)),
        )
        options = replace(execution.device_options, noise_factor=factor)
        told = _as_level(execution, last=k == len(weights) - 1)
        precision = request.precision / np.sqrt(total * abs(weight))
        asked = replace(request, precision=float(precision))
        found.append(Level(weight, asked, mine, replace(told, device_options=options)))
    return found


@contextmanager
def of_levels(levels: Sequence[Level]) -> Iterator[None]:
    """Say of errors about shots that they are those of one level of noise, if there are several.

    Raises:
        PrecisionError: As it comes, with the reason why its numbers are not those that were given.
    """
    try:
        yield
    except PrecisionError as error:
        if len(levels) == 1:
            raise
        shares = " and ".join(f"{level.settings.max_shots:,}" for level in levels)
        of = f"{shares} of max_shots" if levels[0].settings.shots is None else "a part of the shots"
        raise PrecisionError(
            f"mitigation='zne' has {of} at each level of noise, and there wants less error than in "
            f"the end: {error}"
        ) from error


def extrapolated(levels: Sequence[Level], found: Sequence[Estimate]) -> Estimate:
    """The values without noise; shots, tasks and times are those of all levels together."""
    weights = np.array([level.weight for level in levels])
    if len(levels) == 1:
        return found[0]
    times = {
        each.name: sum(getattr(one.seconds, each.name) or 0.0 for one in found)
        for each in fields(Seconds)
        if getattr(found[0].seconds, each.name) is not None
    }
    folds = " and ".join(str(level.execution.device_options.noise_factor) for level in levels)
    note = (
        f"values are extrapolated to no noise from two-qubit gates done {folds} times; error bars "
        "tell of shots, and nothing of how straight the line is"
    )
    return Estimate(
        evs=weights @ np.array([each.evs for each in found]),
        stds=np.sqrt(np.square(weights) @ np.square([each.stds for each in found])),
        rows=tuple(row for each in found for row in each.rows),
        plans=found[0].plans,
        variants=sum(each.variants for each in found),
        shots=sum(each.shots for each in found),
        seconds=Seconds(**times),
        notes=(*dict.fromkeys(told for each in found for told in each.notes), note),
    )


def _weights(factors: Sequence[int]) -> tuple[float, ...]:
    """Of values at these levels, in the end at zero of the polynomial through all of them."""
    return tuple(
        float(np.prod([other / (other - mine) for other in factors if other != mine]))
        for mine in factors
    )


def _as_level(execution: Execution, *, last: bool) -> Execution:
    """The same, with progress that tells no values, and that it is over when the last level is."""
    tell = execution.progress
    if tell is None:
        return execution

    def told(report: Report) -> None:
        tell(replace(report, evs=None, stds=None, over=report.over and last))

    return replace(execution, progress=told)
