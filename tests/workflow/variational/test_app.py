"""The whole loop: in process, on workers, cut, killed and taken up again."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import CancelledError
from dataclasses import replace

import numpy as np
import pytest

from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.variational.app import VariationalAlgorithm
from qdreamer_lab.workflow.variational.evaluators import Here
from qdreamer_lab.workflow.variational.journal import Journal
from qdreamer_lab.workflow.variational.shift import shifted_circuit
from tests.conftest import wait_until

PATIENCE_S = 120
QUICK = VariationalAlgorithm(qubits=3, layers=2, starts=3, iterations=15, review=4)


def in_process(app, evaluate=None, journal=None, stop=None):
    """The ways of all starts, without a session."""
    problem = app.made_problem()
    circuit = shifted_circuit(problem.ansatz)
    evaluate = evaluate or Here(circuit.circuit, problem.hamiltonian, app.shots)
    with journal or app.journal() as opened:
        return app.ways(circuit, evaluate, opened, contextlib.nullcontext, stop)


def same(ways, others):
    """To the last bit."""
    assert [way.values for way in ways] == [way.values for way in others]
    assert [way.x.tolist() for way in ways] == [way.x.tolist() for way in others]
    assert [way.early for way in ways] == [way.early for way in others]


@pytest.mark.parametrize("optimizer", ["L-BFGS-B", "BFGS", "CG", "SLSQP"])
def test_hydrogen_s_energy_with_gradients(optimizer):
    app = VariationalAlgorithm(problem="h2", optimizer=optimizer, review=0, iterations=60)
    ways = in_process(app)
    assert min(way.best for way in ways) == pytest.approx(app.made_problem().minimum, abs=1e-6)


@pytest.mark.parametrize("optimizer", ["COBYLA", "Nelder-Mead", "Powell"])
def test_and_without(optimizer):
    app = VariationalAlgorithm(problem="h2", optimizer=optimizer, starts=2, iterations=300)
    ways = in_process(app)
    assert min(way.best for way in ways) == pytest.approx(app.made_problem().minimum, abs=1e-3)


def test_a_chain_s_ground_energy():
    app = VariationalAlgorithm(qubits=3, layers=3, review=0, iterations=100)
    minimum = app.made_problem().minimum
    ways = in_process(app)
    assert min(way.best for way in ways) == pytest.approx(minimum, abs=1e-5)
    assert all(value >= minimum - 1e-9 for way in ways for value in way.values)


def test_on_workers_it_is_the_same_to_the_last_bit(session):
    ways = in_process(QUICK)
    report = QUICK.run(session)
    best = report.data
    assert best.x.tolist() == ways[best.start].x.tolist()
    assert best.values == ways[best.start].values
    assert report.values["evaluations"] == sum(len(way.values) for way in ways)
    assert report.values["starts stopped early"] == sum(way.early for way in ways) > 0
    in_parts = replace(QUICK, tasks=3).run(session)
    # Points are the same, but rounded otherwise: a batch of one is.
    assert in_parts.data.best == pytest.approx(best.best, abs=1e-6)
    np.testing.assert_allclose(in_parts.data.values[:4], best.values[:4], atol=1e-9)
    assert in_parts.traffic.tasks == 3 * in_parts.values["evaluations"]


def test_shots_are_those_of_the_seed(session):
    app = VariationalAlgorithm(
        problem="h2", shots=400, optimizer="COBYLA", iterations=12, starts=2, review=0
    )
    first, second = app.run(session), app.run(session)
    assert first.data.values == second.data.values
    assert first.data.values == in_process(app)[first.data.start].values
    assert replace(app, seed=8).run(session).data.values != first.data.values
    exact = in_process(replace(app, shots=0))[first.data.start].values[0]
    assert first.data.values[0] != exact
    assert first.data.values[0] == pytest.approx(exact, abs=6 * 2 / 20)


def test_cut_into_fragments(session):
    app = replace(QUICK, qubits=4, max_qubits=3, starts=1, iterations=3)
    report = app.run(session)
    whole = in_process(replace(app, max_qubits=None))
    np.testing.assert_allclose(report.data.values, whole[0].values, atol=1e-8)
    assert report.traffic.tasks >= report.values["evaluations"]


def test_the_greatest_cut_is_drawn(session):
    app = VariationalAlgorithm(problem="maxcut", qubits=5, layers=2, iterations=25, seed=1)
    report = app.run(session)
    assert report.values["greatest cut drawn"] == -report.values["true minimum"]
    edges = app.made_problem().edges
    nodes = report.values["its nodes"][::-1]
    cut = sum(weight for a, b, weight in edges if nodes[a] != nodes[b])
    assert cut == report.values["greatest cut drawn"]
    assert report.values["lowest value"] < -sum(weight for *_, weight in edges) / 2


# ---- killed and taken up again


@pytest.mark.parametrize("optimizer", ["L-BFGS-B", "COBYLA"])
@pytest.mark.parametrize("after", [1, 5, 13])
def test_evaluations_that_are_known_are_not_made_again(tmp_path, after, optimizer):
    app = replace(QUICK, optimizer=optimizer, checkpoint=str(tmp_path / "journal"))
    plain = in_process(replace(app, checkpoint=None))
    here = Here(shifted_circuit(app.made_problem().ansatz).circuit, app.made_problem().hamiltonian)
    calls = []

    def breaks(points, seed):
        calls.append(seed)
        if len(calls) > after:
            raise InterruptedError
        return here(points, seed)

    with pytest.raises(InterruptedError):
        in_process(app, breaks)
    calls.clear()

    def counted(points, seed):
        calls.append(seed)
        return here(points, seed)

    same(in_process(app, counted), plain)
    assert len(calls) == sum(len(way.values) for way in plain) - after
    calls.clear()
    same(in_process(app, counted), plain)
    assert not calls


HELD = """
import itertools, time
from qdreamer_lab.workflow.variational.journal import Journal

