"""A worker that is a process on the agent's own machine, whichever kind of pilot it belongs to."""

from collections.abc import Mapping
from typing import Any

from pilot_kernel.resource import worker_environment
from pilot_kernel.resource.description import PilotDescription

__all__ = ["worker_spec"]


def worker_spec(
    description: PilotDescription,
    name: str,
    security: Any,
    offer: str,
    memory_bytes: int,
    env: Mapping[str, str],
) -> dict[str, Any]:
    """Describe one worker process on this machine.

    Args:
        description: The pilot.
        name: The pilot's name.
        security: TLS settings for its connections.
        offer: What it offers besides the pilot's name, such as `CPU`.
        memory_bytes: Its memory limit.
        env: Environment variables besides those that every worker has.
    """
    from distributed import Nanny

    sizes = worker_environment.sizes(description.cores_per_worker, memory_bytes)
    return {
        "cls": Nanny,
        "options": {
            "nthreads": 1,  # one task at a time: a task owns its process
            "memory_limit": memory_bytes,
            "resources": {offer: 1, f"pilot:{name}": 1},
            "host": "127.0.0.1",
            "security": security,
            "local_directory": description.working_directory,
            "env": {**sizes, **env},
        },
    }
