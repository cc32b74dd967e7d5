"""What a device's owner asks, and what its target does not say. Descriptions and arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qdreamer_lab.errors import QDreamerError

__all__ = ["DeviceTerms"]


@dataclass(frozen=True, slots=True)
class DeviceTerms:
    """Prices and waits of a device, as its owner states them.

    Attributes:
        price_per_second: Of the time that circuits take on the device, repetition delay included.
        price_per_shot: Of each shot.
        price_per_job: Of each job.
        currency: Of the prices.
        queue_s: Expected wait before a run's first job, in seconds.
        job_overhead_s: What a job takes besides its shots, in seconds; None for a typical value.
        repetition_s: Pause between two shots, in seconds; None for what the device says.

    Raises:
        QDreamerError: Naming the field that makes no sense.
    """

    price_per_second: float | None = None
    price_per_shot: float | None = None
    price_per_job: float | None = None
    currency: str = "USD"
    queue_s: float = 0.0
    job_overhead_s: float | None = None
    repetition_s: float | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if name == "currency":
                if not isinstance(value, str) or not value:
                    raise QDreamerError(f"currency={value!r}: a name such as 'USD'")
            elif value is not None:
                real = isinstance(value, (int, float)) and not isinstance(value, bool)
                if not real or not math.isfinite(value) or value < 0:
                    raise QDreamerError(f"{name}={value!r}: a number of at least zero")

    @property
    def priced(self) -> bool:
        """Whether any price is known."""
        return any(
            price is not None
            for price in (self.price_per_second, self.price_per_shot, self.price_per_job)
        )

    def cost(self, seconds: float, shots: int, jobs: int) -> float | None:
        """What a run costs; None if no price is known.

        Args:
            seconds: On the device.
            shots: Shots.
            jobs: Jobs.
        """
        if not self.priced:
            return None
        return (
            (self.price_per_second or 0.0) * seconds
            + (self.price_per_shot or 0.0) * shots
            + (self.price_per_job or 0.0) * jobs
        )
