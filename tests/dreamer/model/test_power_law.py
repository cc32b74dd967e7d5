import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.dreamer.model.power_law import PowerLawModel, SpeedupRow, rounds
from qdreamer_lab.errors import QDreamerError

SIZES = st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))
RUNS = st.tuples(SIZES, st.integers(1, 10**6), st.integers(1, 64))


def rows_of(model, runs, noise=lambda k: 1.0):
    return [
        SpeedupRow(n, n_sub, tasks, workers, noise(k) * model.speedup(n, n_sub, tasks, workers))
        for k, ((n, n_sub), tasks, workers) in enumerate(runs)
    ]


def test_the_defaults_are_the_paper_s():
    model = PowerLawModel()
    assert (model.eta_max, model.p) == (0.0008, 0.3233)
    assert model.speedup(30, 15, 162, 4) == pytest.approx(2**15 * 0.0008 / 41**0.3233 / 41)


def test_a_run_without_cuts_is_the_known_fault():
    assert PowerLawModel().speedup(20, 20, 1, 1) == 0.0008


@given(
    st.floats(1e-6, 10),
    st.floats(-2, 2),
    st.lists(RUNS, min_size=2, max_size=20).filter(
        lambda runs: len({rounds(tasks, workers) for _, tasks, workers in runs}) > 1
    ),
)
def test_a_fit_recovers_what_made_the_rows(eta_max, p, runs):
    found = PowerLawModel.fit(rows_of(PowerLawModel(eta_max, p), runs))
    # Numbers of rounds may differ by as little as one in a million.
    turns = [math.log(rounds(tasks, workers)) for _, tasks, workers in runs]
    slack = 1e-9 / (max(turns) - min(turns))
    assert found.p == pytest.approx(p, abs=max(1e-6, slack))
    assert math.log(found.eta_max) == pytest.approx(math.log(eta_max), abs=max(1e-6, 20 * slack))


def test_a_fit_of_noisy_rows_is_in_the_middle():
    runs = [((20, 10), 2**k, 1) for k in range(10)]
    found = PowerLawModel.fit(rows_of(PowerLawModel(0.01, 0.5), runs, lambda k: 1.1 ** (-1) ** k))
    assert found.p == pytest.approx(0.5, abs=0.02)
    assert found.eta_max == pytest.approx(0.01, rel=0.1)


@given(RUNS, st.floats(1e-3, 1e6))
def test_seconds_times_speedup_are_the_seconds_uncut(run, uncut_s):
    (n, n_sub), tasks, workers = run
    model = PowerLawModel()
    cut_s = model.makespan(uncut_s, n, n_sub, tasks, workers)
    assert cut_s * model.speedup(n, n_sub, tasks, workers) == pytest.approx(uncut_s)


@given(RUNS)
def test_more_workers_never_slow_it_down(run):
    (n, n_sub), tasks, workers = run
    model = PowerLawModel()
    more = model.speedup(n, n_sub, tasks, workers + 1)
    assert more >= model.speedup(n, n_sub, tasks, workers)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: PowerLawModel(eta_max=0), "eta_max=0"),
        (lambda: PowerLawModel(eta_max="a"), "eta_max='a'"),
        (lambda: PowerLawModel(p=math.nan), "p=nan: must be finite"),
        (lambda: PowerLawModel(p=None), "p=None"),
        (lambda: PowerLawModel().speedup(4, 5, 1, 1), "n_sub=5: no fragment is wider"),
        (lambda: PowerLawModel().speedup(4, 0, 1, 1), "n_sub=0"),
        (lambda: PowerLawModel().speedup(4, 2, 0, 1), "tasks=0"),
        (lambda: PowerLawModel().speedup(4, 2, 1, 1.5), "workers=1.5"),
        (lambda: PowerLawModel().speedup(4, 2, True, 1), "tasks=True"),
        (lambda: PowerLawModel().makespan(-1, 4, 2, 1, 1), "uncut_s=-1"),
        (lambda: SpeedupRow(4, 2, 1, 1, math.inf), "speedup=inf"),
        (lambda: SpeedupRow(4, 2, 1, 0, 1.0), "workers=0"),
        (lambda: PowerLawModel.fit([]), "0 rows with 0 different"),
        (lambda: PowerLawModel.fit([SpeedupRow(4, 2, 3, 1, 1.0)] * 2), "2 rows with 1 different"),
    ],
)
def test_bad_input_is_named(wrong, told):
    with pytest.raises(QDreamerError, match=told):
        wrong()
