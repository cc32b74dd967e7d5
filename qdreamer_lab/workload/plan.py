"""A cut plan: which fragment every end of every block belongs to.

Labels are the canonical form because they can express any mix of gate and wire cuts and cannot
contradict themselves: cuts, fragments and overhead all follow from them. A plan knows nothing of
how it was found or how it will be run.
"""

from __future__ import annotations

import html
import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.schmidt import gate_cut_gamma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.blocks import BlockCircuit

__all__ = ["CutPlan", "Fragment", "GateCut", "Segment", "WireCut"]

_LISTED_FRAGMENTS = 6
"""A summary names the width of each of up to this many fragments."""

WIRE_CUT_GAMMA = 4.0
"""gamma of cutting one wire without classical communication (Brenner, Piveteau and Sutter,
arXiv:2302.03366)."""


@dataclass(frozen=True, slots=True)
class GateCut:
    """A block whose ends lie in two fragments (low qubit's first), with its gamma."""

    block: int
    qubits: tuple[int, int]
    fragments: tuple[int, int]
    gamma: float


@dataclass(frozen=True, slots=True)
class WireCut:
    """A wire that changes fragment (from, to) between the blocks `after` and `before`."""

    qubit: int
    after: int
    before: int
    fragments: tuple[int, int]
    gamma: float = WIRE_CUT_GAMMA


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one wire inside one fragment, from its first to its last block."""

    qubit: int
    fragment: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Fragment:
    """One piece of the cut circuit.

    Attributes:
        id: its label in the plan.
        width: qubits it needs; one per segment or lone qubit.
        num_blocks: blocks that lie wholly inside.
        gate_cuts: gate cuts with one end here.
        wire_cuts: wire cuts with one end here.
    """

    id: int
    width: int
    num_blocks: int
    gate_cuts: int
    wire_cuts: int


@dataclass(frozen=True, eq=False, repr=False)
class CutPlan:
    """Where a circuit is cut so that no fragment is wider than `max_qubits`.

    Attributes:
        blocks: the circuit in normal form.
        labels: (m, 2) int64; the fragment that each end of each block lies in, ids 0, 1, 2, …
        lone_labels: (l,) int64; the fragment of each qubit in `blocks.lone`, in its order, or -1
            if no observable acts on it, so that it need not run at all.
        max_qubits: the width the plan keeps to.

    Raises:
        PlanError: if the labels do not match the blocks, skip an id, or make a fragment too wide.
    """

    blocks: BlockCircuit
    labels: NDArray[np.int64]
    lone_labels: NDArray[np.int64]
    max_qubits: int

    def __post_init__(self) -> None:
        if self.labels.shape != self.blocks.pairs.shape:
            raise PlanError(f"{self.blocks.num_blocks} blocks but {len(self.labels)} label pairs")
        if self.lone_labels.shape != (len(self.blocks.lone),):
            raise PlanError(f"{len(self.blocks.lone)} lone qubits, {len(self.lone_labels)} labels")
        used = set(self.labels.ravel().tolist()) | (set(self.lone_labels.tolist()) - {-1})
        if used != set(range(len(used))):
            raise PlanError(f"fragment ids must count up from 0, got {sorted(used)}")
        for fragment in self.fragments:
            if fragment.width > self.max_qubits:
                raise PlanError(
                    f"fragment {fragment.id} needs {fragment.width} qubits, "
                    f"more than max_qubits={self.max_qubits}"
                )

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, by the block in which they begin (low qubit first)."""
        return self._layout[0]

    @cached_property
    def segment_of(self) -> NDArray[np.int64]:
        """(m, 2) int64; index into `segments` of each end of each block."""
        return self._layout[1]

    @cached_property
    def _layout(self) -> tuple[tuple[Segment, ...], NDArray[np.int64]]:
        starts: list[tuple[int, int, int]] = []
        last: list[int] = []
        of = np.empty(self.labels.shape, dtype=np.int64)
        current: dict[int, int] = {}
        ends = zip(self.blocks.pairs.tolist(), self.labels.tolist(), strict=True)
        for block, (pair, labels) in enumerate(ends):
            for side, (qubit, label) in enumerate(zip(pair, labels, strict=True)):
                here = current.get(qubit)
                if here is None or starts[here][1] != label:
                    here = current[qubit] = len(starts)
                    starts.append((qubit, label, block))
                    last.append(block)
                last[here] = block
                of[block, side] = here
        segments = (Segment(*start, end) for start, end in zip(starts, last, strict=True))
        return tuple(segments), of

    @cached_property
    def cuts(self) -> tuple[GateCut | WireCut, ...]:
        """Every cut, in the order of the blocks; wire cuts before the block they precede."""
        blocks, labels = self.blocks, self.labels
        where = np.flatnonzero(labels[:, 0] != labels[:, 1])
        gammas = gate_cut_gamma(blocks.unitaries[where]).tolist()
        found: list[tuple[int, int, GateCut | WireCut]] = []
        for block, gamma in zip(where.tolist(), gammas, strict=True):
            (low, high), (one, two) = blocks.pairs[block].tolist(), labels[block].tolist()
            found.append((block, 1, GateCut(block, (low, high), (one, two), gamma)))
        previous: dict[int, Segment] = {}
        for segment in self.segments:
            up = previous.get(segment.qubit)
            if up is not None:
                cut = WireCut(
                    segment.qubit, up.last, segment.first, (up.fragment, segment.fragment)
                )
                found.append((segment.first, 0, cut))
            previous[segment.qubit] = segment
        return tuple(cut for _, _, cut in sorted(found, key=lambda item: item[:2]))

    @cached_property
    def fragments(self) -> tuple[Fragment, ...]:
        """One description per fragment, by id."""
        labels = self.labels
        lone = Counter(label for label in self.lone_labels.tolist() if label >= 0)
        width = Counter(s.fragment for s in self.segments) + lone
        inside = Counter(labels[labels[:, 0] == labels[:, 1], 0].tolist())
        gates: Counter[int] = Counter()
        wires: Counter[int] = Counter()
        for cut in self.cuts:
            (gates if isinstance(cut, GateCut) else wires).update(cut.fragments)
        return tuple(Fragment(k, width[k], inside[k], gates[k], wires[k]) for k in sorted(width))

    @property
    def num_cuts(self) -> int:
        """Number of gate cuts and wire cuts together."""
        return len(self.cuts)

    @cached_property
    def log2_overhead(self) -> float:
        """log2 of the sampling overhead, the factor on shots: Σ log2 gamma² over all cuts."""
        return 2 * sum(math.log2(cut.gamma) for cut in self.cuts)

    @property
    def summary(self) -> str:
        """One line: cuts, fragment widths and overhead."""
        gates = sum(isinstance(cut, GateCut) for cut in self.cuts)
        wires = self.num_cuts - gates
        parts = [_count(gates, "gate cut"), _count(wires, "wire cut")]
        kinds = " and ".join(p for p in parts if not p.startswith("0")) or "no cuts"
        each = [f.width for f in self.fragments]
        few = len(each) <= _LISTED_FRAGMENTS
        widths = ", ".join(map(str, each)) if few else f"up to {max(each)}"
        return (
            f"{kinds}, {_count(len(self.fragments), 'fragment')} of width {widths or 0} "
            f"(max {self.max_qubits}), sampling overhead 2^{self.log2_overhead:.2f}"
        )

    def __repr__(self) -> str:
        return f"<CutPlan: {self.summary}>"

    def __str__(self) -> str:
        lines = [f"{self.blocks.num_qubits} qubits: {self.summary}"]
        lines += [
            f"  fragment {f.id}: {f.width:3d} qubits, {f.num_blocks:4d} blocks, "
            f"{f.gate_cuts} gate and {f.wire_cuts} wire cut ends"
            for f in self.fragments
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{f.id}</td><td>{f.width}</td><td>{f.num_blocks}</td>"
            f"<td>{f.gate_cuts}</td><td>{f.wire_cuts}</td></tr>"
            for f in self.fragments
        )
        names = ("fragment", "qubits", "blocks", "gate cuts", "wire cuts")
        head = "".join(f"<th>{name}</th>" for name in names)
        return f"<p>{html.escape(self.summary)}</p><table><tr>{head}</tr>{rows}</table>"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
