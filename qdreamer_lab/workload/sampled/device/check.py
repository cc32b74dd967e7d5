"""What a backend can do, as far as it says, and whether that is enough for a cut circuit.

Nothing runs here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.errors import DeviceError
from qdreamer_lab.workload.sampled.device.held_outcomes import most_held

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["check_device", "check_width", "is_simulated", "measures_midway"]

_SIMULATED = ("qiskit_aer.", "qiskit.", "qiskit_ibm_runtime.fake_provider.", "pilot_kernel.")
"""Where backends come from that run circuits on the spot, and heed seeds."""


_READ_AT_THE_END = ("qiskit_aqt_provider.", "qiskit_braket_provider.", "qiskit_ionq.")
"""Where backends come from whose providers refuse any measurement that something follows."""


def measures_midway(backend: BackendV2) -> bool:
    """Whether a backend can measure a qubit and go on; True where nothing is said about it.

    A target does not say. IBM's backends, and those modelled on them, do in their configuration.
    """
    if type(backend).__module__.startswith(_READ_AT_THE_END):
        return False
    configuration = getattr(backend, "configuration", None)
    if not callable(configuration):
        return True
    return getattr(configuration(), "multi_meas_enabled", True) is not False


def is_simulated(backend: BackendV2) -> bool:
    """Whether a backend runs in this process, where a job costs nothing and seeds are heeded."""
    return type(backend).__module__.startswith(_SIMULATED)


def check_width(fragment: int, width: int, backend: BackendV2, held: int = 0) -> None:
    """Refuse a fragment that has more qubits than a backend.

    Args:
        fragment: Its id.
        width: Its qubits.
        backend: The device.
        held: Further qubits that it needs to keep outcomes until the end.

    Raises:
        DeviceError: With the numbers, and what would fit.
    """
    limit = backend.num_qubits
    if limit is None or width + held <= limit:
        return
    if not held:
        raise DeviceError(
            backend.name,
            f"fragment {fragment} needs {width} qubits and it has {limit}; plan with "
            f"max_qubits={limit}",
        )
    smaller = f"with max_qubits={limit - held} or less, or " if limit > held else ""
    raise DeviceError(
        backend.name,
        f"it measures at the end of a circuit only and has {limit} qubits; fragment {fragment} "
        f"needs {width}, and {held} more to keep the outcomes of its gate cuts until then: plan "
        f'{smaller}with cuts of wires, which need none: kinds=("wire",)',
    )


def check_device(
    fragments: Iterable[ShotFragment], backend: BackendV2, *, midway: bool = True
) -> None:
    """Refuse fragments that a backend cannot run, before anything runs.

    Args:
        fragments: The fragments.
        backend: The device.
        midway: Whether it is to measure in the middle of circuits.

    Raises:
        DeviceError: If a fragment is too wide, with the qubits that keep outcomes until the end
            where it must, or has cuts that are glued as one.
    """
    for fragment in fragments:
        program = fragment.program
        if any(len(leg.axes) > 1 for leg in fragment.legs):
            raise DeviceError(
                backend.name,
                f"fragment {program.id} has cuts that are glued as one, which only simulators "
                "can run; glue each on its own: lower(..., joint=False)",
            )
        check_width(program.id, program.width, backend, 0 if midway else most_held(fragment))
