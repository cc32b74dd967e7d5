"""What a plan costs, as rows of a table and in a sentence. Nothing is worked out here."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from pilot_kernel.drawing.value_names import observable_names
from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.widgets.glossary import PHASES
from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.record import RunRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qdreamer_lab.widgets.state import Candidate, Run
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = [
    "Row",
    "group_names",
    "part_text",
    "proof_text",
    "rows",
    "sentence",
    "table_html",
    "table_text",
    "values_text",
]

_PHASES = {
    "plan": "Finding the cuts and getting the fragments ready",
    "lower": "Turning fragments into variants",
    "transpile": "Fitting circuits to the device",
    "dispatch": "Handing out tasks",
    "execute": "Running the fragments on the workers",
    "transfer": "Moving results",
    "contract": "Putting the results together",
}

_NONE = "\N{EN DASH}"

_TOO_LARGE = "may be used"
"""What is said of a run that is refused for its memory, and of no other."""

_MOST_VALUES = 2
"""Values named in a sentence."""

_MOST_WIDTHS = 6
"""Fragments whose widths are listed."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table.

    Attributes:
        label: What the numbers are.
        hint: One line of explanation.
        values: One per candidate.
        part: It belongs to the row above.
    """

    label: str
    hint: str
    values: tuple[str, ...]
    part: bool = False


def rows(
    candidates: Sequence[Candidate], uncut: Candidate | None = None, run: Run | None = None
) -> list[Row]:
    """The numbers of some candidates side by side; the first one is the selected one.

    Args:
        candidates: At least one.
        uncut: The run that cuts nothing.
        run: The last run; its outcome stands beside what was predicted.
    """
    found = [
        Row(label, hint, tuple(text(candidate) for candidate in candidates))
        for label, hint, text in (
            ("Cuts", "Gates and wires that are cut", _cuts),
            ("Qubits of fragments", "How wide each fragment is", _widths),
            ("Sampling overhead", "Factor on shots, the price of cuts in sampled mode", _overhead),
            ("Optimality", "How far the plan can be from the best one of its width", _proof),
            ("Variants", "State vectors or circuits to be run", _variants),
            ("Shots", "Shots for the wanted precision; none in exact mode", _shots),
            ("Memory", "Most that one process takes", _memory),
            ("Predicted time", "From beginning to end", _time),
        )
    ]
    intervals = tuple(_interval(candidate) for candidate in candidates)
    found.append(Row("80 % interval", "Four runs in five lie in between", intervals, part=True))
    found += _phases(candidates)
    if any(candidate.groups for candidate in candidates):
        apart = tuple(", ".join(map(_brief, each.groups)) or _NONE for each in candidates)
        found.append(Row("Groups of terms", "Run separately, each with its own cuts", apart))
    if uncut is not None:
        against = tuple(_against(candidate, uncut) for candidate in candidates)
        found.append(Row("Uncut run", "The same without any cut, and how that compares", against))
    if run is not None and run.candidate is not None and run.result is not None:
        found += _outcome(candidates, run)
    return found


def _brief(plan: CutPlan) -> str:
    bits = f" (2^{plan.log2_overhead:.1f})" if plan.num_cuts else ""
    return (cuts_text(plan) or "no cuts") + bits


def _phases(candidates: Sequence[Candidate]) -> list[Row]:
    made = []
    for name, hint in _PHASES.items():
        seconds = [
            0.0 if candidate.prediction is None else candidate.prediction.phase(name).seconds
            for candidate in candidates
        ]
        if any(seconds):
            texts = tuple(seconds_text(s) if s else _NONE for s in seconds)
            made.append(Row(PHASES[name], hint, texts, part=True))
    return made


def _outcome(candidates: Sequence[Candidate], run: Run) -> list[Row]:
    took = seconds_text(RunRecord.of(run.result).makespan_s)
    values = values_text(run.result)
    ran = None if run.candidate is None else run.candidate.sameness
    mine = [candidate.sameness == ran for candidate in candidates]

    def row(label: str, hint: str, text: str) -> Row:
        return Row(label, hint, tuple(text if it else _NONE for it in mine))

    made = [
        row("Measured time", "What the last run took", took),
        row("Value", "Of the last run, with its standard error", values),
    ]
    if run.exact is not None:
        made.append(row("Exact value", "Run in exact mode to compare", values_text(run.exact)))
    return made


def values_text(result: Any) -> str:
    """The values of a `PubResult` with their errors; the first few of many, by their names."""
    evs, stds = np.ravel(result.data.evs), np.ravel(result.data.stds)
    names = np.ravel(observable_names(RunRecord.of(result).observables)).tolist()
    texts = [
        f"{name} " * (len(evs) > 1) + (f"{ev:+.6f}" if std == 0 else f"{ev:+.4f} ± {std:.4f}")
        for name, ev, std in zip(names, evs[:_MOST_VALUES], stds, strict=False)
    ]
    more = len(evs) - len(texts)
    return ", ".join(texts) + (f" and {more} more" if more else "")


def _cuts(candidate: Candidate) -> str:
    if candidate.plan is None:
        return _NONE
    return cuts_text(candidate.plan) or "none"


def cuts_text(plan: CutPlan) -> str:
    """How many cuts of each kind; empty for none."""
    gates = sum(isinstance(cut, GateCut) for cut in plan.cuts)
    wires = plan.num_cuts - gates
    counts = ((gates, "gate cut"), (wires, "wire cut"))
    parts = [f"{n} {name}{'s' * (n > 1)}" for n, name in counts if n]
    return " + ".join(parts)


def _widths(candidate: Candidate) -> str:
    if candidate.plan is None:
        return _NONE
    each = [fragment.width for fragment in candidate.plan.fragments]
    if len(each) <= _MOST_WIDTHS:
        return " + ".join(map(str, each))
    return f"{len(each)} of up to {max(each)}"


def _fragments(plan: CutPlan) -> str:
    """The same in a sentence."""
    each = [fragment.width for fragment in plan.fragments]
    if len(each) <= _MOST_WIDTHS:
        return f"fragments of {' + '.join(map(str, each))} qubits"
    return f"{len(each)} fragments of up to {max(each)} qubit{'s' * (max(each) > 1)}"


def _overhead(candidate: Candidate) -> str:
    if candidate.plan is None:
        return _NONE
    bits = candidate.plan.log2_overhead
    return "1" if bits == 0 else f"2^{bits:.1f} = {_power(bits)}"


def _power(bits: float) -> str:
    decimal = bits * float(np.log10(2))
    if decimal < 4:
        return f"{2**bits:,.4g}"
    digits, exponent = 10 ** (decimal % 1), int(decimal)
    return f"{digits:.1f}e{exponent}"


def _proof(candidate: Candidate) -> str:
    if candidate.plan is None:
        return _NONE
    kinds = candidate.configuration.kinds
    only = f", {kinds[0]} cuts only" * (len(kinds) == 1 and candidate.plan.num_cuts > 0)
    return proof_text(candidate.plan) + only + f", for {part_text(candidate)}" * candidate.partial


def proof_text(plan: CutPlan) -> str:
    """How good a plan is known to be."""
    goal = "fewest operations" if plan.cost == "work" else "least overhead"
    if plan.proven_optimal or (plan.num_cuts == 0 and plan.cost != "work"):
        return f"proven {goal}"
    if plan.cost == "work" and plan.log2_lower_bound <= 0:
        return "searched for the fewest operations; no bound is known"
    return f"at most 2^{max(0.0, plan.log2_total - plan.log2_lower_bound):.1f} times the {goal}"


def _variants(candidate: Candidate) -> str:
    return _NONE if candidate.prediction is None else f"{candidate.prediction.variants:,}"


def _shots(candidate: Candidate) -> str:
    if candidate.prediction is None:
        return _NONE
    return f"{candidate.prediction.shots:,}" if candidate.prediction.shots else "none, exact"


def _memory(candidate: Candidate) -> str:
    if candidate.prediction is not None:
        return readable(candidate.prediction.memory_bytes)
    return "too much" if _TOO_LARGE in candidate.refused else _NONE


def _time(candidate: Candidate) -> str:
    return "cannot run" if candidate.prediction is None else seconds_text(candidate.seconds)


def _interval(candidate: Candidate) -> str:
    if candidate.prediction is None:
        return _NONE
    return " to ".join(map(seconds_text, candidate.prediction.interval))


def _against(candidate: Candidate, uncut: Candidate) -> str:
    if candidate.sameness == uncut.sameness:
        return "this one"
    if uncut.prediction is None:
        return "cannot run"
    if candidate.prediction is None:
        return seconds_text(uncut.seconds)
    ratio = uncut.seconds / candidate.seconds
    return f"{seconds_text(uncut.seconds)}, {ratio:.3g} times as long"


def sentence(candidate: Candidate, num_qubits: int) -> str:
    """A candidate in words.

    Args:
        candidate: The candidate.
        num_qubits: Of the circuit.
    """
    way = candidate.configuration.describe(num_qubits)
    head = way[0].upper() + way[1:]
    if candidate.prediction is None:
        cut = "" if candidate.plan is None else f" The plan: {candidate.plan.summary}."
        return f"{head}: cannot run: {candidate.refused}.{cut}"
    low, high = map(seconds_text, candidate.prediction.interval)
    shots = f", {candidate.prediction.shots:,} shots" if candidate.prediction.shots else ""
    return (
        f"{head}: {_what(candidate)}; predicted {seconds_text(candidate.seconds)} (80 % "
        f"interval {low} to {high}), {_memory(candidate)} of memory{shots}."
    )


def _what(candidate: Candidate) -> str:
    if candidate.plan is None or not candidate.plan.num_cuts:
        apart = f", terms run in {len(candidate.groups)} groups" * (len(candidate.groups) > 1)
        return f"no cut is needed{apart}"
    return (
        f"{_cuts(candidate)}, {_fragments(candidate.plan)}, "
        f"sampling overhead {_overhead(candidate)}{_apart(candidate)}"
    )


def _apart(candidate: Candidate) -> str:
    """What there is besides the plan."""
    if len(candidate.groups) > 1:
        return f" (the greatest of {len(candidate.groups)} groups of terms that run separately)"
    return f" (for {part_text(candidate)}: the others affect no observable)" * candidate.partial


def part_text(candidate: Candidate) -> str:
    """How much of the circuit the plan is for."""
    shown = 0 if candidate.plan is None else candidate.plan.blocks.num_blocks
    return f"{shown} of {candidate.blocks} blocks"


def group_names(candidate: Candidate) -> list[str]:
    """What the groups of terms that run apart are called; nothing where all run together."""
    count = len(candidate.groups)
    return [
        f"group {k} of {count}: {cuts_text(plan) or 'no cuts'}"
        for k, plan in enumerate(candidate.groups, 1)
    ]


def table_html(found: Sequence[Row], heads: Sequence[str]) -> str:
    """The table for a page.

    Args:
        found: Its rows.
        heads: Of the columns with numbers.
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    lines = []
    for row in found:
        cells = "".join(f"<td>{escape(value)}</td>" for value in row.values)
        kind = ' class="qd-part"' if row.part else ""
        label, hint = escape(row.label), escape(row.hint)
        lines.append(f'<tr{kind} title="{hint}"><th scope="row">{label}</th>{cells}</tr>')
    return (
        f'<table class="qd-numbers"><thead><tr><th scope="col"><span class="qd-hidden">Number'
        f"</span></th>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def table_text(found: Sequence[Row], heads: Sequence[str]) -> str:
    """The table for a terminal."""
    table = [("", *heads)]
    table += [("  " * row.part + row.label, *row.values) for row in found]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in table)
