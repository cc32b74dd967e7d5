"""What a backend can do, as far as it says, and whether that is enough for a cut circuit.

Nothing runs here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["check_device", "check_width", "is_simulated", "measures_midway"]

_SIMULATED = ("qiskit_aer.", "qiskit.", "qiskit_ibm_runtime.fake_provider.", "pilot_kernel.")
"""Where backends come from that run circuits on the spot, and heed seeds."""


def measures_midway(backend: BackendV2) -> bool:
    """Whether a backend can measure a qubit and go on; True where nothing is said about it.

    A target does not say. IBM's backends, and those modelled on them, do in their configuration.
    """
    configuration = getattr(backend, "configuration", None)
    if not callable(configuration):
        return True
    return getattr(configuration(), "multi_meas_enabled", True) is not False


def is_simulated(backend: BackendV2) -> bool:
    """Whether a backend runs in this process, where a job costs nothing and seeds are heeded."""
    return type(backend).__module__.startswith(_SIMULATED)


def check_width(fragment: int, width: int, backend: BackendV2) -> None:
    """Refuse a fragment that has more qubits than a backend.

    Raises:
        DeviceError: With both numbers, and what would fit.
    """
    limit = backend.num_qubits
    if limit is not None and width > limit:
        raise DeviceError(
            backend.name,
            f"fragment {fragment} needs {width} qubits and it has {limit}; plan with "
            f"max_qubits={limit}",
        )


def check_device(fragments: Iterable[ShotFragment], backend: BackendV2) -> None:
    """Refuse fragments that a backend cannot run, before anything runs.

    Raises:
        DeviceError: If a fragment is too wide, or needs measurements that the device cannot make,
            or has cuts that are glued as one.
    """
    for fragment in fragments:
        program = fragment.program
        check_width(program.id, program.width, backend)
        if any(len(leg.axes) > 1 for leg in fragment.legs):
            raise DeviceError(
                backend.name,
                f"fragment {program.id} has cuts that are glued as one, which only simulators "
                "can run; glue each on its own: lower(..., joint=False)",
            )
        if _measures_between(fragment) and not measures_midway(backend):
            raise DeviceError(
                backend.name,
                f"it measures at the end of a circuit only, and the gate cuts of fragment "
                f'{program.id} need measurements on the way; wire cuts do not: kinds=("wire",)',
            )


def _measures_between(fragment: ShotFragment) -> bool:
    """Whether a variant measures a qubit at a gate cut, and goes on."""
    chosen = sum(step.cut is not None for step in fragment.program.steps)
    return any(
        axis < chosen and len(operation.kraus) > 1
        for leg in fragment.legs
        for axis in leg.axes
        for operation in leg.side.operations
    )
