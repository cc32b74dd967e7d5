"""Cutting PUBs into pieces and joining them must change nothing; no pilot is needed for that."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.primitives import BitArray, DataBin, PubResult, StatevectorEstimator
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.primitives.containers.sampler_pub_result import SamplerPubResult

from pilot_kernel.primitive.pub import pieces
from pilot_kernel.primitive.pub.pieces import chunks, cut, join

SHAPES = [((), ()), ((7,), ()), ((), (3,)), ((7, 1), (3,)), ((4, 1, 3), (2, 1)), ((5, 3), (3,))]


def _rotated():
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    circuit.rx(Parameter("b"), 1)
    return circuit


@pytest.fixture
def tiny_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "_LARGEST", 2)


@pytest.mark.parametrize(("values", "observables"), SHAPES)
def test_an_estimator_pub_survives(tiny_pieces, values, observables):
    rng = np.random.default_rng(3)
    terms = rng.choice(["ZZ", "XI", "IY", "YX"], size=observables)
    angles = rng.random((*values, 2))
    pub = EstimatorPub.coerce((_rotated(), terms.tolist(), angles), 0.0)
    estimator = StatevectorEstimator()
    parts = cut([pub], seed=None)
    assert len(parts) == max(1, -(-int(np.prod(values)) // 2))
    done = [(piece, estimator.run([piece.pub]).result()[0]) for piece in parts]
    whole = estimator.run([pub]).result()[0].data.evs
    joined = join(done)[0].data
    assert joined.shape == pub.shape
    assert joined.evs.shape == whole.shape
    assert np.allclose(joined.evs, whole)


@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_a_sampler_pub_survives(tiny_pieces, shape):
    circuit = _rotated()
    circuit.measure_all()
    rng = np.random.default_rng(1)
    pub = SamplerPub.coerce((circuit, rng.random((*shape, 2)), 11))
    array = rng.integers(0, 4, (*shape, 11, 1), dtype=np.uint8)

    def run(piece):
        rows = array if piece.places is None else array.reshape(-1, 11, 1)[piece.places]
        data = DataBin(meas=BitArray(rows, 2), shape=rows.shape[:-2])
        return piece, SamplerPubResult(data)

    joined = join([run(piece) for piece in cut([pub], seed=None)])[0]
    assert isinstance(joined, SamplerPubResult)
    assert np.array_equal(joined.data.meas.array, array)
    assert joined.data.meas.num_bits == 2


def test_values_land_where_their_parameters_were(tiny_pieces):
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("a"), 0)
    angles = np.linspace(0, np.pi, 6).reshape(2, 3, 1)
    pub = EstimatorPub.coerce((circuit, "Z", angles), 0.0)
    done = []
    for piece in cut([pub], seed=None):
        own = np.cos(piece.pub.parameter_values.as_array(["a"])[..., 0])
        done.append((piece, PubResult(DataBin(evs=own, stds=0 * own, shape=own.shape))))
    assert np.allclose(join(done)[0].data.evs, np.cos(angles[..., 0]))


@given(st.lists(st.integers(1, 12), min_size=1, max_size=30), st.integers(1, 9))
@settings(deadline=None)
def test_chunks_keep_every_piece_once_and_in_order(widths, workers):
    pubs = []
    for wide in widths:
        circuit = QuantumCircuit(wide)
        circuit.h(range(wide))
        pubs.append(EstimatorPub.coerce((circuit, "Z" * wide), 0.0))
    parts = cut(pubs, seed=1)
    groups = chunks(parts, workers)
    assert [piece for group in groups for piece in group] == parts
    assert 1 <= len(groups) <= 4 * workers


def test_seeds_differ_by_piece_but_not_by_chunking(tiny_pieces):
    circuit = _rotated()
    pub = EstimatorPub.coerce((circuit, "ZZ", np.zeros((9, 2))), 0.1)
    seeds = [piece.seed for piece in cut([pub, pub], seed=5)]
    assert len(set(seeds)) == 10
    assert seeds == [piece.seed for piece in cut([pub, pub], seed=5)]
    assert seeds != [piece.seed for piece in cut([pub, pub], seed=6)]
