"""From exact mode's fragments and terms to shapes: the plain numbers that the cost model takes.

Nothing runs here, and nothing is priced.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.exact.cost import IN_RUNS, JoinShape
from qdreamer_lab.dreamer.fragment.cost import FragmentShape, GramGroup, GramSweep
from qdreamer_lab.dreamer.fragment.shape import program_states
from qdreamer_lab.engine.cpu.gram_plan import plan_gram
from qdreamer_lab.workload.fragment.gram_matrices import pauli_strings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.cpu.gram_plan import Sweep
    from qdreamer_lab.workload.exact.lower import ExactProgram, FragmentJob
    from qdreamer_lab.workload.exact.reconstruct import Reconstruction

__all__ = ["fragment_shape", "join_shape", "join_steps"]

_RUN = 16
"""Amplitudes of a block that are moved together, if no lower bit of their index is flipped."""


def fragment_shape(
    job: FragmentJob,
    itemsize: int = 16,
    sliced: Sequence[int] = (),
    sides: int = 1,
    split: Sequence[int] = (),
    *,
    gpu: bool = False,
) -> FragmentShape:
    """A fragment of exact mode.

    Args:
        job: The fragment and its operators.
        itemsize: Bytes of an amplitude.
        sliced: Cuts at which the choice is fixed.
        sides: 2 where bra and ket differ.
        split: Cuts by whose choices the batch is made in parts.
        gpu: Whether a GPU holds its states.
    """
    program = job.program
    fixed = dict.fromkeys(sliced, 0)
    still_open = [cut for cut in program.open_cuts if cut not in fixed]
    strings, _, others = pauli_strings(job.operators)
    rows = math.prod(program.dims({**fixed, **dict.fromkeys(split, 0)}))
    size = 1 << (program.width - len(program.open_cuts))
    plan = plan_gram(strings, rows, rows, size, hermitian=sides == 1)
    return FragmentShape(
        width=program.width,
        states=program_states(program, fixed, itemsize, gpu=gpu),
        open_qubits=len(still_open),
        sweeps=tuple(
            GramSweep(len(planned.ranges), _groups(planned.sweep)) for planned in plan.sweeps
        ),
        signs=len(plan.masks),
        general=len(others),
        sides=sides,
        itemsize=itemsize,
        parts=math.prod(size for cut, size in program.axes if cut in split),
        part_states=program_states(program, {**fixed, **dict.fromkeys(split, 0)}, itemsize, gpu=gpu)
        if split
        else None,
    )


def _groups(sweep: Sweep) -> tuple[GramGroup, ...]:
    """The groups of Pauli strings of one sweep."""
    return tuple(
        GramGroup(end - first, last - start, _reordering(flip), how, halved=place > 0)
        for flip, place, first, end, start, last, how, _ in sweep.groups.tolist()
    )


def _reordering(flip: int) -> float:
    """`GramGroup.flips`."""
    if not flip:
        return 0.0
    return 1.0 if flip & (_RUN - 1) else IN_RUNS


def join_shape(program: ExactProgram, contraction: Reconstruction, times: int = 1) -> JoinShape:
    """The reconstruction of a group of terms."""
    elements = program.gram_bytes() / 16
    steps = join_steps(contraction, program.operator_of)
    return JoinShape(elements, len(program.jobs), len(program.operator_of), steps, times)


def join_steps(
    contraction: Reconstruction, operator_of: NDArray[np.int64]
) -> tuple[tuple[int, int, int, int, int, int], ...]:
    """`JoinShape.steps` for terms (terms, fragments) int64."""
    which: dict[int, NDArray[np.int64]] = {}
    versions: dict[int, int] = {}
    fragments = operator_of.shape[1]
    terms = np.unique(operator_of, axis=0) if fragments else operator_of
    for number in range(fragments):
        used, which[number] = np.unique(terms[:, number], return_inverse=True)
        versions[number] = len(used)
    steps = []
    for place, (first, second, left, right, shared) in enumerate(contraction.products):
        pairs = which.pop(first) * (versions[second] + 1) + which.pop(second)
        distinct, back = np.unique(pairs, return_inverse=True)
        new = fragments + place
        which[new], versions[new] = back.ravel(), len(distinct)
        steps.append((versions[first], versions[second], len(distinct), left, right, shared))
    return tuple(steps)
