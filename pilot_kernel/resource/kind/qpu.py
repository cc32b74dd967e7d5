"""Pilots that stand for a QPU: one process on this machine for every job it may have in flight.

`qpu://fake_sherbrooke?slots=2` has two of them. They offer `QPU` and never `CPU`, so that only
what asks for a QPU, or for the pilot by name, gets there.
"""

import uuid
from urllib.parse import parse_qs, unquote, urlsplit

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource import worker_environment
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind.devices import QRMI, factory_of
from pilot_kernel.resource.kind.kind import Kind, Site, WorkerSpec
from pilot_kernel.resource.kind.worker_process import worker_spec

__all__ = ["KIND", "check", "device_name", "worker_specs"]

_MOST_SLOTS = 1024
"""Each is a process of this machine."""

_PRELOAD = "pilot_kernel.primitive.device.preload"
"""By name only: what it needs lies above."""

_UNUSED = (("number_of_nodes", 1), ("cores_per_node", None), ("gpus_per_node", 0))


def device_name(description: PilotDescription) -> str:
    """The device that the URL names.

    Raises:
        DescriptionError: It names none.
    """
    parts = urlsplit(description.resource)
    within = parts.path.strip("/")
    if parts.netloc == QRMI and within and "/" not in within:
        return f"{QRMI}/{within}"
    if not parts.netloc and ".py:" in within:
        return unquote(parts.path)
    if not parts.netloc or within:
        raise DescriptionError(
            f"resource={description.resource!r} names no QPU; write qpu://fake_manila, "
            "qpu://ibm_torino, qpu://aer_simulator, qpu://qrmi, qpu://module:function or "
            "qpu:///folder/file.py:function"
        )
    return parts.netloc


def _slots(description: PilotDescription) -> int:
    asked = parse_qs(urlsplit(description.resource).query, keep_blank_values=True)
    for key in asked:
        if key != "slots":
            raise DescriptionError(f"resource={description.resource!r}: a QPU has no {key!r}")
    text = asked.get("slots", ["1"])[-1]
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= _MOST_SLOTS:
        raise DescriptionError(
            f"slots={text!r}: the jobs that may be in flight, a whole number from 1 to "
            f"{_MOST_SLOTS}"
        )
    return int(text)


def check(description: PilotDescription) -> None:
    """Refuse what cannot be, in the notebook's process and without making the backend.

    Raises:
        DescriptionError: The device is unknown, or a key means nothing for a QPU.
    """
    name = device_name(description)
    _slots(description)
    for key, default in _UNUSED:
        if getattr(description, key) != default:
            raise DescriptionError(
                f"{key}: a QPU has jobs in flight instead; write qpu://{name}?slots=2"
            )
    factory_of(name)


def worker_specs(description: PilotDescription, site: Site) -> list[WorkerSpec]:
    """Describe the workers of a QPU pilot; they share this machine's memory for simulation.

    Args:
        description: The pilot.
        site: The agent.

    Returns:
        One spec for each job in flight.

    Raises:
        DescriptionError: The URL names no device, or an impossible number of slots.
    """
    from distributed.system import MEMORY_LIMIT

    slots = _slots(description)
    memory = (description.memory_per_node_bytes or MEMORY_LIMIT) // slots
    env = {
        worker_environment.DEVICE: device_name(description),
        worker_environment.DEVICE_TEST: uuid.uuid4().hex,
    }
    spec = worker_spec(description, site, "QPU", memory, env, preload=[_PRELOAD])
    return [spec] * slots


KIND = Kind(
    scheme="qpu",
    uses=frozenset({"cores_per_worker", "memory_per_node_bytes", "working_directory"}),
    worker_specs=worker_specs,
    check=check,
    device=device_name,
)
