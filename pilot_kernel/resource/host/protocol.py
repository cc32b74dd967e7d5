"""What an agent and the supervisor on another host say to each other: JSON, one line each.

The supervisor's lines begin with a mark, because set-up lines and login scripts print there too.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

__all__ = ["BEAT_S", "MARK", "REFUSAL", "SILENCE_S", "Order", "WorkerOrder", "read", "say", "tell"]

MARK = "pilot-host "
"""What the supervisor's lines begin with."""

REFUSAL = "pilot-host! "
"""What the line begins with that says why there is no supervisor."""

BEAT_S = 2.0
"""How often the agent calls, and the supervisor answers."""

SILENCE_S = 15.0
"""After so long without a call the supervisor ends everything."""


@dataclass(frozen=True, kw_only=True)
class WorkerOrder:
    """One worker to bring up.

    Attributes:
        name: Its name.
        resources: What it offers.
        memory_bytes: Its memory limit.
        port: On which port it listens; any when 0.
        env: Environment variables of its own.
    """

    name: str
    resources: Mapping[str, float]
    memory_bytes: int
    port: int = 0
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a supervisor is to bring up. It holds a key: it is never written to a log.

    Attributes:
        scheduler: Where workers find the scheduler, on that host.
        address: The IP address on which workers listen there.
        certificate: The session's certificate, as PEM.
        key: Its key, as PEM.
        working_directory: Where workers keep files; a folder of the supervisor's if None.
        workers: The workers.
    """

    scheduler: str
    address: str
    certificate: str = field(repr=False)
    key: str = field(repr=False)
    workers: tuple[WorkerOrder, ...]
    working_directory: str | None = None

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From plain data."""
        workers = tuple(WorkerOrder(**each) for each in told["workers"])
        return cls(**{**told, "workers": workers})


def tell(**what: Any) -> bytes:
    """A line to a supervisor."""
    return json.dumps(what).encode() + b"\n"


def say(**what: Any) -> str:
    """A line from a supervisor."""
    return MARK + json.dumps(what) + "\n"


def read(line: str) -> dict[str, Any] | None:
    """What a supervisor says with a line; None if it is not the supervisor who speaks."""
    if not line.startswith(MARK):
        return None
    try:
        said = json.loads(line[len(MARK) :])
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
