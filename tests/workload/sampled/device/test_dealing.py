"""Dealing circuits out to devices: all of them, once, and soon done."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.workload.sampled.device.dealing import Lot, deal
from qdreamer_lab.workload.sampled.device.deals import Asked, parted
from qdreamer_lab.workload.sampled.shots import ShotRequest


def loads(lots, dealt, waits, jobs):
    """When each device is done with its pieces; zero for one that has none."""
    return [
        waits[k] + sum(jobs[k] + lots[p.lot].shot_s[k] * p.circuits * p.shots for p in pieces)
        if pieces
        else 0.0
        for k, pieces in enumerate(dealt)
    ]


def assert_all_once(lots, dealt):
    """Every shot of every circuit goes to one device."""
    for number, lot in enumerate(lots):
        taken = np.zeros((lot.count, lot.shots), dtype=int)
        for pieces in dealt:
            for piece in pieces:
                if piece.lot == number:
                    circuits = slice(piece.start, piece.start + piece.circuits)
                    taken[circuits, piece.skipped : piece.skipped + piece.shots] += 1
        assert (taken == 1).all()


@st.composite
def games(draw):
    devices = draw(st.integers(1, 4))
    speeds = st.sampled_from([None, 1e-4, 3e-4, 1e-3])
    lots = []
    for _ in range(draw(st.integers(1, 7))):
        speed = draw(st.tuples(*[speeds] * devices).filter(any))
        lots.append(
            Lot(
                draw(st.integers(1, 6)),
                draw(st.sampled_from([2, 50, 300, 1000])),
                speed,
                parts=draw(st.booleans()),
                shares=draw(st.booleans()),
            )
        )
    waits = draw(st.lists(st.sampled_from([0.0, 0.5, 60.0]), min_size=devices, max_size=devices))
    jobs = draw(st.lists(st.sampled_from([0.0, 0.02, 2.0]), min_size=devices, max_size=devices))
    return lots, waits, jobs


@settings(deadline=None, max_examples=200)
@given(games())
def test_everything_goes_somewhere_once(game):
    lots, waits, jobs = game
    dealt = deal(lots, waits, jobs)
    assert_all_once(lots, dealt)
    for k, pieces in enumerate(dealt):
        for piece in pieces:
            lot = lots[piece.lot]
            assert lot.shot_s[k] is not None
            assert lot.parts or (piece.circuits, piece.shots) == (lot.count, lot.shots)
            assert lot.shares or piece.shots == lot.shots
    # No worse than all on the one device that could have it all.
    for k, wait in enumerate(waits):
        if all(lot.shot_s[k] is not None for lot in lots):
            cost = sum(jobs[k] + lot.shot_s[k] * lot.count * lot.shots for lot in lots)
            assert max(loads(lots, dealt, waits, jobs)) <= (wait + cost) * (1 + 1e-9)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=7), st.integers(1, 3))
def test_whole_lots_on_equal_devices_take_at_most_four_thirds_of_the_best(sizes, devices):
    lots = [Lot(1, size, (1.0,) * devices, parts=False) for size in sizes]
    dealt = deal(lots, [0.0] * devices, [0.0] * devices)
    best = min(
        max(
            sum(size for size, on in zip(sizes, where, strict=True) if on == k)
            for k in range(devices)
        )
        for where in itertools.product(range(devices), repeat=len(sizes))
    )
    assert max(loads(lots, dealt, [0.0] * devices, [0.0] * devices)) <= 4 / 3 * best + 1e-9


@pytest.mark.parametrize(
    ("lots", "waits", "jobs", "wanted"),
    [
        # Two jobs for two devices: none is parted, which would make four of them.
        ([Lot(6, 100, (3e-4, 3e-4))] * 2, [0, 0], [2, 2], [2.18, 2.18]),
        # One lot of twelve circuits of a second each is halved; one of half the speed gets a third.
        ([Lot(12, 1000, (1e-3, 1e-3))], [0, 0], [0, 0], [6, 6]),
        ([Lot(12, 1000, (1e-3, 2e-3))], [0, 0], [0, 0], [8, 8]),
        # Another job must save something.
        ([Lot(2, 1000, (1e-3, 1e-3))], [0, 0], [2, 2], [3, 3]),
        ([Lot(2, 10, (1e-3, 1e-3))], [0, 0], [2, 2], [2.02, 0]),
        # One circuit is shared where that is allowed.
        ([Lot(1, 9000, (1e-3, 2e-3), shares=True)], [0, 0], [0, 0], [6, 6]),
        ([Lot(1, 9000, (1e-3, 2e-3))], [0, 0], [0, 0], [9, 0]),
        # Whoever has to wait gets less, or nothing.
        ([Lot(10, 1000, (1e-3, 1e-3))], [4, 0], [0, 0], [7, 7]),
        ([Lot(10, 1000, (1e-3, 1e-3))], [60, 0], [0, 0], [0, 10]),
    ],
)
def test_examples(lots, waits, jobs, wanted):
    dealt = deal(lots, waits, jobs)
    assert_all_once(lots, dealt)
    assert sorted(loads(lots, dealt, waits, jobs)) == pytest.approx(sorted(wanted))


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from([3, 200, 1000, 5000]), min_size=1, max_size=8),
    st.integers(1, 3),
    st.booleans(),
)
def test_requests_are_dealt_out_whole(shots, devices, shares):
    """Places stay with variants, shares of a variant add up to one, and no place is used twice."""
    size = len(shots)
    variants = np.arange(size)[::-1] + 7
    request = ShotRequest(variants, np.sort(shots)[::-1], (1,), report=True)
    asked = [Asked(request, size, (1e-3,) * devices, parts=True, shares=shares)] * 2
    out = parted(asked, [0.0] * devices, [0.0] * devices)
    for number in range(2):
        mine = [part for pieces in out for k, part in pieces if k == number]
        places = np.concatenate([part.places for part in mine])
        assert len(set(places.tolist())) == len(places)
        weights = [
            np.ones(len(part.places)) if part.shares is None else part.shares for part in mine
        ]
        assert np.bincount(places % size, np.concatenate(weights)) == pytest.approx(np.ones(size))
        taken = np.concatenate([part.shots for part in mine])
        assert (np.bincount(places % size, taken) == request.shots).all()
        for part in mine:
            assert (request.variants[part.places % size] == part.variants).all()
            assert part.report
