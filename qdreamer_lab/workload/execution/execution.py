"""Where and how a run is carried out: the one object through which every mode gets its work done.

It holds the session, limits, progress and the watch over the workers, so that no mode can forget
one of them. What is computed is not known here.
"""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pilot_kernel.task.notebook.placement import on_gpu
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.execution.device import DeviceOptions
from qdreamer_lab.workload.execution.dispatch import run_chunks
from qdreamer_lab.workload.execution.limits import limit_bytes, task_limit_bytes
from qdreamer_lab.workload.execution.long_run_warning import warn_if_long
from qdreamer_lab.workload.execution.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.execution.chunk import Chunk, Divisible, Keep
    from qdreamer_lab.workload.execution.device import Device
    from qdreamer_lab.workload.execution.pace import Pace
    from qdreamer_lab.workload.execution.progress import Progress, Report
    from qdreamer_lab.workload.execution.session import SessionLike

__all__ = ["Execution"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Execution:
    """Where and how a run is carried out; `CutEstimator` explains each part.

    Attributes:
        session: Where tasks run; None is this process.
        on: Kind of worker or pilot, as the session takes it.
        backend: The device that runs circuits, the first if there are several; None for simulators.
        devices: All devices that run circuits, the first to be tried first.
        prefer: What decides between several devices that a fragment fits, "time", "fidelity" or
            "cost".
        device_options: How devices run circuits.
        fallback: Kind of worker or pilot for what the device cannot run; None for nothing.
        memory_limit_bytes: Most memory for a task or the reconstruction; None for what is free.
        most_workers: Most workers that may be busy for this run at once; None for all.
        progress: Told after every task.
        stop: Set from elsewhere to give up.
        watch: Follows the workers, from the beginning of the run to its end.
    """

    session: SessionLike | None = None
    on: str | None = None
    backend: BackendV2 | None = None
    devices: tuple[Device, ...] = ()
    prefer: str = "time"
    device_options: DeviceOptions = field(default_factory=DeviceOptions)
    fallback: str | None = None
    memory_limit_bytes: int | None = None
    most_workers: int | None = None
    progress: Progress | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    watch: Watch = field(default_factory=Watch)

    @property
    def in_process(self) -> bool:
        """Whether everything runs in this process."""
        return self.session is None

    @property
    def simulators(self) -> Execution:
        """The same where simulators run: that is where the device's work falls back to."""
        return self if self.backend is None else self.at(self.fallback)

    @property
    def device(self) -> str:
        """What holds the states of simulators: "GPU" if that is asked for, else "CPU"."""
        named = self.session if self.on else None
        pilots = [] if named is None else named.candidates(self.on)
        return "GPU" if on_gpu(self.on, pilots) else "CPU"

    def at(self, on: str | None) -> Execution:
        """The same on another kind of worker or pilot."""
        return replace(self, on=on)

    def beside_others(self, device: Device) -> Execution:
        """The same on one of several devices, whose workers are watched by themselves."""
        return replace(self, on=device.on, watch=Watch())

    def on_devices(self, devices: tuple[Device, ...]) -> Execution:
        """The same on these devices; on simulators if there are none.

        Raises:
            QDreamerError: If simulators are to mitigate errors, of which they make none.
        """
        if not devices:
            if self.device_options.mitigation:
                raise QDreamerError(
                    f"mitigation={list(self.device_options.mitigation)} is for errors of devices, "
                    "and simulators make none: name a device, with on= or backend=, or leave it out"
                )
            return replace(self, backend=None, devices=())
        first = devices[0]
        on = self.on if first.on is None else first.on
        return replace(self, backend=first.backend, devices=devices, on=on)

    def run(
        self, chunks: Iterable[Chunk | Divisible], keep: Keep, *, pace: Pace | None = None
    ) -> None:
        """Run everything, heaviest first, and hand on every result as it arrives.

        Args:
            chunks: Tasks, and work to be divided into tasks.
            keep: Called in this thread as `keep(chunk, result, row)`.
            pace: What is known from earlier work of the same kind, and learns more.

        Raises:
            CancelledError: If `stop` was set.
            WorkersLostError: If no worker is left, and none comes.
            PlanDropped: If the adviser gives up the plan.
        """
        if self.stop.is_set():  # also where there is nothing to run
            raise CancelledError
        run_chunks(
            chunks,
            self.session,
            on=self.on,
            stop=self.stop,
            keep=keep,
            pace=pace,
            watch=self.watch,
            most_workers=self.most_workers,
        )

    def limit_bytes(self) -> int:
        """Most memory that this process may take for the run."""
        return limit_bytes(self.memory_limit_bytes)

    def task_limit_bytes(self) -> int:
        """Most memory that a task may take on any of the workers that could run it."""
        return task_limit_bytes(self.memory_limit_bytes, self.session, self.on)

    def warn_if_long(self, seconds: float) -> None:
        """Warn if work that takes one worker so many seconds will take all of them hours."""
        warn_if_long(seconds / self.workers)

    def report(self, report: Report) -> None:
        """Tell the user how the run is getting on, and what was decided so far."""
        if self.progress is not None:
            self.progress(replace(report, decisions=self.watch.decisions))

    def work_ahead(self, work: float) -> None:
        """So much work of the present plan comes after what is handed to `run` next."""
        self.watch.work_ahead(work)

    def binding_done(self) -> None:
        """The values of one more set of parameter values are final."""
        self.watch.binding_done()

    def shots_planned(self, shots: int) -> None:
        """So many more shots are to be taken."""
        self.watch.shots_planned(shots)

    @property
    def workers(self) -> int:
        """How many share the work; for each pilot as many as it has, or will have."""
        if self.session is None:
            return 1
        pilots = self.session.candidates(self.on)
        there: int = max(1, sum(max(pilot.workers, pilot.wanted) for pilot in pilots))
        return there if self.most_workers is None else min(there, self.most_workers)
