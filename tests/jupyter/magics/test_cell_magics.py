"""The cell magics."""

import threading

import numpy as np
import pytest
from qiskit.primitives import PrimitiveResult

from pilot_kernel.errors import CellError, PilotError, PlacementError, PubError, ShipError
from pilot_kernel.jupyter.cell.cell_task import CellTask
from tests.conftest import wait_until


def test_a_cell_runs_elsewhere_and_brings_back_what_is_named(run):
    run("data = [1, 2, 3]")
    result = run("%%ctask -o total,pid\nimport os\npid = os.getpid()\ntotal = sum(data)\ntotal * 2")
    assert result == 12
    assert run.shell.user_ns["total"] == 6
    assert run("import os; pid != os.getpid()")
    assert run("%%ctask\nlocals().get('total')") is None


def test_what_a_cell_prints_is_the_cell_s_own_output(run):
    run("%%ctask\nfor i in range(3):\n    print('line', i)")
    assert run.output == "line 0\nline 1\nline 2\n"


def test_output_is_cut_with_a_way_to_the_rest(run):
    run("%%ctask --name long\nfor i in range(5000): print(i)")
    assert run.output.count("\n") == 2000
    task = run("%qresult --task long")
    wait_until(lambda: "4999" in task.output.text())


def test_an_error_comes_back_with_the_line_of_the_cell(run):
    run("%%ctask\ndef f(x):\n    return 1 / x\nf(0)")
    assert isinstance(run.error, ZeroDivisionError)
    assert "---->    3     return 1 / x" in run.output.replace("\x1b[32m", "").replace(
        "\x1b[39m", ""
    )
    assert "pilot_kernel" not in run.output
    assert run.output.count("division by zero") == 1


def test_our_own_errors_are_one_line(run):
    run("%%ctask --on nowhere\n1")
    assert isinstance(run.error, PlacementError)
    assert len(run.output.strip().splitlines()) == 1


def test_all_runs_a_cell_on_every_worker_and_gives_lists(run, session):
    ns = run.shell.user_ns
    pilot = session.add_pilot("local://", cores_per_node=3, name="trio")
    ns["factor"] = 3
    result = run(
        "%%ctask --all --on trio -o pid,double\nimport os\nprint('at', factor)\n"
        "pid = os.getpid()\ndouble = 2 * factor\npid"
    )
    assert len(set(result)) == 3
    assert result == ns["pid"]
    assert ns["double"] == [6, 6, 6]
    for number in range(3):
        assert f"[trio-{number}] at 3\n" in run.output
    task = run("%%ctask --all --on trio --noblock --name everywhere\nfactor")
    assert task.result(60) == [3, 3, 3]
    run("%tasks")
    assert "everywhere" in run.output
    assert "3/3" in run.output or "trio" in run.output
    assert run("%%ctask --all --on trio\nprint('only this')") is None
    run("%%ctask --all --on trio\nimport os\n1 / (os.getpid() - pid[1])")
    assert isinstance(run.error, ZeroDivisionError)
    assert "raised on worker trio-1" in "".join(run.error.__notes__)
    pilot.stop()


DRY = "from qiskit import QuantumCircuit\nqc = QuantumCircuit(2)\nqc.h(0)\nqc.cx(0, 1)\n"


def test_a_dry_run_says_what_a_qpu_would_take_and_sends_nothing(run, session):
    pilot = session.add_pilot("qpu://fake_manila", name="dry")
    told = run(f"%%qtask --dry-run --on dry --precision 0.1 --name dryly\n{DRY}(qc, ['ZZ', 'XX'])")
    assert (told.device, told.circuits, told.jobs, told.shots) == ("fake_manila", 2, 1, 200)
    assert 200 * 2.5e-4 < told.qpu_s < 1
    sampled = run(f"%%qtask --dry-run --shots 7 -o dry\n{DRY}qc.measure_all()\n[qc, qc]")
    assert (sampled.circuits, sampled.jobs, sampled.shots) == (2, 2, 14)
    assert run.shell.user_ns["dry"] is sampled
    assert not [r for r in session.history() if r.pilot == "dry"]
    qasm = "OPENQASM 3.0;\nqubit[1] q;\nbit[1] c;\nc[0] = measure q[0];"
    read = run(f"%%qtask --dry-run --qasm --shots 9\n{qasm}")
    assert (read.circuits, read.jobs, read.shots) == (1, 1, 9)
    assert not [r for r in session.history() if r.pilot == "dry"]
    pilot.stop()


