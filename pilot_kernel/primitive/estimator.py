"""Qiskit's estimator on a pilot."""

from collections.abc import Iterable
from typing import Any

from qiskit.primitives import BaseEstimatorV2

from pilot_kernel.primitive.host import Host
from pilot_kernel.primitive.job import PilotJob
from pilot_kernel.primitive.pubs import estimator_pubs
from pilot_kernel.primitive.run import submit_pubs

__all__ = ["PilotEstimator"]


class PilotEstimator(BaseEstimatorV2):  # type: ignore[misc]
    """A `BaseEstimatorV2` whose PUBs run on a session's workers, through Aer.

    Args:
        session: The session.
        on: A kind of worker or a pilot's name.
        default_precision: Standard error of PUBs that name none; 0 is exact.
        seed: Makes results repeatable, on any number of workers.
        method: Aer's simulation method.
    """

    def __init__(
        self,
        session: Host,
        *,
        on: str | None = None,
        default_precision: float = 0.0,
        seed: int | None = None,
        method: str = "automatic",
    ) -> None:
        self._session = session
        self._default_precision = default_precision
        self._options: dict[str, Any] = {"on": on, "seed": seed, "method": method}

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> PilotJob:
        """Estimate expectation values.

        Args:
            pubs: What `EstimatorPub.coerce` takes, each.
            precision: Standard error of those that name none.

        Raises:
            PubError: A PUB cannot run as it is.
        """
        precision = self._default_precision if precision is None else precision
        checked = estimator_pubs(list(pubs), precision)
        return PilotJob(submit_pubs(self._session, checked, **self._options))
