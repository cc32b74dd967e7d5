"""Finds the package that has motifs for `%motif`, and hands the line to it.

A package with motifs registers a function under the entry point group `pilot_kernel.motifs`. It
takes one `MotifRequest`, and returns what the cell shows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from pilot_kernel.errors import CellError

if TYPE_CHECKING:
    from pilot_kernel.sessions.session import Session

__all__ = ["ENTRY_POINTS", "MotifRequest", "run_motif"]

ENTRY_POINTS = "pilot_kernel.motifs"
"""The group of entry points that name a function with motifs."""


@dataclass(frozen=True)
class MotifRequest:
    """What was typed behind `%motif`.

    Attributes:
        session: Opens the notebook's session, where tasks run.
        name: Of the motif; None asks which there are.
        preset: The parameters to begin with.
        settings: Other parameters, each as `key=value`.
        say: Prints a line in the cell.
        help: Whether what the motif does and takes is asked for, and not a run.
    """

    session: "Callable[[], Session]"
    name: str | None
    preset: str
    settings: tuple[str, ...]
    say: Callable[[str], None]
    help: bool = False


def run_motif(request: MotifRequest) -> Any:
    """What the installed package makes of it.

    Raises:
        CellError: No installed package has motifs, or the request makes no sense.
    """
    found = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if not found:
        raise CellError("%motif: no installed package has motifs; pip install qdreamer-lab")
    point = found[min(found)]
    try:
        function: Callable[[MotifRequest], Any] = point.load()
    except (ImportError, AttributeError) as error:
        raise CellError(
            f"%motif: {point.name!r} is the entry point {point.value!r}, which cannot be loaded: "
            f"{error}"
        ) from error
    return function(request)
