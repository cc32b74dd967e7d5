"""Finds the package that cuts circuits for `%%qtask --cut`, and runs it in the background.

A package that can cut registers a function under the entry point group `pilot_kernel.cutters`. It
takes one `CutRequest` and returns Qiskit's `PrimitiveResult` of the request's PUBs; of a dry run,
an object that says what a QPU would take. If it has an attribute `check`, that is called with the
`DeviceWishes` before anything runs, and raises a `CellError` about words that it does not know.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from pilot_kernel.errors import CellError, PubError
from pilot_kernel.jupyter.cell.device_wishes import NO_WISHES, DeviceWishes
from pilot_kernel.jupyter.cell.local_task import LocalTask
from pilot_kernel.task.notebook.options import TaskOptions

if TYPE_CHECKING:
    from pilot_kernel.sessions.session import Session

__all__ = [
    "ENTRY_POINTS",
    "CutOptions",
    "CutRequest",
    "Cutter",
    "cut_options",
    "places_named",
    "start",
]

ENTRY_POINTS = "pilot_kernel.cutters"
"""The group of entry points that name a `Cutter`."""

_FIRST = "qdreamer"
"""Which one is taken if there are several; else the first by name."""


@dataclass(frozen=True, eq=False)
class CutRequest:
    """What to cut, as a cutter is told.

    Attributes:
        session: Where fragments run as tasks.
        pubs: A list of estimator PUBs, or of sampler PUBs; never of both.
        width: Most qubits of a fragment; None lets the cutter choose, or leave a circuit whole.
        precision: Standard error wanted of PUBs that name none; None for the cutter's default.
        shots: Of sampler PUBs that name none; None for the cutter's default.
        seed: Of the random numbers.
        on: Kind of worker or name of a pilot, as `Session.submit` takes it; several of them share
            the fragments.
        stop: Set when it is canceled; the cutter then raises `CancelledError` soon.
        say: Prints a line in the cell.
        tell: Takes how many parts are done and how many there are.
        dry_run: Only say what the QPU would take; nothing is sent there.
        wishes: Which QPU is to be taken, what if it fails, and what is done about its errors.
    """

    session: "Session"
    pubs: list[Any]
    width: int | None
    precision: float | None
    shots: int | None
    seed: int | None
    on: str | list[str] | None
    stop: threading.Event
    say: Callable[[str], None]
    tell: Callable[[int, int], None]
    dry_run: bool = False
    wishes: DeviceWishes = NO_WISHES


Cutter = Callable[[CutRequest], Any]


@dataclass(frozen=True)
class CutOptions:
    """A checked `--cut`.

    Attributes:
        width: Most qubits of a fragment; None lets the cutter decide.
        cutter: The function that cuts.
        wishes: About QPUs.
    """

    width: int | None
    cutter: Cutter
    wishes: DeviceWishes = NO_WISHES


def cut_options(wanted: str | int, wishes: DeviceWishes = NO_WISHES) -> CutOptions:
    """Check the value of `--cut`, and find a cutter.

    Args:
        wanted: `auto`, or most qubits of a fragment.
        wishes: About QPUs.

    Raises:
        CellError: The value is neither, no installed package can cut, or not like this.
    """
    text = str(wanted).strip("'\"")
    if text != "auto" and not (text.isascii() and text.isdigit() and int(text) > 0):
        raise CellError(f"--cut {text}: auto, or the most qubits of a fragment, such as 12")
    cutter = _cutter()
    if (check := getattr(cutter, "check", None)) is not None:
        check(wishes)
    return CutOptions(None if text == "auto" else int(text), cutter, wishes)


def _cutter() -> Cutter:
    found = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if not found:
        raise CellError("--cut: no installed package can cut circuits; pip install qdreamer-lab")
    point = found[_FIRST if _FIRST in found else min(found)]
    try:
        loaded: Cutter = point.load()
    except (ImportError, AttributeError) as error:
        raise CellError(
            f"--cut: the cutter {point.name!r} is the entry point {point.value!r}, which cannot be "
            f"loaded: {error}"
        ) from error
    return loaded


def places_named(on: str | None) -> str | list[str] | None:
    """The value of `--on`: one kind of worker or pilot, or several with commas between them."""
    if on is None or "," not in on:
        return on
    return [each.strip() for each in on.split(",") if each.strip()]


def start(
    cut: CutOptions,
    session: "Session",
    pubs: Any,
    options: TaskOptions,
    *,
    precision: float | None = None,
    shots: int | None = None,
    seed: int | None = None,
    dry_run: bool = False,
) -> LocalTask:
    """Cut PUBs and run them, in the background.

    Args:
        cut: The width, and the cutter.
        session: Where fragments run as tasks.
        pubs: What to run, as `Session.run` takes it.
        options: Where fragments run; the name and the time limit of the whole.
        precision: Standard error wanted of estimator PUBs that name none.
        shots: Of sampler PUBs that name none.
        seed: Of the random numbers.
        dry_run: Only say what a QPU would take: that of `options.on`, or the only one there is.

    Raises:
        CellError: Shots are given for observables, or a precision for what is sampled.
        PubError: One of them is no PUB, or the precision is not positive.
    """
    from pilot_kernel.primitive.pub.check import has_observables, listed

    found = listed(pubs)
    estimated = has_observables(found)
    if estimated and shots is not None:
        raise CellError("--cut estimates these observables: it takes --precision, not --shots")
    if not estimated and precision is not None:
        raise CellError("--cut samples these circuits: it takes --shots, not --precision")
    if precision is not None and not precision > 0:
        raise PubError(f"--precision {precision:g}: more than zero")

    def work(task: LocalTask) -> Any:
        return cut.cutter(
            CutRequest(
                session=session,
                pubs=found,
                width=cut.width,
                precision=precision,
                shots=shots,
                seed=seed,
                on=places_named(options.on) or ("qpu" if dry_run else None),
                stop=task.stop,
                say=task.say,
                tell=task.tell,
                dry_run=dry_run,
                wishes=cut.wishes,
            )
        )

    return LocalTask(options.name or "cut", work, timeout_s=options.timeout_s)
