"""Pilots on this machine: one worker process for every `cores_per_worker` cores."""

import glob
from collections.abc import Mapping
from typing import Any

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.description import PilotDescription

__all__ = ["worker_spec", "worker_specs"]

_MOST_WORKERS = 1024


def worker_specs(description: PilotDescription, name: str, security: Any) -> list[dict[str, Any]]:
    """Describe the workers of a local pilot.

    Args:
        description: The pilot; missing sizes are taken from what this process may use (affinity
            and cgroup limits included).
        name: The pilot's name.
        security: TLS settings for the workers' connections.

    Returns:
        One `SpecCluster` worker spec for each worker.

    Raises:
        DescriptionError: The machine cannot hold what is asked for.
    """
    from dask.system import CPU_COUNT
    from distributed.system import MEMORY_LIMIT

    if description.number_of_nodes != 1:
        raise DescriptionError("number_of_nodes: local:// has one node, this machine")
    cores = description.cores_per_node or CPU_COUNT
    if description.cores_per_worker > cores:
        raise DescriptionError(
            f"cores_per_worker={description.cores_per_worker} is more than the {cores} cores held"
        )
    if cores // description.cores_per_worker > _MOST_WORKERS:
        raise DescriptionError(
            f"cores_per_node={cores} with cores_per_worker={description.cores_per_worker}: that "
            f"would be more than {_MOST_WORKERS} processes on this machine"
        )
    memory = description.memory_per_node_bytes or MEMORY_LIMIT
    gpus = sorted(glob.glob("/dev/nvidia[0-9]*"))
    if description.gpus_per_node > len(gpus):
        raise DescriptionError(
            f"gpus_per_node={description.gpus_per_node}, but this machine shows {len(gpus)} GPUs"
        )
    kinds = ["CPU"] * (cores // description.cores_per_worker) + ["GPU"] * description.gpus_per_node
    each = memory // len(kinds)

    numbers = [kinds[:at].count(kind) for at, kind in enumerate(kinds)]
    return [
        worker_spec(
            *(description, name, security, kind, each),
            {"CUDA_VISIBLE_DEVICES": str(number)} if kind == "GPU" else {},
        )
        for kind, number in zip(kinds, numbers, strict=True)
    ]


def worker_spec(
    description: PilotDescription,
    name: str,
    security: Any,
    kind: str,
    memory_bytes: int,
    env: Mapping[str, str],
) -> dict[str, Any]:
    """Describe one worker process on this machine.

    Args:
        description: The pilot.
        name: The pilot's name.
        security: TLS settings for its connections.
        kind: What it offers besides the pilot's name, such as `CPU`.
        memory_bytes: Its memory limit.
        env: Environment variables besides those that every worker has.
    """
    from distributed import Nanny

    sizes = {
        "PILOT_CORES_PER_WORKER": str(description.cores_per_worker),
        "PILOT_MEMORY_PER_WORKER_BYTES": str(memory_bytes),
    }
    return {
        "cls": Nanny,
        "options": {
            "nthreads": 1,  # one task at a time: a task owns its process
            "memory_limit": memory_bytes,
            "resources": {kind: 1, f"pilot:{name}": 1},
            "host": "127.0.0.1",
            "security": security,
            "local_directory": description.working_directory,
            "env": {**sizes, **env},
        },
    }
