"""What the state vectors of one fragment amount to: counts for the coefficients.

Mirrors `engine.cpu.run`, for the modes that simulate fragments. Arithmetic on plain data only; it
must not know circuits or sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from qdreamer_lab.engine.passes.shares import shares_of

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.model.coefficients import Counts

__all__ = [
    "MAPPED_BYTES",
    "FragmentShape",
    "GramGroup",
    "GramSweep",
    "PassShape",
    "StatesShape",
    "gpu_state_counts",
    "state_counts",
]

MAPPED_BYTES = 1 << 25
"""From this size on memory comes fresh from the system, as the C library has it."""

_SINGLE = 0.6
"""What arithmetic on complex64 takes of that on complex128, where whole registers are filled."""

_GPU_GATES = (1.0, 0.75, 0.7)
"""Dense, half and diagonal operations on a GPU, next to a dense one, as measured on an H100."""

_AMPLITUDE_BYTES = 16
"""Of the amplitudes in which reading and writing is counted."""


class PassShape(NamedTuple):
    """A pass over a batch of states as far as its cost goes; what is counted are amplitudes.

    Attributes:
        tiles: Tiles that there are for threads to share out.
        operations: Dense gates, multiplexed ones, phase tables, branches.
        visits: Operations on all tiles, one by one.
        read: Read.
        written: Written.
        dense: Under dense two-qubit gates.
        half: Under gates that do half the arithmetic.
        diagonal: Under phase tables.
        crowded: Of the first two, times how much longer they take for want of runs, next to a dense
            gate.
    """

    tiles: int
    operations: int
    visits: float
    read: float
    written: float
    dense: float
    half: float
    diagonal: float
    crowded: float


@dataclass(frozen=True, slots=True)
class StatesShape:
    """A batch of states as far as making it goes.

    Attributes:
        steps: Gates and branches.
        rows: States that become of |0…0⟩.
        passes: Over memory, in order.
    """

    steps: int
    rows: int
    passes: tuple[PassShape, ...]


class GramGroup(NamedTuple):
    """Pauli strings that flip the same qubits, as far as their cost goes.

    Attributes:
        strings: How many.
        lows: How many of them differ inside a block of amplitudes.
        flips: What reordering a block for them takes, next to one amplitude after another: less
            where only high bits of a block's index are flipped, nothing where none is.
        how: The way of summing, as in `kernels.simulate.pauli_sums`.
        halved: Whether half of a single state's blocks are enough.
    """

    strings: int
    lows: int
    flips: float
    how: int
    halved: bool = False


class GramSweep(NamedTuple):
    """A sweep over the states as far as its cost goes.

    Attributes:
        ranges: In how many parts of the states it is shared out.
        groups: Of Pauli strings that flip the same qubits.
    """

    ranges: int
    groups: tuple[GramGroup, ...]


@dataclass(frozen=True, slots=True)
class FragmentShape:
    """A fragment as far as its cost goes.

    Attributes:
        width: Qubits.
        states: What is done to make its states.
        open_qubits: Qubits that stay open for wire cuts.
        sweeps: Over the states, for all Pauli strings.
        signs: Pauli strings as far as they differ inside a block of amplitudes, over all groups.
        general: Operators that are no Pauli strings.
        sides: 2 where bra and ket differ, as in slices.
        itemsize: Bytes of an amplitude.
        parts: In which the batch is made, where it does not fit at once.
        part_states: As `states`, for one part.
    """

    width: int
    states: StatesShape
    open_qubits: int
    sweeps: tuple[GramSweep, ...]
    signs: int = 1
    general: int = 0
    sides: int = 1
    itemsize: int = 16
    parts: int = 1
    part_states: StatesShape | None = None

    @property
    def rows(self) -> int:
        """States simulated."""
        return self.states.rows

    @property
    def strings(self) -> int:
        """Pauli strings evaluated."""
        return sum(group.strings for sweep in self.sweeps for group in sweep.groups)

    @property
    def operators(self) -> int:
        """Operators evaluated."""
        return self.general + self.strings

    @property
    def result_bytes(self) -> int:
        """Size of its tensors."""
        return 16 * self.operators * (self.rows << self.open_qubits) ** 2


def state_counts(
    states: StatesShape, width: int, itemsize: int, cores: int, counts: Counts
) -> None:
    """Making the batch of states on so many cores.

    What cores share out takes its part of the time of one, and where they all wait for the same
    memory, or for each other, a rest: `shared_sweep` and `shared_gate` are what an amplitude takes
    with as many cores as one likes.
    """
    fresh = itemsize * states.rows << width >= MAPPED_BYTES
    counts.add("batch", 1)
    counts.add("step", states.steps)
    arithmetic = 1.0 if itemsize >= _AMPLITUDE_BYTES else _SINGLE
    for each in states.passes:
        part = _part(each, cores)
        if part < 1:
            counts.add("wake", 1)
        counts.add("pass", 1)
        counts.add("operation", each.operations)
        counts.add("visit", part * each.visits)
        moved = (each.read + each.written) * itemsize / _AMPLITUDE_BYTES
        counts.add_sized("sweep", part * moved, itemsize * each.written)
        counts.add_sized("shared_sweep", (1 - part) * moved, itemsize * each.written)
        work = {
            "dense": arithmetic * each.dense,
            "half": arithmetic * each.half,
            "diagonal": arithmetic * each.diagonal,
            "crowded": each.crowded,
        }
        for name, amplitudes in work.items():
            counts.add(name, part * amplitudes)
        total = work["dense"] + 0.5 * (work["half"] + work["diagonal"]) + work["crowded"]
        counts.add("shared_gate", (1 - part) * total)
        if fresh:
            counts.add("fresh", part * itemsize * (each.written - each.read))


def _part(each: PassShape, cores: int) -> float:
    """The share of a pass that the busiest of so many cores has."""
    shares = shares_of(each.tiles, each.written * (1 + each.operations), cores)
    return -(-shares // min(cores, shares)) / shares


def gpu_state_counts(states: StatesShape, itemsize: int, counts: Counts) -> None:
    """Making the batch of states on a GPU, with passes that were planned for one."""
    size = itemsize / _AMPLITUDE_BYTES
    for each in states.passes:
        counts.add("gpu_pass", 1)
        counts.add("gpu_sweep", size * (each.read + each.written))
        parts = zip(_GPU_GATES, (each.dense, each.half, each.diagonal), strict=True)
        counts.add("gpu_gate", size * sum(weight * amplitudes for weight, amplitudes in parts))
