"""The motifs by name: those of this package, and others by entry points."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from qdreamer_lab.errors import MotifError

if TYPE_CHECKING:
    from qdreamer_lab.workflow.motif import Motif

__all__ = ["ENTRY_POINTS", "motif", "motif_names"]

ENTRY_POINTS = "qdreamer_lab.motifs"
"""Group of entry points for motifs of other packages: subclasses of `Motif`."""

_OWN = {
    "circuit-execution": "qdreamer_lab.workflow.circuit_execution.app:CircuitExecution",
    "state-vector": "qdreamer_lab.workflow.state_vector.app:StateVector",
    "circuit-cutting": "qdreamer_lab.workflow.circuit_cutting.app:CircuitCutting",
    "variational": "qdreamer_lab.workflow.variational.app:VariationalAlgorithm",
    "learning": "qdreamer_lab.workflow.learning.app:Learning",
    "pipeline": "qdreamer_lab.workflow.pipeline.app:Pipeline",
}
"""Where the motifs of this package are; each is imported when it is asked for."""


def motif_names() -> list[str]:
    """The names of all motifs, this package's first."""
    from importlib.metadata import entry_points  # takes a while to load

    return [*_OWN, *sorted({p.name for p in entry_points(group=ENTRY_POINTS)} - set(_OWN))]


def motif(name: str) -> type[Motif]:
    """The motif of a name; `motif(name).small()` has parameters that take seconds.

    Raises:
        MotifError: There is none, or its package cannot be loaded.
    """
    if name in _OWN:
        module, _, attribute = _OWN[name].partition(":")
        found: type[Motif] = getattr(import_module(module), attribute)
        return found
    from importlib.metadata import entry_points

    points = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name not in points:
        raise MotifError(f"there is no motif {name!r}; there are {', '.join(motif_names())}")
    try:
        loaded: type[Motif] = points[name].load()
    except (ImportError, AttributeError) as error:
        raise MotifError(
            f"the motif {name!r} is the entry point {points[name].value!r}, which cannot be "
            f"loaded: {error}"
        ) from error
    return loaded
