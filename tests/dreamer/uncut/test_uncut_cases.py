"""Predictions of uncut runs by other methods than state vectors."""

import subprocess
import sys

import numpy as np
import pytest

from qdreamer_lab import CutEstimator, Limits, MachineProfile, QDreamer
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS
from qdreamer_lab.dreamer.model.probe import timed
from qdreamer_lab.dreamer.uncut import case
from qdreamer_lab.dreamer.uncut.cost import (
    ChainShape,
    CliffordShape,
    chain_counts,
    clifford_counts,
    likely_counts,
)
from qdreamer_lab.dreamer.uncut.probes import chain_probes, clifford_probes
from qdreamer_lab.errors import MethodError, QDreamerError
from qdreamer_lab.workload.uncut.bond_dimensions import log2_entropies, log2_ranks
from tests.circuits.drawn import random_cx
from tests.circuits.plain import ghz, ising, layered, neighbours, ring


@pytest.fixture
def dreamer():
    return QDreamer(profile=MachineProfile.nominal())


@pytest.mark.parametrize("method", ["matrix_product_state", "stabilizer"])
@pytest.mark.parametrize("make", [ghz, layered, ring])
def test_what_is_predicted_is_what_is_run_and_it_can_be_learned_from(dreamer, make, method):
    circuit, observables = make(9), neighbours(9)
    if method == "stabilizer" and make is not ghz:
        with pytest.raises(MethodError, match="Clifford"):
            dreamer.predict(circuit, observables, method=method)
        return
    found = dreamer.predict(circuit, observables, method=method)
    assert not found.cut
    assert found.configuration.method == method
    assert found.configuration.workers == 1
    assert found.shots == found.standard_error == 0
    result = CutEstimator(9, method=method).run([(circuit, observables)]).result()[0]
    assert found.tasks == len(result.metadata["fragments"]) == 1
    assert found.variants == result.metadata["variants"]
    assert np.array_equal(found.plan.labels, result.metadata["plan"].labels)
    dense = dreamer.predict(circuit, observables)
    assert dense.configuration.method == "statevector"
    dreamer.observe(result)  # finds its prediction, and not the later one of state vectors
    assert dreamer.profile().belief.observations > 0
    with pytest.raises(QDreamerError, match="method"):
        dreamer.observe(result, dense)


def test_a_recommendation_takes_them_and_runs_them(dreamer):
    every = dreamer.recommend(layered(36), neighbours(36)).predictions
    assert {"matrix_product_state", "statevector"} == {one.configuration.method for one in every}
    found = dreamer.recommend(layered(36), neighbours(36), methods=["matrix_product_state"])
    assert "1e-22" in found.explain()
    assert "as a matrix product state" in found.explain()
    result = found.run()
    assert result.metadata["method"] == "matrix_product_state"
    cut = CutEstimator(12, mode="exact").run([(layered(36), neighbours(36))]).result()[0]
    assert result.data.evs == pytest.approx(cut.data.evs, abs=1e-8)
    clifford = dreamer.recommend(ghz(60), neighbours(60), methods=["stabilizer"])
    assert clifford.run().data.evs == pytest.approx(59)


def test_what_is_hopeless_is_refused_with_the_reason(dreamer):
    circuit = random_cx(np.random.default_rng(0), 40, 400)
    with pytest.raises(MethodError, match="hours"):
        dreamer.predict(circuit, neighbours(40), method="matrix_product_state")
    found = dreamer.recommend(
        random_cx(np.random.default_rng(0), 12, 400),
        neighbours(12),
        limits=Limits(max_memory_bytes=1_500_000),
    )
    assert all(one.memory_bytes <= 1_500_000 for one in found.predictions)
    assert any(one.configuration.method == "matrix_product_state" for one in found.refused)


def test_a_width_that_is_limited_leaves_no_room_for_them(dreamer):
    found = dreamer.recommend(layered(12), neighbours(12), limits=Limits(max_qubits=6))
    methods = {one.configuration.method for one in (*found.predictions, *found.refused)}
    assert methods == {"statevector"}
    with pytest.raises(QDreamerError, match="methods"):
        dreamer.recommend(layered(6), neighbours(6), methods=["guess"])
    with pytest.raises(QDreamerError, match="methods"):
        dreamer.recommend(layered(6), neighbours(6), methods="statevector")


