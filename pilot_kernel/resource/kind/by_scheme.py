"""The kinds of resource there are: URL scheme -> what makes the workers."""

import re
from collections.abc import Callable
from typing import Any

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind import local, qpu

__all__ = ["backend_name", "check_description", "usual_name", "worker_specs"]

_KINDS: dict[str, Callable[[PilotDescription, str, Any], list[dict[str, Any]]]] = {
    "local": local.worker_specs,
    "qpu": qpu.worker_specs,
}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


def _check_kind(description: PilotDescription) -> None:
    if description.scheme not in _KINDS:
        known = ", ".join(f"{scheme}://" for scheme in _KINDS)
        raise DescriptionError(f"resource={description.resource!r} is unknown; there is {known}")


def check_description(description: PilotDescription) -> None:
    """Check, before the agent is asked, what can be checked without it.

    Raises:
        DescriptionError: The URL names no kind that there is (the message lists them), or no
            device.
    """
    _check_kind(description)
    if description.scheme == "qpu":
        qpu.check(description)


def backend_name(description: PilotDescription) -> str | None:
    """The quantum device behind a pilot, if it stands for one."""
    return qpu.device_name(description) if description.scheme == "qpu" else None


def usual_name(description: PilotDescription) -> str:
    """What a pilot is called that was given no name: its device, or its kind of resource."""
    device = backend_name(description)
    if device is None:
        return description.scheme
    return _NOT_IN_NAMES.sub("_", device.partition(":")[2] or device).strip("_")


def worker_specs(description: PilotDescription, name: str, security: Any) -> list[dict[str, Any]]:
    """Describe the workers of a pilot; see the kind's own module."""
    _check_kind(description)
    return _KINDS[description.scheme](description, name, security)
