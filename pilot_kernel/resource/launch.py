"""Start an agent, from the side of the notebook, and wait until it can be reached."""

import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

from pilot_kernel.errors import AgentStartError
from pilot_kernel.resource import registry

__all__ = ["start", "wait"]

_PATIENCE_S = 60.0
_POLL_S = 0.01


def start(name: str, idle_timeout_s: float) -> tuple[Path, "subprocess.Popen[bytes]"]:
    """Start an agent process of its own session, so that it survives the kernel.

    Args:
        name: What a restarted kernel will look for; empty for a script.
        idle_timeout_s: How long the agent stays without a client and without work.

    Returns:
        The agent's folder and its process; `wait` tells when it is ready.
    """
    registry.prune()
    directory = registry.create_directory(f"agent-{secrets.token_hex(4)}")
    command = [
        *(sys.executable, "-m", "pilot_kernel.resource.agent"),
        *("--directory", str(directory), "--name", name),
        *("--idle-timeout-s", str(idle_timeout_s)),
    ]
    with (directory / "agent.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 our own module, our own interpreter
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return directory, process


def wait(directory: Path, process: "subprocess.Popen[bytes]") -> registry.AgentEntry:
    """Wait until the agent has published itself.

    Raises:
        AgentStartError: It ended, or took over a minute; the message carries the end of its log.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while (entry := registry.read(directory)) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            log = directory / "agent.log"
            tail = log.read_text()[-2000:] if log.exists() else "(no log)"
            shutil.rmtree(directory, ignore_errors=True)
            raise AgentStartError(f"the pilot's agent did not start; the end of its log:\n{tail}")
        time.sleep(_POLL_S)
    return entry