@pytest.mark.parametrize(
    ("cell", "error", "told"),
    [
        ("%%ctask --on nowhere\n1", PlacementError, "nowhere.*there is: cpu"),
        ("%%qtask --on nowhere\n1", PlacementError, "nowhere.*there is: cpu"),
        ("%%ctask\nlock", ShipError, "^lock"),
        ("%%ctask -i nothing\n1", ShipError, "nothing"),
        ("%%ctask --limit 0.001\nlarge", ShipError, "^large is too large"),
        ("%%ctask -o y\nx = 1", CellError, "never defines y"),
        ("%%ctask\n# only this", CellError, "empty"),
        ("%%qtask\nx = 1", CellError, "ends with what to run"),
        ("%%qtask --qasm\nOPENQASM 2.0;\nqreg q[2]\nh q[0];", CellError, "line 4 of the cell, col"),
        ("%%qtask --qasm\nqubit[2] q;\nfoo q[0];", CellError, "line 3 of the cell, column 1"),
        ("%%qtask --qasm\nqubit[2] q;\nh q[0", CellError, "line [34] of the cell"),
        ("%%qtask --qasm\nqubit[2] q;\nU(0,0,0) q[0];", PubError, "measures nothing"),
        ("%qresult nosuch", PilotError, "nosuch"),
        ("%cancel nosuch", PilotError, "nosuch"),
        ("%pilot scale nosuch 3", PilotError, "no pilot 'nosuch'; there is: local"),
        ("%pilot scale local some", PilotError, "scale local some: write a number of workers"),
        ("%pilot scale local 1:", PilotError, "scale local 1:: write a number of workers"),
        ("%pilot scale local 3:2", PilotError, "minimum=3 is more than maximum=2"),
        ("%pilot drain nosuch", PilotError, "no pilot 'nosuch'; there is: local"),
        ("%%ctask --cores 999\n1", PlacementError, "cores=999: .* at most 1 core "),
        ("%%ctask --gpus 1\n1", PlacementError, "gpus=1 names nothing here|no GPU"),
        ("%%ctask --tags far,off\n1", PlacementError, "tags are: none"),
        ("%%ctask --memory 999TB\n1", PlacementError, "memory_bytes=999000000000000"),
        ("%pilot attach nosuch", PilotError, "names no agent"),
        ("%pilot add nowhere", PilotError, "is not a URL"),
    ],
)
def test_bad_input_is_told_before_anything_is_submitted(run, session, cell, error, told):
    run("import threading; lock = threading.Lock(); large = bytes(10**6)")
    run("%%ctask\n0")  # so that there is a task to be wrong about
    before = [record.key for record in session.history()]
    run(cell)
    assert isinstance(run.error, error)
    with pytest.raises(error, match=told):
        raise run.error
    assert [record.key for record in session.history()] == before


@pytest.mark.parametrize(
    ("last", "error", "told"),
    [
        ("3", CellError, "got int 3"),
        ("None", CellError, "got NoneType None"),
        ("[QuantumCircuit(1), 'x']", CellError, "PUB 1 is neither a circuit.*str 'x'"),
        ("QuantumCircuit(1)", PubError, "measures nothing"),
        ("free", PubError, r"no values for its 1 parameters \(t\)"),
    ],
)
def test_a_quantum_cell_says_what_is_wrong_with_its_last_expression(run, last, error, told):
    run(
        "%%qtask\nfrom qiskit import QuantumCircuit\nfrom qiskit.circuit import Parameter\n"
        f"free = QuantumCircuit(1, 1)\nfree.rx(Parameter('t'), 0)\nfree.measure(0, 0)\n{last}"
    )
    assert isinstance(run.error, error)
    with pytest.raises(error, match=told):
        raise run.error


BELL = "from qiskit import QuantumCircuit\nqc = QuantumCircuit(2)\nqc.h(0)\nqc.cx(0, 1)\n"


def test_a_measured_circuit_is_sampled(run):
    result = run(f"%%qtask --shots 500 --seed 1 -o r\n{BELL}qc.measure_all()\nqc")
    assert isinstance(result, PrimitiveResult)
    assert run.shell.user_ns["r"] is result
    counts = result[0].data.meas.get_counts()
    assert sum(counts.values()) == 500
    assert set(counts) == {"00", "11"}
    assert "500 shots" in run.output
    assert "█" in run.output


def test_circuits_run_on_a_qpu_and_are_built_elsewhere(run):
    run("%pilot add qpu://fake_manila")
    try:
        result = run(f"%%qtask --on qpu --seed 1 --shots 500\n{BELL}qc.measure_all()\nqc")
        assert set(result[0].data.meas.get_counts()) == {"00", "01", "10", "11"}
        result = run(f"%%qtask --on fake_manila --seed 1\n{BELL}(qc, 'ZZ')")
        assert 0.7 < result[0].data.evs < 0.999
        assert 0 < result[0].data.stds < 1 / 64
    finally:
        run("%pilot stop fake_manila")


def test_observables_are_estimated(run):
    result = run(f"%%qtask\n{BELL}(qc, ['ZZ', 'XX', 'ZI'])")
    assert result[0].data.evs.round(9).tolist() == [1, 1, 0]
    assert "ZZ" in run.output
    assert "exact" in run.output