def held(self, *given, note=Journal.note, numbers=itertools.count(1)):
    note(self, *given)
    if next(numbers) >= {}:
        time.sleep(600)

Journal.note = held
"""
"""Makes a process stand still after so many evaluations, so that it is killed before its end."""

CHILD = f"""
import sys
import pilot_kernel
from tests.workflow.variational.test_app import QUICK
from dataclasses import replace
{HELD.format(15)}
if __name__ == "__main__":
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=1)
        replace(QUICK, checkpoint=sys.argv[1]).run(session)
"""


def test_a_process_that_was_killed_is_taken_up_and_ends_where_it_would_have(session, tmp_path):
    path = tmp_path / "journal"
    program = tmp_path / "notebook.py"
    program.write_text(CHILD)
    child = subprocess.Popen([sys.executable, program, path], cwd=os.getcwd())
    try:
        wait_until(
            lambda: (
                (path.exists() and path.read_bytes().count(b"\n") > 6) or child.poll() is not None
            ),
            PATIENCE_S,
        )
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == -signal.SIGKILL
    undisturbed = QUICK.run(session)
    known = path.read_bytes().count(b"\n") - 1
    assert 0 < known < undisturbed.values["evaluations"]
    resumed = replace(QUICK, checkpoint=str(path)).run(session)
    assert resumed.data.x.tolist() == undisturbed.data.x.tolist()
    assert resumed.data.values == undisturbed.data.values
    assert resumed.values["evaluations"] == undisturbed.values["evaluations"]
    assert resumed.values["of them from the journal"] == known
    assert resumed.traffic.tasks == undisturbed.values["evaluations"] - known
    with pytest.raises(MotifError, match=r"layers was 2 and is 3; seed was 7 and is 8"):
        replace(QUICK, checkpoint=str(path), layers=3, seed=8).run(session)


# ---- what goes wrong


def test_an_evaluation_that_fails_ends_all_starts():
    calls = itertools.count()

    def fails(points, seed):
        if next(calls) == 4:
            raise LookupError("nothing there")
        return np.zeros(len(points))

    with pytest.raises(LookupError, match="nothing there"):
        in_process(replace(QUICK, starts=6, review=1), fails)


def test_a_value_that_is_no_number_is_told():
    with pytest.raises(MotifError, match=r"evaluation 0 of start . gave no number"):
        in_process(QUICK, lambda points, seed: np.full(len(points), np.nan))


def test_giving_up(session):
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        QUICK.run(session, stop=stop)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"problem": "lih"}, "problem=lih: one of ising, h2, maxcut"),
        ({"optimizer": "SPSA"}, "optimizer=SPSA: one of L-BFGS-B"),
        ({"qubits": 1}, "qubits=1: at least 2"),
        ({"layers": 0}, "layers=0: at least 1"),
        ({"starts": 65}, "starts=65: at most 64"),
        ({"field": float("nan")}, "field=nan: a finite number"),
        ({"problem": "maxcut", "qubits": 25}, "qubits=25: at most 24 for maxcut"),
        ({"max_qubits": 3, "shots": 100}, "max_qubits=3 cuts circuits and gives exact values"),
        ({"max_qubits": 0}, "max_qubits=0: at least 1"),
    ],
)
def test_parameters_out_of_range(given, told):
    with pytest.raises(MotifError, match=told):
        VariationalAlgorithm(**given)


@pytest.mark.parametrize(
    ("settings", "unused"),
    [
        (["problem=h2"], {"qubits", "layers", "field"}),
        (["problem=maxcut", "starts=1"], {"field", "review"}),
        (["layers=2"], set()),
    ],
)
def test_parameters_that_make_no_difference_are_known(settings, unused):
    app = VariationalAlgorithm().set(settings)
    assert set(app.unused()) == unused
    assert unused <= set(app.parameters())
    short = replace(app, iterations=2)
    ways = in_process(short)
    changed = {"qubits": 3, "layers": 1, "field": 0.5, "review": 1}
    same(in_process(replace(short, **{name: changed[name] for name in unused})), ways)
    for name in unused:
        with pytest.raises(MotifError, match=f"--set {name}=.*: it makes no difference with "):
            app.set([f"{name}={changed[name]}"])


def test_hydrogen_takes_the_memory_of_two_qubits_whatever_else_is_said():
    assert VariationalAlgorithm(problem="h2", qubits=50).memory_bytes() == 2 * 16 * 4


def test_a_journal_that_cannot_be_kept_is_told_before_anything_starts():
    class Nobody:
        """A session that must not be asked for anything."""

    with pytest.raises(MotifError, match=r"checkpoint=/nowhere/x: No such file"):
        replace(QUICK, checkpoint="/nowhere/x").run(Nobody())


def test_a_journal_is_of_one_set_of_parameters(tmp_path):
    path = str(tmp_path / "journal")
    in_process(replace(QUICK, checkpoint=path))
    with pytest.raises(MotifError, match="starts was 3 and is 2"):
        in_process(replace(QUICK, checkpoint=path, starts=2))
    assert isinstance(replace(QUICK, checkpoint=None).journal(), Journal)
