"""A circuit split into fragments: which of them every end of every block belongs to.

Labels are the canonical form because they can express any mix of gate and wire cuts and cannot
contradict themselves: cuts, fragments and overhead all follow from them. Nothing is known here of
how they were found, how they will be run, or in which forms they can be written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.search.devices import devices_of
from qdreamer_lab.workload.cut.cuts import Fragment, GateCut, Segment, Swaps, WireCut
from qdreamer_lab.workload.cut.problem import check_cost, price_labels
from qdreamer_lab.workload.cut.widths import read_devices
from qdreamer_lab.workload.cut.wire_segments import layout_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit
    from qdreamer_lab.workload.cut.wire_segments import Layout

__all__ = ["Partition", "lone_labels"]

_ENOUGH = 2**40
"""More qubits than any circuit has; widths may be given that no array can hold."""

_LISTED_FRAGMENTS = 6
"""A summary names the width of each of up to this many fragments."""


@dataclass(frozen=True, eq=False, repr=False)
class Partition:
    """A circuit split into fragments, none of which is wider than `max_qubits`.

    With devices there are no more fragments than devices, and each fits on one of its own: the
    widest fragment is bound to the widest device, the second widest to the next, and so on.

    Attributes:
        blocks: The circuit in normal form.
        labels: (m, 2) int64; the fragment that each end of each block lies in, ids 0, 1, 2, …
        lone_labels: (l,) int64; the fragment of each qubit in `blocks.lone`, in its order, or -1
            if no observable acts on it, so that it need not run at all.
        max_qubits: The width the plan keeps to; that of the widest device, if there are devices.
        cost: The cost model it was made for, one of `problem.COST_MODELS`.
        log2_lower_bound: No plan has a `log2_total` below this.
        proven_optimal: Whether no plan has a smaller `log2_total`.
        devices: Widths of the devices, widest first; None for any number of `max_qubits`.
        swaps: What its fragments need on a coupling map; None if it was made without one.

    Raises:
        PlanError: If the labels do not match the blocks, skip an id, or make a fragment too wide,
            there are more fragments than devices, swaps of other fragments, or there is no such
            cost model.
    """

    blocks: BlockCircuit
    labels: NDArray[np.int64]
    lone_labels: NDArray[np.int64]
    max_qubits: int
    cost: str = "lo"
    log2_lower_bound: float = 0.0
    proven_optimal: bool = False
    devices: tuple[int, ...] | None = None
    swaps: Swaps | None = None

    def __post_init__(self) -> None:
        check_cost(self.cost)
        if self.labels.shape != self.blocks.pairs.shape:
            raise PlanError(f"{self.blocks.num_blocks} blocks but {len(self.labels)} label pairs")
        if self.lone_labels.shape != (len(self.blocks.lone),):
            raise PlanError(f"{len(self.blocks.lone)} lone qubits, {len(self.lone_labels)} labels")
        used = {*self.labels.ravel().tolist()} | ({*self.lone_labels.tolist()} - {-1})
        if used != set(range(len(used))):
            raise PlanError(f"fragment ids must count up from 0, got {sorted(used)}")
        for wide in np.flatnonzero(self._widths > self.max_qubits).tolist()[:1]:
            raise PlanError(
                f"fragment {wide} needs {self._widths[wide]} qubits, "
                f"more than max_qubits={self.max_qubits}"
            )
        if self.devices is not None:
            self._check_devices(self.devices)
        if self.swaps is not None and len(self.swaps.each) != len(self._widths):
            raise PlanError(
                f"{len(self._widths)} fragments, but swaps of {len(self.swaps.each)} are given"
            )

    def _check_devices(self, devices: tuple[int, ...]) -> None:
        """Refuse devices that make no sense, or on which the fragments do not fit."""
        if read_devices(devices) != (self.max_qubits, devices):
            raise PlanError(
                f"devices must be widths, widest first, of max_qubits={self.max_qubits} or less, "
                f"got {devices}"
            )
        have, shown = _count(len(devices), "device"), ", ".join(map(str, devices))
        if len(self._widths) > len(devices):
            raise PlanError(
                f"{len(self._widths)} fragments need a device each, but there "
                f"{'is' if len(devices) == 1 else 'are'} {have} (of {shown} qubits)"
            )
        for label, place in enumerate(devices_of(self._widths).tolist()):
            if self._widths[label] > devices[place]:
                raise PlanError(
                    f"fragment {label} needs {self._widths[label]} qubits, and the device that is "
                    f"left for it has {devices[place]} (fragments of "
                    f"{', '.join(map(str, sorted(self._widths.tolist(), reverse=True)))} on "
                    f"{have} of {shown})"
                )

    @cached_property
    def layout(self) -> Layout:
        """The segments as arrays."""
        return layout_of(self.blocks.pairs, self.labels)

    @cached_property
    def _widths(self) -> NDArray[np.int64]:
        """(number of fragments,) qubits each fragment needs."""
        lone = self.lone_labels[self.lone_labels >= 0]
        count = 1 + max(self.labels.max(initial=-1), lone.max(initial=-1))
        return self.layout.widths(count) + np.bincount(lone, minlength=count)

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, by the block in which they begin (low qubit first)."""
        columns = (self.layout.qubit, self.layout.fragment, self.layout.first, self.layout.last)
        return tuple(Segment(*row) for row in np.stack(columns, axis=1).tolist())

    @cached_property
    def cuts(self) -> tuple[GateCut | WireCut, ...]:
        """Every cut, in the order of the blocks; wire cuts before the block they precede."""
        found: list[tuple[int, int, GateCut | WireCut]] = []
        for block in self._cut_blocks.tolist():
            cut = GateCut(
                block=block,
                qubits=tuple(self.blocks.pairs[block].tolist()),
                fragments=tuple(self.labels[block].tolist()),
                gamma=float(self.blocks.gammas[block]),
            )
            found.append((block, 1, cut))
        for later in np.flatnonzero(self.layout.previous >= 0).tolist():
            up, down = self.segments[self.layout.previous[later]], self.segments[later]
            ends = (up.fragment, down.fragment)
            found.append((down.first, 0, WireCut(down.qubit, up.last, down.first, ends)))
        return tuple(cut for _, _, cut in sorted(found, key=lambda item: item[:2]))

    @cached_property
    def _cut_blocks(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.labels[:, 0] != self.labels[:, 1])

    @cached_property
    def fragments(self) -> tuple[Fragment, ...]:
        """One description per fragment, by id."""
        layout, labels, count = self.layout, self.labels, len(self._widths)
        inside = np.bincount(labels[labels[:, 0] == labels[:, 1], 0], minlength=count)
        gates = np.bincount(labels[self._cut_blocks].ravel(), minlength=count)
        later = np.flatnonzero(layout.previous >= 0)
        ends = np.append(layout.fragment[later], layout.fragment[layout.previous[later]])
        wires = np.bincount(ends, minlength=count)
        rows = np.stack([np.arange(count), self._widths, inside, gates, wires], axis=1)
        each = [Fragment(*row) for row in rows.tolist()]
        if self.devices is not None:
            for fragment, place in enumerate(devices_of(self._widths).tolist()):
                each[fragment] = replace(each[fragment], device=self.devices[place])
        return tuple(each)

    @property
    def num_cuts(self) -> int:
        """Number of gate cuts and wire cuts together."""
        return len(self.cuts)

    @cached_property
    def log2_cost(self) -> float:
        """What the plan costs under its cost model, recomputed from the labels, in bits.

        The sampling overhead, or, for "work", log2 of the floating-point operations.
        """
        if self.cost == "lo":
            return 2 * sum(math.log2(cut.gamma) for cut in self.cuts)
        return price_labels(self.blocks, self.labels, self.cost)

    @cached_property
    def log2_overhead(self) -> float:
        """log2 of the sampling overhead, the factor on shots: Σ log2 gamma² over decompositions.

        Cuts share decompositions as the cost model has it; under "work" every cut has its own.
        """
        if self.cost != "work":
            return self.log2_cost
        return price_labels(self.blocks, self.labels, "lo")

    @property
    def log2_total(self) -> float:
        """`log2_cost`, and what swaps count for where the plan was made for a coupling map."""
        return self.log2_cost + (0.0 if self.swaps is None else self.swaps.bits)

    def with_blocks(self, blocks: BlockCircuit) -> Self:
        """The same labels on other matrices; what was proven of the old ones is forgotten."""
        if np.array_equal(blocks.unitaries, self.blocks.unitaries):
            return replace(self, blocks=blocks)
        return replace(self, blocks=blocks, log2_lower_bound=0.0, proven_optimal=False)

    @property
    def summary(self) -> str:
        """One line: cuts, fragment widths, overhead, and how good that is known to be."""
        gates = len(self._cut_blocks)
        parts = [_count(gates, "gate cut"), _count(self.num_cuts - gates, "wire cut")]
        kinds = " and ".join(p for p in parts if not p.startswith("0")) or "no cuts"
        each = [f.width for f in self.fragments]
        few = len(each) <= _LISTED_FRAGMENTS
        widths = ", ".join(map(str, each)) if few else f"up to {max(each)}"
        fragments = _count(len(self.fragments), "fragment")
        return f"{kinds}, {fragments} of width {widths or 0} ({self._limit}), {self._price}"

    @property
    def _limit(self) -> str:
        """What limits the width of fragments."""
        if self.devices is None:
            return f"max {self.max_qubits}"
        each = [fragment.device for fragment in self.fragments]
        if len(each) > _LISTED_FRAGMENTS or not each:
            return f"{_count(len(self.devices), 'device')}, up to {self.max_qubits}"
        free = len(self.devices) - len(each)
        spare = f"; {free} unused" if free else ""
        return f"on devices of {', '.join(map(str, each))}{spare}"

    @property
    def _price(self) -> str:
        overhead = f"sampling overhead 2^{self.log2_overhead:.2f}"
        if self.cost == "work":
            overhead += f", work 2^{self.log2_cost:.2f} operations"
        elif self.cost != "lo":
            overhead += f" ({self.cost})"
        if self.swaps is not None:
            overhead += f" and {_count(self.swaps.total, 'swap')} at {self.swaps.price:.3g} bits"
        gap = max(0.0, self.log2_total - self.log2_lower_bound)
        free = self.num_cuts == 0 and self.cost != "work" and not (self.swaps and self.swaps.total)
        good = "proven optimal" if self.proven_optimal or free else f"within 2^{gap:.2f} of optimal"
        return f"{overhead}, {good}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.summary}>"

    def __str__(self) -> str:
        lines = [f"{self.blocks.num_qubits} qubits: {self.summary}"]
        lines += [
            f"  fragment {f.id}: {f.width:3d} qubits, {f.num_blocks:4d} blocks, "
            f"{f.gate_cuts} gate and {f.wire_cuts} wire cut ends"
            f"{'' if f.device is None else f', on a device of {f.device}'}"
            for f in self.fragments
        ]
        return "\n".join(lines)


