"""The ways to run circuits that there are. A new one is a room and a line here."""

from __future__ import annotations

from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.exact.run import ExactRunner
from qdreamer_lab.workload.mode import USUAL_METHOD, Mode
from qdreamer_lab.workload.sampled.run import SampledRunner
from qdreamer_lab.workload.uncut.run import MatrixProductStateRunner, StabilizerRunner

__all__ = [
    "AUTO",
    "EXACT",
    "METHODS",
    "MODES",
    "MODE_NAMES",
    "SAMPLED",
    "mode_of",
    "modes_among",
]

AUTO = "auto"
"""Stands for the mode that fits what is asked for."""

EXACT = Mode("exact", USUAL_METHOD, cuts=True, runner=ExactRunner)
SAMPLED = Mode("sampled", USUAL_METHOD, cuts=True, takes_shots=True, runner=SampledRunner)

MODES = (
    EXACT,
    SAMPLED,
    Mode("exact", "matrix_product_state", cuts=False, runner=MatrixProductStateRunner),
    Mode("exact", "stabilizer", cuts=False, runner=StabilizerRunner),
)

MODE_NAMES = tuple(dict.fromkeys(mode.name for mode in MODES))
"""What `mode=` may be."""

METHODS = tuple(dict.fromkeys(mode.method for mode in MODES))
"""What `method=` may be: how circuits are simulated."""


def mode_of(name: str, method: str = USUAL_METHOD) -> Mode:
    """The mode of a name and a method.

    Raises:
        QDreamerError: If there is none.
    """
    for mode in MODES:
        if (mode.name, mode.method) == (name, method):
            return mode
    raise QDreamerError(f"there is no mode={name!r} with method={method!r}")


def modes_among(name: str, method: str, *, sampled: bool) -> tuple[Mode, ...]:
    """The modes among which a run chooses: those of a method, and of a name unless it is "auto"."""
    known = [mode for mode in MODES if mode.method == method]
    chosen = tuple(mode for mode in known if name in (AUTO, mode.name))
    if not chosen or (sampled and not any(mode.takes_shots for mode in known)):
        raise QDreamerError(f"method={method!r} gives exact values: no shots, no backend")
    return chosen
