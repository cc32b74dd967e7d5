"""Segments of wires and what hangs together, against dictionaries and SciPy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qdreamer_lab.kernels.gates.segments import parts_of, segments_of


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(0, 12))
def test_segments_and_parts(seed, num_blocks):
    rng = np.random.default_rng(seed)
    pairs = np.array([np.sort(rng.permutation(5)[:2]) for _ in range(num_blocks)]).reshape(-1, 2)
    labels = rng.integers(0, 3, pairs.shape)
    found, of = np.empty((5, pairs.size), np.int64), np.empty(pairs.shape, np.int64)
    count = segments_of(pairs.astype(np.int64), labels, found, of)
    wires, rows = {}, []  # the last segment on each wire; all of them
    for block, (pair, ends) in enumerate(zip(pairs.tolist(), labels.tolist(), strict=True)):
        for side, (wire, label) in enumerate(zip(pair, ends, strict=True)):
            last = wires.get(wire, -1)
            if last < 0 or rows[last][1] != label:
                wires[wire] = len(rows)
                rows.append([wire, label, block, block, last])
            rows[wires[wire]][3] = block
            assert of[block, side] == wires[wire]
    assert found[:, :count].T.tolist() == rows
    whole = rng.random(num_blocks) < 0.6
    size = len(rows)
    if not size:
        return
    first, second = of[whole].T
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(size, size))
    parts = connected_components(graph, directed=False)[1]
    number: dict[int, int] = {}
    order = [number.setdefault(part, len(number)) for part in parts[of.ravel()].tolist()]
    assert parts_of(of, whole, size).ravel().tolist() == order
