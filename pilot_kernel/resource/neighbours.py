"""Other sessions of this user on this machine: what they have of it, what is left, what to say.

Each session has as many workers as the machine has cores, so that one that is alone at work has all
of them; the system has processes take turns when several are. Memory cannot take turns. So each
session is promised a fair share of it: plans and predictions count on that much, and whoever has
more is ended first where the machine runs short. Nothing is taken from anybody before.
"""

import time
from collections.abc import Container, Iterable, Sequence

from pilot_kernel.resource import allowance, registry
from pilot_kernel.resource.registry import AgentEntry

__all__ = ["MEMORY_SHARE", "attached", "crowding", "fair_share", "neighbours", "share_here"]

MEMORY_SHARE = "pilot-memory-share"
"""What the agent tells a worker under this name: the memory that is promised to its tasks.

Notebooks hear of it as a topic of the same name.
"""

_MOST_NAMED = 3
_LEAST_PART = 4
_FRESH_S = 2.0  # as often as agents look around

_attached: set[str] = set()
_seen = (-_FRESH_S, 1.0)  # when this process has looked around, and its share then


def neighbours(entries: Iterable[AgentEntry], own: Container[str]) -> list[AgentEntry]:
    """The agents of this machine whose workers have cores here, but for those with `own` ids."""
    return [
        each
        for each in entries
        if each.id not in own and each.here and each.local_cores > 0 and each.alive()
    ]


def fair_share(others: Sequence[AgentEntry], total_bytes: int | None = None) -> float:
    """What part of this machine's memory a session may count on; 1 if it is alone.

    What others were given by their descriptions (`memory_per_node_bytes`) is theirs. The rest is
    shared equally by all that take what there is. However little is left, a session may count on a
    quarter of an equal share, or it could do nothing at all.

    Args:
        others: The other sessions that have workers here.
        total_bytes: Memory of this machine; None for what this process may use.
    """
    total = allowance.memory_bytes() if total_bytes is None else total_bytes
    given = [each.local_memory_bytes for each in others if each.local_memory_bytes is not None]
    left = (1 - sum(given) / total) / (1 + len(others) - len(given))
    return max(left, 1 / (_LEAST_PART * (1 + len(others)))) if others else 1.0


def attached(agent: str) -> None:
    """Note that an agent works for this process, and is no neighbour of it."""
    global _seen
    _attached.add(agent)
    _seen = (-_FRESH_S, 1.0)


def share_here() -> float:
    """What part of this machine's memory this process and its sessions may count on.

    The registry is read every two seconds at most.
    """
    global _seen
    now = time.monotonic()
    if now - _seen[0] > _FRESH_S:
        _seen = now, fair_share(neighbours(registry.entries(), _attached))
    return _seen[1]


def crowding(
    own_cores: int,
    others: Sequence[AgentEntry],
    cores: int | None = None,
    promised_bytes: int | None = None,
) -> str:
    """What to say of a pilot that shares this machine with other sessions; empty if it does not.

    Args:
        own_cores: Cores that this session's workers have here.
        others: The other sessions that have some.
        cores: Cores of this machine; None for those that this process may use.
        promised_bytes: What its tasks may count on together, if that is a share of the memory.
    """
    if not own_cores or not others:
        return ""
    cores = allowance.cores() if cores is None else cores
    names = [each.name.rpartition("/")[2] or "a script" for each in others]
    more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    told = " and ".join(filter(None, [", ".join(names[:_MOST_NAMED]), *more]))
    these = "core" if cores == 1 else f"{cores} cores"
    said = []
    if own_cores + sum(each.local_cores for each in others) > cores:
        said.append(
            f"takes turns on this machine's {these} with {told}, while there is work there as well"
        )
    if promised_bytes is not None:
        what = "memory" if said else f"this machine's memory with {told}"
        said.append(f"shares {what}: its tasks may count on {promised_bytes / 1e9:.3g} GB")
    return "; ".join(said)
