"""Pilots on hosts that are reached over SSH: `ssh://user@host`, or several, `ssh://one,two,three`.

The system's OpenSSH client makes the connections, so your configuration, agent, jump hosts and
known host keys hold. Everything listens on loopback, and SSH carries it (`reach/switchboard.py`).
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind.kind import Kind, Site, WorkerSpec, offers
from pilot_kernel.resource.reach.look import HostSizes, look
from pilot_kernel.resource.reach.ssh_command import script
from pilot_kernel.resource.reach.ssh_target import SshTarget, targets

if TYPE_CHECKING:
    from pilot_kernel.resource.reach.far_start import Fellows

__all__ = ["KIND", "check", "worker_specs"]

_LOOPBACK = "127.0.0.1"
_MOST_WORKERS = 256
"""Each is a process of that host, and a port that is forwarded to all others."""


def check(description: PilotDescription) -> None:
    """Refuse what cannot be, in the notebook's process and without connecting.

    Raises:
        DescriptionError: The URL names no hosts, or sizes contradict each other.
    """
    hosts, _ = targets(description.resource)
    if description.number_of_nodes != 1:
        raise DescriptionError(
            f"number_of_nodes={description.number_of_nodes}: the URL names the hosts "
            f"({len(hosts)} of them), as in ssh://one,two,three; leave it out"
        )
    cores = description.cores_per_node
    if cores is not None and description.cores_per_worker > cores:
        raise DescriptionError(
            f"cores_per_worker={description.cores_per_worker} is more than cores_per_node={cores}"
        )


def worker_specs(description: PilotDescription, site: Site) -> list[WorkerSpec]:
    """Describe the hosts of a pilot, one start each, or two if there are GPUs.

    It connects to all of them, to see that they can be used and what they have.

    Args:
        description: The pilot; missing sizes are those of the host.
        site: The agent.

    Raises:
        DescriptionError: A host cannot be used, or does not have what is asked for.
    """
    if site.host != _LOOPBACK:
        raise DescriptionError(
            f"resource={description.resource!r}: this session's workers reach each other at "
            f"{site.host}, through a network interface, but those of an ssh:// pilot only have "
            "the connection of SSH. Begin a session of its own for it"
        )
    hosts, python = targets(description.resource)
    lines = description.scheduler_script_commands
    sizes = look(hosts, script(python, lines), description.working_directory)
    starts = [
        start
        for host, size in zip(hosts, sizes, strict=True)
        for start in _starts(description, host, size)
    ]
    from pilot_kernel.resource.reach.far_start import Fellows

    fellows = Fellows(len(starts))
    return [_spec(description, site, start, python, fellows) for start in starts]


@dataclass(frozen=True)
class _Start:
    """Workers of one kind on one host."""

    host: SshTarget
    kind: str
    memory_bytes: int
    envs: tuple[dict[str, str], ...]


def _starts(description: PilotDescription, host: SshTarget, size: HostSizes) -> list[_Start]:
    """What is brought up on one host: workers on its processor, and those with a GPU each."""
    cores = description.cores_per_node or size.cores
    gpus = description.gpus_per_node
    count = cores // description.cores_per_worker
    if count < 1:
        raise DescriptionError(
            f"cores_per_worker={description.cores_per_worker} is more than the {cores} cores of "
            f"host {host}"
        )
    if count + gpus > _MOST_WORKERS:
        raise DescriptionError(
            f"host {host}: {cores} cores with cores_per_worker={description.cores_per_worker} "
            f"would be more than {_MOST_WORKERS} processes there"
        )
    if gpus > size.gpus:
        raise DescriptionError(f"gpus_per_node={gpus}, but host {host} shows {size.gpus} GPUs")
    memory = (description.memory_per_node_bytes or size.memory_bytes) // (count + gpus)
    starts = [_Start(host, "CPU", memory, ({},) * count)]
    if gpus:
        visible = tuple(
            {"CUDA_VISIBLE_DEVICES": str(number), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
            for number in range(gpus)
        )
        starts.append(_Start(host, "GPU", memory, visible))
    return starts


def _spec(
    description: PilotDescription,
    site: Site,
    start: _Start,
    python: str | None,
    fellows: "Fellows",
) -> WorkerSpec:
    import dask

    from pilot_kernel.resource.reach.far_start import WorkPlan
    from pilot_kernel.resource.reach.ssh_host import HostPlan, SshHost

    offered = offers(description, site.pilot, (start.kind,), start.memory_bytes)
    spec = WorkerSpec(
        cls=SshHost,
        options={},
        offers=offered,
        memory_bytes=start.memory_bytes,
        cores=description.cores_per_worker,
        workers=len(start.envs),
        numbered=True,
    )
    work = WorkPlan(
        suffixes=spec.suffixes,
        resources=offered,
        memory_bytes=start.memory_bytes,
        envs=start.envs,
        working_directory=description.working_directory,
        security=site.security,
        directory=site.directory,
        fellows=fellows,
    )
    plan = HostPlan(
        target=start.host,
        python=python,
        lines=description.scheduler_script_commands,
        scratch=Path(dask.config.get("temporary-directory", None) or site.directory),
    )
    return dataclasses.replace(spec, options={"work": work, "plan": plan})


KIND = Kind(
    scheme="ssh",
    uses=frozenset(
        {
            *("number_of_nodes", "cores_per_node", "gpus_per_node", "cores_per_worker"),
            *("memory_per_node_bytes", "working_directory", "scheduler_script_commands"),
        }
    ),
    worker_specs=worker_specs,
    check=check,
)
