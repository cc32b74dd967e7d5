"""The kinds of resource there are: URL scheme -> what makes the workers."""

from collections.abc import Callable
from typing import Any

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource import local
from pilot_kernel.resource.description import PilotDescription

__all__ = ["check_kind", "worker_specs"]

_KINDS: dict[str, Callable[[PilotDescription, str, Any], list[dict[str, Any]]]] = {
    "local": local.worker_specs,
}


def check_kind(description: PilotDescription) -> None:
    """Raise DescriptionError, naming the kinds there are, if the URL names none of them."""
    if description.scheme not in _KINDS:
        known = ", ".join(f"{scheme}://" for scheme in _KINDS)
        raise DescriptionError(f"resource={description.resource!r} is unknown; there is {known}")


def worker_specs(description: PilotDescription, name: str, security: Any) -> list[dict[str, Any]]:
    """Describe the workers of a pilot; see the kind's own module."""
    check_kind(description)
    return _KINDS[description.scheme](description, name, security)
