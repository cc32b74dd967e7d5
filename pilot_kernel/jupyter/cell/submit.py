"""Submits cells: `%%ctask` and `%%qtask` as functions."""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pilot_kernel.errors import CellError, PlacementError
from pilot_kernel.jupyter.cell.cell_task import CellTask
from pilot_kernel.jupyter.cell.circuit_cutter import (
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
    options = options.named("circuit")
    circuits = _Circuits(session, cut, wishes, options, shots, precision, seed, dry_run)
    building = replace(options, on=_builder(session, options.on))
    payload = inputs.collect(cell.tree)
    first = _send(session, cell, payload, tuple(outputs), building)
    pubs: Any = None

    def run(outcome: CellOutcome) -> TaskLike:
        nonlocal pubs
        pubs, values = outcome.open()
        _check_pubs(pubs)
        deliver(values)
        return circuits.start(pubs)

    def finish(result: Any) -> Any:
        if not dry_run:
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
    circuits = _Circuits(session, cut, wishes, options, shots, None, seed, dry_run)
    first = circuits.start([circuit])
    return CellTask(first.name, first, clean=lambda error: clean(error, None))


class _Circuits:
    """How circuits run, whole or cut, or what is said of it; the arguments are those of `qtask`.

    Raises:
        CellError: Circuits cannot be cut like this, or only where they are cut.
        PlacementError: `wishes.fallback` names nothing that exists.
    """

    def __init__(
        self,
        session: "Session",
        cut: str | int | None,
        wishes: DeviceWishes,
        options: TaskOptions,
        shots: int | None,
        precision: float | None,
        seed: int | None,
        dry_run: bool,
    ) -> None:
        if wishes.fallback is not None:
            session.candidates(wishes.fallback)
        if cut is None:
            wishes.check_uncut()
        self._cutting = None if cut is None else cut_options(cut, wishes)
        self._session, self._options, self._dry_run = session, options, dry_run
        self._wishes, self._seed = wishes, seed
        self._effort: dict[str, Any] = {"shots": shots, "precision": precision}

    def start(self, pubs: Any) -> TaskLike:
        """Start PUBs; the value of the task is their result, or what a dry run says."""
        session, options, effort = self._session, self._options, self._effort
        if self._cutting is not None:
            how = effort | {"seed": self._seed, "dry_run": self._dry_run}
            return start(self._cutting, session, pubs, options, **how)
        place, prefer = places_named(options.on), self._wishes.prefer
        if self._dry_run:
            asked = effort | {"on": place or "qpu", "prefer": prefer}
            return LocalTask(options.name or "circuit", lambda _: session.dry_run(pubs, **asked))
        how = options.keywords() | effort | {"prefer": prefer, "fallback": self._wishes.fallback}
        return session.run(pubs, **how | {"on": place, "seed": self._seed})


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
