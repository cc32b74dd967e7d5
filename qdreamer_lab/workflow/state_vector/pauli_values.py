"""Expectation values of Pauli strings in a state that lies in ranks.

A string's X and Y on local places stay in the rank. On a bit of ranks they pair it with one other:
the two trade their amplitudes in bounded messages, once for all strings that pair them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from qdreamer_lab.engine.cpu.gram import string_matrices
from qdreamer_lab.engine.cpu.gram_plan import PauliString

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workflow.state_vector.holder import Holder
    from qdreamer_lab.workflow.state_vector.line import Line

__all__ = ["PlacedString", "pauli_values"]


class PlacedString(NamedTuple):
    """A Pauli string on places.

    Attributes:
        x: Mask of its X and Y.
        z: Mask of its Z and Y.
    """

    x: int
    z: int


def pauli_values(
    line: Line, state: Holder, local: int, strings: Sequence[PlacedString], cores: int
) -> NDArray[np.float64]:
    """(strings,) ⟨ψ|P|ψ⟩ of each, the same on all ranks; of the identity it is the squared norm.

    Args:
        line: To the other ranks.
        state: This rank's part of the state.
        local: How many places are local.
        strings: On all places.
        cores: Threads of this rank.
    """
    sums = np.zeros(len(strings), np.complex128)
    by_partner: dict[int, list[int]] = {}
    for number, string in enumerate(strings):
        by_partner.setdefault(string.x >> local, []).append(number)
    for flipped, numbers in sorted(by_partner.items()):
        if flipped:
            _with_partner(line, state, local, strings, numbers, sums, cores)
        else:
            _alone(line, state, local, strings, numbers, sums, cores)
    signs = [(-1.0) ** (string.z >> local & line.rank).bit_count() for string in strings]
    return line.total((sums * signs).real.copy()) if len(strings) else np.zeros(0)


def _alone(
    line: Line, state: Holder, local: int, strings: Sequence[PlacedString], numbers: list[int],
    sums: NDArray[np.complex128], cores: int,
) -> None:  # fmt: skip
    """Strings that stay in the rank."""
    mine = state.fetch(state.array)[None]
    here = tuple(_low(strings[number], local) for number in numbers)
    found = np.zeros((len(numbers), 1, 1), np.complex128)
    string_matrices(mine, mine, here, range(len(numbers)), found, cores)
    sums[numbers] = found[:, 0, 0]


def _with_partner(
    line: Line, state: Holder, local: int, strings: Sequence[PlacedString], numbers: list[int],
    sums: NDArray[np.complex128], cores: int,
) -> None:  # fmt: skip
    """Strings that pair this rank with one other: sums over both halves, each taken where it is."""
    low = min(local, line.chunk.bit_length() - 1)  # bits that count the amplitudes of a message
    partner = line.rank ^ strings[numbers[0]].x >> local
    parts = state.array.reshape(-1, 1 << low)
    for number in range(len(parts)):
        theirs = line.trade(partner, state.fetch(parts[number]))
        by_part: dict[int, list[int]] = {}
        for k in numbers:
            by_part.setdefault(number ^ (strings[k].x & (1 << local) - 1) >> low, []).append(k)
        for part, members in by_part.items():
            here = tuple(_low(strings[k], low) for k in members)
            found = np.zeros((len(members), 1, 1), np.complex128)
            mine = state.fetch(parts[part])
            string_matrices(theirs[None], mine[None], here, range(len(members)), found, cores)
            for k, value in zip(members, found[:, 0, 0].tolist(), strict=True):
                sums[k] += value * (-1) ** (strings[k].z >> low & part).bit_count()


def _low(string: PlacedString, bits: int) -> PauliString:
    """A string on the lowest places alone, with the phase of all of its Y."""
    mask = (1 << bits) - 1
    phase = 1j ** (string.x & string.z).bit_count()
    return PauliString(string.x & mask, string.z & mask, phase=phase)
