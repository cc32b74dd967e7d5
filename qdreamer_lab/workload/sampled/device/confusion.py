"""What a device misreads, seen from two circuits, and taken out of what it read.

Every qubit is taken to be misread by itself, however the others are (a tensored confusion matrix,
as in Bravyi, Sheldon, Kandala, McKay and Gambetta, arXiv:2006.14044). A bit that was read counts
for both outcomes then, with the weights in the column of the inverse matrix, so that means are
those of perfect readout and error bars grow. How well the matrices themselves are known goes into
the error bars too. Plain arrays; nothing runs here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import DeviceError
from qdreamer_lab.workload.sampled.work_sizes import GROUPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.sampled.bases import Basis
    from qdreamer_lab.workload.sampled.device.spliced import Spliced

__all__ = ["READOUT_SHARE", "Confusion", "calibration_shots"]

READOUT_SHARE = 0.1
"""Share of all shots that goes to the circuits that show how qubits are misread."""

_LEAST_SHOTS = 32
"""Of each such circuit."""

_LEAST_CONTRAST = 0.3
"""Of how far apart 0 and 1 must be read: what is nearly a coin cannot be put right."""

_CHANGES = np.array([[[-1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, -1.0]]])
"""How a confusion matrix changes with the share of 0s read as 1, and of 1s read as 0."""


def calibration_shots(shots: int) -> int:
    """Of each of the two circuits, beside so many shots of others; a power of two.

    Devices take circuits with equal shots in one job: a power of two is one job more at most.
    """
    wanted = shots * READOUT_SHARE / (1 - READOUT_SHARE) / 2
    return max(_LEAST_SHOTS, 1 << max(0, math.floor(math.log2(max(1.0, wanted)))))


@dataclass(frozen=True, eq=False, slots=True)
class Confusion:
    """How the qubits of a device are misread.

    Attributes:
        place: Of each physical qubit, its place in the arrays.
        inverse: (qubits, 2, 2): the weight, for what a qubit is, of what it was read as.
        spread: (qubits, 2) standard errors of the shares of 0s read as 1, and of 1s as 0.
        directions: (GROUPS, qubits, 2): along which of the groups each such error is laid, unlike
            that of any other, so that the same error in many variants adds up as it is.
    """

    place: dict[int, int]
    inverse: NDArray[np.float64]
    spread: NDArray[np.float64]
    directions: NDArray[np.float64]

    @classmethod
    def seen(
        cls,
        device: str,
        qubits: Sequence[int],
        zeros: NDArray[np.bool_],
        ones: NDArray[np.bool_],
        seed: Sequence[int],
    ) -> Confusion:
        """From what was read off qubits that were all 0, and all 1.

        Args:
            device: Its name.
            qubits: Physical qubits.
            zeros: (shots, qubits) bits.
            ones: (shots, qubits) bits.
            seed: Of the directions.

        Raises:
            DeviceError: If a qubit is read no better than by chance.
        """
        shots = np.array([len(zeros), len(ones)])
        wrong = np.stack([zeros.sum(axis=0), (~ones).sum(axis=0)], axis=1)
        share = wrong / shots
        contrast = 1 - share.sum(axis=1)
        if len(qubits) and contrast.min() < _LEAST_CONTRAST:
            worst = int(contrast.argmin())
            raise DeviceError(
                device,
                f"qubit {qubits[worst]} is misread in {share[worst].mean():.0%} of all shots, too "
                "often to be put right: leave out mitigation='readout', or use another device",
            )
        inverse = np.empty((len(qubits), 2, 2))
        inverse[:, 0, 0], inverse[:, 0, 1] = 1 - share[:, 1], -share[:, 1]
        inverse[:, 1, 0], inverse[:, 1, 1] = -share[:, 0], 1 - share[:, 0]
        inverse /= contrast[:, None, None]
        likely = (wrong + 0.5) / (shots + 1)  # none wrong of a few does not prove that none ever is
        spread = np.sqrt(likely * (1 - likely) / shots)
        directions = _directions(2 * len(qubits), seed).reshape(GROUPS, len(qubits), 2)
        return cls({qubit: k for k, qubit in enumerate(qubits)}, inverse, spread, directions)

    def corrected(
        self,
        spliced: Spliced,
        basis: Basis,
        bits: NDArray[np.bool_],
        group: NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Count shots of a variant as perfect readout would have it.

        Args:
            spliced: The variant.
            basis: In which it was measured.
            bits: (shots, bits) as they were read.
            group: (shots,) which group of shots each belongs to; none is empty.

        Returns:
            Sums (groups, outcomes, operators), and (GROUPS, outcomes, operators) by how much the
            mean is off because the matrices are not known better.
        """
        mine = [self.place[qubit] for qubit in spliced.qubits]
        reading = _whole if basis.whole else _read
        sums, slopes = reading(spliced, basis, bits, group, self.inverse[mine])
        weights = (self.directions[:, mine] * self.spread[mine]).reshape(GROUPS, -1)
        moves = weights @ slopes.reshape(weights.shape[1], -1)
        return sums, moves.reshape(GROUPS, *sums.shape[1:])


