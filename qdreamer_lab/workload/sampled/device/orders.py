"""What is sent for a request: circuits by number, with their shots, sorted into jobs.

Runs send it, and dry runs count it. Nothing is made or sent here.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from pilot_kernel.primitive.device.shot_limit import shot_parts
from qdreamer_lab.workload.sampled.device.check import is_simulated
from qdreamer_lab.workload.sampled.device.confusion import calibration_shots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.sampled.device.transpile import Forms
    from qdreamer_lab.workload.sampled.shots import ShotRequest

__all__ = ["Order", "jobs_of", "orders_of"]

_TWIRLS = 16
"""Circuits with other Paulis that a variant's shots are spread over, at most; the spread between
them is what its error bar goes by, which takes so many."""

_SHOTS_PER_TWIRL = 8
"""At least: a circuit of its own is dear for fewer."""

_TWIRLED = frozenset({"cx", "cz", "ecr", "iswap"})
"""Two-qubit gates that Paulis can be moved past."""

_CALIBRATION = 300_000
"""Numbers of calibration circuits begin here, beyond those of all variants."""


class Order(NamedTuple):
    """A circuit to be run.

    Attributes:
        number: Unlike any other's in the same round of the same fragment; simulators' seeds go by
            it.
        place: Of the variant in its request; None for a circuit that shows how qubits are misread.
        part: Which of the variant's twirls it is; of the others, what all qubits are, 0 or 1.
        shots: How many.
    """

    number: int
    place: int | None
    part: int
    shots: int


def orders_of(
    request: ShotRequest, live: Sequence[int], forms: Forms, backend: BackendV2
) -> list[Order]:
    """What is run for a request.

    Args:
        request: Which variants, and how many shots each.
        live: Places of those in the request that measure anything; the others need not run.
        forms: The fragment's circuits, and what is to be done about the device's errors.
        backend: The device.
    """
    twirled = "twirling" in forms.mitigation and forms.gates & _TWIRLED
    stride = _TWIRLS if twirled else 1
    found = []
    for place in live:
        shots = int(request.shots[place])
        parts = min(stride, 1 << max(0, (shots // _SHOTS_PER_TWIRL).bit_length() - 1))
        each, left = divmod(shots, parts)
        if not is_simulated(backend):
            left = 0  # circuits of a job have equal shots, and few are lost
        first = int(request.places[place]) * stride
        found += [Order(first + k, place, k, each + (k < left)) for k in range(parts)]
    if "readout" in forms.mitigation and live:
        shots = calibration_shots(int(request.shots[list(live)].sum()))
        first = _CALIBRATION + 2 * int(request.places[0])
        found += [Order(first + k, None, k, shots) for k in range(2)]
    return found


def jobs_of(orders: Sequence[Order], backend: BackendV2) -> list[list[tuple[Order, int]]]:
    """Which circuits go into which call of the device, and with how many shots.

    On a simulator every circuit runs once, since its seed goes by its number. Other devices get as
    few jobs as they take: one for each number of shots, or for each power of two in such numbers;
    several where these are more shots than a job may have.

    Args:
        orders: What is to be run.
        backend: The device.
    """
    if not orders:
        return []
    if is_simulated(backend):
        return _runs_of_neighbours(orders, backend.max_circuits or len(orders))
    # All circuits of a job have the same shots. Powers of two need few jobs for any numbers.
    equal: dict[int, list[tuple[Order, int]]] = defaultdict(list)
    powers: dict[int, list[tuple[Order, int]]] = defaultdict(list)
    for order in orders:
        equal[order.shots].append((order, order.shots))
        for bit in range(order.shots.bit_length()):
            if order.shots >> bit & 1:
                powers[bit].append((order, 1 << bit))
    few = min(equal, powers, key=len)
    return [
        [(order, part) for order, _ in few[key]]
        for key in sorted(few)
        for part in shot_parts(few[key][0][1], backend)
    ]


def _runs_of_neighbours(orders: Sequence[Order], most: int) -> list[list[tuple[Order, int]]]:
    """Jobs of neighbours with equal shots only.

    The seeds that a simulator gives to the circuits of such a job are those it would give them in
    any other.
    """
    jobs: list[list[tuple[Order, int]]] = []
    for order in orders:
        last = jobs[-1] if jobs else []
        next_to = (last[-1][0].number + 1, last[-1][0].shots) if last else None
        if next_to == (order.number, order.shots) and len(last) < most:
            last.append((order, order.shots))
        else:
            jobs.append([(order, order.shots)])
    return jobs
