"""Motifs from a line: what `%motif` and `qdreamer-lab motif` have in common."""

from __future__ import annotations

from inspect import getdoc
from typing import TYPE_CHECKING, Any, Protocol

from qdreamer_lab.errors import MotifError, QDreamerError
from qdreamer_lab.workflow.registry import motif, motif_names
from qdreamer_lab.workflow.settings import setting_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.motif import Motif

__all__ = ["chosen", "from_magic", "listing"]


class Asked(Protocol):
    """What was typed behind `%motif`, as `pilot_kernel.jupyter.magics.motifs` has it."""

    @property
    def session(self) -> Callable[[], Session]:
        """Opens the session."""

    @property
    def name(self) -> str | None:
        """Of the motif."""

    @property
    def preset(self) -> str:
        """The parameters to begin with."""

    @property
    def settings(self) -> tuple[str, ...]:
        """Other parameters."""

    @property
    def say(self) -> Callable[[str], None]:
        """Prints a line."""


class Listing(str):
    """Text that a notebook shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def chosen(name: str, preset: str, settings: Iterable[str]) -> Motif:
    """A motif with its parameters.

    Args:
        name: Its name.
        preset: The parameters to begin with, `small` or `paper`.
        settings: Other parameters, each as `key=value`.

    Raises:
        MotifError: There is no such motif, preset or parameter, or a value is out of range.
    """
    return motif(name).preset(preset).set(settings)


def listing() -> Listing:
    """Which motifs there are, with their parameters and what the preset `paper` changes."""
    lines = []
    for name in motif_names():
        kind = motif(name)
        small, paper = kind.small().parameters(), kind.presets.get("paper", {})
        lines += [f"{name}: {(getdoc(kind) or kind.title).splitlines()[0]}"]
        shown = [
            f"{key}={setting_text(value)}"
            + (f" (paper: {setting_text(paper[key])})" if key in paper else "")
            for key, value in small.items()
        ]
        lines.append("    " + ", ".join(shown))
    return Listing("\n".join(lines))


def from_magic(asked: Asked) -> Any:
    """Run what was typed behind `%motif`; its report is what the cell shows.

    Raises:
        CellError: The line makes no sense; it says why.
    """
    from pilot_kernel.errors import CellError

    try:
        if asked.name is None:
            if asked.settings:
                raise MotifError("--set: name a motif, too; %motif alone lists them")
            return listing()
        made = chosen(asked.name, asked.preset, asked.settings)
        return made.run(asked.session(), say=asked.say)
    except QDreamerError as error:
        # The message says all that can be acted on; a cell shows this kind of error as one line.
        raise CellError(f"%motif: {error}") from error
