"""What beginners do wrong, and that each time one short message says what to do next.

Every case was tried as a person would do it. Messages are asked for what they must name: what is
wrong, and what would work.
"""

import re

import pytest
from IPython.core.error import UsageError

from pilot_kernel.errors import PilotError
from qdreamer_lab.errors import QDreamerError
from tests.conftest import wait_until

SETTING = """
import pilot_kernel
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qdreamer_lab import CutEstimator, CutExplorer, CutSampler, QDreamer, pareto, plan_cuts
bell = QuantumCircuit(2)
bell.h(0)
bell.cx(0, 1)
measured = bell.copy()
measured.measure_all()
turned = QuantumCircuit(2)
turned.ry(Parameter("a"), 0)
turned.ry(Parameter("b"), 1)
turned.cx(0, 1)
session = pilot_kernel.session()
"""

CELLS = {
    "a circuit that measures nothing": ("%%qtask\nbell", r"measures nothing; add measure_all\(\)"),
    "an observable that is too long": (
        '%%qtask\n(bell, "ZZZ")',
        r"'ZZZ' is of 3 qubits and the circuit has 2.*'IZ'",
    ),
    "small letters": ('%%qtask\n(bell, "zz")', "'zz'.*(a Pauli string|write it like)"),
    "two observables without a list": (
        '%%qtask\n(bell, "ZZ", "XX")',
        r"several go into a list: \(circuit, \[first, second\]\)",
    ),
    "parameters without values": (
        '%%qtask\n(turned, "ZZ")',
        r"no values for its 2 parameters \(a, b\).*assign_parameters",
    ),
    "too many values": (
        '%%qtask\n(turned, "ZZ", [1, 2, 3])',
        r"2 parameters \(a, b\), and the values have 3.*shape \(2,\), or \(points, 2\)",
    ),
    "values for another name": (
        '%%qtask\n(turned, "ZZ", {"a": 1, "c": 2})',
        "given for c and there is no value for b; the circuit's parameters are a, b",
    ),
    "no shots": ("%%qtask --shots 0\nmeasured", "--shots: 0: a whole number of at least 1"),
    "half a shot": ("%%qtask --shots 1.5\nmeasured", "--shots: 1.5: a whole number"),
    "shots for an estimate": (
        '%%qtask --shots 10\n(bell, "ZZ")',
        "have observables; use precision=",
    ),
    "a negative precision": ('%%qtask --precision -1\n(bell, "ZZ")', "--precision: -1: zero or mo"),
    "an option misspelt": ("%%qtask --shotz 9\nmeasured", r"did you mean --shots\? %%qtask\?"),
    "an option of something else": ("%%ctask --frob\n1", r"--frob. %%ctask\? lists what it takes"),
    "fragments without qubits": ('%%qtask --cut 0\n(bell, "ZZ")', "--cut 0: auto, or the most"),
    "a width in words": ('%%qtask --cut small\n(bell, "ZZ")', "--cut small: auto, or the most qu"),
    "a cell that runs nothing": (
        "%%qtask\nbell.x(0)\ncircuit = bell",
        r"ends with what to run.*its last line is a statement",
    ),
    "a cell that ends with a number": ("%%qtask\n3", "expected a circuit, a PUB.*got int 3"),
    "OpenQASM in a text": ('%%qtask\n"OPENQASM 3;"', "qiskit.qasm3.loads, or by %%qtask --qasm"),
    "a bracket left open": ('%%ctask\nprint("a"', r"line 2 of the cell: '\(' was never closed"),
    "a cell magic in a line": ("%qtask measured", "cell magic `%%qtask` exists, did you mean that"),
    "a magic without a cell": ("%%qtask", "the cell body is empty"),
    "an output that is no name": ("%%ctask -o 3x\n1", "'3x' is not the name of a variable"),
    "an output that is never made": ("%%ctask -o answer\nanswr = 1", "never defines answer"),
    "an input that is not there": ("%%ctask -i nothing\n1", "no variable of that name"),
    "something that cannot travel": (
        "import threading\nlock = threading.Lock()\n"
        "get_ipython().run_cell_magic('ctask', '', 'lock')",
        r"lock \(lock\) cannot be sent.*Make it in the cell itself",
    ),
    "an unknown pilot": ("%%ctask --on moon\n1", "names nothing here; there is: cpu, local"),
    "a QPU that nobody added": ("%%qtask --on qpu\nmeasured", r"add one: session.add_pilot\('qpu:"),
    "a GPU that nobody has": ("%%ctask --gpus 1\n1", "add one: .*gpus_per_node=1"),
    "more cores than there are": ("%%ctask --cores 4096\n1", "Ask for less, or add a pilot"),
    "an unknown kind of pilot": ("%pilot add quantum://", "is unknown; there is local://, qpu://"),
    "a batch job without cores": ("%pilot add slurm://", "cores_per_node is missing.*--cores 16"),
    "an unknown verb": ("%pilot remove local", "invalid choice: 'remove' .*'stop'"),
    "a pilot that is not there": ("%pilot scale moon 2", "no pilot 'moon'; there is: local"),
    "a task that is not there": ("%qresult moon", "no task"),
    "words for %tasks": ("%tasks bell", "%qresult NAME waits for one task"),
    "an unknown motif": ("%motif waltz", "no motif 'waltz'; there are circuit-execution"),
    "a session that was closed": (
        "closed = pilot_kernel.Session()\nclosed.close()\nclosed.submit(pow, 2, 3)",
        r"this session is closed; pilot_kernel.session\(\) begins a new one",
    ),
    "a call instead of a function": (
        "session.submit(pow(2, 3))",
        r"a function, not int: submit\(f",
    ),
    "a device that is not there": (
        "session.add_pilot('qpu://fake_manilla')",
        "no QPU called 'fake_manilla'; did you mean fake_manila",
    ),
    "a key that pilots do not have": ("session.add_pilot(cores=2)", "no key 'cores'; it has"),
    "one PUB without a list": (
        'CutEstimator(2).run((bell, "ZZ"))',
        r"takes a list of PUBs, also for one: run\(\[\(circuit, observables",
    ),
    "a circuit instead of a PUB": (
        "CutEstimator(2).run([bell])",
        "a circuit in the place of a PUB",
    ),
    "fragments of no qubit": ("CutEstimator(0)", "max_qubits must be at least 1, got 0"),
    "an unknown mode": ("CutEstimator(2, mode='fast')", "'fast'; there is 'auto', 'exact', 'samp"),
    "measurements amid a circuit that is to be cut": (
        'CutEstimator(2).run([(measured.compose(bell), "ZZ")])',
        r"measure at their end can be cut; run this one uncut, with session\.run",
    ),
    "a precision below zero": (
        'CutEstimator(2).run([(bell, "ZZ")], precision=-1)',
        "precision=-1: a standard error of zero or more",
    ),
    "a distribution of nothing": ("CutSampler(2).run([bell])", r"add measure_all\(\)"),
    "a session's name for a session": (
        "CutEstimator(2, session='local')",
        r"takes an open session, as pilot_kernel.session\(\) gives it",
    ),
    "the path of a file for a circuit": (
        "plan_cuts('circuit.qasm', 4)",
        "'circuit.qasm'; read a file with QuantumCircuit.from_qasm_file",
    ),
    "a list of circuits": ("QDreamer().recommend([bell], 'ZZ')", "give one circuit at a time"),
    "wires cut where gates must fit": (
        "plan_cuts(bell, 1, kinds=('wire',))",
        "The smallest max_qubits that works is 2",
    ),
    "a parameter left open in a plan": ("plan_cuts(turned, 1)", "unbound parameters: a, b; bind"),
    "the result of a task that is not opened": (
        "session.run(measured).data",
        r"if you mean that of its result: .result\(\).data",
    ),
}


