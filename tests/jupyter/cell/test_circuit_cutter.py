import re
import time
from importlib.metadata import EntryPoint

import pytest
from IPython.core.error import UsageError
from qiskit.primitives import PrimitiveResult

from pilot_kernel.errors import (
    CellError,
    PilotError,
    PlacementError,
    PubError,
    TaskTimeoutError,
)
from pilot_kernel.jupyter.cell import circuit_cutter as cutting
from pilot_kernel.jupyter.cell.local_task import LocalTask
from pilot_kernel.jupyter.magics.wait import CellInterruptedError, wait
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import wait_until

OURS = EntryPoint("qdreamer", "qdreamer_lab.dreamer.cutter:cut", cutting.ENTRY_POINTS)

GHZ = (
    "from qiskit import QuantumCircuit\nqc = QuantumCircuit(6)\nqc.h(0)\n"
    "for q in range(5):\n    qc.cx(q, q + 1)\n"
    "qc.rx(0.3, range(6))\nqc.rx(-0.3, range(6))\n"  # else it would be carried back, and not cut
)


@pytest.fixture(autouse=True)
def cutters(forgetful, monkeypatch):
    """The cutters that are installed; tests may change the list."""
    found = [OURS]
    monkeypatch.setattr(cutting, "entry_points", lambda group: found)
    return found


def test_a_width_cuts_and_tells_the_plan(run):
    result = run(f"%%qtask --cut 3 -o r\n{GHZ}(qc, ['ZZZZZZ', 'XXXXXX', 'ZIIIII'])")
    assert isinstance(result, PrimitiveResult)
    assert run.shell.user_ns["r"] is result
    assert result[0].data.evs.round(9).tolist() == [1, 1, 0]
    assert "2 fragments of width 3, 3" in run.output
    assert "ZZZZZZ" in run.output
    assert "exact" in run.output


def test_auto_says_what_is_best_and_does_it(run):
    result = run(f"%%qtask --cut auto\n{GHZ}[(qc, 'Z' * 6), (qc, 'X' * 6)]")
    assert [pub.data.evs.round(9).item() for pub in result] == [1, 1]
    assert "PUB 1: Run the 6-qubit circuit " in run.output
    assert run.output.count("; exact, ") == 2


@pytest.mark.parametrize("cut", ["3", "auto"])
def test_on_a_qpu_it_samples(run, cut):
    run("%pilot add qpu://aer_simulator --name ideal")
    try:
        result = run(
            f"%%qtask --cut {cut} --on ideal --seed 1 --precision 0.05\n{GHZ}(qc, 'ZIIIII')"
        )
        assert 0 < result[0].data.stds < 0.06
        assert abs(result[0].data.evs) < 0.25
        assert "sampled" in run.output
    finally:
        run("%pilot stop ideal")


@pytest.mark.parametrize("cut", ["3", "auto"])
def test_a_dry_run_says_what_the_qpu_would_be_sent_and_sends_nothing(run, session, cut):
    run("%pilot add qpu://fake_manila --name dry")
    try:
        told = run(f"%%qtask --cut {cut} --dry-run --on dry --precision 0.1\n{GHZ}(qc, 'Z' * 6)")
        (device,) = told.devices
        assert device.device == "fake_manila"
        assert device.fragments == 2
        assert device.qpu_s > device.shots * 2.5e-4
        assert "nothing was sent" in str(told)
        sampled = run(f"%%qtask --cut {cut} --dry-run --shots 4000\n{GHZ}qc.measure_all()\nqc")
        assert 3000 < sampled.shots <= 4000
        assert not [r for r in session.history() if r.pilot == "dry"]
    finally:
        run("%pilot stop dry")


