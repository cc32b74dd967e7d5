"""From a state to what the board shows: figures, table, words. Only what changed is made anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from qdreamer_lab.dreamer.predict.prediction import FIRST_RUN
from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.still import picture
from qdreamer_lab.widgets.board import FIGURES
from qdreamer_lab.widgets.cost_table import group_names, part_text, rows, sentence, table_html
from qdreamer_lab.widgets.figures.spec import to_json
from qdreamer_lab.widgets.glossary import explained
from qdreamer_lab.widgets.python_export import python_source
from qdreamer_lab.workload.modes import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.widgets.crossover import Comparison
    from qdreamer_lab.widgets.figures.spec import Spec
    from qdreamer_lab.widgets.problem import Problem
    from qdreamer_lab.widgets.state import Candidate, View

_PANEL = (440, 300)
"""Pixels of a figure, about, before a page says how wide it is."""

_UNSAID = ("selected", "pinned", "Pareto front")
"""What the board leaves out of legends, which have little room."""

__all__ = ["Renderer", "caption", "columns", "footnotes", "spec_of", "status", "summary"]


class Renderer:
    """Makes the parts of the board, and remembers what they were made from.

    Args:
        problem: What is explored.
        workers: Tells how many workers a run would have on a pilot, or None without a session.
    """

    def __init__(self, problem: Problem, workers: Callable[[str | None], int | None]) -> None:
        self._problem = problem
        self._workers = workers
        self._seen: dict[str, tuple[object, ...]] = {}
        self._stills: dict[str, str] = {}

    def parts(self, view: View, *, stills: bool = False) -> dict[str, object]:
        """Attributes of the board that have to change for a state.

        Args:
            view: The state.
            stills: Whether pictures of the figures go with them.
        """
        made: dict[str, object] = {}
        for name, (inputs, make) in self._recipes(view).items():
            if self._seen.get(name) == inputs:
                continue
            self._seen[name] = inputs
            made[name] = make()
            if name in FIGURES:
                spec = cast("Spec", made[name])
                made[name] = to_json(spec)
                self._stills[name] = _still(spec) if stills else ""
        if stills and not self._stills.keys().isdisjoint(made):
            made["stills"] = dict(self._stills)
        return made

    def _recipes(self, view: View) -> dict[str, tuple[tuple[object, ...], Callable[[], object]]]:
        candidate, run = view.selected, view.run
        plan = view.drawn
        points = (view.shown, view.axes, candidate, view.recommended, view.pinned)
        compared = (view.compared, view.comparing or view.working) if _by_worker(view) else ()
        n = self._problem.num_qubits
        return {
            "tradeoff": (
                (*points, *compared, view.dark),
                lambda: spec_of("tradeoff", view),
            ),
            "circuit": ((plan, view.graph, view.dark), lambda: spec_of("circuit", view)),
            "fragments": ((plan, view.dark), lambda: spec_of("fragments", view)),
            "timeline": (
                (candidate, run.candidate, run.rows, run.result, view.dark),
                lambda: spec_of("timeline", view),
            ),
            "numbers": (
                (candidate, view.pinned, view.uncut, run.result, run.exact),
                lambda: _table(view),
            ),
            "summary": (
                (candidate, view.recommended),
                lambda: summary(view, n),
            ),
            "explained": ((candidate, view.recommended, run.result), lambda: footnotes(view, n)),
            "status": (
                (run.text, view.working, view.note, view.question),
                lambda: status(view),
            ),
            "code": ((view.code, candidate, view.controls), lambda: self._code(view)),
            "options": (
                (view.axes, view.graph, candidate, view.pinned, view.group),
                lambda: {
                    "against": view.axes,
                    "graph": view.graph,
                    "group": view.group,
                    "groups": [] if candidate is None else group_names(candidate),
                    "part": part_text(candidate) if candidate and candidate.partial else "",
                    "columns": 1 + len(columns(view)[0]),
                },
            ),
            "caption": (
                (view.compared, view.comparing, view.axes),
                lambda: caption(view),
            ),
            "alternatives": (
                (*points, *compared, run.result, run.text, view.graph, plan),
                lambda: alternatives(view, n),
            ),
        }

    def _code(self, view: View) -> str:
        if not view.code or view.selected is None:
            return ""
        candidate = view.selected
        workers = self._workers(candidate.configuration.on)
        return python_source(self._problem, candidate, view.controls, workers=workers)


def _still(spec: Spec) -> str:
    """A figure as a picture of about the size of its panel; the page makes it fit."""
    traces = [
        {
            **trace,
            "name": str(trace.get("name", "")).removeprefix("execution of "),
            "showlegend": trace.get("showlegend") and trace.get("name") not in _UNSAID,
        }
        for trace in spec["data"]
    ]
    return picture({**spec, "data": traces}, width=_PANEL[0], height=_PANEL[1], ground=False)


def spec_of(name: str, view: View) -> Spec:
    """One of the figures, as plain data.

    Args:
        name: "tradeoff", "circuit", "fragments" or "timeline".
        view: The state.
    """
    from qdreamer_lab.widgets import figures
    from qdreamer_lab.widgets.figures.style import message

    candidate, plan = view.selected, view.drawn
    if name == "tradeoff":
        return _tradeoff(view)
    if candidate is None or plan is None:
        return message("There is no plan for this width.", view.dark)
    if name == "circuit":
        draw = figures.coupling if view.graph else figures.circuit
        return draw.spec(plan, dark=view.dark)
    if name == "fragments":
        return figures.fragments.spec(plan, dark=view.dark)
    real = _real(view)
    if candidate.prediction is None and real is None:
        return message("This cannot run, so there is no timeline.", view.dark)
    return figures.timeline.spec((candidate.prediction, real), dark=view.dark)


def _tradeoff(view: View) -> Spec:
    from qdreamer_lab.widgets import figures

    if _by_worker(view):
        return _worker_times(view)
    shown = view.shown
    place = {candidate.sameness: k for k, candidate in enumerate(shown)}

    def index(candidate: Candidate | None) -> int | None:
        return None if candidate is None else place.get(candidate.sameness)

    pinned = [k for k in map(index, view.pinned) if k is not None]
    marks: dict[str, Any] = {
        "selected": index(view.selected),
        "recommended": index(view.recommended),
        "pinned": pinned,
        "dark": view.dark,
    }
    if view.axes == "plans":
        return figures.pareto.spec(
            [candidate.plan for candidate in shown if candidate.plan is not None], **marks
        )
    found = [candidate.prediction for candidate in shown if candidate.prediction is not None]
    return figures.pareto.spec(found, against=view.axes, **marks)


def _by_worker(view: View) -> bool:
    return view.axes == "workers"


def _worker_times(view: View) -> Spec:
    """Time by width on each kind of worker; a click selects the plan of that width."""
    from qdreamer_lab.widgets import figures
    from qdreamer_lab.widgets.figures.style import message

    if view.compared is None:
        return message(_COMPARING, view.dark)
    place = {candidate.sameness: k for k, candidate in enumerate(view.shown)}
    return figures.worker_times.spec(
        view.compared,
        picks=[place.get(row.sameness) for row in view.compared.rows],
        selected=_point(view.compared, view.selected),
        recommended=_point(view.compared, view.recommended),
        dark=view.dark,
    )


def _point(compared: Comparison, one: Candidate | None) -> tuple[float, float] | None:
    """Where a candidate lies; None for one of another kind, or of a width that is not compared."""
    if one is None or one.prediction is None or not compared.rows:
        return None
    way = one.configuration
    alike = (way.mode, way.method) == (compared.mode, METHODS[0])
    inside = compared.rows[0].width <= one.width <= compared.rows[-1].width
    return (one.width, one.seconds) if alike and inside else None


_COMPARING = "Comparing CPU and GPU …"


def caption(view: View) -> str:
    """From which width on a GPU is faster; empty where there is none and nobody asks."""
    if view.compared is not None and (view.compared.offered or _by_worker(view)):
        return view.compared.sentence
    return _COMPARING if view.comparing or _by_worker(view) else ""


def _real(view: View) -> Any:
    """What the selected candidate's run did, as far as it is."""
    run, candidate = view.run, view.selected
    if run.candidate is None or candidate is None or run.candidate.sameness != candidate.sameness:
        return None
    if run.result is not None:
        return run.result
    return _Unfinished({"fragments": run.rows}) if run.rows else None


