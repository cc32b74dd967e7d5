"""Runs other people's cut finders on a case; one JSON line a result. Imports neither package.

    python -m benchmarks.finder.peers TOOL CASE WIDTH [CASE WIDTH ...]

TOOL is `addon` (qiskit-addon-cutting), `qcut` (QCut with its defaults) or `qcut_lo` (QCut without
joint cuts and communication). QCut needs an environment of its own. QCut 2.2 turns a CX round whose
control has the higher index, so it is given the same circuit without such gates (`upright`).
`log2` is what the tool says its plan costs, in bits of gamma^2; `checked` prices its cut gates and
wires one by one from their matrices, which is what `lo` means.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

from qiskit.quantum_info import Operator

from benchmarks.circuits import CASES
from benchmarks.finder.scorer import gamma_of

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def addon(circuit: QuantumCircuit, width: int) -> dict[str, Any]:
    """qiskit-addon-cutting's best-first search, default settings, seed 111."""
    from qiskit_addon_cutting.automated_cut_finding import (
        DeviceConstraints,
        OptimizationParameters,
        find_cuts,
    )

    began = time.perf_counter()
    _, found = find_cuts(circuit, OptimizationParameters(seed=111), DeviceConstraints(width))
    seconds = time.perf_counter() - began
    return {
        "log2": math.log2(found["sampling_overhead"]),
        "proven": bool(found["minimum_reached"]),
        "seconds": seconds,
    }


def upright(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit, in which the control of every CX has the lower index.

    QCut 2.2.0 puts the qubits of a cut gate in the order of their indices. It then searches, and
    runs, another circuit: of `x(1); cx(1, 0)`, cut, it says <Z0> = 1.
    """
    out = circuit.copy_empty_like()
    for step in circuit.data:
        if step.name == "cx" and len(step.qubits) == 2:
            control, target = step.qubits
            if circuit.find_bit(control).index > circuit.find_bit(target).index:
                out.h(step.qubits)
                out.cx(target, control)
                out.h(step.qubits)
                continue
        out.append(step)
    return out


def qcut(circuit: QuantumCircuit, width: int, *, joint: bool = True) -> dict[str, Any]:
    """QCut's partitioning with METIS, into as few fragments as the width allows."""
    from QCut import CutOptions, find_cuts
    from QCut.cutlocation import CutLocation
    from QCut.qpd.qpd_operations import plan_cost

    pieces = max(2, math.ceil(circuit.num_qubits / width))
    plain: dict[str, Any] = {"joint_rotation_cuts": False, "wire_cut_communication": "never"}
    options = CutOptions(finder_max_qubits=[width] * pieces, **({} if joint else plain))
    circuit = upright(circuit)
    began = time.perf_counter()
    cut = find_cuts(circuit, options)
    seconds = time.perf_counter() - began
    checked = 0.0
    for place in cut.cut_locations:
        if isinstance(place, CutLocation):
            gate = place.gate
            checked += 2 * math.log2(3.0 if gate is None else gamma_of(Operator(gate).data))
        else:
            checked += 4.0
    return {
        "log2": 2 * math.log2(plan_cost(cut, options)),
        "checked": checked,
        "widths": [piece.num_qubits for piece in cut.subcircuits],
        "seconds": seconds,
    }


TOOLS = {
    "addon": addon,
    "qcut": qcut,
    "qcut_lo": lambda circuit, width: qcut(circuit, width, joint=False),
}


def main(tool: str, wanted: list[str]) -> None:
    """Run one tool on (case, width) pairs; the first case is run once before, to warm up."""
    builds = {case.name: case.build for case in CASES}
    circuits: dict[str, QuantumCircuit] = {}
    if wanted:
        TOOLS[tool](builds["mqt_bv_30"](), 10)
    for name, width in zip(wanted[::2], wanted[1::2], strict=True):
        circuit = circuits.setdefault(name, builds[name]())
        row: dict[str, Any] = {"case": name, "width": int(width), "tool": tool}
        try:
            row.update(TOOLS[tool](circuit, int(width)))
        except Exception as error:  # noqa: BLE001  a peer may fail in any way; the row says how
            row["error"] = f"{type(error).__name__}: {error}"[:120]
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    main(sys.argv[1], sys.argv[2:])
