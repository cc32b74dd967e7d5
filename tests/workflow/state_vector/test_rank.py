"""States over ranks that threads play, against the dense vector."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.errors import GpuError, MotifError
from qdreamer_lab.workflow.state_vector.pauli_values import PlacedString
from qdreamer_lab.workflow.state_vector.rank import RankProgram, run_rank
from qdreamer_lab.workflow.state_vector.stages import PLANNERS, exchanged_share
from qdreamer_lab.workflow.state_vector.wires import gates_on_wires
from tests.workflow.state_vector.small_states import dense_state, dense_value, gate_lists
from tests.workflow.state_vector.thread_ranks import in_ranks


def program_of(num_qubits, local, lists, strings=(), planner="look_ahead", **more):
    """A program, and the place of each qubit at its end."""
    gates, wires = gates_on_wires(num_qubits, lists)
    stages = PLANNERS[planner](num_qubits, local, gates)
    places = [stages[-1].places[wire] for wire in wires]
    placed = [
        PlacedString(
            sum(1 << places[q] for q, c in enumerate(reversed(letters)) if c in "XY"),
            sum(1 << places[q] for q, c in enumerate(reversed(letters)) if c in "ZY"),
        )
        for letters in strings
    ]
    program = RankProgram(
        num_qubits, local, tuple(gates), stages, tuple(placed), whole_state=True, **more
    )
    return program, places


def in_order(state, places):
    """The state by qubits instead of places."""
    index = np.arange(len(state))
    return state[sum((index >> qubit & 1) << place for qubit, place in enumerate(places))]


@st.composite
def cases(draw):
    num_qubits = draw(st.integers(3, 8))
    local = draw(st.integers(max(2, num_qubits - 3), num_qubits))
    strings = draw(st.lists(st.text("IXYZ", min_size=num_qubits, max_size=num_qubits), max_size=8))
    chunk = draw(st.sampled_from([1, 2, 3, 8, 1 << 20]))
    return num_qubits, local, draw(gate_lists(num_qubits)), strings, chunk


@pytest.mark.parametrize("planner", sorted(PLANNERS))
@settings(max_examples=60)
@given(cases())
def test_any_gates_on_any_number_of_ranks_in_messages_of_any_size(planner, case):
    num_qubits, local, lists, strings, chunk = case
    program, places = program_of(num_qubits, local, lists, strings, planner, chunk=chunk)
    (outcome, *others), comms = in_ranks(1 << (num_qubits - local), run_rank, program)
    assert others == [None] * len(others)
    expected = dense_state(num_qubits, lists)
    np.testing.assert_allclose(in_order(outcome.state, places), expected, atol=1e-12)
    values = [dense_value(expected, letters) for letters in strings]
    np.testing.assert_allclose(outcome.values, values, atol=1e-12)
    assert outcome.norm == pytest.approx(1)
    largest = max((size for comm in comms for _, size in comm.sent), default=0)
    assert largest <= chunk * 16


@pytest.mark.parametrize("planner", sorted(PLANNERS))
@settings(max_examples=25)
@given(cases())
def test_what_travels_is_counted_and_is_what_the_plan_says(planner, case):
    num_qubits, local, lists, _, chunk = case
    program, _ = program_of(num_qubits, local, lists, (), planner, chunk=chunk)
    ranks = 1 << (num_qubits - local)
    (outcome, *_), comms = in_ranks(ranks, run_rank, program)
    assert [account.rank for account in outcome.accounts] == list(range(ranks))
    summed = 8 * (ranks > 1)  # the norm
    for account, comm in zip(outcome.accounts, comms, strict=True):
        assert account.sent_bytes == sum(size for _, size in comm.sent) + summed
        assert account.messages == len(comm.sent) + (ranks > 1)
    sent = sum(account.sent_bytes - summed for account in outcome.accounts)
    assert sent == exchanged_share(program.stages) * 16 * 2**num_qubits


@settings(max_examples=20)
@given(cases())
def test_single_precision(case):
    num_qubits, local, lists, strings, chunk = case
    program, places = program_of(num_qubits, local, lists, strings, chunk=chunk, dtype="complex64")
    (outcome, *_), _ = in_ranks(1 << (num_qubits - local), run_rank, program)
    expected = dense_state(num_qubits, lists)
    assert outcome.state.dtype == np.complex64
    np.testing.assert_allclose(in_order(outcome.state, places), expected, atol=1e-5)
    values = [dense_value(expected, letters) for letters in strings]
    np.testing.assert_allclose(outcome.values, values, atol=1e-5)


def test_too_few_ranks():
    program, _ = program_of(6, 4, [])
    with pytest.raises(MotifError, match="takes 4 ranks, and there are 2"):
        in_ranks(2, run_rank, program)


def test_no_gpu_is_said_plainly(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cupy", None)
    program, _ = program_of(4, 3, [], device="GPU")
    with pytest.raises(GpuError, match="CuPy"):
        in_ranks(2, run_rank, program)
