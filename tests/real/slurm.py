"""A private SLURM cluster on this machine, for tests: real daemons, several virtual nodes.

    with slurm_cluster(nodes=4) as slurm:  # or the fixture `slurm` of tests/real/conftest.py
        session.add_pilot("slurm://", interface="lo", queue="debug", walltime="10", ...)
        slurm.jobs()  # [Job(id="1", name="...", state="RUNNING", ...)]
        slurm.set_node("n1", "DOWN")  # its job is requeued within a second
        slurm.set_node("n1", "RESUME")

Everything lies in a folder of its own and listens on free ports, so several clusters can run at
once, beside one that the system may have. While one is open, SLURM_CONF in the environment points
to it, so that `sbatch` and the processes started meanwhile find it. `missing()` says what has to be
installed. It needs root. Partitions: `debug` (the default), `short` (jobs end after a minute at
most), `closed` (jobs wait for ever, with a reason). A requeued job may start again after some
seconds (SLURM's own default is two minutes).
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from pilot_kernel.resource.reach.switchboard import free_ports
from tests.conftest import wait_until

__all__ = ["Job", "Slurm", "missing", "slurm_cluster"]

_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
_PACKAGES = "apt-get install munge slurmctld slurmd slurm-client"
_SBIN = ":/usr/sbin:/sbin"  # daemons are not on everybody's PATH
_CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=1
SlurmdParameters=config_overrides
GresTypes=gpu,qpu
MailProg=/bin/true
MpiDefault=none
ReturnToService=1
SlurmdTimeout=10
KillWait=30
MinJobAge=60
StateSaveLocation={folder}
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
PartitionName=debug Nodes=ALL Default=YES State=UP DefMemPerCPU=500
PartitionName=short Nodes=ALL State=UP DefMemPerCPU=500 MaxTime=1
PartitionName=closed Nodes=ALL State=DOWN DefMemPerCPU=500
"""
_NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} "
    "RealMemory={memory} Gres=gpu:{gpus},qpu:{gpus}\n"
)
_GONE = frozenset({"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL"})
_SHUT = frozenset({*_GONE, "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT", "REVOKED", "SPECIAL_EXIT"})


def missing() -> str | None:
    """Why there can be no SLURM here; None if there can."""
    absent = [name for name in _PROGRAMS if _which(name) is None]
    if absent:
        return f"SLURM is not installed ({', '.join(absent)}): {_PACKAGES}"
    if os.geteuid() != 0:
        return "SLURM's daemons need root here"
    return None


def _which(program: str) -> str | None:
    return shutil.which(program, path=os.environ.get("PATH", os.defpath) + _SBIN)


@dataclass(frozen=True)
class Job:
    """A batch job as `squeue` tells of it."""

    id: str
    name: str
    state: str
    reason: str
    node: str

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in _SHUT


