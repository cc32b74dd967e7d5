"""Other sessions of this user whose local pilots have workers on this machine, and what to say.

Each session has as many workers as the machine has cores, so that one that is alone at work has all
of them; the system has processes take turns when several are. Nothing is taken from anybody here.
"""

from collections.abc import Iterable, Sequence

from pilot_kernel.resource import allowance
from pilot_kernel.resource.registry import AgentEntry

__all__ = ["crowding", "neighbours"]

_MOST_NAMED = 3


def neighbours(entries: Iterable[AgentEntry], own: str) -> list[AgentEntry]:
    """The agents of this machine, but for that called `own`, whose workers have cores here."""
    return [
        each
        for each in entries
        if each.id != own and each.here and each.local_cores > 0 and each.alive()
    ]


def crowding(own_cores: int, others: Sequence[AgentEntry], cores: int | None = None) -> str:
    """What to say of a pilot that shares cores with other sessions; empty if there are enough.

    Args:
        own_cores: Cores that this session's workers have here.
        others: The other sessions that have some.
        cores: Cores of this machine; None for those that this process may use.
    """
    cores = allowance.cores() if cores is None else cores
    wanted = own_cores + sum(each.local_cores for each in others)
    if not own_cores or not others or wanted <= cores:
        return ""
    names = [each.name.rpartition("/")[2] or "a script" for each in others]
    more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    told = " and ".join(filter(None, [", ".join(names[:_MOST_NAMED]), *more]))
    these = "core" if cores == 1 else f"{cores} cores"
    return f"takes turns on this machine's {these} with {told}, while there is work there as well"
