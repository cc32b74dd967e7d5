"""Qiskit's sampler on a pilot."""

from collections.abc import Iterable, Sequence
from typing import Any

from qiskit.primitives import BaseSamplerV2

from pilot_kernel.primitive.anywhere import dry_run_anywhere, submit_anywhere
from pilot_kernel.primitive.dry_run import DryRun
from pilot_kernel.primitive.job import PilotJob
from pilot_kernel.primitive.offers import check_preference
from pilot_kernel.primitive.pub.check import listed, sampler_pubs
from pilot_kernel.primitive.session_like import SessionLike
from pilot_kernel.primitive.submit import DEFAULT_SHOTS, Seed
from pilot_kernel.task.notebook.options import TaskOptions

__all__ = ["PilotSampler"]


class PilotSampler(BaseSamplerV2):  # type: ignore[misc]
    """A `BaseSamplerV2` whose PUBs run on a session's workers, through Aer or on a QPU.

    Args:
        session: The session.
        on: A kind of worker or a pilot's name; of several QPUs, the best by `prefer` runs PUBs, and
            the next if it fails, as `Session.run` says.
        default_shots: Shots of PUBs that name none.
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
        default_shots: int = DEFAULT_SHOTS,
        seed: Seed = None,
        prefer: str = "time",
        terms: Any = None,
        fallback: str | None = None,
        method: str = "automatic",
        optimization_level: int | None = None,
    ) -> None:
        self._session = session
        self._seed = seed
        self._default_shots = default_shots
        check_preference(prefer)
        self._where: dict[str, Any] = {"on": on, "prefer": prefer, "terms": terms}
        self._fallback = fallback
        self._options: dict[str, Any] = {
            "method": method,
            "optimization_level": optimization_level,
        }

    @property
    def default_shots(self) -> int:
        """Shots of PUBs that name none."""
        return self._default_shots

    @property
    def seed(self) -> Seed:
        """The seed or generator of random numbers."""
        return self._seed

    def dry_run(self, pubs: Iterable[Any], *, shots: int | None = None) -> DryRun:
        """Say what `run` would take on a QPU: circuits, jobs, shots, seconds; nothing is sent.

        Args:
            pubs: As for `run`.
            shots: As for `run`.

        Raises:
            PlacementError: The place names nothing that exists, or simulators beside QPUs.
            PubError: A PUB cannot run as it is, or no QPU is meant.
        """
        checked = sampler_pubs(listed(pubs), self._default_shots if shots is None else shots)
        return dry_run_anywhere(
            self._session, checked, **self._where, level=self._options["optimization_level"]
        )

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> PilotJob:
        """Sample PUBs.

        Args:
            pubs: What `SamplerPub.coerce` takes, each.
            shots: Shots of those that name none.

        Raises:
            PubError: A PUB cannot run as it is.
        """
        shots = self._default_shots if shots is None else shots
        checked = sampler_pubs(listed(pubs, may_be_empty=True), shots)
        task = submit_anywhere(
            self._session,
            checked,
            TaskOptions().named("sample"),
            **self._where,
            fallback=self._fallback,
            seed=self._seed,
            **self._options,
        )
        return PilotJob(task)
