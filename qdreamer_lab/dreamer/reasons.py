"""Why one way to run a circuit is better than another, in plain words with the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.workload.memory import readable

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.prediction import Prediction
    from qdreamer_lab.dreamer.recommendation import Recommendation

__all__ = ["cost_text", "explained", "seconds_text"]

_CLOSE = 1.15
"""Up to this factor two ways are as good as each other."""

_DOMINANT = 0.4
"""From this share of the makespan on a phase is worth a word."""


def explained(found: Recommendation) -> str:
    """`Recommendation.explain`."""
    best = found.best
    low, high = best.interval
    lines = [
        f"Run the {found.num_qubits}-qubit circuit {best.title}: about "
        f"{seconds_text(best.makespan_s)} (four times in five between {seconds_text(low)} and "
        f"{seconds_text(high)}), with {readable(best.memory_bytes)} of memory at most."
    ]
    lines += _error(best)
    if best.cut and best.plan is not None:
        lines.append(f"The plan: {best.plan.summary}.")
    lines += _dominant(best)
    lines += _against_uncut(found)
    lines += _next(found)
    lines += [f"Note: {note}." for note in best.notes]
    return "\n".join(lines)


def _error(best: Prediction) -> list[str]:
    if best.shots == 0:
        return ["The values are exact, no shots are needed."]
    return [f"It takes {best.shots:,} shots, for a standard error of {best.standard_error:.2g}."]


def _dominant(best: Prediction) -> list[str]:
    top = max(best.phases, key=lambda one: one.seconds, default=None)
    if top is None or top.seconds < _DOMINANT * best.makespan_s:
        return []
    share = 100 * top.seconds / best.makespan_s
    return [f"Most of it, {share:.0f} %, is to {_VERBS[top.name]}: {seconds_text(top.seconds)}."]


_VERBS = {
    "plan": "plan the cuts",
    "lower": "make the fragments ready",
    "transpile": "transpile",
    "dispatch": "hand out tasks",
    "execute": "run the fragments",
    "transfer": "move data",
    "contract": "put the results together",
}


def _against_uncut(found: Recommendation) -> list[str]:
    """The other side of the decision to cut or not."""
    best = found.best
    whole = [
        one
        for one in found.predictions
        if not one.cut and one.configuration.mode == best.configuration.mode
    ]
    if best.cut:
        if whole:
            ratio = whole[0].makespan_s / best.makespan_s
            return [
                f"Uncut it would take {seconds_text(whole[0].makespan_s)} and "
                f"{readable(whole[0].memory_bytes)}: cutting is {ratio:.3g} times as fast."
            ]
        reasons = [
            one.reason
            for one in found.refused
            if one.configuration.max_qubits >= found.num_qubits
            and one.configuration.mode == best.configuration.mode
        ]
        return [f"Uncut it cannot run: {reasons[0]}."] if reasons else []
    others = [one for one in found.predictions if one.cut]
    if not others:
        return ["Nothing is cut."]
    ratio = others[0].makespan_s / best.makespan_s
    return [
        f"Cutting does not pay: the best way with cuts, {others[0].title}, takes "
        f"{seconds_text(others[0].makespan_s)}, {ratio:.3g} times as long."
    ]


def _next(found: Recommendation) -> list[str]:
    if len(found.predictions) < 2:
        return []
    second = found.predictions[1]
    if second.makespan_s <= _CLOSE * found.best.makespan_s:
        return [f"As good within the doubt: {second.title}, {seconds_text(second.makespan_s)}."]
    return []


def cost_text(one: Prediction) -> str:
    """What a run costs; empty where nothing is asked for it."""
    if one.cost is None:
        return "unknown"
    return f"{one.cost:.4g} {one.currency}" if one.cost else ""


def seconds_text(seconds: float) -> str:
    """A time with a unit that suits it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:,.3g} h"
