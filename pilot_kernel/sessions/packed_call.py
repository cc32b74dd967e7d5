"""A call as it is sent to the scheduler: packed, with what it needs of a worker."""

from collections.abc import Callable
from typing import Any

from pilot_kernel.task.notebook.inputs import Inputs
from pilot_kernel.task.notebook.options import TaskOptions
from pilot_kernel.task.notebook.placement import requirement

__all__ = ["packed_call"]


def packed_call(
    key: str,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    options: TaskOptions,
    workload: str,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Pack a call.

    Args:
        key: The task's key.
        fn: What to call.
        args: Its arguments; a task among them stands for its result, a `Shared` for its value.
        kwargs: Its keyword arguments.
        options: Where, how often and how long it may run.
        workload: What it is a part of, if the options do not say.

    Returns:
        The arguments of `pilot_kernel.task.worker.plugin.perform`, and Dask's annotations.

    Raises:
        ShipError: The function or an argument cannot be pickled.
    """
    from pilot_kernel.resource.agent.blame import DEATHS_ALLOWED
    from pilot_kernel.resource.agent.waiting_room import CORES, MEMORY, TIMEOUT, WORKLOAD
    from pilot_kernel.task.wire.packing import Call, pack_call
    from pilot_kernel.task.wire.record import SHARES

    inputs = Inputs()
    packed = pack_call(
        fn,
        tuple(inputs.place(value) for value in args),
        {name: inputs.place(value) for name, value in kwargs.items()},
    )
    retries = options.retries
    crashes = 1 if retries is None else min(1, retries)
    required = requirement(options.on, options.needs)
    wide = options.needs.cores is not None and options.needs.cores > 1
    notes: dict[str, Any] = {
        "resources": required,
        "priority": options.priority,
        WORKLOAD: options.workload or workload,
    }
    if wide:  # no worker alone has to have it: the agent sees who has it together
        notes[CORES] = required.pop("cores")
        if "memory" in required:
            notes[MEMORY] = required.pop("memory")
    if options.worker is not None:
        notes["workers"] = [options.worker]
    if options.timeout_s is not None:
        notes[TIMEOUT] = options.timeout_s
    if shares := inputs.shares():
        notes[SHARES] = shares
    if retries is not None:
        notes[DEATHS_ALLOWED] = retries
    call = Call(key, packed, options.timeout_s, crashes, notes.get(CORES, 1))
    return (call, *inputs.references()), notes
