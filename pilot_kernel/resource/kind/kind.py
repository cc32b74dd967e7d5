"""What a kind of pilot says of itself: its URLs, which keys it uses, what its workers are."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.description import PilotDescription

__all__ = ["Kind", "Site", "WorkerSpec", "check", "offers"]

_ALWAYS = ("resource", "name", "tags")
"""Keys that every kind uses."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a kind of pilot must know of the agent that its workers work for.

    Attributes:
        agent: The agent's id, unlike that of any other.
        pilot: The pilot's name.
        security: TLS settings of connections; certificate and key are files of mode 0600.
        scheduler: The address at which the pilot's workers find the scheduler.
        host: The IP address on which workers on the agent's own machine listen.
        directory: The agent's folder, closed to other users: for logs, say.
    """

    agent: str
    pilot: str
    security: Any
    scheduler: str
    host: str
    directory: Path


@dataclass(frozen=True, kw_only=True)
class WorkerSpec:
    """What brings up a worker, or, as a batch job may, several at once.

    Attributes:
        cls: What `SpecCluster` calls with the scheduler's address and the options: a nanny, or a
            `ProcessInterface`. If it has an attribute `note`, that is a word on how it is doing.
        options: Its options; `name` is added. With several workers, `-0`, `-1` and so on are added
            to that name.
        offers: What a worker offers, as Dask's abstract resources.
        memory_bytes: Memory limit of a worker.
        cores: Cores of a worker.
        workers: How many workers it brings up.
        numbered: Whether a number is added to the name of a single worker, too. It is for what
            outlives its workers: Dask closes what has the name of a worker that stays away.
        gpu_workers: How many of them have a GPU, and offer it instead of their cores.
    """

    cls: Any
    options: Mapping[str, Any]
    offers: Mapping[str, float]
    memory_bytes: int
    cores: int = 1
    workers: int = 1
    numbered: bool = False
    gpu_workers: int = 0

    @property
    def lenders(self) -> int:
        """How many of its workers could lend each other their cores."""
        return self.workers - self.gpu_workers

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What is added to the name of the start, to name its workers."""
        if self.workers == 1 and not self.numbered:
            return ("",)
        return tuple(f"-{number}" for number in range(self.workers))


def offers(
    description: PilotDescription, pilot: str, kinds: tuple[str, ...], memory_bytes: int
) -> dict[str, float]:
    """What a worker offers: its kinds, its pilot, its tags and its sizes.

    Args:
        description: The pilot.
        pilot: Its name.
        kinds: What kinds of worker it is, such as `CPU`.
        memory_bytes: Its memory limit.
    """
    words = {*kinds, f"pilot:{pilot}", *(f"tag:{tag}" for tag in description.tags)}
    sizes = {"cores": description.cores_per_worker, "memory": memory_bytes}
    return {**dict.fromkeys(sorted(words), 1), **sizes}


def _nothing(description: PilotDescription) -> None:
    """There is nothing to check, or to tell."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of pilot. Its module has one of these, and `by_scheme.py` lists it.

    Attributes:
        scheme: What its URLs begin with, before `://`.
        uses: The keys of a description that it uses; others are refused. `resource` and `name`
            count for every kind.
        worker_specs: Describes its workers, given the description and the agent's site. It is
            called by the agent, in a thread, and may look at machines, which may take seconds.
        check: Raises a `DescriptionError` for what cannot be. It is called in the notebook's
            process, before the agent is asked, and makes nothing.
        device: The name of the quantum device behind a pilot, if it stands for one.
        job_script: The batch script of one of its jobs, if it has jobs; nothing is submitted.
    """

    scheme: str
    uses: frozenset[str]
    worker_specs: Callable[[PilotDescription, Site], list[WorkerSpec]]
    check: Callable[[PilotDescription], None] = _nothing
    device: Callable[[PilotDescription], str | None] = _nothing
    job_script: Callable[[PilotDescription, Site], str] | None = None


def check(kind: Kind, description: PilotDescription) -> None:
    """Refuse a description that this kind of pilot cannot make use of.

    Raises:
        DescriptionError: A value is impossible, or a key is of no use; the message names it.
    """
    kind.check(description)
    for field in dataclasses.fields(description):
        value = getattr(description, field.name)
        if field.name not in (*_ALWAYS, *kind.uses) and value != field.default:
            used = {*_ALWAYS, *kind.uses}
            known = [f.name for f in dataclasses.fields(description) if f.name in used]
            raise DescriptionError(
                f"{field.name}={value!r}: a {kind.scheme}:// pilot has no use for this key; leave "
                f"it out. It uses {', '.join(known)}"
            )
