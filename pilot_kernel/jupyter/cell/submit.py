"""What `%%ctask` and `%%qtask` do, for people who would rather call a function."""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilot_kernel.errors import CellError, PlacementError
from pilot_kernel.jupyter.cell.cell_task import CellTask
from pilot_kernel.jupyter.cell.cutting import cut_options, start
from pilot_kernel.jupyter.cell.free_variables import (
    DEFAULT_LIMIT_BYTES,
    bound_names,
    collect,
    read_names,
)
from pilot_kernel.jupyter.cell.python_source import Cell
from pilot_kernel.jupyter.cell.tracebacks import clean
from pilot_kernel.jupyter.worker.payload import Payload
from pilot_kernel.jupyter.worker.run import CellOutcome, run_cell

if TYPE_CHECKING:
    from pilot_kernel.jupyter.cell.local_task import LocalTask
    from pilot_kernel.sessions.session import Session
    from pilot_kernel.task.notebook.handle import Task

__all__ = ["CellInputs", "Placement", "ctask", "qtask", "run_circuit"]

_WARN_BYTES = "distributed.admin.large-graph-warning-threshold"


@dataclass(frozen=True)
class Placement:
    """Where and how a cell's tasks run; the fields are `Session.submit`'s."""

    on: str | None = None
    name: str | None = None
    retries: int | None = None
    timeout_s: float | None = None

    def options(self, default_name: str) -> dict[str, Any]:
        """As keyword arguments of `Session.submit` and `Session.run`."""
        return {
            "on": self.on,
            "name": self.name or default_name,
            "retries": self.retries,
            "timeout_s": self.timeout_s,
        }


@dataclass(frozen=True)
class CellInputs:
    """What goes to the worker with a cell, and what comes back.

    Attributes:
        namespace: The notebook's variables.
        hidden: Those of them that the notebook itself put there.
        inputs: What to send; None for what the cell is found to read.
        limit_bytes: What all of it may weigh.
    """

    namespace: Mapping[str, Any]
    hidden: Mapping[str, Any] | None = None
    inputs: tuple[str, ...] | None = None
    limit_bytes: int = DEFAULT_LIMIT_BYTES

    def collect(self, tree: ast.Module) -> Payload:
        """Pickle what a cell needs; see `free_variables.collect`."""
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
    shipping: CellInputs,
    *,
    outputs: Iterable[str] = (),
    deliver: Callable[[dict[str, Any]], None] = lambda values: None,
    placement: Placement = Placement(),
) -> CellTask:
    """Run a cell on a worker.

    Args:
        session: Where to run it.
        cell: The cell.
        shipping: The variables it may need.
        outputs: The names it is to bring back besides the value of its last expression.
        deliver: Takes those names and their values when the cell is done.
        placement: Where and how.

    Returns:
        A task whose result is the value of the cell's last expression.

    Raises:
        CellError: The cell never defines one of `outputs`.
        ShipError: A variable cannot be sent.
        PlacementError: `placement.on` names nothing that exists.
    """
    outputs = tuple(outputs)
    _check_outputs(cell, outputs)
    payload = shipping.collect(cell.tree)
    options = placement.options("cell")
    first = _send(session, cell, payload, outputs, options)

    def finish(outcome: CellOutcome) -> Any:
        value, values = outcome.open()
        deliver(values)
        return value

    return CellTask(
        options["name"],
        first,
        finish=finish,
        shipped=payload.sizes,
        clean=lambda error: clean(error, cell.filename),
    )


def qtask(
    session: "Session",
    cell: Cell,
    shipping: CellInputs,
    *,
    shots: int | None = None,
    precision: float | None = None,
    seed: int | None = None,
    cut: str | int | None = None,
    placement: Placement = Placement(),
    watch: Callable[[Any, Any], None] = lambda pubs, result: None,
) -> CellTask:
    """Build circuits on a worker and run them, spread over the pilot.

    Args:
        session: Where to run it.
        cell: A cell whose last expression is a circuit, a PUB, or a list of them.
        shipping: The variables it may need.
        shots: As for `Session.run`.
        precision: As for `Session.run`.
        seed: As for `Session.run`.
        cut: Most qubits of a fragment, or `auto`; see `cutting`. None leaves circuits whole.
        placement: Where and how.
        watch: Called with the PUBs and their result when it is there.

    Returns:
        A task whose result is a Qiskit `PrimitiveResult`.

    Raises:
        CellError: The cell does not end with an expression, or circuits cannot be cut like this.
        ShipError: A variable cannot be sent.
        PlacementError: `placement.on` names nothing that exists.
    """
    if not cell.ends_with_value:
        raise CellError(
            "a %%qtask cell ends with what to run: a circuit, a PUB such as (circuit, "
            "observables), or a list of them; its last line is a statement"
        )
    cutting = None if cut is None else cut_options(cut)
    if cutting is not None and shots is not None:
        raise CellError("--cut estimates observables: it takes --precision, not --shots")
    options = placement.options("circuit")
    building = {**options, "on": _builder(session, placement.on)}
    payload = shipping.collect(cell.tree)
    first = _send(session, cell, payload, (), building)
    pubs: Any = None

    def run(outcome: CellOutcome) -> "Task | LocalTask":
        nonlocal pubs
        pubs, _ = outcome.open()
        _check_pubs(pubs)
        if cutting is not None:
            how = {key: value for key, value in options.items() if key != "retries"}
            return start(cutting, session, pubs, precision=precision, seed=seed, **how)
        return session.run(pubs, shots=shots, precision=precision, seed=seed, **options)

    def finish(result: Any) -> Any:
        watch(pubs, result)
        return result

    return CellTask(
        options["name"],
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
    placement: Placement = Placement(),
) -> CellTask:
    """Sample a circuit that is there already, as `%%qtask --qasm` does."""
    options = placement.options("circuit")
    first = session.run([circuit], shots=shots, seed=seed, **options)
    return CellTask(options["name"], first, clean=lambda error: clean(error, None))


def _send(
    session: "Session",
    cell: Cell,
    payload: Payload,
    outputs: tuple[str, ...],
    options: dict[str, Any],
) -> "Task":
    import dask

    session.candidates(options["on"])  # a wrong place is told before a large payload is sent
    # Dask warns of large arguments, not knowing that the user was told and has set a limit.
    with dask.config.set({_WARN_BYTES: 2 * payload.total_bytes + 10**7}):
        return session.submit(run_cell, cell.source, cell.filename, payload, outputs, **options)


def _builder(session: "Session", on: str | None) -> str | None:
    """Where the circuits are built: in the same pilot if it has CPUs, else on any."""
    chosen = session.candidates(on)
    named = on if any(pilot.name == on and "CPU" in pilot.offers for pilot in chosen) else None
    try:
        session.candidates(named)
    except PlacementError:
        return on
    return named


def _check_outputs(cell: Cell, outputs: tuple[str, ...]) -> None:
    bound = bound_names(cell.tree)
    if bound is None:
        return
    for name in outputs:
        if name not in bound and name not in read_names(cell.tree):
            raise CellError(f"-o {name}: the cell never defines {name}")


def _check_pubs(value: Any) -> None:
    from pilot_kernel.errors import PubError
    from pilot_kernel.primitive.pub.check import has_observables, listed

    try:
        has_observables(listed(value))
    except PubError as error:
        raise CellError(f"the last expression of a %%qtask cell is what to run: {error}") from None
