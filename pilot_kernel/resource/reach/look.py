"""A first look at hosts, before a pilot is promised: can they be used, and how large are they?"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.reach.host_error import HostError
from pilot_kernel.resource.reach.ssh_line import SshLine
from pilot_kernel.resource.reach.ssh_target import SshTarget

__all__ = ["HostSizes", "look"]

_AT_ONCE = 16
_ENDING_S = 3.0


@dataclass(frozen=True)
class HostSizes:
    """What a host has.

    Attributes:
        cores: Cores that may be used there.
        memory_bytes: Memory that may be used there.
        gpus: GPUs.
    """

    cores: int
    memory_bytes: int
    gpus: int


def look(
    hosts: Sequence[SshTarget], command: str, working_directory: str | None
) -> list[HostSizes]:
    """Connect to all hosts at once, start the supervisor on each, and ask it.

    It blocks, for seconds if a host does not answer.

    Args:
        hosts: The hosts.
        command: What starts a supervisor.
        working_directory: Where workers are to keep files.

    Raises:
        DescriptionError: A host cannot be used; the message says why, for each.
    """
    return asyncio.run(_look(hosts, command, working_directory))


async def _look(
    hosts: Sequence[SshTarget], command: str, working_directory: str | None
) -> list[HostSizes]:
    few = asyncio.Semaphore(_AT_ONCE)

    async def one(host: SshTarget) -> HostSizes:
        async with few:
            return await _look_at(host, command, working_directory)

    found = await asyncio.gather(*map(one, hosts), return_exceptions=True)
    wrong = [each for each in found if isinstance(each, BaseException)]
    for error in wrong:
        if not isinstance(error, HostError):
            raise error
    if wrong:
        raise DescriptionError("\n".join(str(error) for error in wrong))
    return [each for each in found if isinstance(each, HostSizes)]


async def _look_at(host: SshTarget, command: str, working_directory: str | None) -> HostSizes:
    line = SshLine(host)
    try:
        await line.open(command)
        seen = await line.ask("looked", "unwritable", look=working_directory)
    finally:
        await line.close(_ENDING_S)
    if "unwritable" in seen:
        raise HostError(
            f"working_directory: workers cannot keep files on host {host}, {seen['unwritable']}"
        )
    return HostSizes(**seen["looked"])
