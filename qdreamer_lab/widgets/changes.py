"""How what the explorer shows changes: from one state to the next. Nothing here plans or draws."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.advice.ranking import ranked

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Iterable

    from qdreamer_lab.widgets.state import Candidate, View

__all__ = ["advised", "answered", "chosen", "clicked", "moved", "pinned", "seen", "settled"]

_MOST_PINNED = 3
"""Plans that fit beside the selected one."""


def moved(view: View, **changes: Any) -> View:
    """A control was moved; what was found for other controls is no answer any more.

    Args:
        view: Before.
        **changes: Fields of `Controls`.

    Raises:
        QDreamerError: If a value makes no sense.
    """
    before, controls = view.controls, replace(view.controls, **changes)
    if controls == before:
        return view
    view = replace(view, controls=controls, fixed=None, working=True, fresh=False)
    if controls.family == before.family:
        return view
    return replace(view, candidates=(), recommended=None, compared=None)


def answered(view: View, found: Iterable[Candidate], *, working: bool) -> View:
    """Candidates were found for the controls as they are.

    What was clicked or pinned stays, though a run was learned from since it was priced; it is
    ranked again when it is priced again.

    Args:
        view: Before.
        found: New ones; they take the place of those with the same key.
        working: More may come.
    """
    found = tuple(found)
    newest = max((candidate.era for candidate in found), default=0)
    wanted = {view.fixed, *(candidate.key for candidate in view.pinned)}
    by_key = {
        candidate.key: candidate
        for candidate in view.candidates
        if candidate.era >= newest or candidate.key in wanted
    }
    by_key.update((candidate.key, candidate) for candidate in found)
    kept = _distinct(by_key.values(), view.controls.width, view.fixed, wanted)
    best = _best(candidate for candidate in kept if candidate.era >= newest)
    view = replace(view, candidates=kept, recommended=best, working=working)
    if view.fresh and (not working or any(not one.given for one in kept)):
        return advised(view)
    return chosen(view)


def seen(view: View, *, dark: bool) -> View:
    """A page shows it: from now on nothing is selected but by the person who looks at it."""
    return replace(view, dark=dark, fresh=False)


def _best(found: Iterable[Candidate]) -> Candidate | None:
    """The first of those that can run, as Q-Dreamer ranks them."""
    able = {
        id(candidate.prediction): candidate
        for candidate in found
        if candidate.prediction is not None
    }
    order = ranked(
        [candidate.prediction for candidate in able.values() if candidate.prediction],
        exact_first=False,
    )
    return able[id(order[0])] if order else None


def _distinct(
    found: Iterable[Candidate], width: int, fixed: Hashable, wanted: Container[Hashable]
) -> tuple[Candidate, ...]:
    """Candidates by width, each plan once, and of equal price the fastest of each kind.

    Args:
        found: All.
        width: Those of the slider's own width are kept anyway, ...
        fixed: ... that with this key before all others with the same plan, ...
        wanted: ... and so are those with these keys.
    """

    def must(candidate: Candidate) -> bool:
        return candidate.configuration.max_qubits == width or candidate.key in wanted

    def order(candidate: Candidate) -> tuple[bool, bool, bool, bool, float]:
        here = candidate.configuration.max_qubits == width
        chosen = candidate.key == fixed
        return (not chosen, not here, not must(candidate), not candidate.given, candidate.seconds)

    plans: dict[Hashable, Candidate] = {}
    for candidate in sorted(found, key=order):
        plans.setdefault(candidate.sameness, candidate)
    prices: set[Hashable] = set()
    kept = []
    for candidate in sorted(plans.values(), key=lambda one: one.seconds):
        if candidate.price in prices and not must(candidate):
            continue
        prices.add(candidate.price)
        kept.append(candidate)
    return tuple(
        sorted(
            kept,
            key=lambda candidate: (
                candidate.configuration.max_qubits,
                candidate.configuration.mode,
                candidate.given,
            ),
        )
    )


def chosen(view: View) -> View:
    """With the selection that follows from the candidates: what was clicked, or the controls."""
    by_key = {candidate.key: candidate for candidate in view.candidates}
    if view.fixed in by_key:
        return replace(view, selected=by_key[view.fixed])
    here = [
        candidate
        for candidate in view.candidates
        if candidate.configuration.max_qubits == view.controls.width
    ]
    best = min(here, key=_eligible, default=view.selected)
    return replace(view, selected=best, fixed=None)


def _eligible(candidate: Candidate) -> tuple[bool, float]:
    # What the person set counts more than what the estimator would do by itself.
    return (not (candidate.given and candidate.prediction is not None), candidate.seconds)


def clicked(view: View, index: int) -> View:
    """A candidate was clicked: select it, and set the width to its own.

    Args:
        view: Before.
        index: Into `view.shown`; one that is out of range changes nothing.
    """
    if not 0 <= index < len(view.shown):
        return view
    candidate = view.shown[index]
    controls = replace(view.controls, width=candidate.configuration.max_qubits)
    return replace(view, controls=controls, selected=candidate, fixed=candidate.key, fresh=False)


def pinned(view: View) -> View:
    """Pin the selected plan, or take its pin away; the oldest pin gives way to a fourth."""
    candidate = view.selected
    if candidate is None:
        return view
    rest = tuple(other for other in view.pinned if other.sameness != candidate.sameness)
    if len(rest) == len(view.pinned):
        rest = (*rest, candidate)[-_MOST_PINNED:]
    return replace(view, pinned=rest, fresh=False)


def settled(view: View, before: View) -> View:
    """Without what was said about a plan that is selected no more.

    Args:
        view: After changes.
        before: The state before them.
    """
    now, was = view.selected, before.selected
    same = now is was or (now is not None and was is not None and now.sameness == was.sameness)
    if same:
        return view
    return replace(view, group=0, asked=None, question="", note="")


def advised(view: View) -> View:
    """Select what is expected to be over first, if anything can run."""
    candidate = view.recommended
    if candidate is None:
        return chosen(replace(view, fresh=False))
    controls = replace(view.controls, width=candidate.configuration.max_qubits)
    return replace(view, controls=controls, selected=candidate, fixed=candidate.key, fresh=False)
