"""What is to run in a worker's task processes before their first task, as the agent hands it out.

Dask gives a plugin to every worker that is there, and to each that comes later with the answer to
its first call, before it has a task.
"""

import json
from collections.abc import Mapping
from typing import Any

from distributed.diagnostics.plugin import WorkerPlugin

from pilot_kernel.task.wire.messages import Kind, Message
from pilot_kernel.task.wire.packing import Bytes, Packed

__all__ = ["TROUBLE", "StartUp", "start_ups"]

TROUBLE = "trouble"
"""The metric with which a worker tells why no task can run there, if it knows."""


class StartUp(WorkerPlugin):  # type: ignore[misc]
    """One function, packed: neither the agent nor a worker unpacks it.

    Attributes:
        label: What the function is called.
        number: Unlike that of any other; the later, the higher.
        early: Whether it runs as soon as the worker is up, and the worker says so if it fails.
    """

    def __init__(
        self,
        label: str,
        number: int,
        packed: Packed,
        requirement: Mapping[str, float],
        *,
        early: bool = False,
    ) -> None:
        self.label = label
        self.number = number
        self.early = early
        self._packed = packed
        self._requirement = dict(requirement)

    def concerns(self, worker: Any) -> bool:
        """Whether a worker offers what is required of those that run it."""
        offers = worker.state.total_resources
        return all(offers.get(name, 0) >= least for name, least in self._requirement.items())

    @property
    def called(self) -> str:
        """What it is, in words."""
        return f"the {self.label}" if self.early else f"on_start function {self.label!r}"

    def trouble(self, answered: Message | None) -> str:
        """Why it has failed, by what its process answered; empty if it has not."""
        if answered is None:
            return f"its process died in {self.called}"
        kind, parts = answered
        if kind != Kind.ERROR:
            return ""
        lines = str(bytes(parts[0]), "utf-8").strip().splitlines()
        return lines[-1].partition(": ")[2] or lines[-1] if lines else f"{self.called} failed"

    def parts(self) -> list[Bytes]:
        """The parts of a `Kind.CALL`."""
        order = {"buffers": [len(self._packed.buffers)], "inputs": [], "keep": None}
        return [json.dumps(order).encode(), self._packed.header, *self._packed.buffers]


def start_ups(worker: Any) -> list[StartUp]:
    """What is to run first in the task processes of a Dask worker, in order."""
    found = [each for each in worker.plugins.values() if isinstance(each, StartUp)]
    return sorted((s for s in found if s.concerns(worker)), key=lambda each: each.number)
