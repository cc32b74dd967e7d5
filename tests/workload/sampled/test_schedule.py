"""The schedule of rounds, without a circuit: what it deals out, how it weighs, when it stops."""

import numpy as np
import pytest

from qdreamer_lab.errors import PrecisionError
from qdreamer_lab.workload.sampled.schedule import Schedule, averaged, round_variance
from qdreamer_lab.workload.sampled.shot_goal import LEAST, PILOT_LEAST, Goal

WEIGHTS = [np.array([1.0, 2.0, 1.0]), np.array([1.0, 1.0])]
PER_SHOT = [np.array([[4.0, 1.0, 0.0]]), np.array([[1.0, 1.0]])]


def play(goal, per_shot=PER_SHOT):
    """Rounds in which shots vary as `per_shot` says: their shots, and the variance in the end."""
    schedule = Schedule(goal, WEIGHTS, [len(weight) for weight in WEIGHTS])
    rounds, variance = [], np.zeros((len(per_shot), 1))
    linear = np.zeros(1)
    while shots := schedule.deal(np.sqrt(linear), linear):
        share = schedule.took(shots, int(sum(part.sum() for part in shots)))
        variance = averaged(variance, round_variance(per_shot, shots), share)
        schedule.learn(per_shot)
        linear = variance.sum(axis=0)
        rounds.append(shots)
    return schedule, rounds, variance


def test_all_shots_given_are_dealt_out_and_later_rounds_know_where():
    schedule, rounds, _ = play(Goal(0.1, 10_000, 10**7))
    assert schedule.shots == sum(part.sum() for shots in rounds for part in shots) == 10_000
    assert schedule.rounds == len(rounds) == 2
    first, second = rounds
    assert min(part.min() for part in first) >= PILOT_LEAST
    assert first[0][1] > first[0][0]  # by the weights, nothing else being known
    assert second[0][0] > 1.8 * second[0][1]  # by standard deviations, with some doubt
    assert second[0][2] >= LEAST  # its shots have not varied so far


def test_rounds_are_weighed_so_that_their_average_varies_least():
    _, rounds, variance = play(Goal(0.1, 10_000, 10**7))
    apart = np.array([round_variance(PER_SHOT, shots) for shots in rounds])
    assert variance == pytest.approx(1 / (1 / apart).sum(axis=0))


def test_it_stops_when_the_precision_is_reached_and_says_what_can_be():
    schedule, _, variance = play(Goal(0.05, None, 10**7))
    assert np.sqrt(variance.sum()) <= 1.05 * 0.05
    assert schedule.shots < 20_000
    with pytest.raises(PrecisionError, match="can be reached"):
        play(Goal(0.001, None, 10_000))


def test_where_variants_are_drawn_their_shots_are_one_number():
    weights = [np.array([3.0]), np.array([1.0, 1.0])]
    schedule = Schedule(Goal(0.1, 200_000, 10**7), weights, [4096, 2])
    drawn, each = schedule.deal(np.zeros(1), np.zeros(1))
    assert drawn.shape == (1,)
    assert drawn[0] >= PILOT_LEAST * 4096
    assert each.min() >= PILOT_LEAST


def test_nothing_to_run_needs_no_round():
    schedule = Schedule(Goal(0.1, None, 10**7), [], [])
    assert schedule.deal(np.zeros(1), np.zeros(1)) == []
    assert schedule.rounds == 0
