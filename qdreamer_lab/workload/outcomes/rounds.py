"""Rounds of shots for a whole distribution: shots go where they lower the summed variance most.

The variance of all outcomes together needs no table of them. It is, per fragment, a quadratic form
in what its shots read, whose matrix is the contraction of the other fragments' tensors with
themselves, summed over their outcomes. It must not know where shots come from.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import opt_einsum

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.outcomes.unseen import one_more_shot
from qdreamer_lab.workload.sampled.bases import outcome_basis
from qdreamer_lab.workload.sampled.lower import lower_fragments
from qdreamer_lab.workload.sampled.reconstruct import glued
from qdreamer_lab.workload.sampled.rounds import Rounds
from qdreamer_lab.workload.sampled.work_sizes import GROUPS, num_circuits, tensor_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.fragment.program import FragmentProgram
    from qdreamer_lab.workload.sampled.lower import Reading, ShotProgram
    from qdreamer_lab.workload.sampled.shot_tensor import Sample, ShotTensor
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["OutcomeRounds", "check_outcomes", "lower_outcomes", "measured_here"]


def lower_outcomes(plan: Partition, measured: Sequence[int], *, joint: bool = True) -> ShotProgram:
    """Lower a plan so that all outcomes of some qubits are read off the same shots.

    Args:
        plan: What to lower.
        measured: Qubits of the circuit.
        joint: Let cuts share a decomposition, which devices cannot run.
    """

    def reading(program: FragmentProgram) -> Reading:
        local = [place for _, place in measured_here(program, measured)]
        return (outcome_basis(local),), 1 << len(local)

    return lower_fragments(plan, reading, joint=joint)


def measured_here(program: FragmentProgram, measured: Sequence[int]) -> list[tuple[int, int]]:
    """(circuit qubit, local qubit) of those that a fragment measures, by local qubit."""
    chosen = set(measured)
    return sorted((wire for wire in program.wires if wire[0] in chosen), key=lambda wire: wire[1])


def check_outcomes(fragment: ShotFragment, limit_bytes: int) -> None:
    """Refuse a fragment with more outcomes than memory.

    Raises:
        MemoryLimitError: With the sizes, and what to do instead.
    """
    tensor = tensor_bytes(fragment.num_operators, math.prod(fragment.dims))
    most = math.prod(max(len(o.kraus) for o in leg.side.operations) for leg in fragment.legs)
    one = 8 * fragment.num_operators * most
    needed = 2 * tensor + one * (2 * GROUPS + num_circuits(fragment.num_variants))
    if needed > limit_bytes:
        bits = len(fragment.bases[0].letters)
        raise MemoryLimitError(
            f"estimates of all outcomes of the {bits} bits that fragment {fragment.program.id} "
            f"measures need {readable(needed)} over {len(fragment.legs)} cuts, but "
            f"{readable(limit_bytes)} may be used: measure fewer qubits, or plan with a smaller "
            "max_qubits, or use mode='exact', which gives marginals, the heaviest outcomes with "
            "top(16), and samples of any number of bits"
        )


class OutcomeRounds(Rounds):
    """Shots of one bound circuit for its distribution; made as `Rounds` are."""

    def unseen(self, place: int) -> NDArray[np.float64]:
        """(GROUPS, Π dims): what one shot more could add to a fragment's tensor."""
        seed = (*self._seed, self._schedule.rounds, place, 1)
        return one_more_shot(self.program.fragments[place], *self._one_shot(place), seed)

    def _errors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        # A number of shots is given, so no error bar decides how many there are.
        return np.ones(1), np.ones(1)

    def _conclude(self) -> None:
        """Find out how much each coordinate of each fragment matters."""
        squares = []
        for fragment, tensor in zip(self.program.fragments, self.tensors, strict=True):
            whole = glued(fragment, self.program.glues, tensor.mean[None])[0]
            flat = whole.reshape(len(whole), -1)
            squares.append((flat.T @ flat).reshape((*fragment.dims, *fragment.dims)))
        self._forms = [self._form(place, squares) for place in range(len(squares))]

    def _form(self, place: int, squares: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """(Π dims, Π dims): the matrix of one fragment's quadratic form."""
        fragments = self.program.fragments
        operands: list[object] = []
        for k, square in enumerate(squares):
            if k != place:
                operands += [square, _doubled([leg.glue for leg in fragments[k].legs])]
        mine = fragments[place]
        if not operands:
            return np.ones((1, 1))
        legs = [leg.glue for leg in mine.legs]
        found = np.asarray(opt_einsum.contract(*operands, _doubled(legs)))
        count = len(legs)
        for axis, leg in enumerate(mine.legs):
            if leg.end == 0:  # its glue has not been multiplied into the others
                matrix = self.program.glues[leg.glue].matrix
                for place_of in (axis, count + axis):
                    found = np.moveaxis(np.tensordot(found, matrix, (place_of, 1)), -1, place_of)
        size = int(np.prod(mine.dims, dtype=np.int64))
        return found.reshape(size, size)

    def _drawn_variance(self, place: int, tensor: ShotTensor) -> NDArray[np.float64]:
        flat = tensor.deviations.reshape(-1, tensor.deviations.shape[2])
        return np.array([float(((flat @ self._forms[place]) * flat).sum())])

    def _variances(
        self, place: int, variants: NDArray[np.int64], samples: Sequence[Sample]
    ) -> NDArray[np.float64]:
        fragment, form = self.program.fragments[place], self._forms[place]
        out = np.empty((1, len(samples)))
        for variant, sample in zip(variants.tolist(), samples, strict=True):
            readout = fragment.readout(variant)
            weights = readout.T @ form @ readout
            seen = sample.sums.sum(axis=0) / sample.counts.sum()  # (outcomes at cuts, outcomes)
            straight = float(np.diag(weights) @ seen.sum(axis=1))
            out[0, variant] = straight - float((seen * (weights @ seen)).sum())
        return np.maximum(out, 0.0)


def _doubled(glues: Sequence[int]) -> list[int]:
    return [*(2 * glue for glue in glues), *(2 * glue + 1 for glue in glues)]
