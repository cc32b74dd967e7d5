"""What a device would do in a run: its tasks, in the time that its own durations give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.device.cost import shot_seconds
from qdreamer_lab.dreamer.device.shape import program_depth
from qdreamer_lab.dreamer.exact.case import Work, paid

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.device.cost import DeviceShape
    from qdreamer_lab.dreamer.sampled.cost import SampledShape
    from qdreamer_lab.dreamer.sampled.rounds import ShotPlan
    from qdreamer_lab.workload.sampled.lower import SampledProgram

__all__ = ["device_rounds"]


def device_rounds(
    program: SampledProgram, shapes: list[SampledShape], plan: ShotPlan, device: DeviceShape
) -> tuple[tuple[tuple[Work, ...], ...], float]:
    """Tasks of every round, and seconds on the device of all together."""
    each = [shot_seconds(device, program_depth(one.program)) for one in program.fragments]
    rounds, total, wait = [], 0.0, device.queue_s
    for shots in plan.rounds:
        works = []
        for shape, mine, seconds in zip(shapes, shots, each, strict=True):
            time_s = seconds * float(mine.sum())
            total += time_s
            works.append(
                Work(
                    items=len(mine),
                    each=paid("device", 1e9 * time_s / len(mine)),
                    once=paid("job", 1e9 * (device.job_overhead_s + wait)),
                    work_each=float(np.mean(mine)),
                    work_once=0.0,
                    memory_bytes=int(shape.tensor_bytes),
                    sent_bytes=int(shape.tensor_bytes),
                )
            )
            wait = 0.0
        rounds.append(tuple(works))
    return tuple(rounds), total
