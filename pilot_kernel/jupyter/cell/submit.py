"""Submits cells: `%%ctask` and `%%qtask` as functions."""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pilot_kernel.errors import CellError, PlacementError
from pilot_kernel.jupyter.cell.cell_task import CellTask
from pilot_kernel.jupyter.cell.circuit_cutter import (
    CutOptions,
    cut_options,
    places_named,
    start,
)
from pilot_kernel.jupyter.cell.device_wishes import NO_WISHES, DeviceWishes
from pilot_kernel.jupyter.cell.free_variables import (
    DEFAULT_LIMIT_BYTES,
    collect,
)
from pilot_kernel.jupyter.cell.local_task import LocalTask
from pilot_kernel.jupyter.cell.python_source import Cell
from pilot_kernel.jupyter.cell.tracebacks import clean
from pilot_kernel.jupyter.worker.payload import Payload
from pilot_kernel.jupyter.worker.run import CellOutcome, run_cell
from pilot_kernel.task.notebook.options import DEFAULT_OPTIONS, TaskOptions
from pilot_kernel.task.notebook.task_like import TaskLike

if TYPE_CHECKING:
    from pilot_kernel.sessions.session import Session

__all__ = ["CellInputs", "ctask", "qtask", "run_circuit"]

_WARN_BYTES = "distributed.admin.large-graph-warning-threshold"


@dataclass(frozen=True)
class CellInputs:
    """The variables that a cell may take along to its worker.

    Attributes:
        namespace: The notebook's variables.
        hidden: Those of them that the notebook itself has put there.
        inputs: The variables to send; None for those that the cell may read.
        limit_bytes: Most bytes that they may take together.
    """

    namespace: Mapping[str, Any]
    hidden: Mapping[str, Any] | None = None
    inputs: tuple[str, ...] | None = None
    limit_bytes: int = DEFAULT_LIMIT_BYTES

    def collect(self, tree: ast.Module) -> Payload:
        """Pickle the variables that a cell needs; see `free_variables.collect`."""
        return collect(
            tree,
            self.namespace,
            only=self.inputs,
            hidden=self.hidden,
            limit_bytes=self.limit_bytes,
        )


def ctask(
    session: "Session",
    cell: Cell,
    inputs: CellInputs,
    *,
    outputs: Iterable[str] = (),
    deliver: Callable[[dict[str, Any]], None] = lambda values: None,
    everywhere: bool = False,
    options: TaskOptions = DEFAULT_OPTIONS,
) -> CellTask:
    """Run a cell on a worker, or on all of them.

    Args:
        session: Where to run it.
        cell: The cell.
        inputs: The variables it may need.
        outputs: Variables to bring back besides the value of the last expression.
        deliver: Takes these variables when the cell is done.
        everywhere: Run it once on every worker that is up. Its value, and each variable that is
            brought back, is then a list in the order of the workers.
        options: Where and how its tasks run.

    Returns:
        A task whose result is the value of the cell's last expression.

    Raises:
        ShipError: A variable cannot be sent.
        PlacementError: `options.on` names nothing that exists.
    """
    outputs = tuple(outputs)
    payload = inputs.collect(cell.tree)
    options = options.named("cell")
    first = _send(session, cell, payload, outputs, options, everywhere=everywhere)

    def finish(outcome: CellOutcome | list[CellOutcome]) -> Any:
        if isinstance(outcome, CellOutcome):
            value, values = outcome.open()
        else:
            opened = [each.open() for each in outcome]
            value = [value for value, _ in opened]
            values = {name: [found[name] for _, found in opened] for name in outputs}
        deliver(values)
        return value

    return CellTask(
        first.name,
        first,
        finish=finish,
        shipped=payload.sizes,
        clean=lambda error: clean(error, cell.filename),
        outputs=outputs,
    )


