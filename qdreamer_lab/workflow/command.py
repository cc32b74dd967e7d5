"""Motifs from a line: what `%motif` and `qdreamer-lab motif` have in common."""

from __future__ import annotations

from inspect import getdoc
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Protocol

from qdreamer_lab.errors import MotifError, QDreamerError
from qdreamer_lab.workflow.registry import motif, motif_names
from qdreamer_lab.workflow.settings import setting_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.motif import Motif

__all__ = ["chosen", "described", "from_magic", "listing"]


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
    def help(self) -> bool:
        """Whether what it does and takes is asked for, and not a run."""

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


def described(name: str) -> Listing:
    """What a motif does, and what each of its parameters means.

    Args:
        name: Its name.

    Raises:
        MotifError: There is no such motif.
    """
    kind = motif(name)
    small, paper = kind.small().parameters(), kind.presets.get("paper", {})
    told: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        told.update(_attributes(getdoc(each) or "") if "__doc__" in vars(each) else {})
    lines = [f"{name}: {(getdoc(kind) or kind.title).splitlines()[0]}", ""]
    for key, value in small.items():
        also = f"; paper: {setting_text(paper[key])}" if key in paper else ""
        text = f"{told.get(key, '')} ({setting_text(value)}{also})".strip()
        lines += wrap(text, 76, initial_indent=f"  {key}: ", subsequent_indent="      ")
    return Listing("\n".join(lines))


def _attributes(text: str) -> dict[str, str]:
    """What a docstring in Google's style says of each attribute."""
    found: dict[str, str] = {}
    name = ""
    for line in text.partition("Attributes:\n")[2].splitlines():
        if not line.startswith("    "):
            break
        if not line.startswith("        "):
            name, _, line = line.partition(":")
        found[name.strip()] = f"{found.get(name.strip(), '')} {line.strip()}".strip()
    return found


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
        if asked.help:
            return described(asked.name)
        made = chosen(asked.name, asked.preset, asked.settings)
        return made.run(asked.session(), say=asked.say)
    except QDreamerError as error:
        # The message says all that can be acted on; a cell shows this kind of error as one line.
        raise CellError(f"%motif: {error}") from error
