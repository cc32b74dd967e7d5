"""Versions that must be the same on both sides of a connection, because of what travels there."""

import sys
from collections.abc import Mapping
from importlib import metadata

__all__ = ["differences", "here"]

_PACKAGES = {
    "cloudpickle": "cloudpickle",
    "dask": "dask",
    "distributed": "distributed",
    "pilot_kernel": "qdreamer-lab",
    "qiskit": "qiskit",
}
"""What is compared, and what its distribution is called."""


def here() -> dict[str, str]:
    """The versions of this process; empty for what is not installed. Nothing is imported."""
    found = {name: _version(distribution) for name, distribution in _PACKAGES.items()}
    return {"python": f"{sys.version_info.major}.{sys.version_info.minor}", **found}


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """What differs, in words that name both sides; empty if nothing does.

    Args:
        ours: The versions of the agent, or of whoever asks.
        theirs: Those of the other side.
    """
    return ", ".join(
        f"{name} is {_named(ours.get(name))} here and {_named(theirs.get(name))} there"
        for name in ("python", *_PACKAGES)
        if ours.get(name, "") != theirs.get(name, "")
    )


def _named(version: str | None) -> str:
    return version or "missing"