def test_where_bounds_are_loose_the_doubt_is_greater(dreamer, monkeypatch):
    # How long planning takes is measured, and counts little unless the machine is busy.
    monkeypatch.setattr(case, "timed_twice", lambda plan: (plan(), 0.002))
    tight, loose = (
        dreamer.predict(ising(20, 8, angle), neighbours(20), method="matrix_product_state")
        for angle in (np.pi / 2, 0.1)
    )
    assert loose.memory_bytes == tight.memory_bytes  # memory is bounded, whatever is likely
    assert loose.makespan_s < tight.makespan_s
    assert loose.doubt > 2 * tight.doubt
    assert loose.interval[1] > 4 * loose.makespan_s
    before = dreamer.profile().belief
    result = CutEstimator(20, method="matrix_product_state")
    done = result.run([(ising(20, 8, 0.1), neighbours(20))]).result()[0]
    dreamer.observe(done, loose)
    names = [one.name for one in COEFFICIENTS]
    place = names.index("chain_svd")  # times say more about bonds than about coefficients
    assert dreamer.profile().belief.values[place] == pytest.approx(before.values[place], rel=0.05)


def test_entropies_are_below_ranks_and_equal_where_gates_are_clifford():
    coefficients = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [1, 0.1, 0, 0]], float)
    coefficients /= np.linalg.norm(coefficients, axis=1, keepdims=True)
    ranks, entropies = log2_ranks(coefficients), log2_entropies(coefficients)
    assert ranks.tolist() == [1, 0, 2, 1]
    assert entropies[:3] == pytest.approx([1, 0, 2], abs=1e-12)
    p = 0.01 / 1.01
    assert entropies[3] == pytest.approx(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


def test_likely_counts_are_half_way_and_the_doubt_is_half_the_distance():
    values = np.array([one.nominal_ns for one in COEFFICIENTS])
    low = ChainShape(10, 10, 1e3, 1e4, 1, 3, 10, 1e4)
    high = ChainShape(10, 10, 1e5, 5e7, 1, 3, 10, 1e7)
    counts, doubt = likely_counts(low, high, values)
    times = [float(one @ values) for one in (chain_counts(low), counts, chain_counts(high))]
    assert times == sorted(times)
    assert np.log(times[2] / times[0]) == pytest.approx(2 * 1.2816 * doubt)
    same, none = likely_counts(low, low, values)
    assert same == pytest.approx(chain_counts(low))
    assert none == 0


def test_probes_run_and_every_coefficient_of_a_method_is_in_one():
    probes = [*chain_probes(), *clifford_probes()]
    times = timed([one.call for one in probes[:2] + probes[-2:]], 5.0)
    assert all(one.seconds > 0 for one in times)
    counts = sum(one.counts for one in probes)
    for one, count in zip(COEFFICIENTS, counts, strict=True):
        assert (count > 0) == one.name.startswith(("chain", "clifford")), one.name


def test_clifford_memory_and_work_grow_with_the_strings():
    small, large = CliffordShape(10, 100, 10), CliffordShape(10, 100, 1000)
    assert large.num_bytes > small.num_bytes
    assert (clifford_counts(large) >= clifford_counts(small)).all()


_PEAK = """
import re
from pathlib import Path
from qdreamer_lab import CutEstimator, MachineProfile, QDreamer
from tests.circuits.plain import layered

def held(name):
    return 1024 * int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

def run(circuit):
    n = circuit.num_qubits
    found = QDreamer(profile=MachineProfile.nominal()).predict(
        circuit, "Z" * n, method="matrix_product_state"
    )
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = held("VmRSS")
    CutEstimator(n, method="matrix_product_state").run([(circuit, "Z" * n)]).result()
    return found.memory_bytes, held("VmHWM") - before

run(layered(6))
print(*run(layered(17, 8)))
"""


def test_memory_of_a_matrix_product_state_is_not_above_its_prediction():
    """In a process of its own, whose peak nothing else has raised."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK], capture_output=True, text=True, check=True, timeout=300
    )
    predicted, peak = map(int, done.stdout.split())
    assert peak <= 1.1 * predicted
    assert predicted < 8 * peak
