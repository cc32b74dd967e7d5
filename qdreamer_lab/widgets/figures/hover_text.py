"""What hover texts and labels say about plans and cuts, in few words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.picture.layout import fragment_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qdreamer_lab.workload.cut.cuts import Fragment, WireCut

__all__ = ["bits_of", "count_text", "cut_text", "cuts_text", "fragment_text", "power_text"]

_LISTED = 8
"""Cuts that a hover text lists."""


def bits_of(cut: GateCut | WireCut) -> float:
    """log2 of the sampling overhead of a cut on its own."""
    return 2 * math.log2(cut.gamma)


def power_text(bits: float) -> str:
    """A factor as a power of two."""
    return f"2<sup>{bits:.1f}</sup>"


def fragment_text(fragment: Fragment) -> str:
    """The letter and the width, such as "A · 12 q"."""
    return f"{fragment_name(fragment.id)} · {fragment.width} q"


def cut_text(cut: GateCut | WireCut) -> str:
    """One line about a cut."""
    first, second = map(fragment_name, cut.fragments)
    cost = f"overhead factor {power_text(bits_of(cut))}"
    if isinstance(cut, GateCut):
        low, high = cut.qubits
        return f"✕ gate cut, q{low} ({first}) and q{high} ({second}), {cost}"
    return f"◇ wire cut, q{cut.qubit}, {first} → {second}, {cost}"


def cuts_text(cuts: Iterable[GateCut | WireCut]) -> str:
    """A line for each cut; the rest is counted."""
    lines = [cut_text(cut) for cut in cuts]
    more = len(lines) - _LISTED
    if more > 1:
        lines = [*lines[:_LISTED], f"and {more} more"]
    return "<br>".join(lines)


def count_text(number: int, noun: str) -> str:
    """A number and a noun in its right form."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
