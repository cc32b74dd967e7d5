"""Running variants on a simulator: what a worker does in sampled mode without a QPU.

All variants of a fragment are linear combinations of the same few states, those of the choices at
its cuts. So the batch is simulated once, as in exact mode, and a variant costs one small matrix
product. Shots are drawn from the probabilities of its branches: nothing is run again for each
shot or measurement outcome. This module must not know plans, sessions or other fragments.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import MemoryLimitError, PlanError
from qdreamer_lab.kernels.simulate.shot_counts import combined, squared
from qdreamer_lab.kernels.simulate.statevector import apply_one_qubit
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.fragment.gpu import gpu_rows
from qdreamer_lab.workload.fragment.simulate import final_states
from qdreamer_lab.workload.sampled.bases import TO_Z
from qdreamer_lab.workload.sampled.shot_tensor import ShotTensor
from qdreamer_lab.workload.sampled.shots import Drawn, ShotResult, fold
from qdreamer_lab.workload.sampled.work_sizes import GROUPS, states_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.sampled.shots import ShotRequest
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["Batch", "check_memory", "exact_tensor", "sample_fragment"]

_MOST_COORDINATES = 65_536
"""Coordinates of a fragment's tensor, at most: those of eight single-axis cuts."""


class Batch:
    """The states of a fragment, in one measurement basis after another.

    Args:
        fragment: What to simulate.
        device: "CPU", or "GPU" for states that are made there; all else is done here.

    Raises:
        GpuError: `device` is "GPU", and there is none that can be used.
    """

    def __init__(self, fragment: ShotFragment, device: str = "CPU") -> None:
        self._fragment = fragment
        sizes = [size for _, size in fragment.program.axes]
        order = [axis for leg in fragment.legs for axis in leg.axes]
        states = gpu_rows(fragment.program) if device == "GPU" else final_states(fragment.program)
        self.num_bits = fragment.program.width - len(fragment.program.open_cuts)
        grid = states.reshape(*sizes, -1).transpose(*order, len(sizes))
        self._states = np.ascontiguousarray(grid).reshape(states.shape)
        self._digits: tuple[int, ...] = ()
        self._partial: list[NDArray[np.complex128]] = []

    def probabilities(self, variant: int) -> NDArray[np.float64]:
        """(outcomes, 2**num_bits) of a variant; they sum to 1.

        What a variant shares with the one before, its basis and what it does at the first legs, is
        not done again.
        """
        digits = self._fragment.digits(variant)
        same = 0
        while same < len(self._partial) and digits[same] == self._digits[same]:
            same += 1
        del self._partial[same:]
        self._digits = digits
        for place in range(same, len(digits)):
            self._partial.append(self._step(place, digits[place]))
        return squared(self._partial[-1]).reshape(-1, 1 << self.num_bits)

    def _step(self, place: int, digit: int) -> NDArray[np.complex128]:
        """Turn to a basis, or do one operation at the next leg: (outcomes so far, rest)."""
        if place == 0:
            turned = self._states.copy()
            for qubit, letter in self._fragment.bases[digit].letters:
                if letter in TO_Z:
                    apply_one_qubit(turned, TO_Z[letter], qubit)
            return turned.reshape(1, -1)
        kraus = self._fragment.legs[place - 1].side.operations[digit].kraus
        before = self._partial[-1]
        grid = before.reshape(len(before), kraus.shape[1], -1)
        return combined(grid, kraus)


def check_memory(fragment: ShotFragment, limit_bytes: int, *, simulated: bool = True) -> None:
    """Refuse a fragment whose variants cannot be run in the memory there is.

    Args:
        fragment: What is to run.
        limit_bytes: Most memory of a task.
        simulated: Whether its states are held, rather than those of a device.

    Raises:
        MemoryLimitError: With the sizes, and what would fit.
        PlanError: If it has more cuts than shots could ever resolve.
    """
    program = fragment.program
    if math.prod(fragment.dims) > _MOST_COORDINATES:
        raise PlanError(
            f"fragment {program.id} has {len(fragment.legs)} cuts; to sample it, "
            f"{math.prod(fragment.dims):.2g} numbers would have to be estimated, more than "
            f"{_MOST_COORDINATES:,}: plan with fewer cuts for each fragment (a larger max_qubits), "
            "or use mode='exact'"
        )
    amplitudes = program.variants << program.width
    states = int(states_bytes(len(fragment.legs), amplitudes)) if simulated else 0
    tensor = 2 * ShotTensor.size_bytes(fragment)
    if states + tensor <= limit_bytes:
        return
    text = (
        f"fragment {program.id} needs {readable(states)} for {program.variants} states of "
        f"{program.width} qubits and {readable(tensor)} for its tensor over {len(fragment.legs)} "
        f"cuts, but {readable(limit_bytes)} may be used: "
    )
    fits = (limit_bytes * (1 << program.width) // max(1, 2 * states)).bit_length() - 1
    if tensor > limit_bytes // 2 or fits < 1:
        raise MemoryLimitError(text + "plan with fewer cuts (a larger max_qubits)")
    raise MemoryLimitError(text + f"plan with max_qubits={fits} or less, or raise the limit")


def sample_fragment(
    fragment: ShotFragment, request: ShotRequest, device: str = "CPU"
) -> ShotResult:
    """Draw shots of some variants of a fragment, and fold them.

    Args:
        fragment: The fragment.
        request: Which variants, and how many shots.
        device: "CPU", or "GPU" for states that are made there.

    Raises:
        GpuError: `device` is "GPU", and there is none that can be used.
    """
    start = time.perf_counter()
    batch = Batch(fragment, device)
    drawn = (
        _sums(batch, fragment, variant, shots, (*request.seed, place))
        for variant, shots, place in zip(
            request.variants.tolist(),
            request.shots.tolist(),
            request.places.tolist(),
            strict=True,
        )
    )
    tensor, samples = fold(fragment, request, drawn)
    return ShotResult(tensor, samples, time.perf_counter() - start)


def exact_tensor(fragment: ShotFragment) -> NDArray[np.float64]:
    """(operators, Π dims): what infinitely many shots of every variant would give."""
    batch = Batch(fragment)
    tensor = ShotTensor.empty(fragment)
    for variant in range(fragment.num_variants):
        basis = fragment.basis(variant)
        probabilities = batch.probabilities(variant)
        means = basis.means(probabilities)
        tensor.mean[basis.operators] += (fragment.readout(variant) @ means).T
    return tensor.mean


def _sums(
    batch: Batch, fragment: ShotFragment, variant: int, shots: int, seed: Sequence[int]
) -> Drawn:
    """Draw shots of one variant."""
    basis = fragment.basis(variant)
    probabilities = batch.probabilities(variant)
    edges = np.cumsum(probabilities.ravel())
    places = np.random.default_rng(seed).random(shots) * edges[-1]
    hits = np.searchsorted(edges, places, side="right")
    groups = min(shots, GROUPS)
    sums = np.zeros((groups, len(probabilities), len(basis.operators)))
    basis.count(hits, batch.num_bits, sums)
    counts = np.full(groups, shots // groups)
    counts[: shots % groups] += 1
    return Drawn(sums, counts)
