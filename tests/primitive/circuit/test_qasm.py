"""OpenQASM as it is meant: definitions, includes, bits, ranges; and errors with their places."""

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm2
from qiskit.quantum_info import Operator, Statevector

from pilot_kernel.errors import CellError, QasmError
from pilot_kernel.jupyter.cell.qasm_source import parse_qasm
from pilot_kernel.primitive.circuit.qasm import read_qasm

HEAD2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\n'
HEAD3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[6] q;\nbit[6] c;\n'

BUILT_IN = {gate.name: gate for gate in qasm2.LEGACY_CUSTOM_INSTRUCTIONS if gate.name != "delay"}
PAPERS = {  # the gates of the qelib1.inc that comes with OpenQASM 2
    *("u3", "u2", "u1", "cx", "id", "u0", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "rx", "ry"),
    *("rz", "cz", "cy", "ch", "ccx", "crz", "cu1", "cu3"),
}


@pytest.mark.parametrize("included", [False, True])
def test_a_gate_that_a_program_defines_is_what_it_says(included):
    for name, gate in BUILT_IN.items():
        if included and (name in PAPERS or name in ("u", "p")):
            continue
        text = "OPENQASM 2.0;\n" + ('include "qelib1.inc";\n' if included else "")
        parameters = [f"p{k}" for k in range(gate.num_params)]
        qubits = [f"a{k}" for k in range(gate.num_qubits)]
        angle = parameters[0] if parameters else "0.3"
        text += f"gate {name}({', '.join(parameters)}) " if parameters else f"gate {name} "
        text += f"{', '.join(qubits)} {{ U({angle}, 0.1, 0.2) a0; }} // gate other a {{}}\n"
        text += f"qreg q[{gate.num_qubits}];\n{name}"
        text += f"({', '.join(['0.7'] * gate.num_params)}) " if parameters else " "
        text += ", ".join(f"q[{k}]" for k in range(gate.num_qubits)) + ";\n"
        wanted = QuantumCircuit(gate.num_qubits)
        wanted.u(0.7 if parameters else 0.3, 0.1, 0.2, 0)
        assert Operator(read_qasm(text)).equiv(Operator(wanted)), name


def test_definitions_in_files_next_to_the_program_count_too(tmp_path):
    (tmp_path / "mine.inc").write_text("gate swap a, b { CX a, b; } // as I like it\n")
    text = 'OPENQASM 2.0;\ninclude "mine.inc";\nqreg q[2];\nswap q[0], q[1];\n'
    wanted = QuantumCircuit(2)
    wanted.cx(0, 1)
    assert Operator(read_qasm(text, tmp_path)).equiv(Operator(wanted))
    with pytest.raises(QasmError, match=r"line 2, column 9: there is no file 'mine.inc'"):
        read_qasm(text)


@pytest.mark.parametrize(
    ("function", "value"),
    [
        ("asin", np.arcsin(0.3)),
        ("acos", np.arccos(0.3)),
        ("atan", np.arctan(0.3)),
        ("tan", np.tan(0.3)),
        ("exp", np.exp(0.3)),
        ("ln", np.log(0.3)),
        ("sqrt", np.sqrt(0.3)),
    ],
)
def test_functions_of_angles(function, value):
    circuit = read_qasm(HEAD2 + f"rx({function}(0.3)) q[0];")
    assert circuit.data[0].params == pytest.approx([value])


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('// mine\ninclude "qelib1.inc";\nqreg v[2];\nx v[0];\ncx v[0], v[1];\n', 2),
        ("qreg bit[2];\nCX bit[0], bit[1];", 2),
        ('/* OPENQASM 2.0; */\ninclude "stdgates.inc";\nqubit[2] q;\ncx q[0], q[1];', 3),
        ("qubit q; bit c;\nc = measure q;", 3),
    ],
)
def test_without_a_version_line_the_program_shows_which_it_is(text, version):
    header = f"OPENQASM {version}.0;\n"
    assert read_qasm(text).count_ops() == read_qasm(header + text).count_ops()


def test_bits_without_a_size_keep_their_names_and_results():
    text = (
        'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit q; bit[2] many; bit c; bit d = measure q;\n'
    )
    circuit = read_qasm(text + "x q;\nc = measure q;\nif (c) { x q; }\n")
    assert [(register.name, register.size) for register in circuit.cregs] == [
        ("many", 2),
        ("c", 1),
        ("d", 1),
    ]
    assert all(len(circuit.find_bit(bit).registers) == 1 for bit in circuit.clbits)


@pytest.mark.parametrize(
    ("chosen", "qubits"),
    [
        ("0:2", [0, 1, 2]),
        ("4:-1:1", [4, 3, 2, 1]),
        ("3:-1:0", [3, 2, 1, 0]),
        ("5:-2:0", [5, 3, 1]),
        ("-2:-1", [4, 5]),
        ("1:2:5", [1, 3, 5]),
        (":", [0, 1, 2, 3, 4, 5]),
        ("{1, 3}", [1, 3]),
        ("-1", [5]),
    ],
)
def test_ranges_count_as_openqasm_does(chosen, qubits):
    circuit = read_qasm(HEAD3 + f"x q[{chosen}];\n")
    assert [circuit.find_bit(step.qubits[0]).index for step in circuit.data] == qubits


@pytest.mark.parametrize("angle", ["1/2", "-1/2", "pi * (1/2)", "2 * (7/3)"])
def test_whole_numbers_that_would_be_rounded_are_refused(angle):
    with pytest.raises(QasmError, match=r"divides whole numbers.*write .* if the fraction"):
        read_qasm(HEAD3 + f"rx({angle}) q[0];\n")


