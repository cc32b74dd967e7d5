"""Which outcomes at cuts tell anything of a value.

The side that settles a cut measures, and the other is turned by what came out. Where nothing is
read behind that, its value is 1 however it was turned, and the outcome does not matter. This module
must not know devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.workload.sampled.variants import Leg, ShotFragment

__all__ = ["telling_legs"]


def telling_legs(fragments: Sequence[ShotFragment], silent: Sequence[bool]) -> list[frozenset[int]]:
    """Of each fragment, the places of the legs whose outcomes matter.

    Args:
        fragments: All of a program's.
        silent: Of each, whether nothing is read of it but what its cuts need.
    """
    ends = {
        (leg.glue, leg.end): (number, leg)
        for number, fragment in enumerate(fragments)
        for leg in fragment.legs
    }

    def follows(leg: Leg) -> int | None:
        """The fragment that is turned by a leg's outcomes; None if its cut is not settled so."""
        number, other = ends[leg.glue, 1 - leg.end]
        return number if _measures(leg) and not _measures(other) else None

    def is_turned(leg: Leg) -> bool:
        return _measures(ends[leg.glue, 1 - leg.end][1]) and not _measures(leg)

    def tells(number: int, above: frozenset[int]) -> bool:
        """Whether a fragment's value depends on what is done at its cuts."""
        if not silent[number] or number in above:
            return True
        return any(
            not is_turned(leg) and matters(leg, above | {number}) for leg in fragments[number].legs
        )

    def matters(leg: Leg, above: frozenset[int] = frozenset()) -> bool:
        behind = follows(leg)
        return behind is None or tells(behind, above)

    return [
        frozenset(place for place, leg in enumerate(fragment.legs) if matters(leg))
        for fragment in fragments
    ]


def _measures(leg: Leg) -> bool:
    """Whether it is the side that settles a cut: it measures, and has nothing else to do."""
    operations = leg.side.operations
    return len(operations) == 1 and len(operations[0].kraus) > 1