def _directions(count: int, seed: Sequence[int]) -> NDArray[np.float64]:
    """(GROUPS, count): columns of length 1, at right angles as long as there are enough groups."""
    drawn = np.random.default_rng(seed).normal(size=(GROUPS, count))
    if count <= GROUPS:
        return np.asarray(np.linalg.qr(drawn)[0])
    return np.asarray(drawn / np.linalg.norm(drawn, axis=0))


def _slopes(inverse: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 2, 2): how an inverse matrix changes with each of the two shares."""
    return np.asarray(-inverse @ _CHANGES @ inverse)


def _read(
    spliced: Spliced,
    basis: Basis,
    bits: NDArray[np.bool_],
    group: NDArray[np.int64],
    inverse: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums, and (bits, 2, outcomes, operators) slopes of the mean, for operators one by one."""
    _, first, which = np.unique(spliced.hits(bits), return_index=True, return_inverse=True)
    rows = bits[first].astype(np.int64)
    groups, kinds = int(group.max()) + 1, len(rows)
    seen = np.bincount(group * kinds + which.ravel(), minlength=groups * kinds)
    counts = seen.reshape(groups, kinds).astype(float)
    at_cuts = spliced.num_outcome_bits

    def values(tables: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        outcomes = np.ones((kinds, 1))
        for k, table in enumerate(tables[:at_cuts]):
            outcomes = (outcomes[:, :, None] * table[:, rows[:, k]].T[:, None]).reshape(kinds, -1)
        operators = np.ones((kinds, len(basis.operators)))
        for k, (qubit, table) in enumerate(zip(spliced.measured, tables[at_cuts:], strict=True)):
            parity, care = basis.parity >> qubit & 1, basis.care >> qubit & 1
            kind = parity + care * (2 + (basis.value >> qubit & 1))
            letters = np.stack([table.sum(axis=0), table[0] - table[1], *table])
            operators *= letters[kind][:, rows[:, at_cuts + k]].T
        return outcomes, operators

    outcomes, operators = values(inverse)
    sums = np.stack([counts @ (o[:, None] * operators) for o in outcomes.T], axis=1)
    share = counts.sum(axis=0) / len(bits)
    slopes = np.empty((len(inverse), 2, outcomes.shape[1], operators.shape[1]))
    for k in range(len(inverse)):
        for j, slope in enumerate(_slopes(inverse[k])):
            tables = inverse.copy()
            tables[k] = slope
            turned, others = values(tables)
            slopes[k, j] = (turned * share[:, None]).T @ others
    return sums, slopes


def _whole(
    spliced: Spliced,
    basis: Basis,
    bits: NDArray[np.bool_],
    group: NDArray[np.int64],
    inverse: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same for the projectors on all outcomes, which are too many to be read one by one."""
    hits = spliced.hits(bits)
    groups, at_cuts, read = int(group.max()) + 1, spliced.num_outcome_bits, len(spliced.measured)
    sums = np.zeros((groups, 1 << at_cuts, 1 << read))
    for k in range(groups):
        basis.count(hits[group == k], spliced.num_local, sums[k : k + 1])
    shape = sums.shape
    # The first bit at a cut is the most significant, the first bit read the least.
    axes = [*range(1, 1 + at_cuts), *range(at_cuts + read, at_cuts, -1)]
    split = sums.reshape(groups, *(2,) * (at_cuts + read))
    for axis, table in zip(axes, inverse, strict=True):
        split = _along(split, axis, table)
    mean = split.sum(axis=0, keepdims=True) / len(bits)
    slopes = [
        [_along(mean, axis, -table @ change).reshape(shape[1:]) for change in _CHANGES]
        for axis, table in zip(axes, inverse, strict=True)
    ]
    return split.reshape(shape), np.array(slopes).reshape(len(inverse), 2, *shape[1:])


def _along(
    array: NDArray[np.float64], axis: int, matrix: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.moveaxis(np.tensordot(matrix, array, (1, axis)), 0, axis)
