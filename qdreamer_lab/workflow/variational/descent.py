"""One start's way down, and several of them at once: SciPy's optimisers over batches of points."""

from __future__ import annotations

from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.optimize import minimize

from qdreamer_lab.errors import MotifError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from qdreamer_lab.workflow.variational.journal import Answered, Journal
    from qdreamer_lab.workflow.variational.race import Race
    from qdreamer_lab.workflow.variational.shift import ShiftedCircuit

__all__ = ["OPTIMIZERS", "Descent", "Evaluate", "Way", "descend_all"]

OPTIMIZERS = {
    "L-BFGS-B": True,
    "BFGS": True,
    "CG": True,
    "SLSQP": True,
    "COBYLA": False,
    "Nelder-Mead": False,
    "Powell": False,
}
"""Of SciPy's, those of use here, and whether each takes gradients. SPSA is not in SciPy."""


class Evaluate(Protocol):
    """What gives expectation values at points."""

    def __call__(self, points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
        """(points,) values for (points, angles); the seed is that of what is random about them."""


@dataclass(frozen=True, eq=False)
class Descent:
    """What all starts have in common.

    Attributes:
        circuit: Whose angles are moved.
        evaluate: Gives values; called by several threads at once.
        optimizer: One of `OPTIMIZERS`.
        iterations: Most iterations of a start, as the optimiser counts them.
        seed: Of first points and of evaluations.
        thinking: What to be in while the optimiser is at work.
    """

    circuit: ShiftedCircuit
    evaluate: Evaluate
    optimizer: str
    iterations: int
    seed: int
    thinking: Callable[[], AbstractContextManager[None]]


@dataclass
class Way:
    """How a start went.

    Attributes:
        start: Its number.
        values: What each evaluation gave.
        x: (parameters,) Where the lowest was.
        best: The lowest.
        ended: What ended it, in words.
        early: Whether it was stopped since others were better.
    """

    start: int
    values: list[float] = field(default_factory=list)
    x: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    best: float = np.inf
    ended: str = ""
    early: bool = False


class _StoppedError(Exception):
    """Takes an optimiser out of its loop."""


def descend_all(descent: Descent, starts: int, journal: Journal, race: Race) -> list[Way]:
    """Go down from several random points at once, each in a thread.

    Args:
        descent: How.
        starts: From how many points.
        journal: What is known of evaluations, and is told of new ones.
        race: Where starts are compared.

    Raises:
        MotifError: A value is no number, or the journal is of another way.
        Exception: Whatever an evaluation raised first.
    """
    with ThreadPoolExecutor(starts, "start") as pool:
        futures = [pool.submit(_descend, descent, k, journal, race) for k in range(starts)]
        try:
            errors = [error for future in futures if (error := future.exception()) is not None]
        except BaseException:  # whoever waits here was interrupted
            race.give_up()
            raise
    if errors:
        # Those that were only given up are no news.
        raise next((e for e in errors if not isinstance(e, CancelledError)), errors[0])
    return [future.result() for future in futures]


def _descend(descent: Descent, start: int, journal: Journal, race: Race) -> Way:
    way = Way(start)
    random = np.random.default_rng((descent.seed, start))
    first = random.uniform(-np.pi / 2, np.pi / 2, len(descent.circuit.parameters))
    gradient = OPTIMIZERS[descent.optimizer]
    with ExitStack() as thinking:

        def value(x: NDArray[np.float64]) -> float | tuple[float, NDArray[np.float64]]:
            thinking.close()
            answered = _answered(descent, way, journal, x)
            way.values.append(answered[0])
            if answered[0] < way.best:
                way.best, way.x = answered[0], x.copy()
            if not race.goes_on(start, len(way.values), way.best):
                raise _StoppedError
            thinking.enter_context(descent.thinking())
            return answered[0] if answered[1] is None else (answered[0], answered[1])

        thinking.enter_context(descent.thinking())
        try:
            found = minimize(
                value,
                first,
                jac=gradient or None,
                method=descent.optimizer,
                options={"maxiter": descent.iterations},
            )
            way.ended = str(found.message)
        except _StoppedError:
            way.early, way.ended = True, "others were better"
        except BaseException:
            race.give_up()
            raise
    race.over(start, None if way.early else way.best)
    return way


def _answered(descent: Descent, way: Way, journal: Journal, x: NDArray[np.float64]) -> Answered:
    """Value and gradient at a point, from the journal or evaluated now."""
    number = len(way.values)
    known = journal.recall(way.start, number, x)
    if known is not None:
        return known
    gradient = OPTIMIZERS[descent.optimizer]
    entropy = np.random.SeedSequence((descent.seed, way.start, number))
    points = descent.circuit.points(x, gradient=gradient)
    found = descent.evaluate(points, int(entropy.generate_state(1)[0]))
    if not np.isfinite(found).all():
        raise MotifError(
            f"evaluation {number} of start {way.start} gave no number; its parameters were "
            f"{x.tolist()}"
        )
    answered = float(found[0]), descent.circuit.gradient(x, found) if gradient else None
    journal.note(way.start, number, x, answered)
    return answered
