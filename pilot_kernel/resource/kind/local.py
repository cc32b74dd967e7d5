"""Pilots on this machine: one worker process for every `cores_per_worker` cores."""

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource import allowance, gpus
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind.kind import Kind, Site, WorkerSpec
from pilot_kernel.resource.kind.worker_process import worker_spec

__all__ = ["KIND", "worker_specs"]

_MOST_WORKERS = 1024
_SMALL_BYTES = 4 * 2**30
_BESIDES_BYTES = 384 * 2**20
"""What Jupyter, a notebook's kernel and the agent take beside the tasks."""


def worker_specs(description: PilotDescription, site: Site) -> list[WorkerSpec]:
    """Describe the workers of a local pilot.

    Args:
        description: The pilot; missing sizes are taken from what this process may use (affinity
            and control groups included), but for what else a small machine has to hold.
        site: The agent.

    Returns:
        One spec for each worker.

    Raises:
        DescriptionError: The machine cannot hold what is asked for.
    """
    if description.number_of_nodes != 1:
        raise DescriptionError("number_of_nodes: local:// has one node, this machine")
    cores = description.cores_per_node or allowance.cores()
    if description.cores_per_worker > cores:
        held = "cores_per_node=" if description.cores_per_node else "what this machine has: "
        raise DescriptionError(
            f"cores_per_worker={description.cores_per_worker} is more than {held}{cores}; the "
            "cores of a worker are those of one machine"
        )
    if cores // description.cores_per_worker > _MOST_WORKERS:
        raise DescriptionError(
            f"cores_per_node={cores} with cores_per_worker={description.cores_per_worker}: that "
            f"would be more than {_MOST_WORKERS} processes on this machine"
        )
    memory = description.memory_per_node_bytes or _free_for_tasks(allowance.memory_bytes())
    gpus.check_count(description.gpus_per_node)
    offers = ["CPU"] * (cores // description.cores_per_worker) + ["GPU"] * description.gpus_per_node
    each = memory // len(offers)

    numbers = [offers[:at].count(offer) for at, offer in enumerate(offers)]
    return [
        worker_spec(
            *(description, site, offer, each),
            gpus.visible(number) if offer == "GPU" else {},
        )
        for offer, number in zip(offers, numbers, strict=True)
    ]


def _free_for_tasks(memory_bytes: int) -> int:
    """What tasks may have: one that takes more is ended, before the system ends a notebook for it.

    Where there is little memory, what runs beside the tasks is left out; else it hardly matters.
    """
    if memory_bytes >= _SMALL_BYTES:
        return memory_bytes
    return memory_bytes - min(_BESIDES_BYTES, memory_bytes // 2)


KIND = Kind(
    scheme="local",
    uses=frozenset(
        {
            *("number_of_nodes", "cores_per_node", "gpus_per_node", "cores_per_worker"),
            *("memory_per_node_bytes", "working_directory"),
        }
    ),
    worker_specs=worker_specs,
)
