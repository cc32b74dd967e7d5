"""What the cut finder is asked and what it answers, as plain arrays. It must not search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PlanError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CutProblem", "Found", "InfeasibleError"]

KINDS = ("gate", "wire")


class InfeasibleError(PlanError):
    """No plan satisfies the limits; `smallest_max_qubits` is the smallest width that would.

    Where devices were given, it is that of as many devices of one width. Where that takes a search
    (`at_most`), it is the smallest width for which one turned up, and a smaller one may do.
    """

    def __init__(
        self, message: str, smallest_max_qubits: int, devices: int = 0, *, at_most: bool = False
    ) -> None:
        most = "at most " if at_most else ""
        works = f"The smallest max_qubits that works is {most}{smallest_max_qubits}."
        if devices:
            many = "one device" if devices == 1 else f"{devices} devices"
            works = f"With {many} of {smallest_max_qubits} qubits it works."
            if at_most:
                works = f"{works[:-1]}, perhaps with less."
        super().__init__(f"{message} {works}")
        self.smallest_max_qubits = smallest_max_qubits


@dataclass(frozen=True, eq=False)
class CutProblem:
    """A circuit as time-ordered two-qubit blocks, and the limits a plan has to keep.

    Attributes:
        num_qubits: Number of wires, those without blocks included.
        pairs: (m, 2) The two qubits of each block, in time order; int64.
        gate_cost: (m,) Bits; log2 of the sampling overhead of cutting each block on its own.
        max_qubits: Qubits a fragment may hold (W); the widest device's if there are `devices`.
        wire_cost: Bits; log2 of the sampling overhead of a wire cut without communication.
        max_fragments: Fragments there may be at most, or None for any number.
        kinds: Which cuts are allowed, some of "gate" and "wire".
        sine: (m,) |sin theta| of the blocks that are rotations about one axis, up to one-qubit
            gates, NaN for the others; None if unknown. Only such blocks can share a decomposition.
        rank: (m,) Operator-Schmidt ranks, None for 4 everywhere. Only "work" asks for them.
        devices: Widths of devices, widest first, each of which runs one fragment at most; None
            for any number of width `max_qubits`.
    """

    num_qubits: int
    pairs: NDArray[np.int64]
    gate_cost: NDArray[np.float64]
    max_qubits: int
    wire_cost: float = 4.0
    max_fragments: int | None = None
    kinds: tuple[str, ...] = KINDS
    sine: NDArray[np.float64] | None = None
    rank: NDArray[np.int64] | None = None
    devices: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        m = len(self.pairs)
        if self.pairs.shape != (m, 2) or self.gate_cost.shape != (m,):
            raise ValueError("pairs must be (m, 2) and gate_cost (m,)")
        for name, values in (("sine", self.sine), ("rank", self.rank)):
            if values is not None and values.shape != (m,):
                raise ValueError(f"{name} must be (m,)")
        if m and (self.pairs.min() < 0 or self.pairs.max() >= self.num_qubits):
            raise ValueError("a block acts on a qubit that is not there")
        if m and np.any(self.pairs[:, 0] == self.pairs[:, 1]):
            raise ValueError("a block acts twice on one qubit")
        if not np.all(np.isfinite(self.gate_cost)) or np.any(self.gate_cost < 0):
            raise ValueError("gate costs must be finite and not negative")
        if not self.kinds or not set(self.kinds) <= set(KINDS):
            raise ValueError(f"kinds must be some of {KINDS}, not {self.kinds}")
        if self.max_qubits < 1:
            raise ValueError(f"max_qubits must be at least 1, not {self.max_qubits}")
        if self.max_fragments is not None and self.max_fragments < 1:
            raise ValueError(f"max_fragments must be at least 1, not {self.max_fragments}")
        if self.devices is not None:
            widest_first = tuple(sorted(self.devices, reverse=True))
            if not self.devices or self.devices != widest_first or self.devices[-1] < 1:
                raise ValueError(f"devices must be widths, widest first, not {self.devices}")
            if self.max_qubits != self.devices[0]:
                raise ValueError("max_qubits must be the widest device's")
        self._check_room(m)

    def _check_room(self, m: int) -> None:
        """Raise if even the most generous count of qubits cannot fit.

        Where fragments are limited in number and gates must not be cut, what would fit takes a
        search: wires that are cut need room on both sides.
        """
        if m and "gate" not in self.kinds:
            if self.max_qubits < 2 and not self.is_limited:
                raise InfeasibleError("Without gate cuts every block must fit in a fragment.", 2)
            return
        if self.devices is not None:
            self._check_devices(self.devices)
        elif self.max_fragments is not None:
            smallest = -(-self.num_qubits // self.max_fragments)
            if self.max_qubits < smallest:
                raise InfeasibleError(
                    f"{self.num_qubits} qubits do not fit in {self.max_fragments} fragments of "
                    f"{self.max_qubits}.",
                    smallest,
                )

    def _check_devices(self, devices: tuple[int, ...]) -> None:
        """Raise if all devices that may be used have too few qubits together."""
        used = devices[: self.max_fragments]
        if sum(used) >= self.num_qubits:
            return
        each = f"a device of {used[0]} qubits"
        if len(used) > 1:
            shown = ", ".join(map(str, used[:8])) + (", …" if len(used) > 8 else "")
            each = f"{len(used)} devices of {shown} qubits, {sum(used)} together"
        if len(used) < len(devices):
            each += f" (max_fragments={self.max_fragments} of the {len(devices)} given)"
        raise InfeasibleError(
            f"{self.num_qubits} qubits do not fit on {each}.",
            -(-self.num_qubits // len(used)),
            len(used),
        )

    @property
    def idle_qubits(self) -> int:
        """Qubits without blocks; each takes one qubit of room in any fragment."""
        return self.num_qubits - len(np.unique(self.pairs))

    @property
    def total_room(self) -> int:
        """Qubits that all fragments together may hold for wires with blocks."""
        if self.devices is not None:
            return sum(self.devices[: self.max_fragments]) - self.idle_qubits
        if self.max_fragments is None:
            return 2**40
        return self.max_fragments * self.max_qubits - self.idle_qubits

    @property
    def is_hopeless(self) -> bool:
        """Whether a count of qubits shows that no plan keeps the limits."""
        whole = len(self.pairs) > 0 and "gate" not in self.kinds
        return self.total_room + self.idle_qubits < self.num_qubits or (
            whole and self.max_qubits < 2
        )

    @property
    def is_limited(self) -> bool:
        """Whether fragments are limited in number, by themselves or by the devices."""
        return self.devices is not None or self.max_fragments is not None

    @property
    def without_limit(self) -> CutProblem:
        """The same with any number of fragments, each as wide as the widest may be."""
        return replace(self, devices=None, max_fragments=None)


@dataclass(frozen=True, eq=False)
class Found:
    """A plan and how good it is known to be.

    Attributes:
        labels: (m, 2) Fragment of each block endpoint, numbered from 0; int64.
        log2_overhead: Bits; the plan's cost under the cost model asked for.
        log2_lower_bound: Bits; no plan costs less.
        proven_optimal: Whether the two agree to within 1e-6.
        seconds: Wall-clock time the search took.
    """

    labels: NDArray[np.int64]
    log2_overhead: float
    log2_lower_bound: float
    proven_optimal: bool
    seconds: float
