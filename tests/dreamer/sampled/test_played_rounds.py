"""Rounds that are played by chance, against the real schedule with shots that were really drawn."""

import numpy as np
import pytest
from qiskit import QuantumCircuit

from qdreamer_lab import plan_cuts
from qdreamer_lab.dreamer.sampled.chances import Chances
from qdreamer_lab.dreamer.sampled.rounds import _played, played_rounds
from qdreamer_lab.dreamer.sampled.variance import fragment_moments, fragment_variances
from qdreamer_lab.errors import PrecisionError
from qdreamer_lab.workload.circuit.terms import ProductTerm
from qdreamer_lab.workload.sampled.lower import lower
from qdreamer_lab.workload.sampled.rounds import ShotRounds
from qdreamer_lab.workload.sampled.shot_goal import Goal
from qdreamer_lab.workload.sampled.shots import ShotRequest
from qdreamer_lab.workload.sampled.simulate import sample_fragment

MANY = 60


def run_of(width, *, together=False, seed=3):
    """A chain of six qubits in fragments of some width: each neighbours' product, or their sum."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(6)
    for qubit in range(6):
        circuit.ry(rng.uniform(0.4, 2.6), qubit)
    for qubit in range(5):
        circuit.cx(qubit, qubit + 1)
    for qubit in range(6):
        circuit.rx(rng.uniform(0.4, 2.6), qubit)
    strings = [
        ((q, a), (p, b)) for q, p in ((0, 5), (1, 4), (2, 3), (0, 4)) for a, b in ("ZZ", "XZ")
    ]
    terms = [ProductTerm(1.0, string) for string in strings]
    plan = plan_cuts(circuit, width, kinds=("gate",), time_limit_s=0.0)
    return lower(plan, [terms] if together else [[term] for term in terms])


def chances_of(run):
    seen = fragment_moments(run)
    return Chances(run, seen, fragment_variances(run, seen))


def really(run, goal, seed):
    """The real schedule with real shots: shots of each round, and what it thinks after each."""
    rounds = ShotRounds(run, goal, (seed,))
    taken, thought = [], []
    while asked := rounds.requests():
        before = rounds.shots
        results = map(sample_fragment, run.fragments, asked)
        rounds.take([(result.tensor, result.samples) for result in results])
        taken.append(rounds.shots - before)
        thought.append((rounds.stds.max(), rounds._linear.max()))
    return taken, thought


@pytest.mark.parametrize(
    ("width", "together", "precision"),
    [(6, False, 0.06), (6, True, 0.2), (3, False, 0.05), (3, True, 0.3), (2, False, 0.05)],
)
def test_played_games_take_as_many_shots_and_rounds_as_real_ones(width, together, precision):
    run = run_of(width, together=together)
    assert len(run.fragments) == 6 // width
    goal = Goal(precision, None, 10**8)
    real = [really(run, goal, seed)[0] for seed in range(MANY)]
    weights = [fragment.weights() for fragment in run.fragments]
    rng = np.random.default_rng(1)
    chances = chances_of(run)
    games = [_played(weights, chances, goal, rng)[0] for _ in range(MANY)]
    shots = [[sum(taken) for taken in real], [game.shots for game in games]]
    rounds = [[len(taken) for taken in real], [len(game.rounds) for game in games]]
    # Medians of so many that differ by a third have a standard error of 5 %.
    seen, said = np.median(shots, axis=1)
    assert said == pytest.approx(seen, rel=0.2)
    spread = np.std(np.log(shots), axis=1)
    assert spread[1] == pytest.approx(spread[0], rel=0.5, abs=0.05)
    assert np.mean(rounds[1]) == pytest.approx(np.mean(rounds[0]), rel=0.15)


def test_what_is_said_of_a_run_is_the_game_in_the_middle_and_how_much_games_differ():
    run = run_of(3)
    goal = Goal(0.05, None, 10**8)
    weights = [fragment.weights() for fragment in run.fragments]
    told = played_rounds(weights, chances_of(run), goal)
    real = [sum(really(run, goal, seed)[0]) for seed in range(MANY)]
    assert np.quantile(real, 0.1) < told.shots < np.quantile(real, 0.9)
    assert 0 < told.shots_doubt < 0.6
    assert 0 < told.standard_error <= 1.1 * 0.05
    again = played_rounds(weights, chances_of(run), goal)
    assert (again.shots, again.standard_error) == (told.shots, told.standard_error)


def test_a_precision_is_refused_if_most_games_cannot_reach_it():
    run = run_of(3)
    weights = [fragment.weights() for fragment in run.fragments]
    chances = chances_of(run)
    rng = np.random.default_rng(0)
    goal = Goal(0.05, None, 10**8)
    needed = np.sort([_played(weights, chances, goal, rng)[0].shots for _ in range(MANY)])
    with pytest.raises(PrecisionError, match="can be reached"):
        played_rounds(weights, chances, Goal(0.05, None, int(needed[0] // 2)))
    enough = Goal(0.05, None, int(needed[int(0.8 * MANY)]))  # a few games would not get by with it
    assert 0 < played_rounds(weights, chances, enough).shots <= enough.max_shots


def test_derivatives_with_errors_make_variances_greater():
    run = run_of(3)
    chances = chances_of(run)
    exact = chances.believed(chances.errors.exact)
    for told, known in zip(exact, chances.known, strict=True):
        assert told.true == pytest.approx(known.true, abs=1e-12)
        assert told.most == pytest.approx(known.most, abs=1e-12)
    shots = [np.full(fragment.num_variants, 16) for fragment in run.fragments]
    inverse = [1 / number for number in shots]
    rng = np.random.default_rng(2)
    draws = chances.errors.drawn(rng, inverse, MANY)
    said = np.zeros((len(inverse), run.gluing.num_observables))
    for errors in zip(*draws, strict=True):
        moved = [one + error for one, error in zip(chances.errors.exact, errors, strict=True)]
        told = zip(chances.believed(moved), inverse, strict=True)
        said += [each.true @ mine / MANY for each, mine in told]
    known = zip(chances.known, inverse, strict=True)
    without = np.array([each.true @ mine for each, mine in known])
    beyond = chances.errors.products(rng, chances.errors.exact, inverse, 40 * MANY)
    # Each fragment's derivatives carry the other's errors, so both count their product.
    assert said - without == pytest.approx(np.array([beyond, beyond]), rel=0.4, abs=3e-3)
    assert np.all(said.sum(axis=0) > without.sum(axis=0))


@pytest.mark.parametrize("shots", [8, 64, 90, 500])
def test_groups_of_shots_show_a_variance_as_surely_as_is_said(shots):
    run = run_of(6)
    chances = chances_of(run)
    number = [np.full(fragment.num_variants, shots) for fragment in run.fragments]
    rng = np.random.default_rng(0)
    said = np.array([chances.shown(rng, chances.known, number)[0] for _ in range(4000)])
    (fragment,), (slope,) = run.fragments, run.gluing.gradients(chances.errors.exact)
    real = []
    for seed in range(300):
        request = ShotRequest(np.arange(fragment.num_variants), number[0], (seed,))
        tensor = sample_fragment(fragment, request).tensor
        real.append(np.square(np.einsum("gok,nok->gn", tensor.deviations, slope)).sum(axis=0))
    true = chances.known[0].true @ (1 / number[0])
    seen = np.array(real) / true
    assert said.mean(axis=0) == pytest.approx(np.ones(len(true)), abs=0.02)
    assert said.std(axis=0) == pytest.approx(seen.std(axis=0), rel=0.3, abs=0.03)


def test_where_readouts_would_fill_memory_rounds_are_played_without_errors(monkeypatch):
    monkeypatch.setattr("qdreamer_lab.dreamer.sampled.second_order_errors._MOST_READOUTS", 10)
    run = run_of(3)
    chances = chances_of(run)
    inverse = [np.full(fragment.num_variants, 0.1) for fragment in run.fragments]
    (first, second) = chances.errors.drawn(np.random.default_rng(0), inverse, 2)
    assert not first.any()
    assert not second.any()
    assert chances.variance(inverse) == pytest.approx(
        sum(known.true @ mine for known, mine in zip(chances.known, inverse, strict=True))
    )
    for told, known in zip(chances.believed(chances.errors.exact), chances.known, strict=True):
        assert np.array_equal(told.true, known.true)
    weights = [fragment.weights() for fragment in run.fragments]
    assert played_rounds(weights, chances, Goal(0.05, None, 10**8)).shots > 0
