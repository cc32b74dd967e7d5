"""Pilots whose workers come in batch jobs, one job for each node: `slurm://` and its like.

Jobs are submitted on this machine, so the agent runs where the batch system's programs are. What
differs between batch systems is in `batch/systems.py`.
"""

import os
import shutil
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.batch.plan import JobPlan
from pilot_kernel.resource.batch.qpu_option import qpu_directives
from pilot_kernel.resource.batch.systems import SYSTEMS, BatchSystem, walltime_seconds
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind.kind import Kind, Site, WorkerSpec, offers

__all__ = ["KINDS", "check", "job_plan", "job_script", "worker_specs"]

_PROCESS = "pilot_kernel.resource.batch.job_process"
_MOST_NODES = 10_000
_SHORTEST_S = 60
_USES = frozenset(
    {
        *("number_of_nodes", "cores_per_node", "gpus_per_node", "cores_per_worker"),
        *("memory_per_node_bytes", "walltime", "queue", "project", "working_directory"),
        *("scheduler_script_commands", "interface", "start_within_s"),
    }
)


def check(system: BatchSystem, description: PilotDescription) -> None:
    """Refuse what cannot be, in the notebook's process; nothing is submitted.

    Raises:
        DescriptionError: A key is missing, or impossible; the message names it.
    """
    _check_url(system, description)
    _check_sizes(system, description)
    if description.interface is None:
        raise DescriptionError(
            f"interface is missing: workers of a {system.scheme}:// pilot run on other machines, "
            "and nothing listens to those unless the network interface is named through which "
            f"they and this machine reach each other; this machine has {_interfaces()}"
        )
    walltime = description.walltime
    if walltime is not None and walltime_seconds(walltime) < _SHORTEST_S:
        raise DescriptionError(
            f"walltime={walltime!r} is {walltime_seconds(walltime)} s: a job needs some seconds "
            f"to bring its workers up, so give it {_SHORTEST_S} s at least (HH:MM:SS or minutes)"
        )
    directory = description.working_directory
    if directory is not None and not os.path.isabs(directory):
        raise DescriptionError(
            f"working_directory={directory!r}: a full path, the same here and on the nodes"
        )
    _check_lines(system, description)
    system.check_installed()


def _check_url(system: BatchSystem, description: PilotDescription) -> None:
    parts = urlsplit(description.resource)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise DescriptionError(
            f"resource={description.resource!r}: write {system.scheme}://, and the rest as keys"
        )
    if parts.netloc:
        raise DescriptionError(
            f"resource={description.resource!r}: jobs are submitted with {system.submit} of the "
            f"machine that the session runs on. Run the notebook on {parts.netloc}, or another "
            f"machine of that site, and write {system.scheme}://"
        )


def _check_sizes(system: BatchSystem, description: PilotDescription) -> None:
    cores, memory = description.cores_per_node, description.memory_per_node_bytes
    for key, value, option in (
        ("cores_per_node", cores, "--cores 16"),
        ("memory_per_node_bytes", memory, "--memory 64GB"),
    ):
        if value is None:
            raise DescriptionError(
                f"{key} is missing (%pilot: {option}, say): a batch job says how much of a node "
                "it takes, and tasks are placed by that while it still waits"
            )
    assert cores is not None
    if description.cores_per_worker > cores:
        raise DescriptionError(
            f"cores_per_worker={description.cores_per_worker} is more than cores_per_node={cores}"
        )
    if description.number_of_nodes > _MOST_NODES:
        raise DescriptionError(
            f"number_of_nodes={description.number_of_nodes}: each is a job; {_MOST_NODES} at most"
        )
    if description.gpus_per_node and not system.gpus:
        raise DescriptionError(
            f"gpus_per_node={description.gpus_per_node}: how {system.scheme} is asked for GPUs "
            "differs from site to site, so no worker of such a pilot has one"
        )


def _interfaces() -> str:
    import psutil

    return ", ".join(sorted(psutil.net_if_addrs()))


def worker_specs(
    system: BatchSystem, description: PilotDescription, site: Site
) -> list[WorkerSpec]:
    """Describe the jobs of a pilot, one for each node.

    Args:
        system: The batch system.
        description: The pilot.
        site: The agent.

    Raises:
        DescriptionError: This machine cannot submit jobs, or cannot write where they are to.
    """
    from pilot_kernel.resource.batch.batch_job import BatchJob, JobSite

    if shutil.which(system.submit) is None:
        raise DescriptionError(
            f"resource={description.resource!r}: there is no {system.submit} on this machine; run "
            "the notebook where jobs can be submitted"
        )
    directory = description.working_directory
    if directory is not None and not os.access(directory, os.W_OK | os.X_OK):
        raise DescriptionError(f"working_directory={directory!r} is no folder to write in")
    workers, each = _shares(description)
    gpus = description.gpus_per_node
    kinds = (*(("CPU",) * (workers > gpus)), *(("GPU",) * bool(gpus)))
    job_site = JobSite(
        directory=site.directory,
        folder=_folder(description, site),
        workers=workers,
        start_within_s=description.start_within_s,
    )
    spec = WorkerSpec(
        cls=BatchJob,
        options={"plan": job_plan(system, description, site), "site": job_site},
        offers=offers(description, site.pilot, kinds, each),
        memory_bytes=each,
        cores=description.cores_per_worker,
        workers=workers,
        numbered=True,
        gpu_workers=gpus,
    )
    return [spec] * description.number_of_nodes


