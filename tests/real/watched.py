"""What a session looks like from outside: its processes, ports, files, and what they give away."""

import contextlib
import os
import stat
from pathlib import Path

import psutil

from pilot_kernel.resource import registry


def processes_of(session) -> list[psutil.Process]:
    """The session's agent and all that stems from it; batch jobs are not among them."""
    agent = psutil.Process(session._link.entry.pid)
    return [agent, *agent.children(recursive=True)]


def job_processes(conf: Path) -> list[psutil.Process]:
    """What the jobs of a SLURM cluster run, which is known by its configuration file."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            around = process.environ()
            if "SLURM_JOB_ID" in around and around.get("SLURM_CONF") == str(conf):
                found.append(process)
    return found


def listening(processes: list[psutil.Process]) -> list[tuple[str, int]]:
    """Host and port of every place where the processes listen."""
    found = set()
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            for line in process.net_connections("inet"):
                if line.status == psutil.CONN_LISTEN or (line.laddr and line.type == 2):
                    found.add(tuple(line.laddr))
    return sorted(found)


def nameless_sockets(processes: list[psutil.Process]) -> list[str]:
    """Sockets in Linux's abstract namespace, which has no permissions."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            lines = process.net_connections("unix")
            found += [line.laddr for line in lines if str(line.laddr).startswith(("@", "\0"))]
    return found


def files_of(session, *more: Path) -> list[str]:
    """Every file, folder and socket of a session: registry, scratch, semaphores, and more folders.

    Also the files that its processes have open, unless all the world may read them anyway because
    they are part of the system or of Python.
    """
    entry = session._link.entry
    folders = [registry.root(), Path(entry.scratch), *more]
    found = {str(path) for folder in folders for path in [folder, *folder.rglob("*")]}
    found |= {str(path) for path in Path("/dev/shm").glob(f"sem.pilot-{entry.id}-*")}
    for process in processes_of(session):
        with contextlib.suppress(psutil.NoSuchProcess):
            found |= {file.path for file in process.open_files() if _private(file.path)}
    return sorted(found)


def _private(path: str) -> bool:
    return path.startswith(("/tmp/", "/home/", "/root/", "/var/tmp/", "/dev/shm/")) and not (
        path.endswith((".py", ".pyc", ".so", ".json"))
    )


def secrets_of(directory: Path) -> list[str]:
    """Lines of a session's private key, as they would look wherever they might turn up."""
    text = (directory / "tls-key.pem").read_text()
    return [line for line in text.splitlines() if line and not line.startswith("-----")][1:-1]


def gives_away(text: str, secrets: list[str]) -> bool:
    """Whether a text has a line of the private key in it."""
    return "PRIVATE KEY" in text or any(line in text for line in secrets)


def words_of(processes: list[psutil.Process]) -> dict[str, str]:
    """Command lines and environments of processes, by what and whose they are."""
    found = {}
    for process in processes:
        with contextlib.suppress(psutil.Error):
            found[f"cmdline of {process.pid}"] = "\n".join(process.cmdline())
            around = process.environ()
            found[f"environment of {process.pid}"] = "\n".join(
                f"{key}={value}" for key, value in around.items()
            )
    return found


def open_to_others(paths: list[str]) -> list[str]:
    """Credentials among the paths whose mode lets anybody but their owner do something."""
    found = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            mode = os.lstat(path).st_mode
            if path.endswith((".pem", "agent.json")) and stat.S_IMODE(mode) & 0o077:
                found.append(f"{path}: {stat.filemode(mode)}")
    return found
