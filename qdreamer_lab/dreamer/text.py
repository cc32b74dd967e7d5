"""Profiles, predictions and recommendations as text and as HTML tables."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.advice.reasons import cost_text, seconds_text
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS
from qdreamer_lab.workload.execution.memory import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qdreamer_lab.dreamer.advice.recommendation import Recommendation
    from qdreamer_lab.dreamer.machine.profile import MachineProfile
    from qdreamer_lab.dreamer.predict.prediction import Prediction

__all__ = [
    "prediction_html",
    "prediction_text",
    "profile_html",
    "profile_text",
    "recommendation_html",
    "recommendation_text",
]

_Rows = list[tuple[str, ...]]


def profile_text(profile: MachineProfile) -> str:
    """A profile for terminals."""
    return _profile_title(profile) + "\n" + _text(_COEFFICIENT_HEAD, _coefficient_rows(profile))


def profile_html(profile: MachineProfile) -> str:
    """A profile for notebooks."""
    return _html(_profile_title(profile), _COEFFICIENT_HEAD, _coefficient_rows(profile))


def _profile_title(profile: MachineProfile) -> str:
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(profile.made_at_s))
    gpus = ", ".join(profile.gpus) or "no GPU"
    return (
        f"{profile.machine} ({profile.resource}), {profile.source} {made}: {profile.cores} cores "
        f"per task, {readable(profile.memory_bytes)}, {gpus}; all workers busy: "
        f"{profile.contention:.2f} times as long; first task of a process: + "
        f"{seconds_text(profile.warm_up_s)}; "
        f"{profile.belief.observations} observations"
    )


_COEFFICIENT_HEAD = ("coefficient", "value", "known to", "source", "what it stands for")


def _coefficient_rows(profile: MachineProfile) -> _Rows:
    doubt = np.sqrt(np.diag(profile.belief.covariance))
    values = zip(COEFFICIENTS, profile.belief.values, doubt, profile.sources, strict=True)
    return [
        (one.name, f"{value:.4g} ns per {one.unit}", f"{100 * np.expm1(s):.0f} %", source, one.text)
        for one, value, s, source in values
    ]


def prediction_text(one: Prediction) -> str:
    """A prediction for terminals."""
    return "\n".join([_title(one), _text(_PHASE_HEAD, _phase_rows(one)), *_notes(one)])


def prediction_html(one: Prediction) -> str:
    """A prediction for notebooks."""
    notes = "".join(f"<p>{escape(note)}</p>" for note in _notes(one))
    return _html(_title(one), _PHASE_HEAD, _phase_rows(one)) + notes


def _title(one: Prediction) -> str:
    low, high = one.interval
    text = (
        f"{one.title}: {seconds_text(one.makespan_s)} ({seconds_text(low)} to "
        f"{seconds_text(high)}), {readable(one.memory_bytes)}, {one.tasks} tasks"
    )
    if one.shots:
        text += f", {one.shots:,} shots for a standard error of {one.standard_error:.2g}"
    if one.cost:
        text += f", {cost_text(one)}"
    return text


_PHASE_HEAD = ("phase", "time", "share", "bytes")


def _phase_rows(one: Prediction) -> _Rows:
    return [
        (
            phase.name,
            seconds_text(phase.seconds),
            f"{100 * phase.seconds / one.makespan_s:.0f} %",
            readable(phase.bytes) if phase.bytes else "",
        )
        for phase in one.phases
    ]


def _notes(one: Prediction) -> list[str]:
    return [f"Note: {note}." for note in one.notes]


def recommendation_text(found: Recommendation) -> str:
    """A recommendation for terminals: the reasons, then the candidates."""
    return found.explain() + "\n\n" + _text(_RANK_HEAD, _rank_rows(found.predictions))


def recommendation_html(found: Recommendation) -> str:
    """A recommendation for notebooks."""
    words = "<br>".join(map(escape, found.explain().splitlines()))
    return f"<p>{words}</p>" + _html("", _RANK_HEAD, _rank_rows(found.predictions))


_RANK_HEAD = ("way", "time", "80 % interval", "memory", "shots", "standard error", "cuts", "cost")


def _rank_rows(predictions: Sequence[Prediction]) -> _Rows:
    return [
        (
            one.title,
            seconds_text(one.makespan_s),
            " to ".join(map(seconds_text, one.interval)),
            readable(one.memory_bytes),
            f"{one.shots:,}" if one.shots else "",
            f"{one.standard_error:.2g}" if one.shots else "exact",
            str(one.plan.num_cuts if one.plan is not None else 0),
            cost_text(one),
        )
        for one in predictions
    ]


def _text(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    table = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)
    return "\n".join(lines)


def _html(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    caption = f"<p><b>{escape(title)}</b></p>" if title else ""
    body = "".join(line(row, "td") for row in rows)
    return f"{caption}<table>{line(head, 'th')}{body}</table>"
