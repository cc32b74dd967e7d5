"""Dealing out a round's circuits to several devices, so that the last of them is done soon.

Circuits with equal shots travel in one job, so they stay together unless parting them is worth
another job. Arithmetic on plain data; nothing is known of circuits or devices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Lot", "Piece", "deal"]

_GAIN = 0.02
"""The least part of the time that a change must save."""

_LOOKED_AT = 16
"""Pieces of the device that is done last which are looked at for a change; the dearest ones."""

_LEAST_SHOTS = 128
"""Of one circuit that two devices share, for each of them."""

_FEW = 4
"""Circuits with equal shots, at most, of which one may be shared by two devices; of more of them
whole ones go to either without leaving much of a difference."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Circuits with equal shots.

    Attributes:
        count: Circuits, at least 1.
        shots: Of each.
        shot_s: Of each device, seconds of a shot there; None where the circuits do not run.
        parts: Whether they may go to several devices.
        shares: Whether the shots of one circuit may, too.
    """

    count: int
    shots: int
    shot_s: tuple[float | None, ...]
    parts: bool = True
    shares: bool = False


class Piece(NamedTuple):
    """What a device gets of a lot.

    Attributes:
        lot: Its number.
        start: The first of its circuits.
        circuits: How many.
        skipped: Shots of each that go elsewhere before these; zero where circuits are whole.
        shots: Of each circuit.
    """

    lot: int
    start: int
    circuits: int
    skipped: int
    shots: int


def deal(lots: Sequence[Lot], waits: Sequence[float], jobs: Sequence[float]) -> list[list[Piece]]:
    """Say which device gets what.

    Whole lots go, the dearest first, to the device that is done with them soonest. Then the device
    that is done last hands on a piece, or a part of one, as long as that saves time.

    Args:
        lots: Each runs on one device at least.
        waits: Of each device, seconds before it begins.
        jobs: Of each device, seconds that a job takes besides its shots.

    Returns:
        For each device its pieces, by lot. All of them together are the lots.
    """
    dealt: list[list[Piece]] = [[] for _ in waits]
    load = list(waits)
    for number in sorted(range(len(lots)), key=lambda k: _order(lots[k], jobs)):
        piece = Piece(number, 0, lots[number].count, 0, lots[number].shots)
        costs = {
            device: load[device] + cost
            for device in range(len(waits))
            if (cost := _cost(lots[number], piece, device, jobs)) is not None
        }
        first = min(costs, key=lambda device: (costs[device], device))
        dealt[first].append(piece)
        load[first] = costs[first]
    for _ in range(4 * len(waits) + len(lots) if len(waits) > 1 else 0):
        if not _improved(lots, dealt, load, jobs):
            break
    return [sorted(pieces) for pieces in dealt]


def _order(lot: Lot, jobs: Sequence[float]) -> tuple[int, float]:
    """Those with the fewest devices come first, then the dearest."""
    whole = Piece(0, 0, lot.count, 0, lot.shots)
    costs = [_cost(lot, whole, device, jobs) for device in range(len(jobs))]
    known = [cost for cost in costs if cost is not None]
    return len(known), -min(known)


def _cost(lot: Lot, piece: Piece, device: int, jobs: Sequence[float]) -> float | None:
    """Seconds of a piece on a device; None if it does not run there."""
    each = lot.shot_s[device]
    return None if each is None else jobs[device] + each * piece.circuits * piece.shots


def _improved(
    lots: Sequence[Lot], dealt: list[list[Piece]], load: list[float], jobs: Sequence[float]
) -> bool:
    """Have the device that is done last hand something on; whether that saves time."""
    last = max((k for k, pieces in enumerate(dealt) if pieces), key=lambda k: load[k])
    dear = sorted(dealt[last], key=lambda each: (-each.circuits * each.shots, each))[:_LOOKED_AT]
    best: tuple[float, int, Piece, Piece | None, Piece] | None = None
    for piece in dear:
        for to in range(len(load)):
            if to == last or lots[piece.lot].shot_s[to] is None:
                continue
            for kept, given in _splits(lots[piece.lot], piece, last, to, load, jobs):
                left = load[last] - _of(lots, piece, last, jobs)
                left += _of(lots, kept, last, jobs) if kept is not None else 0.0
                done = max(left, load[to] + _of(lots, given, to, jobs))
                if best is None or done < best[0]:
                    best = done, to, piece, kept, given
    if best is None or best[0] > (1 - _GAIN) * load[last]:
        return False
    _, to, piece, kept, given = best
    dealt[last].remove(piece)
    load[last] -= _of(lots, piece, last, jobs)
    if kept is not None:
        dealt[last].append(kept)
        load[last] += _of(lots, kept, last, jobs)
    dealt[to].append(given)
    load[to] += _of(lots, given, to, jobs)
    return True


def _of(lots: Sequence[Lot], piece: Piece, device: int, jobs: Sequence[float]) -> float:
    return _cost(lots[piece.lot], piece, device, jobs) or 0.0


def _splits(
    lot: Lot, piece: Piece, last: int, to: int, load: Sequence[float], jobs: Sequence[float]
) -> list[tuple[Piece | None, Piece]]:
    """Ways to hand on a piece, or a part with which both devices are done at about the same time.

    Returns:
        What is kept, None for nothing, and what is given.
    """
    found: list[tuple[Piece | None, Piece]] = [(None, piece)]
    here, there = lot.shot_s[last], lot.shot_s[to]
    gap = load[last] - load[to] - jobs[to]
    if not lot.parts or here is None or there is None or not gap > 0 or not here + there > 0:
        return found
    even = gap / (here + there)  # shots
    if piece.circuits > 1:
        for count in {int(even // piece.shots), int(even // piece.shots) + 1}:
            if 0 < count < piece.circuits:
                rest = piece.circuits - count
                kept = piece._replace(circuits=rest)
                found.append((kept, piece._replace(start=piece.start + rest, circuits=count)))
    if lot.shares and piece.circuits <= _FEW:
        shots = round(even / piece.circuits)
        if _LEAST_SHOTS <= shots <= piece.shots - _LEAST_SHOTS:
            rest = piece.shots - shots
            kept = piece._replace(shots=rest)
            found.append((kept, piece._replace(skipped=piece.skipped + rest, shots=shots)))
    return found
