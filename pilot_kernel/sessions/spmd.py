"""What a session does in many processes at once: on every worker, or in the ranks of MPI."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pilot_kernel.errors import PilotError, PlacementError
from pilot_kernel.resource.pilot import PilotStatus
from pilot_kernel.sessions.tasks import TaskBook
from pilot_kernel.task.notebook.broadcast_task import BroadcastTask, in_order
from pilot_kernel.task.notebook.handle import Task
from pilot_kernel.task.notebook.options import DEFAULT_OPTIONS, TaskOptions
from pilot_kernel.task.notebook.placement import requirement
from pilot_kernel.task.wire.record import TaskRecord

__all__ = ["Spmd", "StartUpHandle"]

_COMING_S = 10.0
_LOOK_S = 0.05

Program = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class StartUpHandle:
    """A function that runs first in task processes; sessions make these, users do not.

    Attributes:
        name: By which `worker_state` finds what it returned.
    """

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self.name = name
        self._call = call

    def remove(self) -> None:
        """Have it not run any more in processes to come; where it ran, its traces stay."""
        self._call("start_up_remove", label=self.name)

    def __repr__(self) -> str:
        return f"<on_start {self.name}>"


class Spmd:
    """Part of a `Session`, which has all that is declared here."""

    _tasks: TaskBook

    def _call(self, handler: str, **arguments: Any) -> Any:
        raise NotImplementedError

    def candidates(self, on: str | None = None) -> list[PilotStatus]:
        """The pilots that could run a task."""
        raise NotImplementedError

    def submit_call(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: TaskOptions = DEFAULT_OPTIONS,
    ) -> Task:
        """Submit a call with options."""
        raise NotImplementedError

    def history(self, keys: list[str] | None = None) -> list[TaskRecord]:
        """When and where tasks ran."""
        raise NotImplementedError

    # ---- every worker

    def broadcast(
        self,
        fn: Callable[..., Any],
        /,
        *args: Any,
        on: str | None = None,
        name: str | None = None,
        timeout_s: float | None = None,
        **kwargs: Any,
    ) -> BroadcastTask:
        """Run `fn(*args, **kwargs)` once on every worker that is up, and on no other.

        Workers that are about to come up are waited for, ten seconds at most. A worker that is
        busy runs it when it is free. If one ends before, the call fails there: what a worker that
        takes its place is to have is for `on_start`.

        Args:
            fn: What to call.
            *args: Its arguments.
            on: A kind of worker (`cpu`, `gpu`, `qpu`) or a pilot's name; any CPU by default.
            name: What to call it; the function's name by default.
            timeout_s: Seconds that it may run on each.
            **kwargs: Its keyword arguments.

        Returns:
            A task whose result is the list of what workers returned, in the order of their names,
            which are its `workers`.

        Raises:
            PlacementError: `on` names nothing that exists, or no such worker is up.
            ShipError: The function or an argument cannot be pickled.
            AgentLostError: The session's agent is gone.
        """
        options = TaskOptions(on=on, name=name, timeout_s=timeout_s)
        return self.broadcast_call(fn, args, kwargs, options)

    def broadcast_call(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: TaskOptions = DEFAULT_OPTIONS,
    ) -> BroadcastTask:
        """What `broadcast` does, for callers with options of their own."""
        if not callable(fn):
            raise PilotError(f"broadcast takes a function, not {type(fn).__name__}")
        workers = self._workers_up(options)
        label = options.name or _name_of(fn)
        parts = [
            self.submit_call(
                *(fn, args, kwargs),
                replace(options, name=f"{label}@{worker}", part=True, worker=address),
            )
            for address, worker in workers
        ]
        task = BroadcastTask(label, [worker for _, worker in workers], parts, self.history)
        self._tasks.keep(task)
        return task

    def _workers_up(self, options: TaskOptions) -> list[tuple[str, str]]:
        """Address and name of each worker that fits, sorted; those about to come are waited for."""
        required = requirement(options.on, options.needs)
        deadline = time.monotonic() + _COMING_S
        while True:
            pilots = [p for p in self.candidates(options.on) if options.needs.of_worker(p)]
            if not pilots:
                raise PlacementError(
                    f"{options.needs}: no worker has that by itself, and a broadcast runs on each "
                    "by itself; submit a task, which may have the cores of several"
                )
            found: list[tuple[str, str]] = [
                (address, worker)
                for address, worker in self._call("workers_up", requirement=required)
            ]
            missing = sum(max(0, pilot.wanted - pilot.workers) for pilot in pilots)
            if (found and not missing) or time.monotonic() > deadline:
                break
            time.sleep(_LOOK_S)
            pilots = self.pilot_statuses()
        if not found:
            standing = ", ".join(f"{p.name} ({p.state})" for p in pilots) or "none"
            raise PlacementError(
                f"no worker that fits is up yet, of pilots {standing}: call broadcast when one is "
                "(session.pilots says), or let on_start do it on those that come"
            )
        return sorted(found, key=lambda each: in_order(each[1]))

    def pilot_statuses(self) -> list[PilotStatus]:
        """How every pilot stands now."""
        raise NotImplementedError

    def on_start(
        self, fn: Callable[[], Any], *, on: str | None = None, name: str | None = None
    ) -> StartUpHandle:
        """Have `fn()` run in every task process before its next task, also in those to come.

        That is on each worker there is or will be, once, and once more where a crash or a cancelled
        task made a new process necessary. What it returns is found by tasks there with
        `pilot_kernel.worker_state(name)`. If it raises, tasks there fail with an `OnStartError`.

        Args:
            fn: What to call, without arguments.
            on: A kind of worker (`cpu`, `gpu`, `qpu`) or a pilot's name; all workers by default.
            name: What to call it; the function's name by default. One of the same name is replaced.

        Raises:
            PlacementError: `on` names nothing that exists.
            ShipError: The function cannot be pickled.
            AgentLostError: The session's agent is gone.
        """
        from pilot_kernel.task.process.first_calls import call_first
        from pilot_kernel.task.wire.packing import pack_call

        if not callable(fn):
            raise PilotError(f"on_start takes a function, not {type(fn).__name__}")
        if on is not None:
            self.candidates(on)
        label = name or _name_of(fn)
        packed = pack_call(call_first, (label, fn), {})
        self._call(
            "start_up_add",
            label=label,
            header=bytes(packed.header),
            buffers=list(packed.buffers),
            requirement={} if on is None else requirement(on),
        )
        return StartUpHandle(label, self._call)

    # ---- ranks

    def submit_mpi(
        self,
        fn_or_program: Callable[..., Any] | Program,
        /,
        *args: Any,
        ranks: int,
        on: str | None = None,
        oversubscribe: bool = False,
        launcher: str | None = None,
        name: str | None = None,
        timeout_s: float | None = None,
        memory_bytes: int | None = None,
        tags: Sequence[str] = (),
        priority: int = 0,
        workload: str | None = None,
        **kwargs: Any,
    ) -> Task:
        """Run a function, or a program, in several MPI ranks on the host of one worker.

        A function is called as `fn(MPI.COMM_WORLD, *args, **kwargs)` in each; what rank 0 returns
        is the result. A program is started in each with `args` as its arguments; the result is a
        `ScriptResult` with what rank 0 wrote to its standard output. What ranks write is the
        task's output as it comes, each line marked `[rank 2]`. Ranks die together: the error of
        the one that failed first is the task's.

        The worker needs mpirun, or srun in a SLURM job, and mpi4py for functions.

        Args:
            fn_or_program: A function; or the path or name of a program, which Python runs if it
                ends with `.py`; or a list of a program and its first arguments.
            *args: Arguments.
            ranks: How many ranks.
            on: A kind of worker (`cpu`, `gpu`, `qpu`) or a pilot's name; any CPU by default.
            oversubscribe: Allow more ranks than the worker has cores.
            launcher: `mpirun` or `srun`; by default srun in a SLURM job, else mpirun.
            name: What to call the task; the name of the function or program by default.
            timeout_s: Seconds that it may run.
            memory_bytes: Memory that its worker may use at least, for all ranks together.
            tags: Words that its worker's pilot was given, all of them.
            priority: As for `submit`.
            workload: As for `submit`.
            **kwargs: Keyword arguments of the function.

        Raises:
            PlacementError: `on` names nothing that exists, or no worker has a core for each rank.
            PilotError: `ranks` is no number of ranks, or a program was given keyword arguments.
            ShipError: The function or an argument cannot be pickled.
            AgentLostError: The session's agent is gone.
        """
        from pilot_kernel.task.mpi.job import run_function, run_script
        from pilot_kernel.task.mpi.launcher import LAUNCHERS

        if isinstance(ranks, bool) or not isinstance(ranks, int) or ranks < 1:
            raise PilotError(f"ranks={ranks!r}: a whole number of at least 1")
        if launcher not in (None, *LAUNCHERS):
            raise PilotError(f"launcher={launcher!r}: {' or '.join(map(repr, LAUNCHERS))}, or None")
        options = TaskOptions(
            on=on,
            name=name,
            timeout_s=timeout_s,
            cores=None if oversubscribe else ranks,
            memory_bytes=memory_bytes,
            tags=tags,
            priority=priority,
            workload=workload,
        )
        self._check_cores(options, ranks)
        if callable(fn_or_program):
            options = options.named(_name_of(fn_or_program))
            first = (fn_or_program, ranks, launcher)
            return self.submit_call(run_function, (*first, *args), kwargs, options)
        if kwargs:
            raise PilotError(f"a program takes no keyword arguments: {', '.join(kwargs)}")
        command = [*_words(fn_or_program), *map(str, args)]
        options = options.named(Path(command[0]).name)
        return self.submit_call(run_script, (command, ranks, launcher), {}, options)

    def _check_cores(self, options: TaskOptions, ranks: int) -> None:
        pilots = self.candidates(options.on)
        most = max(max(pilot.cores_per_worker, pilot.most_cores) for pilot in pilots)
        if options.cores is not None and most < ranks:
            raise PlacementError(
                f"ranks={ranks}: workers have at most {most} core{'' if most == 1 else 's'}, and a "
                f"rank wants one; add a pilot with cores_per_worker={ranks}, or pass "
                "oversubscribe=True to let ranks share cores"
            )


def _name_of(fn: Callable[..., Any]) -> str:
    return str(getattr(fn, "__name__", type(fn).__name__))


def _words(program: Program) -> list[str]:
    """A program and its first arguments; a file that is there is named by its whole path."""
    words = [program] if isinstance(program, (str, os.PathLike)) else program
    paths = isinstance(words, Sequence) and all(isinstance(w, (str, os.PathLike)) for w in words)
    named = [os.fspath(word) for word in words] if paths else []
    if not named or not isinstance(named[0], str) or not named[0]:
        raise PilotError("submit_mpi takes a function, or a program: a path, or a list of words")
    if os.path.isfile(named[0]):
        named[0] = os.path.abspath(named[0])
    return named
