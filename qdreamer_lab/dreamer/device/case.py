"""What a device would do in a run: its tasks, in the time that its own durations give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.device.cost import shot_seconds
from qdreamer_lab.dreamer.fragment.shape import program_depth
from qdreamer_lab.dreamer.model.case import Work
from qdreamer_lab.dreamer.model.coefficients import paid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.device.cost import DeviceShape
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["device_rounds"]


def device_rounds(
    programs: Sequence[FragmentProgram],
    result_bytes: Sequence[int],
    rounds: Sequence[Sequence[NDArray[np.int64]]],
    device: DeviceShape,
) -> tuple[tuple[tuple[Work, ...], ...], float]:
    """Tasks of every round, and seconds on the device of all together.

    Args:
        programs: Of the fragments.
        result_bytes: Per fragment, size of what its task makes of the counts.
        rounds: Per round and fragment, (variants,) shots.
        device: What runs them.
    """
    each = [shot_seconds(device, program_depth(program)) for program in programs]
    found, total, wait = [], 0.0, device.queue_s
    for shots in rounds:
        works = []
        for size, mine, seconds in zip(result_bytes, shots, each, strict=True):
            time_s = seconds * float(mine.sum())
            total += time_s
            works.append(
                Work(
                    items=len(mine),
                    each=paid("device", 1e9 * time_s / len(mine)),
                    once=paid("job", 1e9 * (device.job_overhead_s + wait)),
                    work_each=float(np.mean(mine)),
                    work_once=0.0,
                    memory_bytes=size,
                    sent_bytes=size,
                )
            )
            wait = 0.0
        found.append(tuple(works))
    return tuple(found), total
