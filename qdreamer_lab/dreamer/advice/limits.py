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
        max_seconds: Wall time.
        max_shots: Shots.
        max_memory_bytes: Memory of one task, or of putting everything together.
        max_qubits: Width of a fragment, such as a device's number of qubits.
        max_cost: Price of a device's time and shots, in the currency of its terms.

    Raises:
        QDreamerError: Naming the limit that makes no sense.
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

    def excess(self, prediction: Prediction) -> list[tuple[float, str]]:
        """By which factor a prediction is over each limit that it breaks, in words."""
        checks: list[tuple[float | None, float, Callable[[float], str], str]] = [
            (self.max_seconds, prediction.makespan_s, lambda v: f"{v:.3g} s", "takes"),
            (self.max_shots, prediction.shots, lambda v: f"{v:,.0f} shots", "takes"),
            (self.max_memory_bytes, prediction.memory_bytes, readable, "needs"),
            (self.max_qubits, _width(prediction), lambda v: f"{v:g} qubits", "needs"),
            (
                self.max_cost,
                prediction.cost or 0.0,
                lambda v: f"{v:.4g} {prediction.currency}",
                "costs",
            ),
        ]
        return [
            (value / limit, f"{verb} {text(value)}, more than {text(limit)}")
            for limit, value, text, verb in checks
            if limit is not None and value > limit
        ]


def _width(prediction: Prediction) -> int:
    if not prediction.configuration.cuts:
        return prediction.num_qubits
    fragments = prediction.plan.fragments if prediction.plan is not None else ()
    return max((fragment.width for fragment in fragments), default=0)


@dataclass(frozen=True, slots=True)
class Refused:
    """A way that cannot be taken, and why."""

    configuration: Configuration
    reason: str
