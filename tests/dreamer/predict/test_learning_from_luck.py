"""What a run teaches does not depend on how a game of chance went: more rounds, more shots."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit

from qdreamer_lab import MachineProfile, QDreamer
from qdreamer_lab.dreamer.model.coefficients import PER_SHOT, PLACE
from qdreamer_lab.dreamer.predict.observe import learned
from qdreamer_lab.workload.estimate import Seconds
from qdreamer_lab.workload.execution.chunk import FragmentRow
from qdreamer_lab.workload.record import RunRecord


@pytest.fixture(scope="module")
def foretold():
    circuit = QuantumCircuit(6)
    circuit.h(0)
    for qubit in range(5):
        circuit.cx(qubit, qubit + 1)
    dreamer = QDreamer(profile=MachineProfile.nominal())
    made = dreamer.predict(
        circuit, ["ZZZZZZ", "XXXXXX"], max_qubits=3, mode="sampled", precision=0.05
    )
    assert made.rounds >= 2
    assert made.shots
    return dreamer.profile().belief, made


def run_of(made, belief, *, rounds, shots, slower=1.0):
    """The record of a run that took what coefficients say, with so many times the rounds."""
    accounts = {account.name: account for account in made.accounts}
    execute = accounts["execute"].counts * np.where(PER_SHOT, shots, rounds)
    busy_s = belief.seconds(execute) * slower
    number = round(rounds * made.rounds)
    rows = tuple(
        FragmentRow(0, 0, 3, made.variants, busy_s / number, "", "", 0, None, 1)
        for _ in range(number)
    )
    contract_s = rounds * belief.seconds(accounts["contract"].counts) * slower
    plan_s = belief.seconds(accounts["plan"].counts) + belief.seconds(accounts["lower"].counts)
    record = RunRecord(
        mode="sampled",
        plan=made.plan,
        seconds=Seconds(plan_s=plan_s, execute_s=busy_s, contract_s=contract_s),
        makespan_s=plan_s + busy_s + contract_s,
        variants=made.variants,
        shots=round(shots * made.shots),
        fragments=rows,
    )
    return SimpleNamespace(metadata=record.as_metadata(), data=None)


@pytest.mark.parametrize(("rounds", "shots"), [(1, 1), (2, 2), (2, 1), (1, 2)])
def test_luck_with_rounds_and_shots_teaches_nothing(foretold, rounds, shots):
    belief, made = foretold
    after = learned(belief, made, run_of(made, belief, rounds=rounds, shots=shots))
    assert after.values == pytest.approx(belief.values, rel=0.01)
    slow = learned(belief, made, run_of(made, belief, rounds=rounds, shots=shots, slower=1.5))
    assert slow.values[PLACE["variant"]] > 1.1 * belief.values[PLACE["variant"]]


def test_doubt_about_shots_counts_for_what_is_paid_by_shot(foretold):
    from qdreamer_lab.dreamer.predict.price import _deviation

    belief, made = foretold
    case = SimpleNamespace(counts_doubt=0.0, shots_doubt=0.0, rounds_doubt=0.0)
    certain = replace(belief, covariance=1e-12 * np.eye(len(belief.values)))
    certain = replace(certain, spreads=np.zeros_like(belief.spreads))

    def deviation(**doubts):
        told = SimpleNamespace(**{**vars(case), **doubts})
        return _deviation(list(made.accounts), made.phases, certain, made.makespan_s, told)

    execute = next(account for account in made.accounts if account.name == "execute")
    per_shot_s = belief.seconds(np.where(PER_SHOT, execute.counts, 0.0)) * execute.share
    alone = deviation()
    more = deviation(shots_doubt=0.5)
    assert np.sqrt(more**2 - alone**2) == pytest.approx(0.5 * per_shot_s / made.makespan_s)
    assert deviation(rounds_doubt=0.5) > more
