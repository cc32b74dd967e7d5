"""The words of a plan: cuts, segments of wires, fragments, swaps. Descriptions only, no arrays."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WIRE_CUT_GAMMA", "Fragment", "GateCut", "Segment", "Swaps", "WireCut"]

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
        id: Its label in the plan.
        width: Qubits it needs; one per segment or lone qubit.
        num_blocks: Blocks that lie wholly inside.
        gate_cuts: Gate cuts with one end here.
        wire_cuts: Wire cuts with one end here.
        device: Width of the device that it is bound to; None where any number of fragments may be
            as wide as the plan allows.
    """

    id: int
    width: int
    num_blocks: int
    gate_cuts: int
    wire_cuts: int
    device: int | None = None


@dataclass(frozen=True, slots=True)
class Swaps:
    """Swaps that the fragments of a plan need on a device, and what they count for.

    Attributes:
        each: Per fragment, by its id, swaps that bring its qubits together where they are not
            neighbours on the device.
        price: Bits that each of them counts for.
    """

    each: tuple[int, ...]
    price: float

    @property
    def total(self) -> int:
        """Swaps of all fragments together."""
        return sum(self.each)

    @property
    def bits(self) -> float:
        """What they count for, in bits."""
        return self.price * self.total