@dataclass
class Slurm:
    """A running cluster.

    Attributes:
        folder: Where its files lie, readable by everyone, since SLURM is for everyone.
        nodes: Names of its nodes.
    """

    folder: Path
    nodes: tuple[str, ...]
    daemons: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def conf(self) -> Path:
        """What SLURM_CONF has to be."""
        return self.folder / "slurm.conf"

    def jobs(self, *, over: bool = False) -> list[Job]:
        """The jobs that wait or run (those that are completing count), and those that are over."""
        lines = self.call("squeue", "-h", "-a", "-t", "all", "-o", "%i|%j|%T|%r|%N").splitlines()
        found = [Job(*line.split("|")) for line in lines]
        return [job for job in found if over or not job.over]

    def refusals(self, partition: str) -> int:
        """How many jobs the controller has refused because it has no such partition."""
        log = (self.folder / "slurmctld.log").read_text()
        return log.count(f"invalid partition specified: {partition}")

    def set_node(self, node: str, state: str) -> None:
        """Set a node DOWN, DRAIN or RESUME."""
        self.call("scontrol", "update", f"NodeName={node}", f"State={state}", "Reason=test")

    def node_states(self) -> dict[str, str]:
        """The state of every node, such as `idle`."""
        lines = self.call("sinfo", "-h", "-N", "-p", "debug", "-o", "%N %T").splitlines()
        return dict(line.split() for line in lines)

    def start_controller(self) -> None:
        """Start the controller; it answers a moment later."""
        self._start("slurmctld", "slurmctld", "-D", "-f", str(self.conf))

    def stop_controller(self) -> None:
        """End the controller; jobs go on, and nobody answers."""
        daemon = self.daemons.pop("slurmctld")
        daemon.terminate()
        daemon.wait()

    def start_node(self, node: str) -> None:
        """Start a node's daemon (`kill_node` has ended it, say)."""
        self._start(node, "slurmd", "-D", "-N", node, "-f", str(self.conf))

    def kill_node(self, node: str) -> None:
        """Kill a node's daemon and all that runs there, as a power cut would."""
        daemon = self.daemons.pop(node)
        daemon.kill()
        daemon.wait()
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                if _environment(process).get("SLURMD_NODENAME") == node:
                    process.kill()

    def call(self, program: str, *arguments: str) -> str:
        """What one of SLURM's programs writes; it has to succeed."""
        done = subprocess.run(
            [program, *arguments],
            env={**os.environ, "SLURM_CONF": str(self.conf)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program} {arguments}: {done.stderr}"
        return done.stdout

    def _start(self, name: str, program: str, *arguments: str) -> None:
        path = _which(program)
        assert path is not None
        with (self.folder / f"{name}.out").open("ab") as out:
            self.daemons[name] = subprocess.Popen(
                [path, *arguments],
                env={**os.environ, "SLURM_CONF": str(self.conf)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.folder,
                start_new_session=True,
            )

    def _processes(self) -> Iterator[psutil.Process]:
        """What the cluster's jobs run, and the daemons that watch over jobs."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                job = "SLURM_JOB_ID" in (environment := _environment(process))
                step = process.name().startswith("slurmstepd")
                if (job or step) and environment.get("SLURM_CONF") == str(self.conf):
                    yield process

    def _open(self, host: str, cpus: int, memory_mb: int, gpus: int) -> None:
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(128))
        # Not of those that the system gives to others, for the daemons come up one by one.
        ports = free_ports(len(self.nodes) + 1, ())
        lines = [
            _NODE.format(name=name, host=host, port=port, cpus=cpus, memory=memory_mb, gpus=gpus)
            for name, port in zip(self.nodes, ports[1:], strict=True)
        ]
        conf = "".join([*lines, _CONF.format(host=host, port=ports[0], folder=self.folder)])
        self.conf.write_text(conf if gpus else conf.replace("Gres=gpu:0,qpu:0", ""))
        files = [self.folder / f"{kind}{at}" for kind in ("gpu", "qpu") for at in range(gpus)]
        for path in files:
            os.mknod(path, 0o666 | 0o020000, os.makedev(1, 3))
        gres = "".join(f"Name={path.name[:3]} File={path}\n" for path in files)
        (self.folder / "gres.conf").write_text(gres)
        # Steps of different clusters have the same numbers, and may be killed before they clear up.
        (self.folder / "mpi.conf").write_text(f"PMIxCliTmpDirBase={self.folder}\n")

        here = ("--key-file", str(key), "--socket", str(self.folder / "munge.socket"))
        others = [f"--{what}-file={self.folder}/munge.{what}" for what in ("pid", "seed", "log")]
        self._start("munged", "munged", "--foreground", "--force", *here, *others)
        wait_until((self.folder / "munge.socket").exists)
        self.start_controller()
        for node in self.nodes:
            self.start_node(node)
        wait_until(self._idle, timeout_s=60)

    def _idle(self) -> bool:
        dead = [name for name, daemon in self.daemons.items() if daemon.poll() is not None]
        told = {name: (self.folder / f"{name}.out").read_text()[-2000:] for name in dead}
        assert not dead, f"SLURM did not start: {told}"
        try:
            return set(self.node_states().values()) == {"idle"}
        except AssertionError:  # the controller does not answer yet
            return False

    def _close(self) -> None:
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        for daemon in reversed(self.daemons.values()):
            daemon.send_signal(signal.SIGTERM)
        for daemon in self.daemons.values():
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                process.kill()


def _environment(process: psutil.Process) -> dict[str, str]:
    """A process's environment, also of one that has written its title over the beginning of it."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        pairs = (os.fsdecode(line).partition("=") for line in lines)
        return {name: value for name, is_one, value in pairs if is_one}
    return {}


@contextlib.contextmanager
def slurm_cluster(
    nodes: int = 4, *, cpus: int = 4, memory_mb: int = 4000, gpus: int = 0
) -> Iterator[Slurm]:
    """Run a cluster, and point SLURM_CONF of this process to it.

    Args:
        nodes: How many nodes: n1, n2 and so on.
        cpus: Cores that each node says it has.
        memory_mb: Memory that each node says it has.
        gpus: GPUs and QPUs that each node says it has; the devices are fake.
    """
    folder = Path(tempfile.mkdtemp(prefix="slurm-test-"))
    folder.chmod(0o755)
    slurm = Slurm(folder, tuple(f"n{number}" for number in range(1, nodes + 1)))
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(slurm.conf)
    try:
        slurm._open(socket.gethostname().partition(".")[0], cpus, memory_mb, gpus)
        yield slurm
    finally:
        slurm._close()
        if before is None:
            del os.environ["SLURM_CONF"]
        else:
            os.environ["SLURM_CONF"] = before
        shutil.rmtree(folder, ignore_errors=True)