@pytest.mark.parametrize("mistake", CELLS)
def test_a_mistake_leads_to_a_message_that_says_what_to_do(run, mistake):
    cell, said = CELLS[mistake]
    run(SETTING)
    assert run.error is None
    run(cell)
    text = str(run.error) if run.error is not None else ""
    assert re.search(said, text, re.IGNORECASE | re.DOTALL), f"{mistake}: {run.error!r}"
    if not isinstance(run.error, AttributeError):  # Python's own, which says where it was
        assert isinstance(run.error, (PilotError, QDreamerError, UsageError))
        assert "Traceback" not in run.output
        assert run.output.count("\n") < 12


def test_there_are_thirty_and_more():
    assert len(CELLS) >= 30
    assert len({cell for cell, _ in CELLS.values()}) == len(CELLS)


def test_a_message_names_the_line_of_the_cell_that_led_to_it(run):
    run(f"{SETTING}\nfirst = 1\nCutEstimator(0)\nlast = 1")
    lines = run.output.splitlines()
    assert lines[0].endswith("max_qubits must be at least 1, got 0")
    assert lines[1].strip() == f"line {SETTING.count(chr(10)) + 2}: CutEstimator(0)"


def test_a_variable_that_a_task_has_still_to_bring_is_told_of(run, tmp_path):
    gate = tmp_path / "gate"
    run(
        f"%%ctask --noblock --name slow -o answer\nimport os, time\n"
        f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)\nanswer = 42"
    )
    run("answer + 1")
    assert isinstance(run.error, NameError)
    assert re.search(r"answer comes from task 'slow', which is \w+; %qresult slow", run.output)
    gate.touch()
    run("%qresult slow")
    wait_until(lambda: "answer" in run.shell.user_ns)
    assert run("answer + 1") == 43
    run("nobodys_variable")
    assert "comes from" not in run.output


def test_a_variable_of_a_task_that_failed_is_told_of(run):
    run("%%ctask --name broken -o answer\nanswer = 1 / 0")
    assert isinstance(run.error, ZeroDivisionError)
    run("answer")
    assert re.search(r"task 'broken', which ended without it; %qresult .* tells why", run.output)
