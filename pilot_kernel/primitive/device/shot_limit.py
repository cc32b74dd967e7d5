"""How many shots a device takes in one job, as far as it says, and jobs that keep to that.

`BackendV2` has no word for it, so each provider has its own. Nothing runs here.
"""

from typing import Any

from qiskit.providers import BackendV2

__all__ = ["most_shots", "shot_parts"]

_IN_THIS_PROCESS = ("qiskit_aer.", "qiskit_ibm_runtime.fake_provider.")
"""Where backends come from that name a limit, and run as many shots as they are asked for."""


def most_shots(backend: BackendV2) -> int | None:
    """The most shots of a job; None where nothing is said about it.

    IBM's backends say it in their configuration, others as `max_shots`, and qiskit-ionq's keep it
    to themselves as `_max_shots`; that of IonQ's simulators is 1, and is not meant.
    """
    if type(backend).__module__.startswith(_IN_THIS_PROCESS):
        return None
    configuration = getattr(backend, "configuration", None)
    told = configuration() if callable(configuration) else None
    for source, name in ((backend, "max_shots"), (told, "max_shots"), (backend, "_max_shots")):
        limit: Any = getattr(source, name, None)
        if isinstance(limit, int) and not isinstance(limit, bool) and limit > 1:
            return limit
    return None


def shot_parts(shots: int, backend: BackendV2) -> list[int]:
    """Shots of each of the jobs that so many shots take on a backend, in which they add up."""
    most = most_shots(backend)
    if most is None or shots <= most:
        return [shots]
    full, left = divmod(shots, most)
    return [most] * full + [left] * (left > 0)