@dataclass(frozen=True, eq=False, slots=True)
class _Unfinished:
    """A run that is not over, with metadata like a `PubResult`'s."""

    metadata: dict[str, Any]


def columns(view: View) -> tuple[list[Candidate], list[str]]:
    """What stands side by side in the table, and what the columns are called."""
    if view.selected is None:
        return [], []
    kept = [candidate for candidate in view.pinned if candidate.sameness != view.selected.sameness]
    own = "Selected (pinned)" if len(kept) < len(view.pinned) else "Selected"
    names = [
        f"Pinned: ≤ {candidate.configuration.max_qubits} qubits, {candidate.configuration.mode}"
        for candidate in kept
    ]
    return [view.selected, *kept], [own, *names]


def _table(view: View) -> str:
    shown, heads = columns(view)
    return table_html(rows(shown, view.uncut, view.run), heads) if shown else ""


def summary(view: View, num_qubits: int) -> str:
    """What is selected, in a sentence or two."""
    candidate, best = view.selected, view.recommended
    if candidate is None:
        return "Nothing is planned yet."
    parts = [sentence(candidate, num_qubits)]
    if best is not None and best.sameness != candidate.sameness:
        way = best.configuration.describe(num_qubits)
        parts.append(f"Recommended: {way}, {seconds_text(best.seconds)}.")
    elif best is not None:
        parts.append("Recommended.")
    return " ".join(parts)


