"""Running a batch system's own programs, so that what they say reaches the user."""

import asyncio
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

__all__ = ["CommandError", "environment", "run"]

_PATIENCE_S = 60.0
_GRACE_S = 1.0
_AT_ONCE = 16
_OURS = ("PILOT_RESULTS", "PILOT_NURSERY")  # they mean something on the agent's machine only
_KEPT = ("SLURM_CONF",)


_threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="batch-command")


class CommandError(Exception):
    """A program of the batch system failed; the text is what it said."""


def environment() -> dict[str, str]:
    """The environment in which jobs are submitted.

    A job inherits it. If the agent itself runs in a job, what the batch system told that one
    (`SLURM_MEM_PER_NODE`, say) would contradict what the new one asks for.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _OURS and (not name.startswith("SLURM_") or name in _KEPT)
    }


async def run(command: Sequence[str], *, shell: bool = False) -> str:
    """What a program writes.

    Args:
        command: The program and its arguments.
        shell: Whether that is a line for a shell.

    Raises:
        CommandError: It failed, does not end, or is not there.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 what the user's own batch system calls for
            ["/bin/sh", "-c", *command] if shell else list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            umask=0o077,
        )
    except OSError as error:
        raise CommandError(f"{command[0]}: {error.strerror}") from error
    # Not asyncio's own subprocesses: in Python 3.11 one that is cancelled as it begins never ends.
    told = asyncio.get_running_loop().run_in_executor(_threads, process.communicate)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            out, err = await asyncio.shield(told)
    except BaseException as error:
        process.kill()
        await asyncio.wait({told}, timeout=_GRACE_S)  # what it has started may live on
        if isinstance(error, TimeoutError):
            raise CommandError(f"{command[0]} does not answer") from None
        raise
    if process.returncode != 0:
        words = (err or out).decode(errors="replace").strip()
        raise CommandError(words or f"{command[0]} ended with status {process.returncode}")
    return out.decode(errors="replace")
