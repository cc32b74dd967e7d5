"""From sampled mode's fragments to shapes: the plain numbers that the cost model takes.

Nothing runs here, and nothing is priced.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.fragment.cost import FragmentShape, GramGroup, GramSweep
from qdreamer_lab.dreamer.fragment.shape import program_states
from qdreamer_lab.dreamer.sampled.cost import LegShape, RoundShape, SampledShape
from qdreamer_lab.kernels.simulate.pauli_sums import DOTS

if TYPE_CHECKING:
    from qdreamer_lab.workload.sampled.lower import SampledProgram
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["round_shape", "sampled_shape"]


def sampled_shape(fragment: ShotFragment) -> SampledShape:
    """A fragment of sampled mode."""
    program = fragment.program
    sizes = [size for _, size in program.axes]
    sweeps = (GramSweep(1, (GramGroup(1, 1, False, DOTS),)),)
    shape = FragmentShape(program.width, program_states(program), len(program.open_cuts), sweeps)
    bases = tuple(
        (len(basis.operators), sum(letter in "XY" for _, letter in basis.letters))
        for basis in fragment.bases
    )
    legs = tuple(
        LegShape(
            len(leg.side.operations),
            sum(len(operation.kraus) for operation in leg.side.operations),
            sum(int(np.count_nonzero(operation.kraus)) for operation in leg.side.operations),
            math.prod(sizes[axis] for axis in leg.axes),
            len(leg.side.dual),
        )
        for leg in fragment.legs
    )
    return SampledShape(shape, bases, legs)


def round_shape(program: SampledProgram, observables: int) -> RoundShape:
    """What is computed after a round of shots."""
    operator_of = program.gluing.operator_of
    combinations = sum(
        len(np.unique(np.delete(operator_of, place, axis=1), axis=0))
        for place in range(len(program.fragments))
    )
    fragments = tuple(sampled_shape(fragment) for fragment in program.fragments)
    return RoundShape(fragments, observables, len(operator_of), combinations)
