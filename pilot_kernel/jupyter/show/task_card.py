"""A task as it is shown: a line with its state, and below it the end of what it printed."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from pilot_kernel.drawing.html import BASE, LINE, MONO, MUTED, mark_html, progress_html
from pilot_kernel.drawing.state_symbols import TASK_MARKS
from pilot_kernel.drawing.text import bar
from pilot_kernel.drawing.units import clock, megabytes, seconds
from pilot_kernel.jupyter.worker.display_message import DisplayMessage, text_of
from pilot_kernel.task.wire.record import TaskState

__all__ = ["Card", "card_html", "card_text", "inline_html", "last_lines"]

_SHIPPED_WORTH_SAYING = 10**6
_TAIL_LINES = 12


@dataclass(frozen=True)
class Card:
    """A task at one moment.

    Attributes:
        name: What the user calls it.
        state: Its state.
        pilot: Where it runs.
        elapsed_s: Seconds since it was submitted.
        done: How many of its parts are done.
        parts: How many parts it has.
        deaths: How many workers died running it.
        shipped: The variables that were sent with it, in bytes.
        tail: The end of what it printed.
        note: What else there is to say, such as its error.
        at: When that was so, unix seconds: what is said of a task that has not ended may be read
            in a notebook that was saved, long after.
    """

    name: str
    state: TaskState
    pilot: str | None = None
    elapsed_s: float | None = None
    done: int = 0
    parts: int = 1
    deaths: int = 0
    shipped: Mapping[str, int] | None = None
    tail: str = ""
    note: str = ""
    at: float | None = None

    def facts(self) -> list[str]:
        """What is worth saying besides name and state."""
        shipped = self.shipped or {}
        heavy = {name: size for name, size in shipped.items() if size >= _SHIPPED_WORTH_SAYING}
        return [
            fact
            for fact in (
                f"on {self.pilot}" if self.pilot else "",
                seconds(self.elapsed_s),
                f"{self.done}/{self.parts}" if self.parts > 1 and self.state.final else "",
                f"restarted after {self.deaths} lost worker(s)" if self.deaths else "",
                "sent " + ", ".join(f"{n} {megabytes(s)}" for n, s in heavy.items())
                if heavy
                else "",
                "" if self.at is None or self.state.final else f"as of {clock(self.at)}",
            )
            if fact
        ]


def card_html(card: Card) -> str:
    """The card as HTML: a line with a coloured symbol, the output below."""
    facts = "".join(f"<span style='{MUTED}'>{escape(fact)}</span>" for fact in card.facts())
    state = mark_html(TASK_MARKS[card.state], card.state)
    lines = [
        f"<div style='display:flex;gap:12px;align-items:center;flex-wrap:wrap;{BASE};"
        f"padding:2px 0'><span style='font-weight:600'>{state}</span>"
        f"<span style='{MONO}'>{escape(card.name)}</span>{facts}{_progress(card)}</div>"
    ]
    if card.tail:
        lines.append(
            f"<pre style='{MONO};margin:4px 0;padding:4px 0 4px 12px;border-left:2px solid {LINE};"
            f"white-space:pre-wrap;background:none'>{escape(card.tail)}</pre>"
        )
    if card.note:
        lines.append(f"<div style='{MONO};white-space:pre-wrap'>{escape(card.note)}</div>")
    return "".join(lines)


def _progress(card: Card) -> str:
    if card.parts < 2 or card.state.final:
        return ""
    return progress_html(card.done, card.parts)


def card_text(card: Card) -> str:
    """The card as text."""
    parts = [f"{TASK_MARKS[card.state].symbol} {card.state} {card.name}", *card.facts()]
    if card.parts > 1 and not card.state.final:
        parts.append(f"{card.done}/{card.parts} {bar(card.done / card.parts, 16)}".rstrip())
    return "\n".join(line for line in (" · ".join(parts), card.tail, card.note) if line)


def inline_html(message: DisplayMessage) -> str:
    """What was displayed as HTML, in the richest form that fits among other HTML."""
    for kind in ("text/html", "image/svg+xml"):
        if kind in message.data:
            return f"<div style='margin:4px 0'>{message.data[kind]}</div>"
    for kind in ("image/png", "image/jpeg"):
        image = message.data.get(kind)
        if isinstance(image, bytes):
            image = base64.b64encode(image).decode("ascii")
        if image:
            return f"<div style='margin:4px 0'><img src='data:{kind};base64,{escape(image)}'></div>"
    text = escape(text_of(message).rstrip())
    return f"<pre style='margin:4px 0'>{text}</pre>" if text else ""


def last_lines(text: str) -> str:
    """The end of what a task printed, and how many lines came before."""
    lines = text.rstrip("\n").splitlines()
    kept = lines[-_TAIL_LINES:]
    if len(lines) > len(kept):
        kept.insert(0, f"[{len(lines) - len(kept):,} lines before: task.output.text()]")
    return "\n".join(line[:400] for line in kept)