def footnotes(view: View, num_qubits: int) -> str:
    """What uncommon words of the summary mean, and what its prediction rests on."""
    candidate = view.selected
    found = None if candidate is None else candidate.prediction
    notes = [] if found is None else [note for note in found.notes if not _outdated(note, view)]
    parts = [explained(summary(view, num_qubits)), *(f"Note: {note}." for note in notes)]
    return " ".join(part for part in parts if part)


def _outdated(note: str, view: View) -> bool:
    """Whether it is about the first run in a place where there was one since."""
    ran, chosen = view.run.candidate, view.selected
    if view.run.result is None or ran is None or chosen is None or not note.startswith(FIRST_RUN):
        return False
    one, other = ran.configuration, chosen.configuration
    return (one.on, one.in_process) == (other.on, other.in_process)


def status(view: View) -> str:
    """What goes on, in a sentence or two."""
    if view.question:
        return view.question
    parts = [part for part in (view.run.text, view.note) if part]
    if view.working:
        parts.append("Looking for better plans …")
    return " ".join(parts) or "Ready."


def alternatives(view: View, num_qubits: int) -> dict[str, str]:
    """What each figure shows, in words, for those who cannot see it."""
    candidate = view.selected
    chosen = "nothing is selected" if candidate is None else sentence(candidate, num_qubits)
    plan = "" if view.drawn is None else view.drawn.summary
    ways = f"{len(view.shown)} ways to run"
    if _by_worker(view):
        ways = f"time and width on CPU cores and on a GPU. {caption(view)}"
    form = "Coupling graph" if view.graph else "Circuit"
    return {
        "tradeoff": f"Trade-off of {ways.removesuffix('.')}. Selected: {chosen}",
        "circuit": f"{form} of {num_qubits} qubits: {plan}",
        "fragments": f"Graph of fragments: {plan}",
        "timeline": f"Timeline of tasks. {view.run.text}",
    }
