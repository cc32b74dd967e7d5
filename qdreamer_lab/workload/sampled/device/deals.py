"""A round's requests dealt out to several devices: lots made of them, and requests of the pieces.

It must not know what devices are, or what is done with requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.sampled.device.dealing import Lot, deal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qdreamer_lab.workload.sampled.device.dealing import Piece
    from qdreamer_lab.workload.sampled.shots import ShotRequest

__all__ = ["Asked", "parted"]

_MOST_SHARED = 256
"""Variants of a fragment whose shots may be shared; of more of them whole ones even things out, and
places stay small."""


@dataclass(frozen=True, eq=False, slots=True)
class Asked:
    """A request that several devices may share.

    Attributes:
        request: What is to be run.
        size: Variants of the whole round of its fragment.
        shot_s: Of each device, seconds of a shot; None where it does not run.
        parts: Whether circuits with equal shots may go to several devices.
        shares: Whether the shots of a circuit may.
    """

    request: ShotRequest
    size: int
    shot_s: tuple[float | None, ...]
    parts: bool = True
    shares: bool = False


def parted(
    asked: Sequence[Asked], waits: Sequence[float], jobs: Sequence[float]
) -> list[list[tuple[int, ShotRequest]]]:
    """Deal requests out.

    Args:
        asked: The requests; each runs on one device at least.
        waits: Of each device, seconds before it begins.
        jobs: Of each device, seconds that a job takes besides its shots.

    Returns:
        For each device, numbers of requests and what it is to run of them.
    """
    lots: list[Lot] = []
    origin: list[tuple[int, int]] = []
    for number, each in enumerate(asked):
        may_share = each.shares and each.request.scales is None and each.request.shares is None
        may_share = may_share and each.size <= _MOST_SHARED
        for start, count, shots in _runs(each.request):
            origin.append((number, start))
            lots.append(Lot(count, shots, each.shot_s, each.parts, may_share))
    dealt = deal(lots, waits, jobs)
    skips: dict[int, list[int]] = {}
    for piece in (piece for pieces in dealt for piece in pieces):
        skips.setdefault(piece.lot, []).append(piece.skipped)
    order = {lot: sorted(set(found)) for lot, found in skips.items()}
    out = []
    for pieces in dealt:
        mine: dict[int, list[Piece]] = {}
        for piece in pieces:
            mine.setdefault(origin[piece.lot][0], []).append(piece)
        out.append(
            [
                (number, _request(asked[number], own, lots, origin, order))
                for number, own in sorted(mine.items())
            ]
        )
    return out


def _runs(request: ShotRequest) -> Iterator[tuple[int, int, int]]:
    """Neighbours with equal shots: where they begin, how many, shots of each."""
    edges = np.flatnonzero(np.diff(request.shots)) + 1
    starts = [0, *edges.tolist(), len(request.shots)]
    for start, stop in pairwise(starts):
        yield start, stop - start, int(request.shots[start])


def _request(
    asked: Asked,
    pieces: Sequence[Piece],
    lots: Sequence[Lot],
    origin: Sequence[tuple[int, int]],
    order: dict[int, list[int]],
) -> ShotRequest:
    """What a device runs of a request.

    Shots of a circuit that another device has the first of get places of their own, so that
    their random numbers are others.
    """
    at: list[int] = []
    shots: list[int] = []
    later: list[int] = []
    for piece in pieces:
        begin = origin[piece.lot][1] + piece.start
        at += range(begin, begin + piece.circuits)
        shots += [piece.shots] * piece.circuits
        later += [order[piece.lot].index(piece.skipped)] * piece.circuits
    part = asked.request.part(np.array(at))
    taken = np.array(shots)
    if (taken == part.shots).all():
        return part
    return part.shared(taken, part.places + asked.size * np.array(later))
