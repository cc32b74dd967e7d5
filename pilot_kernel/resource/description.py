"""What a pilot is asked to be: a frozen description, checked on construction.

The keys are those that users of Pilot-Quantum know. Each kind of pilot says which of them it uses
(`kind/`), and refuses the others. Nothing here starts anything.
"""

import dataclasses
import difflib
import operator
import os
import re
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from pilot_kernel.errors import DescriptionError

__all__ = ["PilotDescription"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_RESERVED = frozenset({"cpu", "gpu", "qpu"})
_WALLTIME = re.compile(r"[1-9]\d{0,8}|(\d{1,3}-)?\d{1,4}:[0-5]\d(:[0-5]\d)?", re.ASCII)
_LEAST = {
    "number_of_nodes": 1,
    "cores_per_node": 1,
    "gpus_per_node": 0,
    "cores_per_worker": 1,
    "memory_per_node_bytes": 1_000_000,  # less is meant to be another unit
    "start_within_s": 1,
}
_GRANTED = frozenset({"cores_per_node", "memory_per_node_bytes", "start_within_s"})
"""Numbers that may be missing: then they are whatever the node grants, or without limit."""


@dataclass(frozen=True, kw_only=True)
class PilotDescription:
    """A request for workers on one kind of resource.

    Attributes:
        resource: URL of the resource; `local://` is this machine, `qpu://fake_manila?slots=2` a
            QPU with two jobs in flight.
        name: What `on=` calls the pilot; one is made up when it is missing.
        number_of_nodes: Nodes to hold.
        cores_per_node: Cores to hold on each node; all that the node grants when missing. Batch
            jobs have to say it.
        gpus_per_node: GPUs to hold on each node, one worker each.
        cores_per_worker: Cores that a task has which asks for none; a node has cores_per_node of
            them to deal out, so this sets how many such tasks run at once. A task that asks for
            more has those of several workers.
        memory_per_node_bytes: Memory to hold on each node; all that the node grants when missing.
            Batch jobs have to say it.
        queue: Batch queue or partition.
        walltime: Limit of the batch job, as "HH:MM:SS", "D-HH:MM:SS" or in minutes; "MM:SS" too.
        project: Account to charge.
        working_directory: Where workers keep their files. Batch jobs find credentials there and
            write their logs there, in a folder closed to others that goes with the session; without
            it, nodes have to see the home directory.
        scheduler_script_commands: Extra lines for the batch script; those that begin with the batch
            system's mark, such as `#SBATCH`, are directives, others run before the workers do.
        interface: The network interface through which this machine and the nodes reach each other,
            such as `ib0`; nothing listens there unless it is named here. Batch jobs have to say it.
        start_within_s: Seconds that a batch job may wait before it is reported; without limit when
            missing.
        qpu: QPUs to ask SLURM for: by name (`--qpu=`) where it has QRMI's plugin, which puts what
            tasks need to use them into their environment; counted (`--gres=qpu:N`) elsewhere.
        tags: Words of your own that its workers offer; a task may ask for them.

    Raises:
        DescriptionError: A value is impossible; the message names the key.
    """

    resource: str = "local://"
    name: str | None = None
    number_of_nodes: int = 1
    cores_per_node: int | None = None
    gpus_per_node: int = 0
    cores_per_worker: int = 1
    memory_per_node_bytes: int | None = None
    queue: str | None = None
    walltime: str | int | None = None
    project: str | None = None
    working_directory: str | None = None
    scheduler_script_commands: tuple[str, ...] = ()
    interface: str | None = None
    start_within_s: int | None = None
    qpu: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check every value, so that a wrong one is named before anything starts."""
        self._check_resource()
        self._check_name()
        for key, least in _LEAST.items():
            value = getattr(self, key)
            if value is not None or key not in _GRANTED:
                self._set(key, _whole(key, value, least))
        for key in ("queue", "project", "working_directory", "interface"):
            self._set(key, _text(key, getattr(self, key)))
        self._check_walltime()
        self._set("scheduler_script_commands", _lines(self.scheduler_script_commands))
        for key in ("qpu", "tags"):
            self._set(key, _names(key, getattr(self, key)))

    def _set(self, key: str, value: Any) -> None:
        object.__setattr__(self, key, value)

    def _check_resource(self) -> None:
        if not isinstance(self.resource, str) or "://" not in self.resource:
            raise DescriptionError(
                f"resource={self.resource!r} is not a URL; this machine, for one, is 'local://'"
            )
        try:
            urlsplit(self.resource)
        except ValueError as error:
            raise DescriptionError(f"resource={self.resource!r} is not a URL: {error}") from error

    def _check_walltime(self) -> None:
        value = self.walltime
        if value is None or (isinstance(value, str) and _WALLTIME.fullmatch(value)):
            return
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 10**9:
            raise DescriptionError(f"walltime={value!r}: 'HH:MM:SS', or a whole number of minutes")

    def _check_name(self) -> None:
        if self.name is None:
            return
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise DescriptionError(
                f"name={self.name!r}: a letter, then letters, digits, '.', '_' and '-'"
            )
        if self.name in _RESERVED:
            raise DescriptionError(
                f"name={self.name!r} is what on= calls a kind of worker; choose another"
            )

    @property
    def scheme(self) -> str:
        """The kind of resource: the part of the URL before `://`."""
        return urlsplit(self.resource).scheme

    @classmethod
    def coerce(cls, description: "PilotDescription | str | None", **changes: Any) -> Self:
        """Take a description, or a URL with further keys.

        Raises:
            DescriptionError: A key is unknown, or a value is impossible.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for key in changes:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                meant = f" (did you mean {near[0]!r}?)" if near else ""
                raise DescriptionError(
                    f"a pilot description has no key {key!r}{meant}; it has {', '.join(known)}"
                )
        if isinstance(description, cls):
            return dataclasses.replace(description, **changes)
        if description is not None:
            changes["resource"] = description
        return cls(**changes)


def _whole(key: str, value: Any, least: int) -> int:
    """A whole number, of Python's or NumPy's kind."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number < 2**63:
        raise DescriptionError(f"{key}={value!r}: a whole number of at least {least}")
    return number


def _text(key: str, value: Any) -> str | None:
    if isinstance(value, os.PathLike) and key == "working_directory":
        value = os.fspath(value)
    if value is None or (isinstance(value, str) and value.strip() and value.isprintable()):
        return value
    raise DescriptionError(f"{key}={value!r}: some text")


def _lines(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(line, str) for line in value):
        raise DescriptionError(
            f"scheduler_script_commands={value!r}: a list of lines, such as ['module load gcc']"
        )
    return tuple(value)


def _names(key: str, value: Any) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(
        isinstance(name, str) and _NAME.fullmatch(name) for name in names
    ):
        raise DescriptionError(
            f"{key}={value!r}: a list of names; each is a letter, then letters, digits, '.', '_' "
            "and '-'"
        )
    return tuple(dict.fromkeys(names))
