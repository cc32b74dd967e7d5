"""What the first explorer needs, loaded while the notebook's user still types.

Kernels and modules take most of a second, once per process. In scripts nothing happens before it is
asked for.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import TYPE_CHECKING

from qiskit import QuantumCircuit

from qdreamer_lab.kernels.loading import in_cache
from qdreamer_lab.widgets.board import plotly_js
from qdreamer_lab.widgets.changes import answered
from qdreamer_lab.widgets.planner import Planner
from qdreamer_lab.widgets.problem import problem_of
from qdreamer_lab.widgets.render import Renderer
from qdreamer_lab.widgets.state import Controls, View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qdreamer_lab.dreamer.dreamer import QDreamer

__all__ = ["begin", "enough", "steps"]

_ROOMS = ("gates", "search", "sweep", "pieces", "cost")
"""Rooms of kernels that are used here; what the cache does not have would be compiled."""

_wanted = threading.Event()


def begin(dreamer: QDreamer) -> threading.Thread | None:
    """Load what the first explorer needs in a thread, if this is a notebook's kernel.

    Nothing is compiled: where kernels were not compiled yet, nothing happens.

    Args:
        dreamer: Prices plans; it should know no session.

    Returns:
        The thread; None if there is nothing to do.
    """
    if not _in_notebook():
        return None
    # No daemon: at the end of the process, one that loads machine code must not be cut off.
    thread = threading.Thread(target=_load, args=(dreamer,), name="cut-explorer-readiness")
    thread.start()
    return thread


def enough() -> None:
    """Load no more than what is being loaded: an explorer is opened, and needs the time itself."""
    _wanted.set()


def steps(dreamer: QDreamer) -> Iterator[str]:
    """Do, without widgets, what an explorer does until its first view, for a small circuit.

    Yields:
        What was done.
    """
    plotly_js()
    yield "plotly.js"
    circuit = QuantumCircuit(4)
    for low in range(3):
        circuit.rzz(0.3, low, low + 1)
    circuit.rx(0.4, range(4))
    problem = problem_of(circuit, None)
    yield "problem"
    planner, controls = Planner(problem, dreamer), Controls(2, values=problem.start)
    found = planner.first(controls)
    yield "plan"
    view = answered(View(controls, graph=False, working=True, fresh=True), found, working=True)
    Renderer(problem, planner.workers).parts(view, stills=True)
    yield "views"
    planner.advised(controls)
    yield "advice"


def _load(dreamer: QDreamer) -> None:
    with contextlib.suppress(Exception):  # an explorer that is opened will say what is wrong
        if all(in_cache(f"qdreamer_lab.kernels.{room}") for room in _ROOMS):
            for _ in steps(dreamer):
                if _wanted.is_set() or not threading.main_thread().is_alive():
                    return


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
