"""How much memory the state of a PUB's circuit takes, and whether workers have that much."""

from collections.abc import Callable, Sequence

from pilot_kernel.errors import PubError
from pilot_kernel.resource.pilot import PilotStatus

__all__ = ["check_state"]

_AMPLITUDE_BYTES = 16  # complex128


def check_state(
    number: int,
    wide: int,
    on: Sequence[PilotStatus],
    *,
    power: int = 1,
    advice: Callable[[int], str],
) -> None:
    """Refuse a state that no worker could hold.

    Args:
        number: The PUB's number.
        wide: Qubits to simulate.
        on: The pilots that may get it; nothing is refused where none is named.
        power: 1 for a state vector, 2 for a density matrix.
        advice: What to do about it, given how many qubits would fit.

    Raises:
        PubError: The state is too large.
    """
    if not on:
        return
    limit = min(pilot.memory_per_worker_bytes for pilot in on)
    widest = ((limit // _AMPLITUDE_BYTES).bit_length() - 1) // power
    if wide <= widest:
        return
    state = "density matrix" if power == 2 else "state vector"
    raise PubError(
        f"PUB {number} has {wide} qubits: its {state} takes "
        f"{_bytes(_AMPLITUDE_BYTES * 2 ** (power * wide))}, and a worker of "
        f"{' or '.join(sorted({repr(p.name) for p in on}))} has {_bytes(limit)}. {advice(widest)}"
    )


def _bytes(count: int) -> str:
    size, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.3g} {units[0]}"
