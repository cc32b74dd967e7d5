"""What a pilot's jobs are to be, and the script of each: dask-jobqueue writes it."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilot_kernel.resource.batch.systems import BatchSystem

__all__ = ["JobPlan"]

_SECTION = "pilot"
_NOT_FROM_SETTINGS = (
    *("cores", "memory", "processes", "python", "interface", "death-timeout", "local-directory"),
    *("extra", "worker-command", "shebang", "queue", "project", "account", "walltime", "env-extra"),
    *("resource-spec", "job-cpu", "job-mem", "job-extra", "log-directory", "ncpus", "mem", "name"),
    *("lsf-units", "use-stdin", "disk", "memory-per-core-property-name", "header-skip"),
)
_EMPTY = ("worker-extra-args", "job-script-prologue", "job-extra-directives", "job-directives-skip")
_SHELL = "#!/usr/bin/env bash"


@dataclass(frozen=True, kw_only=True)
class JobPlan:
    """The jobs of one pilot, all alike.

    Attributes:
        system: The batch system.
        prefix: What the names of its jobs begin with, unlike those of any other agent.
        cores: Cores of a job.
        memory_bytes: Memory of a job.
        queue: Queue or partition; the batch system's own choice when missing.
        project: Account to charge.
        walltime_s: Time limit of a job; the batch system's own when missing.
        directives: Further directives, without the mark: GPUs, say.
        lines: What the script runs before the workers.
        logs: The folder for what the jobs write.
        command: What the script runs; the job's own name in the cluster is added to it.
    """

    system: BatchSystem
    prefix: str
    cores: int
    memory_bytes: int
    queue: str | None = None
    project: str | None = None
    walltime_s: int | None = None
    directives: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    logs: Path
    command: tuple[str, ...]

    def job_name(self, start: str, nth: int = 1) -> str:
        """What the batch system calls the job that the cluster calls `start` for the nth time."""
        return f"{self.prefix}-{start}" + (f".{nth}" if nth > 1 else "")

    def log(self, start: str) -> Path:
        """The file that takes what a job writes."""
        return self.logs / f"{start}.log"

    def job(self, start: str, nth: int = 1) -> Any:
        """A job of dask-jobqueue, not submitted.

        Args:
            start: What the cluster calls it.
            nth: How many there have been of that name, with this one.

        Raises:
            DescriptionError: dask-jobqueue is not installed.
        """
        job_class = self.system.load()
        _ignore_settings()
        name = self.job_name(start, nth)
        command = shlex.join([sys.executable, "-m", *self.command, "--name", start])
        lines = ["umask 077", *self.lines]
        job = job_class(
            scheduler="",
            name=name,
            job_name=name,
            config_name=_SECTION,
            cores=self.cores,
            memory=f"{self.memory_bytes} B",
            processes=1,
            worker_command="",
            worker_extra_args=[],
            python=sys.executable,
            shebang=_SHELL,
            job_script_prologue=lines,
            job_extra_directives=self._directives(start),
            **self._keywords(),
        )
        # It is not Dask's own command line that brings the workers up.
        command = f"exec {command}"
        job._command_template = command if self.system.mark else "; ".join([*lines, command])
        return job

    def script(self, start: str) -> str:
        """The script of a job, exactly as it is submitted."""
        text: str = self.job(start).job_script()
        return text

    def _keywords(self) -> dict[str, Any]:
        further = dict(self.system.further)
        if self.system.scheme == "slurm":
            # In MiB: rounded up to GiB, it may be more than a node has.
            further["job_mem"] = f"{-(-self.memory_bytes // 2**20)}M"
        if self.system.scheme != "htcondor":
            seconds = self.walltime_s
            further["queue"] = self.queue
            further["walltime"] = None if seconds is None else self.system.clock(seconds)
        if self.system.account:
            further[self.system.account] = self.project
        return further

    def _directives(self, start: str) -> Any:
        log = shlex.quote(str(self.log(start)))
        lines = [line.format(log=log) for line in self.system.log]
        lines += self.directives
        if self.system.mark:
            return lines
        return dict(line.split(" = ", 1) for line in lines)


def _ignore_settings() -> None:
    """Have jobs be what the description says, whatever dask-jobqueue's own settings are."""
    import dask

    nothing = dict.fromkeys(_NOT_FROM_SETTINGS)
    empty: dict[str, Any] = {
        key: [] for key in (*_EMPTY, "submit-command-extra", "cancel-command-extra")
    }
    dask.config.set({f"jobqueue.{_SECTION}": {**nothing, **empty}})
