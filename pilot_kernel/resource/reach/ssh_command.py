"""Command lines: of the system's `ssh`, and of the supervisor that it starts on the other host."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from pilot_kernel.resource.host.protocol import REFUSAL
from pilot_kernel.resource.reach.ssh_target import SshTarget

__all__ = ["Forward", "connect", "forward", "script"]

CONNECT_S = 10
_MODULE = "pilot_kernel.resource.host.process"
_USUAL = ("python3", "python")
_OPTIONS = {
    "BatchMode": "yes",  # it asks nothing: there is nobody to answer
    "ConnectTimeout": str(CONNECT_S),
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "2",
    "ControlPersist": "no",
    "ClearAllForwardings": "yes",  # those of the user's own settings
    "PermitLocalCommand": "no",
    "RemoteCommand": "none",
    "RequestTTY": "no",
    "EscapeChar": "none",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "GatewayPorts": "no",
    "LogLevel": "INFO",
}

Forward = tuple[str, int, int]
"""`L` or `R`, the port that listens, and the port that it leads to; both on loopback.

With `L` the agent's side listens, with `R` the other one, there on any port if it is 0.
"""


def connect(target: SshTarget, command: str, control: Path | None) -> list[str]:
    """The command line that opens a connection and runs `command` over it.

    Args:
        target: The host.
        command: What its shell runs.
        control: Where later command lines find the connection, if there will be any.
    """
    own = ["-o", "ControlPath=none"] if control is None else ["-M", "-S", str(control)]
    options = [word for key, value in _OPTIONS.items() for word in ("-o", f"{key}={value}")]
    return ["ssh", *own, *options, *target.words, command]


def forward(
    target: SshTarget, control: Path, forwards: Sequence[Forward], *, cancel: bool = False
) -> list[str]:
    """The command line that has an open connection forward ports, or stop doing so."""
    words = []
    for side, listening, to in forwards:
        words += [f"-{side}", f"127.0.0.1:{listening}:127.0.0.1:{to}"]
    task = "cancel" if cancel else "forward"
    # Of the user's settings none may add to what is forwarded here.
    return ["ssh", "-F", "none", "-S", str(control), "-O", task, *words, *target.words]


def script(python: str | None, lines: Sequence[str]) -> str:
    """What the other host's shell runs: set-up lines, then the supervisor.

    It takes the first Python that knows the supervisor: the one that is named, or else the one
    that this process runs with, if it is there, and those on the path.

    Args:
        python: The Python that the URL names.
        lines: Set-up lines; they run in a login shell, since such define what they use.
    """
    usual = (*_USUAL, sys.executable) if lines else (sys.executable, *_USUAL)
    tried = " ".join(shlex.quote(each) for each in ([python] if python else usual))
    body = "\n".join(
        [
            "umask 077",
            *(["{", *lines, "} </dev/null"] if lines else []),
            "found=",
            f"for each in {tried}; do",
            'command -v "$each" >/dev/null 2>&1 || continue',
            'found="$each"',
            f'"$each" -c "import {_MODULE}" </dev/null >/dev/null 2>&1 || continue',
            f'exec "$each" -m {_MODULE} --over-ssh',
            "done",
            'if [ -z "$found" ]; then',
            f"echo {shlex.quote(REFUSAL)}no Python: tried {tried}",
            "else",
            f'error=$("$found" -c "import {_MODULE}" 2>&1 </dev/null | tail -n 1)',
            'known=$("$found" -V 2>&1 </dev/null)',
            f'echo {shlex.quote(REFUSAL)}"no pilot_kernel: $found ($known) says: $error"',
            "fi",
            "exit 1",
        ]
    )
    quoted = shlex.quote(body)
    if not lines:
        return f"exec /bin/sh -c {quoted}"
    inner = (
        f"if command -v bash >/dev/null 2>&1; then exec bash -lc {quoted}; "
        f"else exec /bin/sh -lc {quoted}; fi"
    )
    return f"exec /bin/sh -c {shlex.quote(inner)}"
