"""What sampled mode's work amounts to on simulators: counts for the coefficients.

Mirrors `simulate`, `shot_tensor` and `rounds` of `workload.sampled`. Arithmetic on plain data only;
it must not know circuits or sessions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.fragment.cost import FragmentShape, gpu_state_counts, state_counts
from qdreamer_lab.dreamer.model.coefficients import Counts
from qdreamer_lab.workload.sampled.work_sizes import (
    GROUPS,
    REPLICAS,
    SAMPLE_GROUPS,
    is_drawn,
    num_circuits,
    states_bytes,
    tensor_bytes,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LegShape", "RoundShape", "SampledShape", "batch_counts", "round_counts", "shot_counts"]


@dataclass(frozen=True, slots=True)
class LegShape:
    """One end of a cut.

    Attributes:
        operations: How many there are.
        outcomes: Of all operations together.
        products: Choices that enter all outcomes together.
        choices: States that the cut gives the fragment.
        coordinates: Numbers that the end contributes to the tensor.
    """

    operations: int
    outcomes: int
    products: int
    choices: int
    coordinates: int


@dataclass(frozen=True, slots=True)
class SampledShape:
    """A fragment in sampled mode.

    Attributes:
        fragment: Its batch of states.
        bases: Per basis, the operators read in it and the qubits turned for it.
        legs: Its cuts.
    """

    fragment: FragmentShape
    bases: tuple[tuple[int, int], ...]
    legs: tuple[LegShape, ...]

    @property
    def num_variants(self) -> int:
        """Different circuits."""
        return len(self.bases) * math.prod(leg.operations for leg in self.legs)

    @property
    def circuits(self) -> int:
        """Different circuits that are run at most."""
        return num_circuits(self.num_variants)

    @property
    def drawn(self) -> bool:
        """Whether a random selection of its variants is run."""
        return is_drawn(self.num_variants)

    @property
    def amplitudes(self) -> float:
        """Of the whole batch."""
        return math.ldexp(self.fragment.rows, self.fragment.width)

    @property
    def coordinates(self) -> int:
        """Of its tensor, for one operator."""
        return math.prod(leg.coordinates for leg in self.legs)

    @property
    def operators(self) -> float:
        """Read in one basis, on average."""
        return sum(count for count, _ in self.bases) / len(self.bases)

    @property
    def outcomes(self) -> float:
        """Of one variant, on average."""
        return math.prod(leg.outcomes / leg.operations for leg in self.legs)

    @property
    def tensor_bytes(self) -> float:
        """Size of its tensor with all groups."""
        return float(tensor_bytes(sum(count for count, _ in self.bases), self.coordinates))

    @property
    def sample_bytes(self) -> float:
        """Size of what is reported of one variant with enough shots."""
        return SAMPLE_GROUPS * 8 * (self.operators * self.outcomes + 1) + 200

    @property
    def states_bytes(self) -> float:
        """Size of the states that a task holds at most."""
        return states_bytes(len(self.legs), self.amplitudes)

    def putting_together_bytes(self, observables: int) -> float:
        """Memory that taking in a round takes: tensors, derivatives, draws, and samples."""
        elements = len(self.bases) * self.operators * self.coordinates
        drawn = 8 * elements * (2 * observables + 2 * REPLICAS)
        return 4 * self.tensor_bytes + drawn + 4 * self.circuits * self.sample_bytes


def batch_counts(shape: SampledShape, cores: int = 1, *, gpu: bool = False) -> NDArray[np.float64]:
    """What a task does once: the batch of states, and an empty tensor.

    Args:
        shape: The fragment.
        cores: Of the task.
        gpu: Whether states are made on a GPU, and fetched from there.
    """
    counts = Counts()
    counts.add("fragment", 1)
    fragment = shape.fragment
    if gpu:
        counts.add("gpu_fragment", 1)
        gpu_state_counts(fragment.states, fragment.itemsize, counts)
        counts.add("gpu_result", fragment.itemsize * shape.amplitudes)
    else:
        state_counts(fragment.states, fragment.width, fragment.itemsize, cores, counts)
    counts.add("arrange", shape.amplitudes)
    counts.add("tensor", 2 * shape.tensor_bytes)
    return counts.array


def shot_counts(shape: SampledShape, shots_each: float, *, drawn: bool) -> NDArray[np.float64]:
    """What one variant costs on average, so many shots included.

    Args:
        shape: The fragment.
        shots_each: Shots of a variant.
        drawn: Variants are drawn at random, so that neighbours have little in common.
    """
    counts = Counts()
    variants = shape.num_variants
    amplitudes, calls = shape.amplitudes, len(shape.bases)
    per = variants if drawn else 1
    whole = sum(1 for _, turned in shape.bases if turned)
    counts.add("arrange", amplitudes * (per if drawn else calls))
    turns = sum(turned for _, turned in shape.bases) * (per / calls if drawn else 1)
    counts.add_sized("one_qubit", amplitudes * turns, 16 * amplitudes)
    counts.add("step", turns + whole)
    size = amplitudes  # of the states that one call looks at
    for leg in shape.legs:
        calls *= leg.operations
        many = per if drawn else calls
        new = size * leg.outcomes / leg.operations / leg.choices
        work = size * leg.products / leg.operations / leg.choices
        counts.add_sized("combine", many * work, 16 * (size + new))
        counts.add("leg", many)
        size = new
    counts.add_sized("square", variants * size, 24 * size)
    array = counts.array / variants
    more = Counts()
    more.add("variant", 1)
    more.add_sized("shot", shots_each, 8 * size)
    more.add("tally", shots_each * shape.operators)
    groups = 1 if drawn else min(shots_each, GROUPS)
    elements = shape.operators * shape.coordinates
    more.add("fold", groups * elements + shape.coordinates * shape.outcomes)
    more.add("fold_product", groups * elements * shape.outcomes)
    return array + more.array


@dataclass(frozen=True, slots=True)
class RoundShape:
    """What is computed between two rounds of shots.

    Attributes:
        fragments: The fragments.
        observables: Values wanted.
        terms: Products of operators that are wanted.
        combinations: Derivatives taken, over all fragments.
    """

    fragments: tuple[SampledShape, ...]
    observables: int
    terms: int
    combinations: int


def round_counts(shape: RoundShape) -> NDArray[np.float64]:
    """Taking a round in: values, derivatives, error bars, and the next round's shots."""
    counts = Counts()
    counts.add("round", 1)
    several = len(shape.fragments) > 1
    joined = max(1, len(shape.fragments) - 1)  # tensors are joined two by two
    counts.add("glue_call", joined * (2 if several else 1))
    for fragment in shape.fragments:
        if not fragment.drawn:
            counts.add("weigh", fragment.num_variants)
            products = (
                fragment.operators * fragment.outcomes * (fragment.coordinates + SAMPLE_GROUPS)
            )
            counts.add("weigh_product", fragment.num_variants * products * shape.observables)
        elements = len(fragment.bases) * fragment.operators * fragment.coordinates
        gradient = shape.observables * elements
        counts.add(
            "tensor", 2 * fragment.tensor_bytes + 8 * gradient * (1 + 2 * len(fragment.legs))
        )
        counts.add("glue_call", joined + 2 * len(fragment.legs))
        counts.add("glue_product", GROUPS * gradient)
        counts.add("glue_product", gradient * sum(leg.coordinates for leg in fragment.legs) / 2)
        if several:
            counts.add("glue_product", REPLICAS * GROUPS * elements)
            counts.add("glue_product", REPLICAS * shape.terms * fragment.coordinates)
        counts.add("glue_product", shape.combinations * fragment.coordinates)
    return counts.array
