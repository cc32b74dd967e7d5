"""When which qubits change places between ranks: stages of local work, and exchanges before them.

Each rank holds 2**local amplitudes; the wires at the other places are bits of the rank's number. A
stage applies all gates that can be applied where wires are: also those that come later in the
circuit, if they commute with what waits. Then an exchange brings in the wires that are needed next
and sends away those that are needed last, or never again (Belady's rule for caches). Wires are
brought in for as long a stretch of the circuit as can be local at once: no plan that applies the
gates in their order has fewer exchanges. Where wires begin is free, since the first state is
|0…0⟩.

    Häner & Steiger, 0.5 petabyte simulation of a 45-qubit quantum circuit, SC 2017, section 3.4
    L. Belady, A study of replacement algorithms for virtual-storage computers, 1966

It must not know what gates do beyond the wires that they touch and mix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.workflow.state_vector.wires import WireGate

__all__ = ["PLANNERS", "Stage", "exchanged_share", "look_ahead", "swap_each_gate"]


class Stage(NamedTuple):
    """An exchange, and the gates after it.

    Attributes:
        swaps: Pairs of a place that is a bit of ranks and a local place; their wires change places.
        places: Where each wire is after that.
        gates: Numbers of the gates to apply then, in order.
    """

    swaps: tuple[tuple[int, int], ...]
    places: tuple[int, ...]
    gates: tuple[int, ...]


def look_ahead(num_wires: int, local: int, gates: Sequence[WireGate]) -> tuple[Stage, ...]:
    """Plan few exchanges.

    Args:
        num_wires: How many wires.
        local: How many of them are local; at least as many as a gate mixes.
        gates: In order.

    Returns:
        The stages; the first has no swaps.
    """
    left = list(range(len(gates)))
    first = sorted(range(num_wires), key=_next_use(left, gates, num_wires).__getitem__)
    order = [*sorted(first[:local]), *sorted(first[local:])]  # the wire at each place
    stages: list[Stage] = []
    swaps: tuple[tuple[int, int], ...] = ()
    while True:
        here = _mask(order[:local])
        taken = _ready(left, gates, here)
        stages.append(Stage(swaps, _places(order), tuple(taken)))
        done = set(taken)
        left = [number for number in left if number not in done]
        if not left:
            return tuple(stages)
        swaps = _swaps(left, gates, order, local)
        for place, other in swaps:
            order[place], order[other] = order[other], order[place]


def swap_each_gate(num_wires: int, local: int, gates: Sequence[WireGate]) -> tuple[Stage, ...]:
    """The plan without foresight: each gate brings in what it mixes, and sends it back.

    Args:
        num_wires: How many wires.
        local: How many of them are local.
        gates: In order.
    """
    home = tuple(range(num_wires))
    stages = [Stage((), home, ())]
    for number, gate in enumerate(gates):
        away = [wire for wire in range(local, num_wires) if gate.mixed >> wire & 1]
        if not away:
            last = stages[-1]
            stages[-1] = last._replace(gates=(*last.gates, number))
            continue
        free = [place for place in range(local) if not gate.touched >> place & 1]
        swaps = tuple(zip(away, free[::-1], strict=False))
        order = list(home)
        for place, other in swaps:
            order[place], order[other] = order[other], order[place]
        stages += [Stage(swaps, _places(order), (number,)), Stage(swaps, home, ())]
    return tuple(stages)


PLANNERS = {"look_ahead": look_ahead, "swap_each_gate": swap_each_gate}


def exchanged_share(stages: Sequence[Stage]) -> float:
    """Amplitudes that cross ranks, as a multiple of the state: of k swaps at once, 1 - 2**-k."""
    return sum(1.0 - 0.5 ** len(stage.swaps) for stage in stages)


def _ready(left: Sequence[int], gates: Sequence[WireGate], here: int) -> list[int]:
    """Gates that mix local wires only, and commute with all that wait before them."""
    taken = []
    touched = mixed = 0  # of those that wait
    for number in left:
        gate = gates[number]
        if gate.mixed & (~here | touched) or gate.touched & mixed:
            touched |= gate.touched
            mixed |= gate.mixed
        else:
            taken.append(number)
    return taken


def _swaps(
    left: Sequence[int], gates: Sequence[WireGate], order: Sequence[int], local: int
) -> tuple[tuple[int, int], ...]:
    """Bring in what the longest stretch of gates needs that can be local at once."""
    needed = 0
    for number in left:
        wanted = needed | gates[number].mixed
        if wanted.bit_count() > local:
            break
        needed = wanted
    use = _next_use(left, gates, len(order))
    coming = [place for place in range(local, len(order)) if needed >> order[place] & 1]
    going = [place for place in range(local) if not needed >> order[place] & 1]
    # High places first among equals: what is exchanged then lies together in memory.
    going.sort(key=lambda place: (use[order[place]], place), reverse=True)
    return tuple(zip(coming, going, strict=False))


def _next_use(left: Sequence[int], gates: Sequence[WireGate], num_wires: int) -> list[int]:
    """Of each wire, which of the gates that are left mixes it first; behind all if none does."""
    use = [len(left)] * num_wires
    for rank in range(len(left) - 1, -1, -1):
        for wire in gates[left[rank]].wires:
            if gates[left[rank]].mixed >> wire & 1:
                use[wire] = rank
    return use


def _places(order: Sequence[int]) -> tuple[int, ...]:
    places = [0] * len(order)
    for place, wire in enumerate(order):
        places[wire] = place
    return tuple(places)


def _mask(wires: Sequence[int]) -> int:
    return sum(1 << wire for wire in wires)
