"""Why one way to run a circuit is better than another, in plain words with the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.advice.ranking import as_good
from qdreamer_lab.dreamer.predict.place import GPU
from qdreamer_lab.dreamer.report_text import price_text, seconds_text
from qdreamer_lab.workload.execution.memory import readable

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.advice.limits import Refused
    from qdreamer_lab.dreamer.advice.ranking import Ranking
    from qdreamer_lab.dreamer.predict.prediction import Prediction

__all__ = ["explained"]

_CLOSE = 1.15
"""Up to this factor two ways are as good as each other."""

_DOMINANT = 0.4
"""From this share of the makespan on a phase is worth a word."""


def explained(found: Ranking) -> str:
    """Why the best way is the best: `Recommendation.explain`."""
    best = found.best
    low, high = best.interval
    lines = [
        f"Run the {found.num_qubits}-qubit circuit {best.title}: about "
        f"{seconds_text(best.makespan_s)} (80 % interval: {seconds_text(low)} to "
        f"{seconds_text(high)}), with {readable(best.memory_bytes)} of memory at most."
    ]
    lines += _error(best)
    lines += _cost(best)
    if best.cut and best.plan is not None:
        lines.append(f"The plan: {best.plan.summary}.")
    lines += _cores(best)
    if found.prefer == "time":
        lines += _dominant(best)
        lines += _against_uncut(found)
        lines += _other_kind(found)
        lines += _next(found)
    else:
        lines += _preferred_to(found)
    lines += _qpus(found)
    lines += [f"Note: {note}." for note in best.notes]
    return "\n".join(lines)


_BY = {"time": "by time, queues included", "fidelity": "by predicted error", "cost": "by price"}


def _qpus(found: Ranking) -> list[str]:
    """What each of several QPUs would take at its best, and what decided between them."""
    if len(found.queues) < 2:
        return []
    told = []
    first: dict[str | None, Prediction] = {}
    for way in found.predictions:
        if way.configuration.on in found.queues:
            first.setdefault(way.configuration.on, way)
    for name in (*first, *(each for each in found.queues if each not in first)):
        best, queue_s = first.get(name), found.queues[str(name)]
        if best is None:
            told.append(f"{name}, nothing within the limits")
            continue
        parts = [f"{name}, {seconds_text(best.makespan_s)}"]
        parts += [f"of which {seconds_text(queue_s)} in its queue"] if queue_s else []
        if best.error is not None:
            parts.append(f"values of size 1 off by about {best.error:.2g}")
        parts += [price_text(best.cost, best.currency)] if best.cost else []
        told.append(", ".join(parts))
    return [f"The QPUs, {_BY[found.prefer]}: {'; '.join(told)}."]


def _error(best: Prediction) -> list[str]:
    if best.shots == 0:
        return ["The values are exact, no shots are needed."]
    return [f"It takes {best.shots:,} shots, for a standard error of {best.standard_error:.2g}."]


def _cost(best: Prediction) -> list[str]:
    """What a device asks for it."""
    if not best.qpu_seconds:
        return []
    took = f"It keeps the device busy for {seconds_text(best.qpu_seconds)}"
    if best.cost is None:
        return [f"{took}; what that costs is unknown: give QDreamer(devices=...) its prices."]
    return [f"{took} and costs {price_text(best.cost, best.currency)}."]


def _preferred_to(found: Ranking) -> list[str]:
    """What another way would have, and the fastest, where not time but something else decides."""
    best, others = found.best, found.predictions[1:]
    lines = []
    if found.prefer == "fidelity" and best.error is not None and best.success is not None:
        lines.append(
            f"With a probability of {100 * best.success:.3g} % (mean over all values) no error of "
            "the device reaches a value, so values of size 1 are off by about "
            f"{best.error:.2g}, statistical errors included: the least of all ways whose circuits "
            "were transpiled for a device."
        )
    elsewhere = [way for way in others if way.configuration.on != best.configuration.on]
    lines += [f"The best elsewhere: {_measured(way, found.prefer)}." for way in elsewhere[:1]]
    fastest = min(found.predictions, key=lambda way: way.makespan_s)
    if not as_good(best.makespan_s, fastest.makespan_s):
        lines.append(f"The fastest: {_measured(fastest, found.prefer)}.")
    return lines


def _measured(way: Prediction, prefer: str) -> str:
    """A way, with what it is measured by."""
    text = f"{way.title}, {seconds_text(way.makespan_s)}"
    if prefer == "cost":
        return f"{text}, {price_text(way.cost, way.currency) or 'free'}"
    return f"{text}, off by {'an unknown error' if way.error is None else f'about {way.error:.2g}'}"


def _cores(best: Prediction) -> list[str]:
    """Few wide tasks, or many narrow ones."""
    if not best.lent:
        return []
    return [f"Tasks are few and large, so one gets cores of several workers: {best.cores} at most."]


def _dominant(best: Prediction) -> list[str]:
    top = max(best.phases, key=lambda phase: phase.seconds, default=None)
    if top is None or top.seconds < _DOMINANT * best.makespan_s:
        return []
    share = 100 * top.seconds / best.makespan_s
    return [f"{seconds_text(top.seconds)} of that, {share:.0f} %, go into {_DOING[top.name]}."]


_DOING = {
    "plan": "planning the cuts",
    "lower": "preparing the fragments",
    "transpile": "transpiling",
    "dispatch": "handing out tasks",
    "execute": "running the fragments",
    "transfer": "moving data",
    "contract": "the reconstruction",
}


def _against_uncut(found: Ranking) -> list[str]:
    """The other side of the decision to cut or not."""
    best = found.best
    mine = [
        prediction
        for prediction in found.predictions[1:]
        if prediction.configuration.mode == best.configuration.mode and prediction.cut != best.cut
    ]
    other = min(mine, key=lambda prediction: prediction.makespan_s, default=None)
    if best.cut:
        if other is not None:
            ratio = other.makespan_s / best.makespan_s
            return [
                f"Without cuts it would take, {other.title}, "
                f"{seconds_text(other.makespan_s)} and {readable(other.memory_bytes)}: cutting is "
                f"{ratio:.3g} times as fast."
            ]
        reasons = [
            way.reason
            for way in sorted(found.refused, key=_is_method)
            if way.configuration.max_qubits >= found.num_qubits
            and way.configuration.mode == best.configuration.mode
        ]
        return [f"Uncut it cannot run: {reasons[0]}."] if reasons else []
    if other is None:
        return ["Nothing is cut."]
    if as_good(other.makespan_s, best.makespan_s):
        return [
            f"Cutting would take about as long ({other.title}, "
            f"{seconds_text(other.makespan_s)}); without cuts it is simpler."
        ]
    ratio = other.makespan_s / best.makespan_s
    return [
        f"Cutting does not pay: the best way with cuts, {other.title}, takes "
        f"{seconds_text(other.makespan_s)}, {ratio:.3g} times as long."
    ]


def _other_kind(found: Ranking) -> list[str]:
    """Whether a GPU pays, where there are workers with one and without."""
    best = found.best
    on_gpu = best.configuration.on == GPU
    others = [
        prediction
        for prediction in found.predictions[1:]
        if (prediction.configuration.on == GPU) != on_gpu
        and prediction.configuration.mode == best.configuration.mode
    ]
    if not others:
        return []
    other = min(others, key=lambda prediction: prediction.makespan_s)
    ratio, time = other.makespan_s / best.makespan_s, seconds_text(other.makespan_s)
    if on_gpu:
        return [f"Without a GPU it would take {time} ({other.title}), {ratio:.3g} times as long."]
    return [f"A GPU does not pay: {other.title} would take {time}, {ratio:.3g} times as long."]


def _is_method(way: Refused) -> bool:
    """Whether it is about a method that not every circuit can take."""
    return not way.configuration.cuts


def _next(found: Ranking) -> list[str]:
    """Other ways that come close, and why this one is first all the same."""
    best, others = found.best, found.predictions[1:]
    close = [other for other in others if other.makespan_s <= _CLOSE * best.makespan_s]
    lines = []
    for second in close[:1]:
        reason = _preferred(best, second)
        time = seconds_text(second.makespan_s)
        lines.append(f"About as fast: {second.title}, {time}{reason}.")
    if best.configuration.exact:
        fast = [other for other in others if not as_good(best.makespan_s, other.makespan_s)]
        sampled = min(fast, key=lambda prediction: prediction.makespan_s, default=None)
        if sampled is not None and not sampled.configuration.exact:
            lines.append(
                f"Exact values come first because no precision was asked for: with shots, "
                f"{sampled.title}, it would take {seconds_text(sampled.makespan_s)}."
            )
    return lines


def _preferred(best: Prediction, second: Prediction) -> str:
    """Why of two ways that are as good the first is first."""
    if not as_good(second.makespan_s, best.makespan_s):
        return ""
    if second.cut and not best.cut:
        return "; of two ways that are about as fast the one without cuts is recommended"
    if second.configuration.workers > best.configuration.workers:
        return "; of two ways that are about as fast the one with fewer workers is recommended"
    return ""
