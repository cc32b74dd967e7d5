"""Qiskit's estimator on a pilot."""

from collections.abc import Iterable, Sequence
from typing import Any

from qiskit.primitives import BaseEstimatorV2

from pilot_kernel.primitive.anywhere import dry_run_anywhere, precision_anywhere, submit_anywhere
from pilot_kernel.primitive.dry_run import DryRun
from pilot_kernel.primitive.job import PilotJob
from pilot_kernel.primitive.offers import check_preference
from pilot_kernel.primitive.pub.check import estimator_pubs, listed
from pilot_kernel.primitive.session_like import SessionLike
from pilot_kernel.primitive.submit import Seed
from pilot_kernel.task.notebook.options import TaskOptions

__all__ = ["PilotEstimator"]


class PilotEstimator(BaseEstimatorV2):  # type: ignore[misc]
    """A `BaseEstimatorV2` whose PUBs run on a session's workers, through Aer or on a QPU.

    Args:
        session: The session.
        on: A kind of worker or a pilot's name; of several QPUs, the best by `prefer` runs PUBs, and
            the next if it fails, as `Session.run` says.
        default_precision: Standard error of PUBs that name none. By default they are exact (0),
            and 1/64 on a QPU, which has no exact values.
        seed: Makes results repeatable, on any number of workers.
        prefer: "time", "fidelity" or "cost".
        terms: What devices' owners ask.
        fallback: Where PUBs go if all QPUs fail.
        method: Aer's simulation method.
        optimization_level: Of the transpilation for a QPU, 0 to 3; 2 by default.
    """

    def __init__(
        self,
        session: SessionLike,
        *,
        on: str | Sequence[str] | None = None,
        default_precision: float | None = None,
        seed: Seed = None,
        prefer: str = "time",
        terms: Any = None,
        fallback: str | None = None,
        method: str = "automatic",
        optimization_level: int | None = None,
    ) -> None:
        self._session = session
        self._seed = seed
        self._default_precision = default_precision
        self._on = on
        check_preference(prefer)
        self._where: dict[str, Any] = {"on": on, "prefer": prefer, "terms": terms}
        self._fallback = fallback
        self._options: dict[str, Any] = {
            "method": method,
            "optimization_level": optimization_level,
        }

    @property
    def default_precision(self) -> float:
        """Standard error of PUBs that name none."""
        if self._default_precision is None:
            return precision_anywhere(self._session, self._on)
        return self._default_precision

    @property
    def seed(self) -> Seed:
        """The seed or generator of random numbers."""
        return self._seed

    def dry_run(self, pubs: Iterable[Any], *, precision: float | None = None) -> DryRun:
        """Say what `run` would take on a QPU: circuits, jobs, shots, seconds; nothing is sent.

        Args:
            pubs: As for `run`.
            precision: As for `run`.

        Raises:
            PlacementError: The place names nothing that exists, or simulators beside QPUs.
            PubError: A PUB cannot run as it is, or no QPU is meant.
        """
        precision = self.default_precision if precision is None else precision
        checked = estimator_pubs(listed(pubs), precision)
        return dry_run_anywhere(
            self._session, checked, **self._where, level=self._options["optimization_level"]
        )

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> PilotJob:
        """Estimate expectation values.

        Args:
            pubs: What `EstimatorPub.coerce` takes, each.
            precision: Standard error of those that name none.

        Raises:
            PubError: A PUB cannot run as it is.
        """
        precision = self.default_precision if precision is None else precision
        checked = estimator_pubs(listed(pubs, may_be_empty=True), precision)
        task: Any = submit_anywhere(
            self._session,
            checked,
            TaskOptions().named("estimate"),
            **self._where,
            fallback=self._fallback,
            seed=self._seed,
            **self._options,
        )
        task.about = checked
        return PilotJob(task)
