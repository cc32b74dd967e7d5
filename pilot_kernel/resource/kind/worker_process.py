"""A worker that is a process on the agent's own machine, whichever kind of pilot it belongs to."""

from collections.abc import Mapping
from typing import Any

from pilot_kernel.resource import worker_environment
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind.kind import Site, WorkerSpec, offers

__all__ = ["worker_spec"]


def worker_spec(
    description: PilotDescription,
    site: Site,
    kind: str,
    memory_bytes: int,
    env: Mapping[str, str],
    **options: Any,
) -> WorkerSpec:
    """Describe one worker process on this machine.

    Args:
        description: The pilot.
        site: The agent.
        kind: What kind of worker it is, such as `CPU`.
        memory_bytes: Its memory limit.
        env: Environment variables besides those that every worker has.
        **options: Further options of a nanny.
    """
    from distributed import Nanny

    from pilot_kernel.resource.no_web import NoWebWorker

    sizes = worker_environment.sizes(description.cores_per_worker, memory_bytes)
    offered = offers(description, site.pilot, (kind,), memory_bytes)
    return WorkerSpec(
        cls=Nanny,
        options={
            "worker_class": NoWebWorker,
            "nthreads": 1,  # one task at a time: a task owns its process
            "memory_limit": memory_bytes,
            "resources": offered,
            "host": site.host,
            "security": site.security,
            "local_directory": description.working_directory,
            "env": {**sizes, **env},
            **options,
        },
        offers=offered,
        memory_bytes=memory_bytes,
        cores=description.cores_per_worker,
    )
