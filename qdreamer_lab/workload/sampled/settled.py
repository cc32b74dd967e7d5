"""Gate cuts of which one side shows by itself, at the end, which way the other was turned.

Half of a cut gate is a sum over powers of a Pauli operator Q. Where nothing that follows on the
qubit changes Q but into another, and whatever is measured commutes with it, as where the control of
a CX is measured in Z, measuring Q at the cut changes nothing that is read. Then the other side gets
one of two unitaries by what was measured: such a cut needs three circuits, and no more shots than
the whole circuit. This module must not know shots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.cut.cuts import GateCut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.fragment.program import FragmentProgram
    from qdreamer_lab.workload.sampled.bases import Basis
    from qdreamer_lab.workload.sampled.weyl import WeylForm

__all__ = ["settled_ends"]

_TOLERANCE = 1e-10
"""Entries of matrices that differ by less are equal: far below any sampling error."""

_LETTERS = {
    "X": np.array([[0, 1], [1, 0]], dtype=np.complex128),
    "Y": np.array([[0, -1j], [1j, 0]], dtype=np.complex128),
    "Z": np.array([[1, 0], [0, -1]], dtype=np.complex128),
}


def settled_ends(
    plan: Partition,
    forms: Mapping[int, WeylForm],
    programs: Sequence[FragmentProgram],
    bases: Sequence[Sequence[Basis]],
) -> dict[int, int]:
    """Which gate cuts have a side that settles them.

    Args:
        plan: The plan.
        forms: The Weyl form of every block that is cut.
        programs: Of the fragments.
        bases: In which the qubits of each are measured.

    Returns:
        By the number of the cut, 0 for the low qubit's side and 1 for the high one's.
    """
    letters = _letters(programs, bases)
    found: dict[int, int] = {}
    for number, cut in enumerate(plan.cuts):
        if isinstance(cut, GateCut) and len(forms[cut.block].coefficients) == 2:
            for end in (0, 1):
                if number not in found and _settles(plan, forms, cut, end, letters):
                    found[number] = end
    return found


def _letters(
    programs: Sequence[FragmentProgram], bases: Sequence[Sequence[Basis]]
) -> dict[tuple[int, int], set[str]]:
    """How each qubit of each fragment is measured, in all bases together."""
    found: dict[tuple[int, int], set[str]] = {}
    for program, mine in zip(programs, bases, strict=True):
        qubit_at = {place: qubit for qubit, place in program.wires}
        for basis in mine:
            for place, letter in basis.letters:
                found.setdefault((program.id, qubit_at[place]), set()).add(letter)
    return found


def _settles(
    plan: Partition,
    forms: Mapping[int, WeylForm],
    cut: GateCut,
    end: int,
    letters: Mapping[tuple[int, int], set[str]],
) -> bool:
    qubit, fragment = cut.qubits[end], cut.fragments[end]
    one, other = _halves(forms[cut.block], end)
    axis: NDArray[np.complex128] | None = other @ one.conj().T
    pairs = plan.blocks.pairs
    for block in np.flatnonzero((pairs == qubit).any(axis=1)).tolist():
        if block <= cut.block or axis is None:
            continue
        at = pairs[block].tolist().index(qubit)
        if plan.labels[block, at] != fragment:
            return False  # the wire goes on elsewhere
        if block in forms:
            axis = _alike([half @ axis @ half.conj().T for half in _halves(forms[block], at)])
        else:
            axis = _past(plan.blocks.unitaries[block], axis, at)
    if axis is None:
        return False
    measured = [_LETTERS[letter] for letter in letters.get((fragment, qubit), ())]
    return all(np.abs(axis @ each - each @ axis).max() < _TOLERANCE for each in measured)


def _halves(form: WeylForm, end: int) -> NDArray[np.complex128]:
    return form.high if end else form.low


def _alike(found: list[NDArray[np.complex128]]) -> NDArray[np.complex128] | None:
    """The matrix that all are; None if they differ."""
    same = all(np.abs(each - found[0]).max() < _TOLERANCE for each in found)
    return found[0] if same else None


def _past(
    unitary: NDArray[np.complex128], axis: NDArray[np.complex128], at: int
) -> NDArray[np.complex128] | None:
    """What an operator on one of two qubits becomes behind a block, if it stays on that qubit.

    Args:
        unitary: (4, 4) of the block, the low qubit's index varying fastest.
        axis: (2, 2) the operator.
        at: 0 for the low qubit, 1 for the high one.
    """
    one = np.eye(2)
    wide = np.kron(axis, one) if at else np.kron(one, axis)
    moved = (unitary @ wide @ unitary.conj().T).reshape(2, 2, 2, 2)
    axes = (1, 3) if at else (0, 2)  # those of the other qubit
    alone = np.trace(moved, axis1=axes[0], axis2=axes[1]) / 2
    again = np.kron(alone, one) if at else np.kron(one, alone)
    return alone if np.abs(again - moved.reshape(4, 4)).max() < _TOLERANCE else None