def test_several_qpus_share_the_fragments(run):
    for name in ("one", "other"):
        run(f"%pilot add qpu://aer_simulator --name {name}")
    try:
        how = "--on one,other --seed 1 --precision 0.05"
        result = run(f"%%qtask --cut 3 {how}\n{GHZ}(qc, ['ZIIIII', 'Z' * 6])")
        assert {row.device for row in result[0].record.fragments} == {"one", "other"}
        assert abs(result[0].data.evs - [0, 1]).max() < 0.25
        told = run(f"%%qtask --cut 3 --dry-run {how}\n{GHZ}(qc, 'ZIIIII')")
        assert {work.device for work in told.devices} == {"one", "other"}
        best = run(f"%%qtask --cut auto {how}\n{GHZ}(qc, 'ZIIIII')")
        assert len({row.pilot for row in best[0].record.fragments}) == 1  # weighed one by one
        assert {row.pilot for row in best[0].record.fragments} < {"one", "other"}
        whole = run(f"%%qtask --on one,other --prefer fidelity --seed 1\n{GHZ}(qc, 'Z' * 6)")
        assert whole.metadata["device"] in {"one", "other"}
        assert abs(whole[0].data.evs - 1) < 0.1
        assert run(f"%%qtask --on one,other --dry-run\n{GHZ}(qc, 'Z' * 6)").circuits == 1
        how += " --prefer fidelity --mitigation readout,twirling --mid-circuit no --fallback cpu"
        result = run(f"%%qtask --cut 3 {how}\n{GHZ}(qc, ['ZIIIII', 'Z' * 6])")
        assert abs(result[0].data.evs - [0, 1]).max() < 0.25
        assert any("wait for the end of its circuits" in note for note in result[0].record.notes)
        told = run(f"%%qtask --cut 3 --dry-run {how}\n{GHZ}(qc, ['ZIIIII', 'Z' * 6])")
        assert any("wait for the end of its circuits" in note for note in told.notes)
        run(f"%%qtask --cut 3 --on one,third\n{GHZ}(qc, 'ZIIIII')")
        with pytest.raises(PlacementError, match="third"):
            raise run.error
    finally:
        for name in ("one", "other"):
            run(f"%pilot stop {name}")


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ("--cut 3 --mitigation luck", CellError, "unknown mitigation 'luck'; there is 'readout'"),
        ("--cut 3 --mitigation readout,readout", CellError, "names 'readout' twice"),
        ("--mitigation readout", CellError, "--mitigation is for the fragments of cut circuits"),
        ("--mid-circuit no", CellError, "--mid-circuit is for the fragments of cut circuits"),
        ("--mid-circuit maybe --cut 3", UsageError, "--mid-circuit: invalid choice: 'maybe'"),
        ("--prefer luck", UsageError, "--prefer: invalid choice: 'luck'"),
        ("--prefer cost --cut 3", CellError, "--prefer cost needs prices, .* use session.run"),
        ("--fallback nowhere", PlacementError, "'nowhere' names nothing here"),
        ("--on ,", CellError, "--on ,: a kind of worker, a pilot's name"),
        ("--on cpu,nowhere", PlacementError, "'nowhere' names nothing here"),
        ("--on cpu,local", PlacementError, "'cpu' stands for simulators"),
    ],
)
def test_bad_wishes_are_refused(run, session, options, error, told):
    session.candidates()
    run(f"%%qtask {options}\n{GHZ}(qc, 'ZIIIII')")
    with pytest.raises(error, match=told):
        raise run.error


def test_in_the_background_it_is_a_task_like_others(run):
    task = run(f"%%qtask --cut 3 --noblock --name ghz -o later\n{GHZ}(qc, 'Z' * 6)")
    assert run.shell.user_ns["later"] is task
    assert task.result(60)[0].data.evs.round(9) == 1
    assert task.state is TaskState.DONE
    assert task.progress[0] == task.progress[1]
    assert "fragments" in task.output.text()
    [row] = [line for line in repr(run("%tasks")).splitlines() if line.startswith("ghz")]
    assert re.search(r"✓ DONE .*\d s +(\d+)/\1 █+$", row)  # how long it ran, and all its parts
    assert run("%qresult ghz") is task.result()


def slow(request):
    """A cutter that goes on until it is told to stop."""
    request.say("at it")
    request.tell(1, 3)
    while not request.stop.wait(0.01):
        pass
    slow.stopped = True
    raise cutting_cancelled()


def cutting_cancelled():
    from concurrent.futures import CancelledError

    return CancelledError()


def test_it_can_be_canceled(run, cutters):
    slow.stopped = False
    cutters[:] = [EntryPoint("slow", f"{__name__}:slow", cutting.ENTRY_POINTS)]
    task = run(f"%%qtask --cut auto --noblock --name held\n{GHZ}(qc, 'Z' * 6)")
    wait_until(lambda: task.output.text() == "at it\n")
    wait_until(lambda: task.progress == (1, 3))
    assert task.running()
    run("%cancel held")
    assert task.cancelled()
    wait_until(lambda: slow.stopped)
    run("%qresult held")
    assert "was canceled" in str(run.error)


def test_a_cell_of_ours_that_is_canceled_leaves_no_fragments_running(run, session):
    cell = (
        "from qiskit.circuit.library import efficient_su2\nimport numpy as np\n"
        "qc = efficient_su2(24, reps=8)\n"
        "qc = qc.assign_parameters(np.linspace(0, 1, qc.num_parameters))\n(qc, 'Z' * 24)"
    )

    def unfinished():
        return [task for task in session.tasks if not task.done()]

    task = run(f"%%qtask --cut auto --noblock --name wide\n{cell}")
    wait_until(lambda: any(t.name.startswith("fragment") for t in unfinished()))
    task.cancel()
    wait_until(lambda: not unfinished())