def lone_labels(
    blocks: BlockCircuit,
    labels: NDArray[np.int64],
    max_qubits: int,
    max_fragments: int | None = None,
    devices: tuple[int, ...] | None = None,
) -> NDArray[np.int64]:
    """Fragments for the lone qubits that are measured; -1 for the others.

    They get fragments of their own as long as there may be more, and then fill what room is left.

    Args:
        blocks: The circuit.
        labels: (m, 2) fragments of its blocks.
        max_qubits: Greatest width of a fragment.
        max_fragments: Most fragments there may be; None for any number.
        devices: Widths of devices, widest first, on which the fragments of the blocks fit.
    """
    out = np.full(len(blocks.lone), -1, dtype=np.int64)
    if not out.size:
        return out
    measured = np.isin(np.fromiter(blocks.lone, dtype=np.int64), blocks.measured)
    if not measured.any():
        return out
    count = int(labels.max(initial=-1)) + 1
    if devices is not None:
        widths = layout_of(blocks.pairs, labels).widths(count)
        limit = np.array([min(width, _ENOUGH) for width in devices[:max_fragments]], np.int64)
        spare = np.arange(count, len(limit)).repeat(np.minimum(limit[count:], out.size))
        free = np.minimum(limit[devices_of(widths)] - widths, out.size)
        out[measured] = np.append(spare, np.arange(count).repeat(free))[: measured.sum()]
        return out
    most, max_qubits = count + out.size, min(max_qubits, _ENOUGH)
    if max_fragments is not None:
        most = min(most, max_fragments)
    room = np.arange(count, most).repeat(min(max_qubits, max(1, out.size)))
    left = max_qubits - layout_of(blocks.pairs, labels).widths(count)
    free = np.clip(left, 0, out.size)
    out[measured] = np.append(room, np.arange(count).repeat(free))[: measured.sum()]
    return out


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
