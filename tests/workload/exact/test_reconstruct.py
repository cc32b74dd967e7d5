"""All terms at once give what one einsum per term gives, in slices and in one piece."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.exact import reconstruct
from qdreamer_lab.workload.exact.reconstruct import Reconstruction, paired


def random_tensors(rng, axes, operators):
    shapes = [(n, *(size for _, size in one)) for n, one in zip(operators, axes, strict=True)]
    return [rng.normal(size=shape) + 1j * rng.normal(size=shape) for shape in shapes]


def one_by_one(axes, tensors, operator_of):
    values = []
    for term in operator_of:
        operands = []
        for k, one, tensor in zip(term, axes, tensors, strict=True):
            operands += [tensor[k], [cut for cut, _ in one]]
        values.append(np.einsum(*operands, []).real if operands else 1.0)
    return np.array(values)


@st.composite
def networks(draw):
    """Axes of some fragments: every cut joins two of them."""
    count = draw(st.integers(0, 4))
    axes = [[] for _ in range(count)]
    for cut in range(draw(st.integers(0, 5)) if count > 1 else 0):
        size = draw(st.sampled_from([1, 4, 9]))
        for end in draw(st.permutations(range(count)))[:2]:
            axes[end].insert(draw(st.integers(0, len(axes[end]))), (cut, size))
    return axes


@settings(deadline=None, max_examples=60)
@given(networks(), st.integers(1, 60), st.integers(1, 6), st.integers(0, 99))
def test_any_network(axes, terms, versions, seed):
    rng = np.random.default_rng(seed)
    operators = rng.integers(1, versions + 1, len(axes)).tolist()
    tensors = random_tensors(rng, axes, operators)
    operator_of = rng.integers(0, operators, (terms, len(axes)))
    expected = one_by_one(axes, tensors, operator_of)
    for limit in (None, 4000):
        try:
            whole = Reconstruction(axes, limit)
        except MemoryLimitError:
            continue
        np.testing.assert_allclose(whole.values(tensors, operator_of), expected, atol=1e-9)


@pytest.mark.parametrize("part", [1, 7, 64, 1000])
@settings(
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(network=networks(), terms=st.integers(1, 60), seed=st.integers(0, 99))
def test_in_parts_on_any_number_of_cores(monkeypatch, part, network, terms, seed):
    monkeypatch.setattr(reconstruct, "_PART", part)
    monkeypatch.setattr(reconstruct, "_ROWS", 3)
    rng = np.random.default_rng(seed)
    operators = rng.integers(1, 5, len(network)).tolist()
    tensors = random_tensors(rng, network, operators)
    operator_of = rng.integers(0, operators, (terms, len(network)))
    whole = Reconstruction(network)
    one, three = (whole.values(tensors, operator_of, cores) for cores in (1, 3))
    np.testing.assert_array_equal(one, three)
    np.testing.assert_allclose(one, one_by_one(network, tensors, operator_of), atol=1e-9)


def test_slices_keep_intermediates_small():
    axes = [[(0, 16), (1, 16), (2, 16)], [(0, 16), (1, 16), (3, 16)], [(2, 16), (3, 16)]]
    tensors = random_tensors(np.random.default_rng(1), axes, [2, 2, 2])
    operator_of = np.array([[0, 0, 0], [1, 0, 1], [1, 1, 1]])
    whole = Reconstruction(axes, 10**9)
    sliced = Reconstruction(axes, 40_000)
    assert whole.sliced == ()
    assert sliced.sliced
    np.testing.assert_allclose(
        sliced.values(tensors, operator_of), whole.values(tensors, operator_of), atol=1e-9
    )
    with pytest.raises(MemoryLimitError, match=r"even in \d+ slices, but 90 B may be used"):
        Reconstruction(axes, 90)


def test_pairing_puts_bra_and_ket_of_a_cut_side_by_side():
    tensors = np.arange(2 * 36).reshape(2, 2, 3, 2, 3) + 0j
    assert paired(tensors).shape == (2, 4, 9)
    assert paired(tensors)[1, 2 * 1 + 0, 3 * 2 + 1] == tensors[1, 1, 2, 0, 1]
