"""Pilots inside a running Dask cluster: `dask://host:8786`, or `dask://?scheduler_file=…`.

Each of its workers lends one thread to a task of ours, which brings up a worker of this session
beside it. Tasks of this session never run in the processes of that cluster.
"""

import asyncio
import dataclasses
from typing import Any

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind.kind import Kind, Site, WorkerSpec, offers
from pilot_kernel.resource.reach.dask_place import DaskPlace, is_loopback, place
from pilot_kernel.resource.reach.host_error import HostError

__all__ = ["KIND", "check", "worker_specs"]

_MOST_WORKERS = 1024


def check(description: PilotDescription) -> None:
    """Refuse what cannot be, in the notebook's process and without connecting.

    Raises:
        DescriptionError: The URL names no cluster, or one that cannot be used as described.
    """
    cluster = place(description.resource)
    if not cluster.here and description.interface is None:
        raise DescriptionError(
            f"interface is missing: workers of {cluster.address} run on other machines, and "
            "nothing listens to those unless the network interface is named through which they "
            "and this machine reach each other"
        )


def worker_specs(description: PilotDescription, site: Site) -> list[WorkerSpec]:
    """Describe the workers of a pilot: one for each worker that the cluster has now.

    It connects to the cluster, to see that it can be used.

    Args:
        description: The pilot.
        site: The agent.

    Raises:
        DescriptionError: The cluster cannot be used.
    """
    from pilot_kernel.resource.reach.far_start import Fellows

    cluster = place(description.resource)
    try:
        seen = asyncio.run(_look(cluster, description.working_directory))
    except HostError as error:
        raise DescriptionError(str(error)) from None
    if any(not is_loopback(address) for address in seen) and is_loopback(site.scheduler):
        raise DescriptionError(
            f"resource={description.resource!r}: that cluster has workers on other machines, "
            "which cannot reach this session; name the network interface: interface='ib0'"
        )
    if len(seen) > _MOST_WORKERS:
        raise DescriptionError(
            f"resource={description.resource!r}: {len(seen)} workers; {_MOST_WORKERS} at most"
        )
    fellows = Fellows(len(seen))
    memory = description.memory_per_node_bytes or min(
        told["memory_bytes"] for told in seen.values()
    )
    spec = _spec(description, site, cluster, memory, fellows)
    return [spec] * len(seen)


async def _look(cluster: DaskPlace, working_directory: str | None) -> dict[str, dict[str, Any]]:
    from pilot_kernel.resource.reach.dask_guest import connected, look

    async with connected(cluster) as client:
        return await look(client, cluster, working_directory)


def _spec(
    description: PilotDescription, site: Site, cluster: DaskPlace, memory: int, fellows: Any
) -> WorkerSpec:
    from pilot_kernel.resource.reach.dask_guest import DaskGuest, GuestPlan
    from pilot_kernel.resource.reach.far_start import WorkPlan

    offered = offers(description, site.pilot, ("CPU",), memory)
    spec = WorkerSpec(
        cls=DaskGuest,
        options={},
        offers=offered,
        memory_bytes=memory,
        cores=description.cores_per_worker,
        numbered=True,
    )
    work = WorkPlan(
        suffixes=spec.suffixes,
        resources=offered,
        memory_bytes=memory,
        envs=({},),
        working_directory=description.working_directory,
        security=site.security,
        directory=site.directory,
        fellows=fellows,
    )
    plan = GuestPlan(place=cluster, scheduler=site.scheduler, host=site.host)
    return dataclasses.replace(spec, options={"work": work, "plan": plan})


KIND = Kind(
    scheme="dask",
    uses=frozenset({"cores_per_worker", "memory_per_node_bytes", "working_directory", "interface"}),
    worker_specs=worker_specs,
    check=check,
)