def test_an_interrupt_cancels_it(monkeypatch):
    task = LocalTask("held", lambda task: task.stop.wait(30))

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pilot_kernel.jupyter.magics.wait.concurrent.futures.wait", interrupt)
    with pytest.raises(CellInterruptedError, match="held"):
        wait(task, live=False)
    assert task.cancelled()
    assert task.stop.is_set()
    assert task.state is TaskState.CANCELED


def test_an_errand_has_times_and_a_limit():
    quick = LocalTask("quick", lambda task: 7)
    assert quick.result(10) == 7
    wait_until(lambda: quick.record.finished is not None)
    assert quick.record.ran_s >= 0
    assert not quick.cancel()
    failed = LocalTask("failed", lambda task: 1 / 0)
    assert isinstance(failed.exception(10), ZeroDivisionError)
    assert failed.state is TaskState.FAILED
    late = LocalTask("late", lambda task: task.stop.wait(30), timeout_s=0.05)
    began = time.monotonic()
    with pytest.raises(TaskTimeoutError, match="longer than its"):
        late.result(30)
    assert time.monotonic() - began < 20
    wait_until(late.stop.is_set)


@pytest.mark.parametrize(
    ("cell", "error", "told"),
    [
        ("%%qtask --cut wide\n1", CellError, "--cut wide: auto, or the most qubits"),
        ("%%qtask --cut 0\n1", CellError, "--cut 0"),
        ("%%qtask --cut 1.5\n1", CellError, r"--cut 1\.5"),
        ("%%qtask --cut 3 --on nowhere\n1", PilotError, "nowhere"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_submitted(run, session, cell, error, told):
    before = [record.key for record in session.history()]
    run(cell)
    with pytest.raises(error, match=told):
        raise run.error
    assert [record.key for record in session.history()] == before


@pytest.mark.parametrize(
    ("options", "last", "error", "told"),
    [
        ("--cut 3 --shots 10", "(qc, 'Z' * 6)", CellError, "takes --precision, not --shots"),
        ("--cut 3 --precision 0.1", "qc.measure_all()\nqc", CellError, "takes --shots, not"),
        ("--cut 3", "qc.measure_all()\nqc.h(0)\nqc", CellError, "is a mid-circuit measurement"),
        ("--cut 3 --precision 0", "(qc, 'Z' * 6)", PubError, "more than zero"),
        ("--cut 3", "(qc, 'ZZ')", CellError, "PUB 0"),
        ("--cut 3", "qc.reset(0)\n(qc, 'Z' * 6)", CellError, "reset"),
    ],
)
def test_what_cannot_be_cut_is_told_in_one_line(run, options, last, error, told):
    run(f"%%qtask {options}\n{GHZ}{last}")
    with pytest.raises(error, match=told):
        raise run.error
    assert len(run.output.strip().splitlines()) == 1


def test_without_a_cutter_it_says_what_to_install(run, cutters):
    cutters.clear()
    run(f"%%qtask --cut 3\n{GHZ}(qc, 'Z' * 6)")
    with pytest.raises(CellError, match="pip install qdreamer-lab"):
        raise run.error


def test_a_cutter_that_cannot_be_loaded_is_named(run, cutters):
    cutters[:] = [EntryPoint("broken", "nowhere:cut", cutting.ENTRY_POINTS)]
    run(f"%%qtask --cut 3\n{GHZ}(qc, 'Z' * 6)")
    with pytest.raises(CellError, match="'nowhere:cut', which cannot be loaded"):
        raise run.error


@pytest.mark.parametrize("cut", ["3", "auto"])
def test_what_is_measured_is_sampled_cut(run, cut):
    result = run(f"%%qtask --cut {cut} --shots 500 --seed 4\n{GHZ}qc.measure_all()\nqc")
    counts = result[0].data.meas.get_counts()
    assert set(counts) == {"000000", "111111"}
    assert sum(counts.values()) == 500
    assert result[0].distribution.probabilities()[[0, -1]] == pytest.approx([0.5, 0.5])
    assert ("2 fragments of width 3, 3" in run.output) == (cut == "3")
    assert ("at most " in run.output) == (cut == "auto")
    assert "000000" in run.output


def test_openqasm_is_sampled_cut(run):
    gates = "h q[0]; cx q[0], q[1]; cx q[1], q[2];"
    text = f'include "stdgates.inc"; qubit[3] q; bit[3] c; {gates} c = measure q;'
    result = run(f"%%qtask --cut 2 --qasm\n{text}")
    assert set(result[0].data.c.get_counts()) == {"000", "111"}


def test_openqasm_that_measures_nothing_is_refused(run):
    run("%%qtask --cut 3 --qasm\nqubit[2] q;")
    assert "measures nothing" in str(run.error)


def test_the_help_tells_of_it(run):
    assert "--cut auto" in run.shell.magics_manager.magics["cell"]["qtask"].__doc__
