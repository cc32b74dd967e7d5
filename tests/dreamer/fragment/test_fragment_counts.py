"""What is counted of passes, held against what the engine really does."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab import MachineProfile
from qdreamer_lab.dreamer.exact.cost import exact_counts
from qdreamer_lab.dreamer.exact.shape import fragment_shape
from qdreamer_lab.dreamer.fragment.cost import gpu_state_counts, state_counts
from qdreamer_lab.dreamer.fragment.probes import probe_program, state_probes
from qdreamer_lab.dreamer.fragment.shape import _TYPICAL_GPU, program_states
from qdreamer_lab.dreamer.model.coefficients import PLACE, SIZES, Counts
from qdreamer_lab.engine.cpu import run
from qdreamer_lab.engine.gpu.costs import gpu_costs
from qdreamer_lab.engine.passes.gates import read_gates
from qdreamer_lab.engine.passes.plan import plan_passes
from qdreamer_lab.kernels.simulate.tile_pass import BRANCH, DENSE_TWO, DIAGONAL, run_tiles
from qdreamer_lab.workload.exact.lower import FragmentJob
from qdreamer_lab.workload.fragment.program import FragmentProgram
from tests.engine.programs import branch, one_qubit, programs, two_qubits

KINDS = ("dense", "half", "diagonal", "one", "far", "branch")


def fragment(width, steps):
    return FragmentProgram(0, width, tuple(steps), (), ())


def counted(states, width, itemsize=16, cores=1):
    counts = Counts()
    state_counts(states, width, itemsize, cores, counts)
    return counts.array


class Watched:
    """`run_tiles` that says, in amplitudes, what each call does."""

    def __init__(self, monkeypatch):
        self.calls = []
        monkeypatch.setattr(run, "run_tiles", self)

    def __call__(self, parts, rows, jumps, tile, first, end):
        size = tile.sources.shape[0] * tile.spread.shape[0]
        done = {"dense": 0, "half": 0, "diagonal": 0, "visits": 0}
        ahead = 1
        for kind, rank in zip(tile.kinds, tile.ranks, strict=True):
            ahead *= int(rank) if kind == BRANCH else 1
            name = {DENSE_TWO: "dense", DIAGONAL: "diagonal"}.get(int(kind), "half")
            done[name] += (end - first) * ahead * size
            done["visits"] += (end - first) * ahead
        loaded = int(tile.loaded) * tile.spread.shape[0]
        self.calls.append(
            {
                **done,
                "read": (end - first) * loaded,
                "written": (end - first) * len(jumps) * size,
                "tiles": end - first,
                "tile": tile,
            }
        )
        run_tiles(parts, rows, jumps, tile, first, end)


@settings(deadline=None, max_examples=50)
@given(programs(), st.sampled_from([1, 2, 3]))
def test_counts_are_what_the_kernel_is_called_for(program, cores):
    width, steps = program
    shape = program_states(fragment(width, steps))
    with pytest.MonkeyPatch.context() as monkeypatch:
        watched = Watched(monkeypatch)
        states = run.simulate(width, steps, cores=cores)
    assert shape.rows == len(states)
    assert shape.steps == len(steps)
    assert len(watched.calls) == len(shape.passes)  # all of them too small for threads
    for call, each in zip(watched.calls, shape.passes, strict=True):
        for name in ("tiles", "written", "dense", "half", "diagonal", "visits"):
            assert call[name] == getattr(each, name), name
        assert call["read"] >= each.read  # zeros of new qubits amid a run are read as well
        assert each.operations == len(call["tile"].kinds)


@pytest.mark.parametrize("cores", [2, 3, 8])
def test_the_busiest_core_has_the_share_that_is_counted(cores, monkeypatch):
    rng = np.random.default_rng(cores)
    steps = [one_qubit(rng, "alone", q) for q in range(17)]
    steps += [two_qubits(rng, "dense", q, (q + 5) % 17) for q in range(17)]
    steps += [branch(rng, 3, 2, 0), one_qubit(rng, "phase", 3)]
    watched = Watched(monkeypatch)
    run.simulate(17, steps, cores=cores)
    shape = program_states(fragment(17, steps))
    left = list(watched.calls)
    expected = shared = 0.0
    for each in shape.passes:
        mine, done = [], 0
        while done < each.tiles:
            mine.append(left.pop(0)["tiles"])
            done += mine[-1]
        shared += len(mine) > 1
        # Parts of one size go to the cores in turn.
        busiest = math.ceil(len(mine) / min(cores, len(mine))) / len(mine)
        expected += busiest * each.dense
    assert not left
    assert shared
    found = counted(shape, 17, cores=cores)
    assert found[PLACE["wake"]] == shared
    assert found[PLACE["dense"]] == pytest.approx(expected)


def test_gates_on_low_bits_are_crowded_and_others_are_not():
    rng = np.random.default_rng(1)
    spread = program_states(fragment(14, [two_qubits(rng, "dense", 9, 12)]))
    tight = program_states(fragment(2, [two_qubits(rng, "dense", 0, 1)]))
    shares = [
        sum(each.crowded for each in shape.passes) / sum(each.dense for each in shape.passes)
        for shape in (spread, tight)
    ]
    assert shares[0] < 0.05  # five qubits that nothing mixes come first
    assert shares[1] == 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(KINDS), max_size=12), st.integers(1, 18), st.integers(2, 9))
def test_more_cores_never_count_more_and_nothing_is_lost(kinds, width, cores):
    most = 5 if width < 14 else 1
    kinds = [kind for k, kind in enumerate(kinds) if kind != "branch" or k < most]
    shape = program_states(probe_program(max(2, width), kinds))
    one, many = counted(shape, width), counted(shape, width, cores=cores)
    assert one[PLACE["wake"]] == 0
    for name in ("pass", "operation", "step", "batch"):
        assert one[PLACE[name]] == many[PLACE[name]]
    for size, _ in SIZES:
        place, rest = PLACE[f"sweep_{size}"], PLACE[f"shared_sweep_{size}"]
        assert one[place] == pytest.approx(many[place] + many[rest])
        assert one[rest] == 0
    for name in ("dense", "half", "diagonal", "crowded", "visit"):
        assert many[PLACE[name]] <= one[PLACE[name]]


def test_a_large_state_takes_less_time_on_more_cores_but_not_in_proportion():
    values = MachineProfile.nominal().belief.values
    shape = program_states(probe_program(22, ("dense",) * 60))
    seconds = [counted(shape, 22, cores=cores) @ values for cores in (1, 2, 4, 8)]
    ratios = [seconds[0] / each for each in seconds]
    assert ratios == sorted(ratios)
    assert 1.5 < ratios[1] < 2
    assert ratios[3] < 7.5


def test_half_the_bytes_take_less_time():
    values = MachineProfile.nominal().belief.values
    program = probe_program(20, ("dense", "half", "diagonal") * 10)
    single, double = (
        counted(program_states(program, itemsize=itemsize), 20, itemsize) @ values
        for itemsize in (8, 16)
    )
    assert 0.4 * double < single < 0.8 * double


@settings(deadline=None, max_examples=50)
@given(programs(most_cuts=2))
def test_a_gpu_is_counted_by_its_own_passes(program):
    width, steps = program
    shape = program_states(fragment(width, steps), gpu=True)
    passes = plan_passes(width, read_gates(steps, {})[0], gpu_costs(_TYPICAL_GPU, 16))
    counts = Counts()
    gpu_state_counts(shape, 16, counts)
    assert counts.array[PLACE["gpu_pass"]] == len(passes)
    moved = sum(each.read + each.written for each in shape.passes)
    assert counts.array[PLACE["gpu_sweep"]] == pytest.approx(moved)
    paid = {name for name, place in PLACE.items() if counts.array[place]}
    assert paid <= {"gpu_pass", "gpu_sweep", "gpu_gate"}
    assert program_states(fragment(width, steps)).rows == shape.rows


def test_choices_that_are_fixed_are_planned_as_such():
    rng = np.random.default_rng(0)
    steps = [branch(rng, 3, 0, 0), branch(rng, 4, 1, 1), two_qubits(rng, "dense", 0, 1)]
    program = fragment(2, steps)
    assert program_states(program).rows == 12
    assert program_states(program, {0: 2}).rows == 4
    assert program_states(program, {0: 2, 1: 1}).rows == 1


def test_probes_on_all_cores_come_on_top_of_those_on_one():
    one, two = state_probes(1), state_probes(2)
    assert [probe.name for probe in two[: len(one)]] == [probe.name for probe in one]
    assert all(probe.counts[PLACE["wake"]] == 0 for probe in one)
    assert sum(probe.counts[PLACE["wake"]] for probe in two[len(one) :]) > 0


def string(flips, z=()):
    letters = dict.fromkeys(flips, "X") | dict.fromkeys(z, "Z")
    return tuple(sorted(letters.items()))


def counted_job(width, cuts, operators):
    program = probe_program(width, ("dense",) * 3 + ("branch",) * cuts)
    return exact_counts(fragment_shape(FragmentJob(program, tuple(operators))), 1)


@pytest.mark.parametrize("cuts", [0, 2])
def test_of_one_state_half_is_enough_where_a_string_flips_high_qubits(cuts):
    low, high = (counted_job(14, cuts, [string(flips)]) for flips in ((2,), (2, 13)))
    for name in ("gram_dot", "gram_flip", "gram_block"):
        ratio = high[PLACE[name]] / low[PLACE[name]]
        assert ratio == (0.5 if cuts == 0 else 1), name


def test_moving_amplitudes_in_runs_counts_less_than_one_by_one():
    apart, runs, none = (
        counted_job(12, 0, [string(flips, z=(1,))])[PLACE["gram_flip"]]
        for flips in ((0,), (6,), ())
    )
    assert apart == 1 << 12
    assert 0.2 * apart < runs < 0.6 * apart
    assert none == 0


def test_every_string_is_looked_at_in_every_block():
    strings = [string((k,), z=((k + 1) % 13,)) for k in range(13)]
    counts = counted_job(13, 0, strings)
    assert counts[PLACE["gram_parity"]] == 13 * (1 << 13) / 512
    assert counts[PLACE["gram_operator"]] == 13