def job_script(system: BatchSystem, description: PilotDescription, site: Site) -> str:
    """The script of the pilot's first job; nothing is submitted."""
    return job_plan(system, description, site).script(f"{site.pilot}-0")


def job_plan(system: BatchSystem, description: PilotDescription, site: Site) -> JobPlan:
    """What the jobs of a pilot are to be.

    Args:
        system: The batch system.
        description: The pilot, checked.
        site: The agent.
    """
    assert description.cores_per_node is not None
    assert description.memory_per_node_bytes is not None
    folder = _folder(description, site)
    walltime = description.walltime
    directives, lines = _lines(system, description)
    return JobPlan(
        system=system,
        prefix=f"pilot-{site.agent}",
        cores=description.cores_per_node,
        memory_bytes=description.memory_per_node_bytes,
        queue=description.queue,
        project=description.project,
        walltime_s=None if walltime is None else walltime_seconds(walltime),
        directives=directives,
        lines=lines,
        logs=folder / "logs",
        command=_command(description, site),
    )


def _lines(
    system: BatchSystem, description: PilotDescription
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The directives of a description, without their mark, and the lines that a shell runs."""
    directives: list[str] = []
    if description.gpus_per_node:
        directives.append(system.gpus.format(gpus=description.gpus_per_node))
    if description.qpu:
        directives = qpu_directives(description.qpu, directives)
    given = _given(description)
    for line in given:
        if _is_directive(system, line):
            directives.append(line.removeprefix(system.mark).strip())
    return tuple(directives), tuple(line for line in given if not _is_directive(system, line))


def _given(description: PilotDescription) -> list[str]:
    return [line for text in description.scheduler_script_commands for line in text.splitlines()]


def _is_directive(system: BatchSystem, line: str) -> bool:
    return bool(system.mark) and line.startswith(f"{system.mark} ")


def _check_lines(system: BatchSystem, description: PilotDescription) -> None:
    marks = {other.mark for other in SYSTEMS.values() if other.mark}
    for line in _given(description):
        if _is_directive(system, line):
            taken = description.gpus_per_node or description.qpu
            if taken and line.split()[1].startswith("--gres"):
                raise DescriptionError(
                    f"scheduler_script_commands: {line!r} would replace what gpus_per_node and "
                    "qpu ask for; say all of it in that line, or in the keys"
                )
        elif line.startswith(tuple(f"{mark} " for mark in marks)) or (
            not system.mark and line.startswith("#")
        ):
            wanted = f"its directives begin with {system.mark}" if system.mark else "it has none"
            raise DescriptionError(
                f"scheduler_script_commands: {line!r} is no directive of {system.scheme}, {wanted}"
            )


def _command(description: PilotDescription, site: Site) -> tuple[str, ...]:
    workers, each = _shares(description)
    words = [_PROCESS, site.scheduler, "--agent", site.agent]
    words += ["--interface", description.interface or "", "--credentials"]
    words += [str(_folder(description, site)), "--workers", str(workers)]
    if description.gpus_per_node:
        words += ["--gpus", str(description.gpus_per_node)]
    words += ["--cores", str(description.cores_per_worker), "--memory", str(each)]
    if description.walltime is not None:
        words += ["--walltime", str(walltime_seconds(description.walltime))]
    if description.working_directory is not None:
        words += ["--directory", str(_folder(description, site))]
    offered = offers(description, site.pilot, (), each)
    return (*words, "--offers", *(f"{name}={amount}" for name, amount in offered.items()))


def _shares(description: PilotDescription) -> tuple[int, int]:
    """How many workers a job brings up, and the memory of each."""
    cores, memory = description.cores_per_node, description.memory_per_node_bytes
    assert cores is not None
    assert memory is not None
    workers = cores // description.cores_per_worker + description.gpus_per_node
    return workers, memory // workers


def _folder(description: PilotDescription, site: Site) -> Path:
    """The folder that nodes see: the agent's, or one of its own in the working directory."""
    directory = description.working_directory
    return site.directory if directory is None else Path(directory, f"pilot-{site.agent}")


def _kind(system: BatchSystem) -> Kind:
    further = {"slurm": {"qpu"}}.get(system.scheme, set())
    unused = {"htcondor": {"queue", "walltime", "project"}}.get(system.scheme, set())
    return Kind(
        scheme=system.scheme,
        uses=(_USES | further) - unused,
        worker_specs=partial(worker_specs, system),
        check=partial(check, system),
        job_script=partial(job_script, system),
    )


KINDS = tuple(_kind(system) for system in SYSTEMS.values())
"""The kinds, one for each batch system."""
