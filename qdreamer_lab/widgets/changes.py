"""How what the explorer shows changes: from one state to the next. Nothing here plans or draws."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.advice.ranking import ranked

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Iterable

    from qdreamer_lab.widgets.state import Candidate, View

__all__ = ["advised", "answered", "chosen", "clicked", "moved", "pinned"]

_MOST_PINNED = 3
"""Plans that fit beside the selected one."""


def moved(view: View, **changes: Any) -> View:
    """A control was moved; what was found for other controls is no answer any more.

    Args:
        view: before.
        **changes: fields of `Controls`.

    Raises:
        QDreamerError: if a value makes no sense.
    """
    before, controls = view.controls, replace(view.controls, **changes)
    if controls == before:
        return view
    view = replace(view, controls=controls, fixed=None, working=True, fresh=False)
    if controls.family == before.family:
        return view
    return replace(view, candidates=(), recommended=None)


def answered(view: View, found: Iterable[Candidate], *, working: bool) -> View:
    """Candidates were found for the controls as they are.

    Args:
        view: before.
        found: new ones; they take the place of those with the same key.
        working: more may come.
    """
    by_key = {one.key: one for one in view.candidates}
    by_key.update((one.key, one) for one in found)
    wanted = {view.fixed, *(one.key for one in view.pinned)}
    kept = _distinct(by_key.values(), view.controls.width, wanted)
    view = replace(view, candidates=kept, recommended=_best(kept), working=working)
    if view.fresh and not working:
        return advised(view)
    return chosen(view)


def _best(found: Iterable[Candidate]) -> Candidate | None:
    """The first of those that can run, as Q-Dreamer ranks them."""
    able = {id(one.prediction): one for one in found if one.prediction is not None}
    order = ranked([one.prediction for one in able.values() if one.prediction], exact_first=False)
    return able[id(order[0])] if order else None


def _distinct(
    found: Iterable[Candidate], width: int, wanted: Container[Hashable]
) -> tuple[Candidate, ...]:
    """Candidates by width, each plan once, and of equal overhead the fastest of each mode.

    Args:
        found: all.
        width: those of the slider's own width are kept anyway, ...
        wanted: ... and so are those with these keys.
    """

    def must(one: Candidate) -> bool:
        return one.configuration.max_qubits == width or one.key in wanted

    ordered = sorted(found, key=lambda one: (not must(one), not one.given, one.seconds))
    plans: set[Hashable] = set()
    prices: set[Hashable] = set()
    kept = []
    for one in ordered:
        if one.sameness in plans or (one.price in prices and not must(one)):
            continue
        plans.add(one.sameness)
        prices.add(one.price)
        kept.append(one)
    return tuple(
        sorted(
            kept,
            key=lambda one: (one.configuration.max_qubits, one.configuration.mode, one.given),
        )
    )


def chosen(view: View) -> View:
    """With the selection that follows from the candidates: what was clicked, or the controls."""
    by_key = {one.key: one for one in view.candidates}
    if view.fixed in by_key:
        return replace(view, selected=by_key[view.fixed])
    here = [one for one in view.candidates if one.configuration.max_qubits == view.controls.width]
    best = min(here, key=_eligible, default=view.selected)
    return replace(view, selected=best, fixed=None)


def _eligible(one: Candidate) -> tuple[bool, float]:
    # What the person set counts more than what the estimator would do by itself.
    return (not (one.given and one.prediction is not None), one.seconds)


def clicked(view: View, index: int) -> View:
    """A candidate was clicked: select it, and set the width to its own.

    Args:
        view: before.
        index: into `view.shown`; one that is out of range changes nothing.
    """
    if not 0 <= index < len(view.shown):
        return view
    one = view.shown[index]
    controls = replace(view.controls, width=one.configuration.max_qubits)
    return replace(view, controls=controls, selected=one, fixed=one.key, fresh=False)


def pinned(view: View) -> View:
    """Pin the selected plan, or take its pin away; the oldest pin gives way to a fourth."""
    one = view.selected
    if one is None:
        return view
    rest = tuple(other for other in view.pinned if other.sameness != one.sameness)
    if len(rest) == len(view.pinned):
        rest = (*rest, one)[-_MOST_PINNED:]
    return replace(view, pinned=rest, fresh=False)


def advised(view: View) -> View:
    """Select what is expected to be over first, if anything can run."""
    one = view.recommended
    if one is None:
        return chosen(replace(view, fresh=False))
    controls = replace(view.controls, width=one.configuration.max_qubits)
    return replace(view, controls=controls, selected=one, fixed=one.key, fresh=False)
