"""Wires change places between ranks: each trades a block with each other rank of its group.

With k swaps at once, ranks that differ in those k bits are a group of 2**k. A rank's state falls
into 2**k blocks by its k local bits; the block for member b of the group goes to b, and what b has
for this rank takes its place. So 1 - 2**-k of the state travels, in place, in bounded messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qdreamer_lab.workflow.state_vector.line import pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.workflow.state_vector.holder import Holder
    from qdreamer_lab.workflow.state_vector.line import Line

__all__ = ["exchange"]


def exchange(line: Line, state: Holder, local: int, swaps: Sequence[tuple[int, int]]) -> None:
    """Carry out the swaps of a stage.

    Args:
        line: To the other ranks.
        state: This rank's part of the state.
        local: How many places are local.
        swaps: Pairs of a place that is a bit of ranks and a local place.
    """
    bits = [place - local for place, _ in swaps]
    inside = sorted((other for _, other in swaps), reverse=True)
    view = _by_bits(state, local, inside)
    axis = {place: 2 * k + 1 for k, place in enumerate(inside)}
    mine = sum((line.rank >> bit & 1) << k for k, bit in enumerate(bits))
    for distance in range(1, 1 << len(swaps)):
        member = mine ^ distance  # so that no rank is wanted by two others at once
        partner = line.rank
        at: list[slice | int] = [slice(None)] * view.ndim
        for k, (bit, (_, place)) in enumerate(zip(bits, swaps, strict=True)):
            partner ^= (distance >> k & 1) << bit
            at[axis[place]] = member >> k & 1
        for piece in pieces(view[tuple(at)], line.chunk):
            state.put(piece, line.trade(partner, state.fetch(piece)))


def _by_bits(state: Holder, local: int, inside: Sequence[int]) -> Any:
    """The state with an axis for each of these places, the highest first, and axes between."""
    shape, above = [], local
    for place in inside:
        shape += [1 << (above - place - 1), 2]
        above = place
    return state.array.reshape(*shape, 1 << above)