def qtask(
    session: "Session",
    cell: Cell,
    inputs: CellInputs,
    *,
    shots: int | None = None,
    precision: float | None = None,
    seed: int | None = None,
    cut: str | int | None = None,
    dry_run: bool = False,
    wishes: DeviceWishes = NO_WISHES,
    outputs: Iterable[str] = (),
    deliver: Callable[[dict[str, Any]], None] = lambda values: None,
    options: TaskOptions = DEFAULT_OPTIONS,
    on_result: Callable[[Any, Any], None] = lambda pubs, result: None,
) -> CellTask:
    """Build circuits on a worker and run them, spread over the pilot.

    Args:
        session: Where to run it.
        cell: A cell whose last expression is a circuit, a PUB, or a list of them.
        inputs: The variables it may need.
        shots: As for `Session.run`.
        precision: As for `Session.run`.
        seed: As for `Session.run`.
        cut: Most qubits of a fragment, or `auto`; see `circuit_cutter`. None leaves circuits whole.
        dry_run: Only say what the circuits would take on a QPU; the cell that builds them runs.
        wishes: Which QPU is to be taken, what if it fails, and what is done about its errors.
        outputs: Variables of the cell to bring back.
        deliver: Takes these variables when the circuits are built.
        options: Where and how its tasks run.
        on_result: Called with the PUBs and their result.

    Returns:
        A task whose result is a Qiskit `PrimitiveResult`, or for a dry run what it says.

    Raises:
        CellError: The cell does not end with an expression, or circuits cannot be cut like this.
        ShipError: A variable cannot be sent.
        PlacementError: `options.on` names nothing that exists.
    """
    if not cell.ends_with_value:
        raise CellError(
            "a %%qtask cell ends with what to run: a circuit, a PUB such as (circuit, "
            "observables), or a list of them; its last line is a statement"
        )
    cutting = _cutting(session, cut, wishes)
    options = options.named("circuit")
    building = replace(options, on=_builder(session, options.on))
    payload = inputs.collect(cell.tree)
    first = _send(session, cell, payload, tuple(outputs), building)
    pubs: Any = None
    told: Any = None

    def run(outcome: CellOutcome) -> TaskLike | None:
        nonlocal pubs, told
        pubs, values = outcome.open()
        _check_pubs(pubs)
        deliver(values)
        if cutting is not None:
            return start(
                *(cutting, session, pubs, options),
                precision=precision,
                shots=shots,
                seed=seed,
                dry_run=dry_run,
            )
        if dry_run:
            asked: dict[str, Any] = {
                "shots": shots,
                "precision": precision,
                "prefer": wishes.prefer,
            }
            told = session.dry_run(pubs, on=places_named(options.on) or "qpu", **asked)
            return None
        how = _how(options, wishes)
        return session.run(pubs, shots=shots, precision=precision, seed=seed, **how)

    def finish(result: Any) -> Any:
        if dry_run:
            return result if told is None else told
        on_result(pubs, result)
        return result

    return CellTask(
        first.name,
        first,
        then=run,
        finish=finish,
        shipped=payload.sizes,
        clean=lambda error: clean(error, cell.filename),
    )


def run_circuit(
    session: "Session",
    circuit: Any,
    *,
    shots: int | None = None,
    seed: int | None = None,
    cut: str | int | None = None,
    dry_run: bool = False,
    wishes: DeviceWishes = NO_WISHES,
    options: TaskOptions = DEFAULT_OPTIONS,
) -> CellTask:
    """Sample a circuit, as `%%qtask --qasm` does; the rest is as for `qtask`."""
    options = options.named("circuit")
    cutting = _cutting(session, cut, wishes)
    first: TaskLike
    if cutting is not None:
        asked: dict[str, Any] = {"shots": shots, "seed": seed, "dry_run": dry_run}
        first = start(cutting, session, [circuit], options, **asked)
    elif dry_run:
        how: dict[str, Any] = {"on": places_named(options.on) or "qpu", "prefer": wishes.prefer}
        first = LocalTask(
            options.name or "circuit", lambda _: session.dry_run([circuit], shots=shots, **how)
        )
    else:
        first = session.run([circuit], shots=shots, seed=seed, **_how(options, wishes))
    return CellTask(first.name, first, clean=lambda error: clean(error, None))


def _cutting(session: "Session", cut: str | int | None, wishes: DeviceWishes) -> CutOptions | None:
    """How circuits are cut, if they are; what makes no sense is refused."""
    if wishes.fallback is not None:
        session.candidates(wishes.fallback)
    if cut is not None:
        return cut_options(cut, wishes)
    wishes.check_uncut()
    return None


def _how(options: TaskOptions, wishes: DeviceWishes) -> dict[str, Any]:
    """The arguments of `Session.run`."""
    how = options.keywords() | {"prefer": wishes.prefer, "fallback": wishes.fallback}
    return how | {"on": places_named(options.on)}


def _send(
    session: "Session",
    cell: Cell,
    payload: Payload,
    outputs: tuple[str, ...],
    options: TaskOptions,
    *,
    everywhere: bool = False,
) -> TaskLike:
    session.candidates(options.on)  # a wrong place is reported before a large payload is sent
    import dask  # which the session has imported by now, in another thread

    # Dask would warn of large arguments; the user has a limit of his own for them.
    with dask.config.set({_WARN_BYTES: 2 * payload.total_bytes + 10**7}):
        arguments = (cell.source, cell.filename, payload, outputs)
        if everywhere:
            return session.broadcast_call(run_cell, arguments, {}, options)
        return session.submit_call(run_cell, arguments, {}, options)


def _builder(session: "Session", on: str | None) -> str | None:
    """Where circuits are built: on the pilot that runs them if it has CPUs, else on any."""
    several = places_named(on)
    if isinstance(several, list):
        if not several:
            raise CellError(f"--on {on}: a kind of worker, a pilot's name, or QPUs' as one,other")
        for each in several:
            session.candidates(each)  # before anything is built
        on = several[0]
    chosen = session.candidates(on)
    named = on if any(pilot.name == on and "CPU" in pilot.offers for pilot in chosen) else None
    try:
        session.candidates(named)
    except PlacementError:
        return on
    return named


def _check_pubs(value: Any) -> None:
    from pilot_kernel.errors import PubError
    from pilot_kernel.primitive.pub.check import has_observables, listed

    try:
        has_observables(listed(value))
    except PubError as error:
        raise CellError(f"the last expression of a %%qtask cell is what to run: {error}") from None
