"""The cut explorer: controls and views of one circuit, wired to the state. It decides nothing."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from pilot_kernel.errors import PilotError
from qdreamer_lab.dreamer.dreamer import QDreamer
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.widgets import readiness
from qdreamer_lab.widgets.board import Board
from qdreamer_lab.widgets.changes import advised, clicked, moved, pinned, seen
from qdreamer_lab.widgets.controls import Panel
from qdreamer_lab.widgets.engine import Engine
from qdreamer_lab.widgets.export import page_html, plan_json
from qdreamer_lab.widgets.kept_output import KeptOutput
from qdreamer_lab.widgets.planner import Planner
from qdreamer_lab.widgets.problem import problem_of
from qdreamer_lab.widgets.render import Renderer
from qdreamer_lab.widgets.runner import Runner
from qdreamer_lab.widgets.saved_output import static_html, static_text
from qdreamer_lab.widgets.state import AXES, Controls, View
from qdreamer_lab.workload.cut.options import check_width

if TYPE_CHECKING:
    from qdreamer_lab.widgets.state import Candidate
    from qdreamer_lab.workload.execution.session import SessionLike
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["CutExplorer"]

_WIDE = 40
"""Circuits with more qubits are shown as a coupling graph to begin with."""

_FIRST_WAIT_S = 0.7
"""How long the first display waits for a recommendation ..."""

_LONGEST_WAIT_S = 5.0
"""... and for any plan at all; what is saved with a notebook shows what is known by then."""

_DRAWN = 32
"""Trade-offs remembered: a click comes from one that was drawn a moment ago."""


class CutExplorer:
    """See what cutting a circuit does, move things, and run what is selected.

    Shows itself in notebooks. The search and runs happen in threads of their own.

    Args:
        circuit: Unitary, but for measurements at its end, which are left out; up to eight of its
            parameters may be unbound and get sliders.
        observables: One or many, as Qiskit's estimators take them; by default the mean of Z over
            all qubits.
        session: Where fragments run; None runs them in this process.
        max_qubits: Width of a fragment to begin with; by default that of what is recommended.

    Raises:
        CircuitError: If there is no circuit, or it cannot be cut.
        PubError: If more than eight parameters are unbound.
        ObservableError: If the observables do not belong to the circuit.
        PlanError: If `max_qubits` is not a whole number of at least 1.
    """

    def __init__(
        self,
        circuit: Any,
        observables: Any = None,
        *,
        session: SessionLike | None = None,
        max_qubits: int | None = None,
    ) -> None:
        if max_qubits is not None:
            check_width(max_qubits)
        readiness.enough()
        self._board = Board(self._heard)  # first: a page loads what draws while the kernel plans
        try:
            self._problem = problem_of(circuit, observables)
        except BaseException:
            self._board.close()
            raise
        n = self._problem.num_qubits
        self._planner = Planner(self._problem, QDreamer(session))
        width = -(-n // 2) if max_qubits is None else min(int(max_qubits), n)
        controls = Controls(width, values=self._problem.start)
        place = self._planner.place(None)
        self._renderer = Renderer(self._problem, self._planner.workers)
        self._serial = 0
        self._points: tuple[Candidate, ...] = ()
        self._drawn: OrderedDict[int, tuple[Candidate, ...]] = OrderedDict()
        self._setting = False
        self._kept = KeptOutput()
        start = View(controls, graph=n > _WIDE, working=True, fresh=max_qubits is None)
        self._engine = Engine(self._planner, start, self._show)
        self._runner = Runner(self._planner, self._engine.post)
        self._panel = Panel(controls, n, _places(session), place.workers, self._problem.names)
        self._board.hints = self._panel.hints
        self._wire()
        self.widget = ipywidgets.VBox([self._panel.widget, self._board])
        self.widget.add_class("qd-explorer")
        self._begin()

    def _begin(self) -> None:
        """Find something to show; what is recommended, if that is known soon."""
        until = time.monotonic() + _FIRST_WAIT_S
        self._engine.post(lambda view: view)
        self._engine.wait_for(lambda view: view.selected is not None, _LONGEST_WAIT_S)
        left = max(0.0, until - time.monotonic())
        self._engine.wait_for(lambda view: not (view.fresh and view.working), left)

    @property
    def view(self) -> View:
        """What is shown now."""
        return self._engine.view

    @property
    def plan(self) -> CutPlan | None:
        """The selected plan."""
        return None if self.view.selected is None else self.view.selected.plan

    @property
    def result(self) -> Any:
        """The `PubResult` of the last run; None before one is done."""
        return self.view.run.result

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until everything that is looked for is found; say whether that came."""
        return self._engine.settle(timeout_s)

    def close(self) -> None:
        """Stop what runs, and take the widget away."""
        self._runner.close()
        self._engine.close()
        _close(self.widget)

    def save(self, path: str | Path) -> None:
        """Write the selected plan (`.json`) or a page with all figures (`.html`).

        Args:
            path: To be written; its suffix says what.

        Raises:
            QDreamerError: If it is another suffix, or there is no plan.
            OSError: If it cannot be written.
        """
        path = Path(path)
        path.write_bytes(self._file(path.suffix.lstrip(".").lower()))

    def _file(self, kind: str) -> bytes:
        if self.plan is None:
            raise QDreamerError("there is no plan to save: choose a larger fragment width")
        if kind == "json":
            return plan_json(self.plan)
        if kind == "html":
            return page_html(self._problem, self.view)
        raise QDreamerError(f"cannot save {kind!r} files from Python; there are .json and .html")

    # ---- wiring

    def _wire(self) -> None:
        panel, post, act = self._panel, self._engine.post, self._engine.act
        panel.watch(self._moved)
        panel.run.on_click(lambda _: act(self._runner.start))
        panel.stop.on_click(lambda _: post(self._runner.stop))
        panel.best.on_click(lambda _: act(advised))
        panel.compare.on_click(lambda _: act(pinned))
        panel.code.on_click(lambda _: post(lambda view: replace(view, code=not view.code)))
        panel.save.on_click(lambda _: self._save(panel.format.value))

    def _moved(self, **changes: Any) -> None:
        if not self._setting:
            self._engine.post(lambda view: moved(view, **changes))

    def _heard(self, message: dict[str, Any]) -> None:
        """A message of the board; nonsense changes nothing."""
        post = self._engine.post
        if isinstance(index := message.get("click"), int):
            self._clicked(index, message.get("serial"))
        elif (against := message.get("against")) in AXES:
            post(lambda view: replace(view, against=against))
        elif isinstance(graph := message.get("graph"), bool):
            post(lambda view: replace(view, graph=graph))
        elif type(group := message.get("group")) is int and group >= 0:
            post(lambda view: replace(view, group=group))
        elif isinstance(dark := message.get("dark"), bool):
            post(lambda view: seen(view, dark=dark))

    def _clicked(self, index: int, serial: object) -> None:
        """A point was clicked, in the trade-off as it was drawn then: there may be others now."""
        drawn = self._drawn.get(serial) if isinstance(serial, int) else self.view.shown
        if drawn is None or not 0 <= index < len(drawn):
            return
        wanted = drawn[index].sameness

        def change(view: View) -> View:
            places = [k for k, candidate in enumerate(view.shown) if candidate.sameness == wanted]
            return clicked(view, places[0]) if places else view

        self._engine.act(change)

    def _show(self, view: View) -> None:
        """Bring board and controls up to date; called by one thread at a time."""
        parts = self._renderer.parts(view, stills=not self._board.live)
        self._follow(view)
        if parts:
            self._serial += 1
            # A page may name any message since the one that it had the points from.
            points = view.shown if "tradeoff" in parts else self._points
            self._drawn[self._serial] = self._points = points
            while len(self._drawn) > _DRAWN:
                self._drawn.popitem(last=False)
            self._board.update(
                parts,
                {
                    "serial": self._serial,
                    "width": view.controls.width,
                    "busy": view.working or view.comparing or view.run.active,
                    "run": view.run.status,
                },
            )
        if self._kept.shown and not (view.working or view.run.active):
            self._kept.update(static_html(self._problem, view), static_text(self._problem, view))

    def _follow(self, view: View) -> None:
        """Controls that change because something else did."""
        panel = self._panel
        panel.run.disabled = view.run.active
        panel.stop.disabled = view.run.status != "running"
        panel.run.description = "Run anyway" if view.asked is not None else "Run"
        panel.run.button_style = "warning" if view.asked is not None else "primary"
        if panel.width.value != view.controls.width and view.fixed is not None:
            self._setting = True
            panel.width.value = view.controls.width
            self._setting = False

    def _save(self, kind: str) -> None:
        name = f"cut-{self._problem.num_qubits}q-width-{self.view.controls.width}.{kind}"
        if kind in ("png", "svg"):
            self._board.picture(name, kind)
            return
        types = {"json": "application/json", "html": "text/html"}
        try:
            self._board.download(name, types[kind], self._file(kind))
        except QDreamerError as error:
            text = str(error)
            self._engine.post(lambda view: replace(view, note=text))

    # ---- how it shows itself

    def __repr__(self) -> str:
        return static_text(self._problem, self.view)

    def _ipython_display_(self) -> None:
        view = self.view
        html, text = static_html(self._problem, view), static_text(self._problem, view)
        self._kept.show(html, text, self.widget._repr_mimebundle_())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = self.widget._repr_mimebundle_()
        return {
            **bundle,
            "text/html": static_html(self._problem, self.view),
            "text/plain": static_text(self._problem, self.view),
        }


def _places(session: SessionLike | None) -> list[str]:
    """What `on` can be: kinds of workers and names of pilots."""
    statuses = getattr(session, "pilot_statuses", None)
    if statuses is None:
        return []
    try:
        found = statuses()
    except PilotError:
        return []
    kinds = {offer.lower() for status in found for offer in status.offers}
    return [*sorted(kinds & {"cpu", "gpu", "qpu"}), *(status.name for status in found)]


def _close(widget: Any) -> None:
    """Close a widget and all within, so that nothing holds on to the explorer."""
    for child in getattr(widget, "children", ()):
        _close(child)
    widget.unobserve_all()
    widget.close()


readiness.begin(QDreamer())
