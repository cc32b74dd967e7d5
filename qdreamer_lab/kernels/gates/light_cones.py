"""Sweeps backwards through gates: what an observable needs, and what Clifford gates make of it.

What the tables say, and why these sweeps are right, is explained in `workload/circuit/lightcone.py`
and `workload/circuit/pulled_back.py`. Letters are codes, and masks are sets of I, X, Y and Z.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]

ABSENT = 1
"""The mask of a qubit on which an observable does not act."""

FAILS = 255
"""In place of a code: what becomes of these letters is no product of letters."""


class MaskRules(NamedTuple):
    """How masks are put together, and what becomes of them.

    Attributes:
        letters: (codes,) mask of each letter.
        outer: (16, 16) strings on two qubits, by the masks of the high and of the low one.
        spread: (16, 16) mask after a two-qubit gate, by the letters there that commute with it.
        alone: (16, 16) the same of a one-qubit gate.
    """

    letters: Ints
    outer: Ints
    spread: Ints
    alone: Ints


class Tables(NamedTuple):
    """What Clifford gates make of letters.

    Attributes:
        of: (gates,) which table each gate has; -1 if it is no Clifford gate.
        codes: (tables, codes², 2) what each product becomes on the gate's qubits, low one first.
        negative: (tables, codes²) whether the sign changes.
    """

    of: Ints
    codes: Bytes
    negative: Bools


@kernel
def commuting_strings(matrices: NDArray[np.complex128], sizes: Ints) -> Ints:
    """Return, per gate, the Pauli strings with which it commutes exactly, as bits.

    They are a group, and no string of a coset of it commutes if one of them does not. Codes of
    letters are such that the product of two has the exclusive or of their codes.

    Args:
        matrices: (m, 4, 4); of a one-qubit gate the first two rows and columns count.
        sizes: (m,) 2 or 4.
    """
    found = np.zeros(len(sizes), np.int64)
    for gate in range(len(sizes)):
        count = sizes[gate] * sizes[gate]
        known = 0
        for number in range(count):
            if known >> number & 1:
                continue
            commuting = found[gate]
            same = commutes(matrices[gate], sizes[gate], number)
            for other in range(count):
                if commuting >> other & 1 or other == 0:
                    known |= 1 << (other ^ number)
                    if same:
                        found[gate] |= 1 << (other ^ number)
    return found


@kernel
def commutes(matrix: NDArray[np.complex128], size: int, number: int) -> bool:
    """Return whether a gate commutes exactly with a Pauli string.

    A string that flips the bits x and has signs at the bits z turns a gate's element G[i, j] into
    (-1)^(z·(i⊕j)) G[i⊕x, j⊕x].
    """
    low, high = number & 3, number >> 2
    flips = int(low == 1 or low == 2) | int(high == 1 or high == 2) << 1
    signs = int(low >= 2) | int(high >= 2) << 1
    for i in range(size):
        for j in range(size):
            turned = matrix[i ^ flips, j ^ flips]
            odd = (i ^ j) & signs
            if (odd ^ odd >> 1) & 1:
                turned = -turned
            if turned != matrix[i, j]:
                return False
    return True


@kernel
def may_be_clifford(matrices: NDArray[np.complex128]) -> Bools:
    """Return, per gate (m, d, d), whether its entries are such as those of a Clifford gate.

    They are amplitudes of a stabilizer state (that of the gate on half of Bell pairs), so those
    that are not zero have one size and differ by powers of i.
    """
    found = np.ones(len(matrices), np.bool_)
    for gate in range(len(matrices)):
        one = 0j
        for row in matrices[gate]:
            for entry in row:
                if one == 0:
                    one = entry if abs(entry) > 0.1 else one
                ratio = entry * one.conjugate()
                large = max(abs(ratio.real), abs(ratio.imag))
                small = min(abs(ratio.real), abs(ratio.imag))
                size = one.real * one.real + one.imag * one.imag
                if not (small < 1e-9 and (large < 1e-9 or abs(large - size) < 1e-9)):
                    found[gate] = False
    return found


@kernel
def spread_masks(
    qubits: Ints, commuting: int, low: int, high: int, masks: Ints, rules: MaskRules
) -> None:
    """Write the masks that an observable may have after a gate, given those before."""
    if qubits[1] < 0:
        masks[qubits[0]] = rules.alone[commuting & 15, low]
        return
    # Strings that are the identity on the low qubit are bits 0, 4, 8 and 12.
    fourth = commuting & 1 | commuting >> 3 & 2 | commuting >> 6 & 4 | commuting >> 9 & 8
    masks[qubits[0]] = rules.spread[commuting & 15, low]
    masks[qubits[1]] = rules.spread[fourth, high]


@kernel
def needed(
    places: Ints, commuting: Ints, among: Ints, masks: Ints, rules: MaskRules
) -> tuple[Bools, Bools]:
    """Return which of the gates `among` can influence each of some observables.

    Args:
        places: (m, 2) qubits of each gate, least significant first; -1 after a single one.
        commuting: (m,) as `commuting_strings` gives them.
        among: Numbers of the gates that there are, ascending.
        masks: (observables, qubits) what acts where; 0 for nothing. It is changed.
        rules: About masks.

    Returns:
        (observables, gates) which are needed, and (observables, qubits) where two-qubit gates are
        that are.
    """
    keep = np.zeros((len(masks), len(among)), np.bool_)
    joined = np.zeros(masks.shape, np.bool_)
    for number in range(len(masks)):
        mine = masks[number]
        for at in range(len(among) - 1, -1, -1):
            gate = among[at]
            first, second = places[gate]
            low, high = mine[first], mine[second] if second >= 0 else 0
            if low == 0 and high == 0:
                continue
            low, high = max(low, ABSENT), max(high, ABSENT)
            strings = low if second < 0 else rules.outer[high, low]
            if strings & ~commuting[gate]:
                spread_masks(places[gate], commuting[gate], low, high, mine, rules)
                keep[number, at] = True
                if second >= 0:
                    joined[number, first] = joined[number, second] = True
    return keep, joined


@kernel
def letter_mask(letters: Bytes, stopped: int, rules: MaskRules) -> int:
    """Return the mask of a qubit: that after the gate where terms stopped, or of their letters."""
    if stopped:
        return stopped
    mask = 0
    for code in letters:
        mask |= rules.letters[code]
    return max(mask, ABSENT)


@kernel
def turn(
    places: Ints, letters: Bytes, minus: Bools, codes: Bytes, negative: Bools, base: int
) -> bool:
    """Carry all terms through a Clifford gate, in place; or none, if one becomes no product."""
    first, second = places
    for term in range(letters.shape[1]):
        number = letters[first, term] + (base * letters[second, term] if second >= 0 else 0)
        if codes[number, 0] == FAILS:
            return False
    for term in range(letters.shape[1]):
        number = letters[first, term] + (base * letters[second, term] if second >= 0 else 0)
        letters[first, term] = codes[number, 0]
        if second >= 0:
            letters[second, term] = codes[number, 1]
        minus[term] ^= negative[number]
    return True


@kernel
def carried_back(
    places: Ints,
    commuting: Ints,
    tables: Tables,
    kept: Bools,
    letters: Bytes,
    minus: Bools,
    rules: MaskRules,
) -> Bools:
    """Carry terms back through Clifford gates as far as they go; return which gates are needed.

    Args:
        places: (m, 2) as in `needed`.
        commuting: (m,) as `commuting_strings` gives them.
        tables: What Clifford gates do.
        kept: (m,) gates that are needed in any case, if they act where terms do.
        letters: (qubits, terms) codes. They are changed.
        minus: (terms,) whether each has changed its sign. It is changed.
        rules: About masks.
    """
    base = len(rules.letters)
    acted = np.zeros(len(letters), np.bool_)
    for qubit in range(len(letters)):
        for code in letters[qubit]:
            acted[qubit] |= code != 0
    stopped = np.zeros(len(letters), np.int64)  # where a needed gate is: what there may be
    keep = np.zeros(len(places), np.bool_)
    for gate in range(len(places) - 1, -1, -1):
        first, second = places[gate]
        two = second >= 0
        if not (acted[first] or (two and acted[second])):
            continue
        low = letter_mask(letters[first], stopped[first], rules)
        high = letter_mask(letters[second], stopped[second], rules) if two else ABSENT
        if not kept[gate]:
            free = not (stopped[first] or (two and stopped[second]))
            which = tables.of[gate]
            if free and which >= 0:
                codes, negative = tables.codes[which], tables.negative[which]
                if turn(places[gate], letters, minus, codes, negative, base):
                    acted[first] = True
                    if two:
                        acted[second] = True
                    continue
            strings = rules.outer[high, low] if two else low
            if free and two:  # letters of one term at a time
                strings = ABSENT
                for term in range(letters.shape[1]):
                    mine = rules.letters[letters[first, term]]
                    strings |= rules.outer[rules.letters[letters[second, term]], mine]
            if strings & ~commuting[gate] == 0:
                continue
        acted[first] = True
        if two:
            acted[second] = True
        spread_masks(places[gate], commuting[gate], low, high, stopped, rules)
        keep[gate] = True
    return keep
