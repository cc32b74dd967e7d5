"""Why a host could not be reached: what `ssh` and the other shell print, in words that help."""

import re
from dataclasses import dataclass

from pilot_kernel.resource.host.protocol import REFUSAL
from pilot_kernel.resource.reach.host_error import HostError
from pilot_kernel.resource.reach.ssh_target import SshTarget

__all__ = ["explain"]

_TOLD_LINES = 3
_OFFENDING = re.compile(r"Offending \w+ key in (\S+)")
_DULL = re.compile(r"^(Warning: Permanently added|\*\*|@|Pseudo-terminal|Last login)")


@dataclass(frozen=True)
class _Cause:
    """A kind of failure: by what it is known, what is said of it, and whether it will last."""

    sign: str
    words: str
    final: bool = False


_CAUSES = (
    _Cause(
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key is not the one that is known{place}: somebody may be in between, or it was "
        "set up anew. If you know why, remove the old key (ssh-keygen -R {host}) and connect once "
        "by hand",
        final=True,
    ),
    _Cause(
        "Host key verification failed",
        "its host key is not known here: connect once by hand (ssh {target}) and check it",
        final=True,
    ),
    _Cause(
        "Permission denied",
        "it refused your key: nothing can be typed here, so put a key that it knows into "
        "ssh-agent, or name it in ~/.ssh/config; ssh -o BatchMode=yes {target} must work",
        final=True,
    ),
    _Cause("Could not resolve hostname", "no host of that name is known"),
    _Cause("Too many authentication failures", "it refused all of the keys offered", final=True),
    _Cause("Connection refused", "no SSH server listens there"),
    _Cause("timed out", "it does not answer"),
    _Cause("No route to host", "there is no route to it"),
    _Cause("Network is unreachable", "its network cannot be reached"),
    _Cause("Connection closed by", "it closed the connection"),
    _Cause("Connection reset by", "it reset the connection"),
    _Cause("unusual file permissions", "ssh refuses to use a key that others can read", final=True),
)


def explain(target: SshTarget, output: list[str], errors: list[str]) -> HostError:
    """Why there is no supervisor on a host.

    Args:
        target: The host.
        output: The lines that came from there instead.
        errors: What `ssh` and the commands there have said.
    """
    for line in output:
        if line.startswith(REFUSAL):
            return _refusal(target, line[len(REFUSAL) :].strip())
    told = "\n".join(errors)
    said = [line.strip() for line in errors if line.strip() and not _DULL.match(line)]
    last = "; ".join(said[-_TOLD_LINES:])
    for cause in _CAUSES:
        if cause.sign in told:
            known = _OFFENDING.search(told)
            place = f" ({known[1]})" if known else ""
            words = cause.words.format(target=target, host=target.host, place=place)
            more = "" if cause.final and cause.sign != "Permission denied" else f" ({last})"
            return HostError(f"host {target}: {words}{more}", final=cause.final)
    return HostError(f"host {target}: the connection ended" + (f": {last}" if last else ""))


def _refusal(target: SshTarget, words: str) -> HostError:
    kind, _, more = words.partition(": ")
    if kind == "no Python":
        help_ = (
            f"host {target}: there is no Python ({more}). Name it in the URL, "
            "?python=/path/to/python, or load it with scheduler_script_commands"
        )
    else:
        help_ = (
            f"host {target}: its Python has no pilot_kernel; {more}. Install qdreamer-lab there, "
            "in the version that you have here, and name that Python: ?python=/path/to/python"
        )
    return HostError(help_, final=True)
