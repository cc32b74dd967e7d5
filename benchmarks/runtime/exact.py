"""Exact mode: against the addon, the dense state vector, and matrix product states."""

from __future__ import annotations

import statistics
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from benchmarks.circuits import kicked_ising
from benchmarks.runtime.cases import bonds_of, dense, ends_and_middle, exact, labels_of, pauli, su2
from benchmarks.runtime.peers import addon_exact, aer_dense
from benchmarks.runtime.rows import Row, at_least, at_most, median_of, seconds_text, timed
from qdreamer_lab import plan_cuts
from qdreamer_lab.reference_values import reference_values

if TYPE_CHECKING:
    from collections.abc import Iterator

REPEATS = 7


def against_addon() -> Iterator[Row]:
    """EfficientSU2 on 18 qubits in fragments of 6: ours against the addon's exact simulator."""
    circuit, observables = su2(18), ends_and_middle(18)
    plan = plan_cuts(circuit, 6)
    exact(circuit, observables, 6)
    found, ours = median_of(partial(exact, circuit, observables, 6), REPEATS)
    off = np.abs(found.data.evs - dense(circuit, observables)).max()
    yield at_most("su2 18 q W=6, exact: error", off, 1e-9, "dense state vector")
    peer, theirs = timed(lambda: addon_exact(circuit, labels_of(plan), observables))
    off = np.abs(peer.values - found.data.evs).max()
    yield at_least(
        f"su2 18 q W=6, {plan.num_cuts} cuts, 3 observables, exact",
        theirs / ours,
        500,
        f"{seconds_text(ours)}, {found.metadata['variants']} states",
        f"addon {seconds_text(theirs)}, {peer.circuits} circuits",
        seconds=ours,
        peer_seconds=theirs,
        peer_difference=off,
        phases={key: found.metadata[key] for key in ("plan_s", "execute_s", "contract_s")},
    )


def against_mps() -> Iterator[Row]:
    """Circuits too wide for a state vector, against matrix product states."""
    for num_qubits, reps, widths in ((36, 2, (18, 12, 9)), (60, 3, (15,))):
        circuit, observables = su2(num_qubits, reps), ends_and_middle(num_qubits)
        reference_values(circuit, observables)
        truth = reference_values(circuit, observables)
        for width in widths:
            exact(circuit, observables, width)
            found, ours = median_of(partial(exact, circuit, observables, width), 3)
            cuts = found.metadata["plan"].num_cuts
            name = f"su2 {num_qubits} q reps {reps} W={width}, {cuts} cuts"
            off = np.abs(found.data.evs - truth.values).max()
            yield at_most(f"{name}: difference", off, 1e-8, truth.method)
            peer = f"MPS {seconds_text(truth.seconds)}"
            raw = {"seconds": ours, "peer_seconds": truth.seconds}
            yield Row(f"{name}: time", seconds_text(ours), peer, truth.seconds / ours, raw=raw)


def growth() -> Iterator[Row]:
    """Longer chains of like fragments, then fragments with more cuts; all take turns."""
    width = 12
    cases = [(2, 2), (4, 2), (8, 2), (12, 2), (16, 2), (4, 1), (8, 2), (12, 3)]
    runs: list[list[tuple[Any, float]]] = [[] for _ in cases]
    for _ in range(REPEATS + 1):
        for (cuts, reps), mine in zip(cases, runs, strict=True):
            circuit = su2(width * (cuts // reps + 1), reps)
            last = pauli("Z", [circuit.num_qubits - 1], circuit.num_qubits)
            mine.append(timed(partial(exact, circuit, [last], width)))
    for (cuts, reps), mine in zip(cases, runs, strict=True):
        fragments = cuts // reps + 1
        metadata = [found.metadata for found, _ in mine[1:]]
        assert metadata[0]["plan"].num_cuts == cuts, metadata[0]["plan"].num_cuts
        ours = statistics.median(seconds for _, seconds in mine[1:])
        plan = statistics.median(each["plan_s"] for each in metadata)
        run = statistics.median(each["execute_s"] + each["contract_s"] for each in metadata)
        most = 2 * reps if fragments > 2 else reps
        name = f"chain of {fragments} x {width} q, {cuts} cuts, {most} a fragment"
        text = f"{seconds_text(run)} without planning"
        each = f"{seconds_text(run / fragments)} a fragment"
        raw = {"seconds": ours, "fragments": fragments, "plan_seconds": plan, "run_seconds": run}
        yield Row(name, text, each, raw=raw)


def against_aer() -> Iterator[Row]:
    """26 qubits in two fragments, against all 2**26 amplitudes."""
    circuit, observables = su2(26), ends_and_middle(26)
    exact(circuit, observables, 13)
    found, ours = median_of(partial(exact, circuit, observables, 13), REPEATS)
    values, theirs = timed(lambda: aer_dense(circuit, observables))
    off = np.abs(values - found.data.evs).max()
    yield at_most("su2 26 q W=13: difference", off, 1e-9, "Aer state vector")
    ours_text, theirs_text = seconds_text(ours), f"Aer state vector {seconds_text(theirs)}"
    raw = {"seconds": ours, "peer_seconds": theirs}
    yield at_least("su2 26 q W=13, exact", theirs / ours, 50, ours_text, theirs_text, **raw)


def kicked() -> Iterator[Row]:
    """A kicked-Ising step on 127 qubits, with observables on one qubit, on a bond, and on all."""
    circuit = kicked_ising(1)
    num_qubits = circuit.num_qubits
    bonds = bonds_of(circuit)
    # On a qubit with two neighbours, Y becomes YZZ, which does not vanish.
    ends = np.bincount(np.ravel(bonds))
    site = next(qubit for qubit in range(62, num_qubits) if ends[qubit] == 2)
    bond = next(pair if pair[0] == site else pair[::-1] for pair in bonds if site in pair)
    rows = (
        ("Z, one qubit", [("Z", [site], 1.0)], 12),
        ("Y, one qubit", [("Y", [site], 1.0)], 12),
        ("YZ, a bond", [("YZ", list(bond), 1.0)], 12),
        ("sum of 127 Z", [("Z", [qubit], 1.0) for qubit in range(num_qubits)], 8),
    )
    for name, places, width in rows:
        observable = SparsePauliOp.from_sparse_list(places, num_qubits)
        exact(circuit, observable, width)
        found, ours = median_of(partial(exact, circuit, observable, width), 3)
        plans = found.metadata["plans"]
        how = f"{len(plans)} group(s), {max(plan.num_cuts for plan in plans)} cuts"
        title = f"kicked Ising 127 q W={width}, {name}"
        raw = {"seconds": ours, "value": float(found.data.evs)}
        yield Row(title, seconds_text(ours), how, None, "seconds", ours < 10, raw)
        true = sum(kicked_value(letters, on, bonds) for letters, on, _ in places)
        yield at_most(f"{title}: error", abs(found.data.evs - true), 1e-8, "neighbours only")


def kicked_value(letters: str, on: list[int], bonds: list[tuple[int, int]]) -> float:
    """A Pauli string after a kicked-Ising step, from the qubits next to it.

    The rzz commute with each other, so those that touch none of the string's qubits drop out.
    """
    touching = [bond for bond in bonds if not set(on).isdisjoint(bond)]
    place = {qubit: k for k, qubit in enumerate(dict.fromkeys([*on, *np.ravel(touching).tolist()]))}
    small = QuantumCircuit(len(place))
    small.rx(0.6, range(len(place)))
    for first, second in touching:
        small.rzz(-np.pi / 2, place[first], place[second])
    return float(dense(small, [pauli(letters, [place[q] for q in on], len(place))])[0])
