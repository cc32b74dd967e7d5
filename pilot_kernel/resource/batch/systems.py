"""The batch systems there are, as far as they differ: one line each, on top of dask-jobqueue."""

import importlib
import importlib.util
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pilot_kernel.errors import DescriptionError

__all__ = ["SYSTEMS", "BatchSystem", "walltime_seconds"]


@dataclass(frozen=True, kw_only=True)
class BatchSystem:
    """A batch system that dask-jobqueue knows.

    Attributes:
        scheme: What the URLs of its pilots begin with.
        job_class: The class of dask-jobqueue.
        submit: The program that submits a job.
        mark: What directives in a script begin with; empty if they are no comments.
        log: Directives for the file that takes what a job writes, `{log}`.
        account: What the class calls the account to charge; empty if there is none.
        gpus: The directive that asks for `{gpus}` GPUs; empty if every site has its own.
        clock: How it writes a time limit, given in seconds.
        further: More keywords for the class.
    """

    scheme: str
    job_class: str
    submit: str
    mark: str
    log: tuple[str, ...]
    account: str
    gpus: str = ""
    clock: Callable[[int], str]
    further: Mapping[str, Any] = field(default_factory=dict)

    def check_installed(self) -> None:
        """See that dask-jobqueue is there, without importing it.

        Raises:
            DescriptionError: It is not installed.
        """
        if importlib.util.find_spec("dask_jobqueue") is None:
            raise DescriptionError(
                f"{self.scheme}:// pilots need dask-jobqueue, which is not installed: "
                "pip install 'qdreamer-lab[hpc]'"
            )

    def load(self) -> Any:
        """The class of dask-jobqueue.

        Raises:
            DescriptionError: dask-jobqueue is not installed.
        """
        self.check_installed()
        # As a whole and first: another thread may be importing it just now.
        importlib.import_module("distributed")
        return getattr(importlib.import_module(f"dask_jobqueue.{self.scheme}"), self.job_class)


def walltime_seconds(walltime: str | int) -> int:
    """A time limit as descriptions give it, in seconds.

    Minutes, `MM:SS`, `HH:MM:SS`, `D-HH:MM` or `D-HH:MM:SS`, as SLURM reads them.
    """
    if isinstance(walltime, int) or ":" not in walltime:
        return 60 * int(walltime)
    days, dash, rest = walltime.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if len(parts) == 2:
        parts = [*parts, 0] if dash else [0, *parts]
    hours, minutes, seconds = parts
    return int(days or 0) * 86400 + hours * 3600 + minutes * 60 + seconds


def _hours_minutes_seconds(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _hours_minutes(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


_TORQUE = ("-j oe", "-o {log}")

SYSTEMS = {
    system.scheme: system
    for system in (
        BatchSystem(
            scheme="slurm",
            job_class="SLURMJob",
            submit="sbatch",
            mark="#SBATCH",
            log=("-o {log}", "--open-mode=append"),
            account="account",
            # Not --gpus-per-node: that needs the plugin cons_tres, and --gres works everywhere.
            gpus="--gres=gpu:{gpus}",
            clock=_hours_minutes_seconds,
        ),
        BatchSystem(
            scheme="pbs",
            job_class="PBSJob",
            submit="qsub",
            mark="#PBS",
            log=_TORQUE,
            account="account",
            clock=_hours_minutes_seconds,
        ),
        BatchSystem(
            scheme="moab",
            job_class="MoabJob",
            submit="msub",
            mark="#PBS",
            log=_TORQUE,
            account="account",
            clock=_hours_minutes_seconds,
        ),
        BatchSystem(
            scheme="sge",
            job_class="SGEJob",
            submit="qsub",
            mark="#$",
            log=("-o {log}",),
            account="project",
            clock=_hours_minutes_seconds,
        ),
        BatchSystem(
            scheme="lsf",
            job_class="LSFJob",
            submit="bsub",
            mark="#BSUB",
            log=("-o {log}",),
            account="project",
            gpus='-gpu "num={gpus}"',
            clock=_hours_minutes,
            further={"use_stdin": True},
        ),
        BatchSystem(
            scheme="oar",
            job_class="OARJob",
            submit="oarsub",
            mark="#OAR",
            log=("-O {log}", "-E {log}"),
            account="project",
            clock=_hours_minutes_seconds,
            further={"memory_per_core_property_name": "not_applicable"},
        ),
        BatchSystem(
            scheme="htcondor",
            job_class="HTCondorJob",
            submit="condor_submit",
            mark="",
            log=("Output = {log}", "Error = {log}"),
            account="",
            gpus="request_gpus = {gpus}",
            clock=_hours_minutes_seconds,
            further={"disk": "1GB"},
        ),
    )
}
"""The batch systems, by the schemes of their URLs."""
