"""What the state vectors of one fragment amount to: counts for the coefficients.

Mirrors `workload.fragment.simulate`, for the modes that simulate fragments. Arithmetic on plain
data only; it must not know circuits or sessions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.model.coefficients import Counts

__all__ = ["MAPPED_BYTES", "FragmentShape", "GramGroup", "state_counts"]

MAPPED_BYTES = 1 << 25
"""From this size on memory comes fresh from the system, as the C library has it."""


class GramGroup(NamedTuple):
    """Pauli strings that flip the same qubits, as far as their cost goes.

    Attributes:
        strings: How many.
        lows: How many of them differ inside a block of amplitudes.
        flips: Whether they flip qubits inside a block: then states are reordered.
        how: The way of summing, as in `kernels.simulate.pauli_sums`.
    """

    strings: int
    lows: int
    flips: bool
    how: int


@dataclass(frozen=True, slots=True)
class FragmentShape:
    """A fragment as far as its cost goes.

    Attributes:
        width: Qubits.
        steps: Kind ("one_qubit", "near", "far") and number of choices of each gate.
        open_qubits: Qubits that stay open for wire cuts.
        groups: Of Pauli strings that flip the same qubits.
        sweeps: Over the states, for all groups.
        ranges: In how many parts of the states each sweep is shared out.
        signs: Pauli strings as far as they differ inside a block of amplitudes, over all groups.
        general: Operators that are no Pauli strings.
        sides: 2 where bra and ket differ, as in slices.
        itemsize: Bytes of an amplitude.
        parts: In which the batch is made, where it does not fit at once.
        part_steps: As `steps`, for one part.
    """

    width: int
    steps: tuple[tuple[str, int], ...]
    open_qubits: int
    groups: tuple[GramGroup, ...]
    sweeps: int = 1
    ranges: int = 1
    signs: int = 1
    general: int = 0
    sides: int = 1
    itemsize: int = 16
    parts: int = 1
    part_steps: tuple[tuple[str, int], ...] = ()

    @property
    def rows(self) -> int:
        """States simulated."""
        return math.prod(rank for _, rank in self.steps)

    @property
    def operators(self) -> int:
        """Operators evaluated."""
        return self.general + sum(group.strings for group in self.groups)

    @property
    def result_bytes(self) -> int:
        """Size of its tensors."""
        return 16 * self.operators * (self.rows << self.open_qubits) ** 2


def state_counts(shape: FragmentShape, counts: Counts) -> None:
    """Making the batch of states."""
    used = 1
    size_bytes = shape.itemsize * shape.rows << shape.width
    if size_bytes >= MAPPED_BYTES:
        counts.add("fresh", size_bytes)
    for kind, rank in shape.steps:
        used *= rank
        amplitudes = math.ldexp(used, shape.width)
        name = "branch" if rank > 1 else kind
        counts.add_sized(name, amplitudes, shape.itemsize * amplitudes)
    counts.add("step", len(shape.steps))
