"""The kinds of pilot by what their URLs begin with. A new kind is a module, and a line here."""

import re

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource import dask_import
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind import batch, dask_cluster, kind, local, qpu, ssh

__all__ = ["check_description", "device_name", "job_script", "urls", "usual_name", "worker_specs"]

_KINDS = {
    each.scheme: each for each in (local.KIND, qpu.KIND, ssh.KIND, dask_cluster.KIND, *batch.KINDS)
}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


def _kind_of(description: PilotDescription) -> kind.Kind:
    if description.scheme not in _KINDS:
        known = ", ".join(f"{scheme}://" for scheme in _KINDS)
        raise DescriptionError(f"resource={description.resource!r} is unknown; there is {known}")
    return _KINDS[description.scheme]


def urls() -> list[str]:
    """What the URLs of all kinds begin with."""
    return [f"{scheme}://" for scheme in _KINDS]


def check_description(description: PilotDescription) -> None:
    """Check, before the agent is asked, what can be checked without it.

    Raises:
        DescriptionError: The URL names no kind that there is (the message lists them), or no
            device, or a key is of no use to this kind.
    """
    with dask_import.alone():
        kind.check(_kind_of(description), description)


def device_name(description: PilotDescription) -> str | None:
    """The quantum device behind a pilot, if it stands for one."""
    with dask_import.alone():
        return _kind_of(description).device(description)


def usual_name(description: PilotDescription) -> str:
    """What a pilot is called that was given no name: its device, or its kind of resource."""
    device = device_name(description)
    if device is None:
        return description.scheme
    return _NOT_IN_NAMES.sub("_", device.partition(":")[2] or device).strip("_")


def worker_specs(description: PilotDescription, site: kind.Site) -> list[kind.WorkerSpec]:
    """Describe the workers of a pilot; see the kind's own module."""
    return _kind_of(description).worker_specs(description, site)


def job_script(description: PilotDescription, site: kind.Site) -> str:
    """The batch script of one of a pilot's jobs, as it would be submitted.

    Raises:
        DescriptionError: Pilots of this kind have no batch jobs.
    """
    script = _kind_of(description).job_script
    if script is None:
        raise DescriptionError(f"a {description.scheme}:// pilot has no batch script")
    with dask_import.alone():
        return script(description, site)
