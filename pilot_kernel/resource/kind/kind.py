"""What a kind of pilot says of itself: its URLs, which keys it uses, what its workers are."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.description import PilotDescription

__all__ = ["Kind", "WorkerSpecs", "check"]

WorkerSpecs = list[dict[str, Any]]
"""A worker each, as `SpecCluster` takes them."""

_ALWAYS = ("resource", "name")
"""Keys that every kind uses."""


def _nothing(description: PilotDescription) -> None:
    """There is nothing to check, or to tell."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of pilot. Its module has one of these, and `by_scheme.py` lists it.

    Attributes:
        scheme: What its URLs begin with, before `://`.
        uses: The keys of a description that it uses; others are refused. `resource` and `name`
            count for every kind.
        worker_specs: Describes its workers, given the description, the pilot's name and the TLS
            settings of connections. It is called by the agent and may look at the machine.
        check: Raises a `DescriptionError` for what cannot be. It is called in the notebook's
            process, before the agent is asked, and makes nothing.
        device: The name of the quantum device behind a pilot, if it stands for one.
    """

    scheme: str
    uses: frozenset[str]
    worker_specs: Callable[[PilotDescription, str, Any], WorkerSpecs]
    check: Callable[[PilotDescription], None] = _nothing
    device: Callable[[PilotDescription], str | None] = _nothing


def check(kind: Kind, description: PilotDescription) -> None:
    """Refuse a description that this kind of pilot cannot make use of.

    Raises:
        DescriptionError: A value is impossible, or a key is of no use; the message names it.
    """
    kind.check(description)
    for field in dataclasses.fields(description):
        value = getattr(description, field.name)
        if field.name not in (*_ALWAYS, *kind.uses) and value != field.default:
            known = [f.name for f in dataclasses.fields(description) if f.name in kind.uses]
            raise DescriptionError(
                f"{field.name}={value!r}: a {kind.scheme}:// pilot has no use for this key; leave "
                f"it out. It uses {', '.join(known)}"
            )