@pytest.mark.parametrize(
    ("angle", "value"),
    [("4/2", 2), ("1.0/2", 0.5), ("pi/2", np.pi / 2), ("-pi*3/4", -np.pi * 0.75)],
)
def test_other_divisions_are_what_they_say(angle, value):
    (step,) = read_qasm(HEAD3 + f"rx({angle}) q[0];\n").data
    assert step.params == [pytest.approx(value)]


@pytest.mark.parametrize("head", [HEAD2, HEAD3])
def test_a_byte_order_mark_is_no_part_of_a_program(head):
    assert read_qasm("\ufeff" + head) == read_qasm(head)


def test_a_modifier_is_of_the_gate_that_the_program_defines():
    text = "OPENQASM 3.0;\ngate x a { U(pi/2, 0, pi) a; }\nqubit[2] q;\nctrl @ x q[0], q[1];\n"
    wanted = QuantumCircuit(2)
    wanted.ch(0, 1)
    assert Operator(read_qasm(text)).equiv(Operator(wanted))


def test_what_is_said_of_quantinuums_library_is_right():
    with pytest.raises(QasmError, match=r"u3\(theta, phi - pi/2, pi/2 - phi\)"):
        read_qasm('OPENQASM 2.0;\ninclude "hqslib1.inc";\n')
    circuit = read_qasm(HEAD2 + "u3(0.3, 0.8 - pi/2, pi/2 - 0.8) q[0];\nrzz(pi/2) q[0], q[1];")
    wanted = QuantumCircuit(2)
    wanted.r(0.3, 0.8, 0)
    wanted.rzz(np.pi / 2, 0, 1)
    assert Operator(circuit).equiv(Operator(wanted))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD2 + "h q[0];\n foo q[0];", "line 6, column 2: 'foo' is not defined"),
        (HEAD2 + "h q[0]", "line 5, column 1: unexpected end"),
        (
            HEAD2 + "h q[0];\nrx(\n asin(2)) q[0];\nh q[1];",
            "line 6, column 1: an angle is no finite",
        ),
        (HEAD2 + "rx(1e400) q[0];", "line 5, column 1: an angle is no finite"),
        (HEAD2 + 'include "stdgates.inc";', "line 5, column 9: stdgates.inc belongs to OpenQASM 3"),
        (HEAD2 + 'include "no.inc";', "line 5, column 9: there is no file 'no.inc'"),
        ("\n\nOPENQASM 4.0;", "line 3, column 1: OpenQASM 4 is not supported"),
        (HEAD3 + "foo q[0];", "line 5, column 1: gate 'foo' is not defined"),
        (HEAD3 + "h q[0]", "line 5, column 7: unexpected end of the program"),
        (HEAD3 + "h q[0] q[1];", "line 5, column 8: unexpected 'q'"),
        (HEAD3 + "x q[0]§;", "line 5, column 7: token recognition error"),
        (HEAD3 + "h q[6];", "line 5, column 1: an index is out of range"),
        (HEAD3 + "h q[0:6];", "line 5, column 5: this range is not within a register of size 6"),
        (HEAD3 + "h q[2:0];", "line 5, column 5: this range is not within"),
        (
            HEAD3 + "if (c[3:-1:0] == 1) { x q[0]; }",
            "line 5, column 5: a condition cannot be on such",
        ),
        (HEAD3 + "rx(1/0) q[0];", "line 5, column 1: cannot divide by zero"),
        (HEAD3 + "rx(1e400) q[0];", "line 5, column 4: the angle is inf"),
        (HEAD3 + "rx(sin(1.0)) q[0];", "line 5, column 4: functions are not evaluated"),
        (HEAD3 + "cx q[0], q[0];", "line 5, column 1: duplicate bit arguments"),
        (HEAD3 + "bit[2] c;", 'line 5, column 1: register name "c" already exists'),
        (
            HEAD3 + "for int i in [0:2] {\n x q[i];\n}",
            "line 5, column 1: loop variable 'i' is used",
        ),
        (
            HEAD3 + 'include "qelib1.inc";',
            "line 5, column 1: include 'qelib1.inc' is not supported",
        ),
        (
            HEAD3 + "h q[0];\nrx(" + "(" * 2000 + "1" + ")" * 2000 + ") q[0];",
            "line 6, column 1: .*nested",
        ),
        (HEAD3 + "if (c[0]) {" * 2000 + "}" * 2000, "line 5, column 1: .*nested too deeply"),
    ],
)
def test_errors_say_where(text, complaint, capfd):
    with pytest.raises(QasmError, match=complaint):
        read_qasm(text)
    assert capfd.readouterr() == ("", "")


def test_deep_programs_of_openqasm_2_are_read():
    deep = "(" * 5000 + "0.5" + ")" * 5000
    assert read_qasm(HEAD2 + f"rx({deep}) q[0];").data[0].params == [0.5]


def test_a_cell_says_its_own_line_and_shows_it():
    with pytest.raises(
        CellError, match=r"line 6 of the cell, column 2: .*\n     foo q\[0\];\n     \^"
    ):
        parse_qasm(HEAD2 + " foo q[0];", lines_above=1)
    with pytest.raises(CellError, match=r"line 6 of the cell, column 1: input phi has no value"):
        parse_qasm(HEAD3 + "input float[64] phi;\nrx(phi) q[0];", lines_above=1)


def test_what_is_read_is_what_qiskit_wrote():
    circuit = QuantumCircuit(3)
    circuit.r(0.3, 0.2, 0)
    circuit.iswap(0, 1)
    circuit.sxdg(1)
    circuit.ryy(0.4, 1, 2)
    circuit.cswap(0, 1, 2)
    text = qasm2.dumps(circuit)
    assert Statevector(read_qasm(text)).equiv(Statevector(circuit))
