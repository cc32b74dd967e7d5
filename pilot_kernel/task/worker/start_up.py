"""What is to run in a worker's task processes before their first task, as the agent hands it out.

Dask gives a plugin to every worker that is there, and to each that comes later with the answer to
its first call, before it has a task.
"""

import json
from collections.abc import Mapping
from typing import Any

from distributed.diagnostics.plugin import WorkerPlugin

from pilot_kernel.task.wire.packing import Bytes, Packed

__all__ = ["StartUp", "start_ups"]


class StartUp(WorkerPlugin):  # type: ignore[misc]
    """One function, packed: neither the agent nor a worker unpacks it.

    Attributes:
        label: What the function is called.
        number: Unlike that of any other; the later, the higher.
    """

    def __init__(
        self, label: str, number: int, packed: Packed, requirement: Mapping[str, float]
    ) -> None:
        self.label = label
        self.number = number
        self._packed = packed
        self._requirement = dict(requirement)

    def concerns(self, worker: Any) -> bool:
        """Whether a worker offers what is required of those that run it."""
        offers = worker.state.total_resources
        return all(offers.get(name, 0) >= least for name, least in self._requirement.items())

    def parts(self) -> list[Bytes]:
        """The parts of a `Kind.CALL`."""
        order = {"buffers": [len(self._packed.buffers)], "inputs": [], "keep": None}
        return [json.dumps(order).encode(), self._packed.header, *self._packed.buffers]


def start_ups(worker: Any) -> list[StartUp]:
    """What is to run first in the task processes of a Dask worker, in order."""
    found = [each for each in worker.plugins.values() if isinstance(each, StartUp)]
    return sorted((s for s in found if s.concerns(worker)), key=lambda each: each.number)
