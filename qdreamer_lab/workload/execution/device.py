"""A device that runs a part of a run: which one, and where its tasks go.

A description only; nothing runs here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

__all__ = ["Device"]


@dataclass(frozen=True, eq=False, slots=True)
class Device:
    """One of the devices of a run.

    Attributes:
        name: Unlike that of any other of them.
        backend: What circuits are written for.
        on: Kind of worker or pilot that stands for it, as the session takes it; None if the backend
            is reached from this process.
    """

    name: str
    backend: BackendV2
    on: str | None = None
