"""Where a task may run: from what it needs to what a worker must offer."""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pilot_kernel.errors import PlacementError
from pilot_kernel.resource.pilot import PilotState, PilotStatus

__all__ = ["NO_NEEDS", "Needs", "candidates", "on_gpu", "requirement"]

_KINDS = {"cpu": "CPU", "gpu": "GPU", "qpu": "QPU"}


@dataclass(frozen=True)
class Needs:
    """What a task needs of its worker, besides what `on=` says.

    A worker runs one task at a time, so sizes are about the worker as a whole. Where workers are
    smaller, a task that wants more cores has those of several on one node, and their memory.

    Attributes:
        cores: Cores that it has at least, with those that it may borrow.
        memory_bytes: Memory that it may use at least.
        gpus: GPUs that it has: none, or one.
        tags: Words that its pilot was given, all of them.
        timeout_s: Seconds that it may run, which its worker's job must have.

    Raises:
        PlacementError: One of them is impossible; the message names it.
    """

    cores: int | None = None
    memory_bytes: int | None = None
    gpus: int | None = None
    tags: Sequence[str] = ()
    timeout_s: float | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        for key, least in (("cores", 1), ("memory_bytes", 1), ("gpus", 0)):
            value = getattr(self, key)
            if value is not None:
                object.__setattr__(self, key, _whole(key, value, least))
        if self.gpus is not None and self.gpus > 1:
            raise PlacementError(
                f"gpus={self.gpus}: a worker has one GPU, so a task can have one; submit a task "
                "for each GPU"
            )
        tags = (self.tags,) if isinstance(self.tags, str) else self.tags
        if not isinstance(tags, (list, tuple)) or not all(
            isinstance(tag, str) and tag for tag in tags
        ):
            raise PlacementError(f"tags={self.tags!r}: a list of words")
        object.__setattr__(self, "tags", tuple(dict.fromkeys(tags)))

    def of_pilot(self, pilot: PilotStatus) -> bool:
        """Whether a pilot has workers, or will have, with all of it."""
        cores = self.cores or 0
        alone = cores <= pilot.cores_per_worker
        span = 1 if alone else -(-cores // pilot.cores_per_worker)
        return (
            (alone or (cores <= pilot.most_cores and not self.gpus))
            and (self.memory_bytes or 0) <= span * _most_memory(pilot)
            and (not self.gpus or "GPU" in pilot.offers)
            and set(self.tags) <= set(pilot.tags)
            and (self.timeout_s or 0) <= (pilot.walltime_s or math.inf)
        )

    def of_worker(self, pilot: PilotStatus) -> bool:
        """Whether each worker of a pilot has all of it by itself."""
        return self.of_pilot(replace(pilot, most_cores=0))

    def __str__(self) -> str:
        words = [f"{key}={value!r}" for key, value in vars(self).items() if value]
        return ", ".join(words)


NO_NEEDS = Needs()


def candidates(
    on: str | None, pilots: Sequence[PilotStatus], needs: Needs = NO_NEEDS
) -> list[PilotStatus]:
    """The pilots that could run a task.

    Args:
        on: A kind of worker (`cpu`, `gpu`, `qpu`), a pilot's name, or None for `cpu`.
        pilots: The session's pilots.
        needs: What the task needs besides.

    Raises:
        PlacementError: There is none; the message says what there is.
    """
    wanted = _wanted(on, needs)
    kind = _KINDS.get(wanted.lower())
    if needs.gpus and kind not in (None, "GPU"):
        raise PlacementError(
            f"on={on!r}, gpus={needs.gpus}: a {wanted.lower()} worker has no GPU; say on='gpu'"
        )
    usable = [p for p in pilots if p.state is not PilotState.FAILED and not p.draining]
    found = [p for p in usable if (kind in p.offers if kind else p.name == wanted)]
    if kind in ("GPU", "QPU"):  # those are not lent
        found = [replace(p, most_cores=0) for p in found]
    if fitting := [p for p in found if needs.of_pilot(p)]:
        return fitting
    if found:
        raise PlacementError(_too_much(needs, on, found))
    there = [*sorted({offer.lower() for p in usable for offer in p.offers})]
    there += [f"{p.name} ({p.resource}, {_standing(p)})" for p in pilots]
    hints = {
        "CPU": "; add one: session.add_pilot('local://')",
        "QPU": "; add one: session.add_pilot('qpu://fake_manila')",
        "GPU": "; add one: session.add_pilot('local://', gpus_per_node=1), where there is a GPU",
    }
    hint = hints.get(kind or "", "")
    what = f"on={wanted!r}" if on or not needs.gpus else f"gpus={needs.gpus}"
    raise PlacementError(f"{what} names nothing here; there is: {', '.join(there)}{hint}")


def _wanted(on: str | None, needs: Needs) -> str:
    if on is not None and not isinstance(on, str):
        raise PlacementError(
            f"on={on!r}: a kind of worker ('cpu', 'gpu', 'qpu'), or one pilot's name"
        )
    return on or ("gpu" if needs.gpus else "cpu")


def _too_much(needs: Needs, on: str | None, pilots: Sequence[PilotStatus]) -> str:
    """What is wrong with needs that no pilot meets: what the largest offers are."""
    where = f"on={on!r}, " if on else ""
    cores = max(p.cores_per_worker for p in pilots)
    memory = max(map(_most_memory, pilots))
    facts = [f"a worker has at most {cores} core{'' if cores == 1 else 's'}"]
    together = max(p.most_cores for p in pilots)
    facts += [f"({together} together on a node)"] if together > cores else []
    facts.append(f"and {memory:,} bytes of memory ({memory / 1e9:.3g} GB)")
    if (needs.memory_bytes or 0) > memory and (
        notes := dict.fromkeys(p.note for p in pilots if p.note)
    ):
        facts.append(f"({'; '.join(notes)})")  # with whom it is shared, say
    if needs.gpus:
        facts.append("and " + ("a GPU" if any("GPU" in p.offers for p in pilots) else "no GPU"))
    if needs.tags:
        known = sorted({tag for p in pilots for tag in p.tags})
        facts.append(f"and tags are: {', '.join(known) or 'none'}")
    if needs.timeout_s:
        limits = [p.walltime_s for p in pilots if p.walltime_s is not None]
        facts += [f"and its job ends after {max(limits):,} s at most"] if limits else []
    return (
        f"{where}{needs}: no pilot's workers have that; {' '.join(facts)}. Ask for less, or add a "
        "pilot with larger workers (cores_per_worker=, memory_per_node_bytes=, tags=)"
    )


def _most_memory(pilot: PilotStatus) -> int:
    return max(pilot.memory_per_worker_bytes, pilot.largest_worker_bytes)


def _standing(pilot: PilotStatus) -> str:
    return "draining" if pilot.draining else str(pilot.state)


def requirement(on: str | None, needs: Needs = NO_NEEDS) -> dict[str, int]:
    """What a worker must offer, as Dask's abstract resources."""
    wanted = _wanted(on, needs)
    kind = _KINDS.get(wanted.lower())
    sizes = {"cores": needs.cores, "memory": needs.memory_bytes}
    return {
        **({kind: 1} if kind else {f"pilot:{wanted}": 1}),
        **({"GPU": 1} if needs.gpus else {}),
        **{name: least for name, least in sizes.items() if least},
        **{f"tag:{tag}": 1 for tag in needs.tags},
    }


def on_gpu(on: str | None, pilots: Sequence[PilotStatus], needs: Needs = NO_NEEDS) -> bool:
    """Whether a task is for a GPU: it asks for one, or whoever may run it has nothing else.

    Args:
        on: A kind of worker, a pilot's name, or None.
        pilots: The candidates.
        needs: What the task needs besides.
    """
    kind = _KINDS.get((on or "cpu").lower())
    if needs.gpus or kind:
        return bool(needs.gpus) or kind == "GPU"
    kinds = [set(pilot.offers) & set(_KINDS.values()) for pilot in pilots]
    return bool(kinds) and all(each == {"GPU"} for each in kinds)


def _whole(key: str, value: Any, least: int) -> int:
    """A whole number, of Python's or NumPy's kind."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number < 2**63:
        raise PlacementError(f"{key}={value!r}: a whole number of at least {least}")
    return number
