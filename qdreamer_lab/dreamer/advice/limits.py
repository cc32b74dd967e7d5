"""What a run may take, and ways that cannot be taken. Descriptions only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.execution.memory import readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.dreamer.predict.configuration import Configuration
    from qdreamer_lab.dreamer.predict.prediction import Prediction

__all__ = ["Limits", "Refused"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may take; None is no limit.

    Attributes:
        max_seconds: wall time.
        max_shots: shots.
        max_memory_bytes: memory of one task, or of putting everything together.
        max_qubits: width of a fragment, such as a device's number of qubits.
        max_cost: price of a device's time and shots, in the currency of its terms.

    Raises:
        QDreamerError: naming the limit that makes no sense.
    """

    max_seconds: float | None = None
    max_shots: int | None = None
    max_memory_bytes: int | None = None
    max_qubits: int | None = None
    max_cost: float | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value: object = getattr(self, name)
            if value is None:
                continue
            real = isinstance(value, (int, float, np.integer, np.floating))
            if not real or isinstance(value, bool) or not value > 0 or math.isinf(value):  # type: ignore[operator,arg-type]
                raise QDreamerError(f"{name}={value!r}: a number above zero, or None for no limit")

    def excess(self, one: Prediction) -> list[tuple[float, str]]:
        """By which factor a prediction is over each limit that it breaks, in words."""
        checks: list[tuple[float | None, float, Callable[[float], str], str]] = [
            (self.max_seconds, one.makespan_s, lambda v: f"{v:.3g} s", "takes"),
            (self.max_shots, one.shots, lambda v: f"{v:,.0f} shots", "takes"),
            (self.max_memory_bytes, one.memory_bytes, readable, "needs"),
            (self.max_qubits, _width(one), lambda v: f"{v:g} qubits", "needs"),
            (self.max_cost, one.cost or 0.0, lambda v: f"{v:.4g} {one.currency}", "costs"),
        ]
        return [
            (value / limit, f"{verb} {text(value)}, more than {text(limit)}")
            for limit, value, text, verb in checks
            if limit is not None and value > limit
        ]


def _width(one: Prediction) -> int:
    if not one.configuration.cuts:
        return one.num_qubits
    fragments = one.plan.fragments if one.plan is not None else ()
    return max((fragment.width for fragment in fragments), default=0)


@dataclass(frozen=True, slots=True)
class Refused:
    """A way that cannot be taken, and why."""

    configuration: Configuration
    reason: str
