"""The batch job that an agent is to run in: what it may be, its script, and its first pilot.

Nothing is submitted here.
"""

import dataclasses
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource import dask_import, registry
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind.by_scheme import check_description
from pilot_kernel.resource.kind.kind import Site

__all__ = ["SCHEME", "describe", "first_pilot", "log_of", "script", "shown_script"]

SCHEME = "slurm"
_AGENT = "agent"
_UNNAMED = "agent-ID"
_OWN_BYTES = 400_000_000  # what the agent and its helpers take themselves


def describe(inside: PilotDescription | str | None, keys: dict[str, Any]) -> PilotDescription:
    """The batch job that an agent is to run in.

    Args:
        inside: A description, or the URL of a resource: "slurm://".
        keys: Further keys of `PilotDescription`.

    Raises:
        DescriptionError: A key, the resource or a size is wrong.
    """
    if inside is None:
        raise DescriptionError(
            f"{', '.join(keys)}: the keys of a batch job for the agent go with inside='slurm://'; "
            "those of a pilot go to add_pilot"
        )
    described = PilotDescription.coerce(inside, **keys)
    if described.scheme != SCHEME:
        raise DescriptionError(
            f"inside={described.resource!r}: an agent runs on this machine, or in a job of "
            f"{SCHEME}://"
        )
    check_description(described)
    if described.number_of_nodes != 1:
        raise DescriptionError(
            f"number_of_nodes={described.number_of_nodes}: the agent's job has one node; ask for "
            "more from there with add_pilot('slurm://', …)"
        )
    if described.name is not None:
        raise DescriptionError(
            f"name={described.name!r}: the agent's job has no name of its own; its node's pilot is "
            "called 'local'"
        )
    return described


def first_pilot(job: PilotDescription | None) -> PilotDescription:
    """The pilot that a session has to begin with: all of the agent's machine, or of its job."""
    if job is None:
        return PilotDescription()
    memory = job.memory_per_node_bytes
    return PilotDescription(
        cores_per_node=job.cores_per_node,
        gpus_per_node=job.gpus_per_node,
        cores_per_worker=job.cores_per_worker,
        memory_per_node_bytes=memory and memory - min(_OWN_BYTES, memory // 5),
        tags=job.tags,
    )


def script(job: PilotDescription, agent_id: str, directory: Path, plugins: Sequence[str]) -> str:
    """The script of an agent's job.

    Args:
        job: What it is to be.
        agent_id: The agent's id.
        directory: The agent's folder, which the node must see.
        plugins: What the agent adds to its scheduler and its workers, as `module:class`.
    """
    from pilot_kernel.resource.batch.systems import SYSTEMS
    from pilot_kernel.resource.kind.batch import job_plan

    site = Site(
        agent=agent_id,
        pilot=_AGENT,
        security=None,
        scheduler="",
        host="",
        directory=directory,
    )
    usual = job_plan(SYSTEMS[SCHEME], job, site)
    plan = dataclasses.replace(
        usual,
        # Started again it would be an agent that knows nothing of its session.
        directives=(*usual.directives, "--no-requeue"),
        lines=(f"export PILOT_KERNEL_HOME={shlex.quote(str(directory.parent))}", *usual.lines),
        logs=directory,
    )
    with dask_import.alone():
        batch_job = plan.job(_AGENT)
    command = [
        *(sys.executable, "-m", "pilot_kernel.resource.agent.process"),
        *("--directory", str(directory), "--interface", str(job.interface)),
        *(word for plugin in plugins for word in ("--plugin", plugin)),
    ]
    batch_job._command_template = f"exec {shlex.join(command)}"
    text: str = batch_job.job_script()
    return text


def shown_script(job: PilotDescription, plugins: Sequence[str]) -> str:
    """The script as it will be submitted, but for the agent's ID, which is made up then."""
    return script(job, _UNNAMED, registry.root() / _UNNAMED, plugins)


def log_of(directory: Path) -> Path:
    """The file that takes what an agent's job writes."""
    return directory / f"{_AGENT}.log"