def test_a_sweep_keeps_its_shape(run):
    result = run(
        "%%qtask\nimport numpy as np\nfrom qiskit import QuantumCircuit\n"
        "from qiskit.circuit import Parameter\nqc = QuantumCircuit(1)\nqc.ry(Parameter('t'), 0)\n"
        "[(qc, [['Z'], ['X']], np.linspace(0, 6, 40))]"
    )
    assert result[0].data.evs.shape == (2, 40)
    assert "40 parameter sets" in run.output


def test_openqasm_of_both_versions(run):
    two = (
        'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\n'
        "measure q -> c;"
    )
    three = (
        'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\n'
        "c = measure q;"
    )
    for program in (two, three):
        result = run(f"%%qtask --qasm --shots 100\n{program}")
        assert set(result[0].data.c.get_counts()) <= {"00", "11"}


def test_bodies_are_never_expanded(run):
    run("x = 5")
    assert run("%%ctask\n'$x {x}'") == "$x {x}"


def test_a_cell_in_the_background(run, tmp_path):
    gate = tmp_path / "gate"
    task = run(
        "%%ctask --noblock --name held -o z\nimport os, time\n"
        f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)\nz = 7\n'done'"
    )
    assert isinstance(task, CellTask)
    assert not task.done()
    assert "held" in repr(run("%tasks"))
    gate.touch()
    assert run("%qresult held") == "done"
    assert task.result() == "done"
    assert run.shell.user_ns["z"] == 7


def test_a_quantum_cell_in_the_background_keeps_its_task(run):
    task = run(f"%%qtask --noblock -o later --shots 50\n{BELL}qc.measure_all()\nqc")
    assert run.shell.user_ns["later"] is task
    assert sum(task.result(60)[0].data.meas.get_counts().values()) == 50
    assert task.progress[0] == task.progress[1]
    assert str(task.state) == "DONE"


def test_names_are_kept_alike_by_both_magics(run):
    assert run("%%ctask -o twice,x\nx = 3\n2 * x") == 6
    assert (run.shell.user_ns["twice"], run.shell.user_ns["x"]) == (6, 3)
    result = run(f"%%qtask --shots 50 --seed 1 -o counted,qc\n{BELL}qc.measure_all()\nqc")
    assert run.shell.user_ns["counted"] is result
    assert run.shell.user_ns["qc"].num_qubits == 2
    task = run("%%ctask --noblock -o held,y\ny = 4\n5")
    assert run.shell.user_ns["held"] is task
    assert task.result(60) == 5
    assert run.shell.user_ns["y"] == 4


def test_many_cells_at_once(run):
    tasks = [run(f"%%ctask --noblock\nprint({at})\n{at}") for at in range(8)]
    assert [task.result(60) for task in tasks] == list(range(8))
    for at, task in enumerate(tasks):
        wait_until(lambda task=task, at=at: task.output.text() == f"{at}\n")


def test_no_thread_is_left_behind_by_a_cell(run):
    run("%%ctask\n1")
    before = threading.active_count()
    for _ in range(5):
        run("%%ctask\n1")
    wait_until(lambda: threading.active_count() <= before)  # others of this process come and go


def test_values_are_named_after_observables_and_parameters(run, session):
    run(
        "from qiskit import QuantumCircuit\nfrom qiskit.circuit import Parameter\n"
        "qc = QuantumCircuit(2)\nqc.ry(Parameter('t'), 0)\nqc.ry(Parameter('u'), 1)"
    )
    run.shell.user_ns["session"] = session
    for made in ("session.run(pubs).result()", "session.estimator().run(pubs).result()"):
        run(f"pubs = [(qc, [['ZI'], ['IZ']], [[0, 0.5], [1.25, 0]])]\n{made}")
        rows = [line.split("  ") for line in run.output.strip().splitlines()[-4:]]
        assert [row[:2] for row in rows] == [
            ["ZI", "t = 0, u = 0.5"],
            ["ZI", "t = 1.25, u = 0"],
            ["IZ", "t = 0, u = 0.5"],
            ["IZ", "t = 1.25, u = 0"],
        ]
        assert [f"{np.cos(angle):+.6f}" for angle in (0.5, 0, 0, 1.25)] == [
            row[-2].strip() for row in rows
        ]
    result = run("%%qtask\n(qc, 'ZZ', [[0, 0], [0, 3]])")
    assert "ZZ  t = 0, u = 3" in run.output
    assert "t = 0, u = 3" in run.shell.display_formatter.format(result)[0]["text/html"]
    run("%%qtask\nimport numpy as np\n(qc, ['ZZ'], np.zeros((9, 2)))")
    assert "ZZ" in run.output
    assert "9 parameter sets" in run.output


def test_a_semicolon_silences_the_value(run):
    assert run("%%ctask\n5;") is None
    assert run("%%ctask\n5") == 5
