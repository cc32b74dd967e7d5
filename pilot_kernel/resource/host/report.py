"""What a host says of itself: its versions, its sizes, and whether workers may keep files there."""

import glob
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from pilot_kernel.resource import allowance, versions

__all__ = ["exposed", "hello", "loopback", "sizes", "unwritable"]


def loopback() -> str:
    """What is the same for two processes exactly if they share a loopback interface.

    A host may be known by several names, and several containers by one.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/net')}"
    except OSError:  # no Linux
        return socket.gethostname()


def hello() -> dict[str, Any]:
    """What a supervisor begins with; nothing heavy is imported for it."""
    return {
        "versions": versions.here(),
        "python": sys.executable,
        "loopback": loopback(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }


def sizes() -> dict[str, int]:
    """What this process may use: affinity and control groups included."""
    gpus = len(glob.glob("/dev/nvidia[0-9]*"))
    return {"cores": allowance.cores(), "memory_bytes": allowance.memory_bytes(), "gpus": gpus}


def unwritable(folder: str | None) -> str:
    """Why workers cannot keep files in a folder, which is made if need be; empty if they can."""
    place = os.path.expanduser(folder or tempfile.gettempdir())
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place):
            return ""
    except OSError as error:
        return f"{place}: {error.strerror or error}"


def exposed(port: int) -> bool:
    """Whether something listens on a port for more than this machine."""
    listening = [
        each.laddr
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr
    ]
    return any(
        each.port == port and not each.ip.startswith("127.") and each.ip != "::1"
        for each in listening
    )
