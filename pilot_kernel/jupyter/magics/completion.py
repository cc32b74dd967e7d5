"""What Tab offers behind a magic: its options, and the names of pilots, tasks and agents.

Whatever is asked for here is known already; nothing is started, and nothing raises.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from IPython.core.completer import SimpleCompletion, context_matcher

from pilot_kernel.errors import PilotError
from pilot_kernel.jupyter.cell.notebook import Notebook
from pilot_kernel.resource import registry
from pilot_kernel.resource.kind.by_scheme import urls

__all__ = ["completions", "register", "unregister"]

_KINDS = ("cpu", "gpu", "qpu")
_MITIGATIONS = ("readout", "twirling", "zne")
_OF_AGENTS = ("attach", "reap", "report")
_OF_PILOTS = ("drain", "logs", "scale", "stop")
_OF_URLS = ("add", "script")

Values = Mapping[str, Callable[[list[str]], Iterable[str]]]
"""For options and arguments, by their `dest`: what they may be, given the words typed so far."""


def completions(parser: argparse.ArgumentParser, typed: str, values: Values) -> list[str]:
    """What the word that is being typed may become.

    Args:
        parser: That of the magic.
        typed: The line up to the cursor, the magic's own name included.
        values: Where options and arguments have names to offer.

    Returns:
        Whole words, or whole names where several are separated by commas, in alphabetical order.
    """
    words = typed.split()[1:]
    started = words.pop() if words and not typed[-1:].isspace() else ""
    option = parser._option_string_actions.get(words[-1]) if words else None
    if option is not None and option.nargs != 0:
        offered = _offers(option, words, values)
    elif started.startswith("-"):
        offered = list(parser._option_string_actions)
    else:
        arguments = parser._get_positional_actions()
        offered = [each for action in arguments for each in _offers(action, words, values)]
    begun = _begun(typed)
    return sorted({word for word in offered if word.startswith(begun)})


def _begun(typed: str) -> str:
    """The name that is being typed: the last word, or what is behind its last comma."""
    return "" if typed[-1:].isspace() else typed.split()[-1].rpartition(",")[2]


def _offers(action: argparse.Action, words: list[str], values: Values) -> list[str]:
    if action.choices is not None:
        chosen = any(word in action.choices for word in words)
        return [] if chosen and not action.option_strings else [*action.choices]
    offers = values.get(action.dest)
    return [*offers(words)] if offers is not None else []


def register(shell: Any, notebook: Notebook, magics: Mapping[str, Any]) -> Any:
    """Offer completions behind magics, and nothing of Python's there.

    Args:
        shell: The shell.
        notebook: Whose pilots and tasks are offered.
        magics: The magics with their arguments, by their names with % or %%.

    Returns:
        What `unregister` takes.
    """
    values = _values(shell, notebook)

    @context_matcher()  # type: ignore[untyped-decorator]
    def magic_arguments(context: Any) -> dict[str, Any]:
        typed = context.text_until_cursor.lstrip()
        name = typed.split(None, 1)[0] if typed else ""
        below = name.startswith("%%") and context.cursor_line > 0
        if name not in magics or typed == name or below:
            return {"completions": []}
        found = completions(magics[name].parser, typed, values)
        offered = [SimpleCompletion(word, type="magic") for word in found]
        return {
            "completions": offered,
            "matched_fragment": _begun(typed),
            "suppress": bool(offered),
        }

    shell.Completer.custom_matchers.append(magic_arguments)
    return magic_arguments


def unregister(shell: Any, matcher: Any) -> None:
    """Take back what `register` did."""
    shell.Completer.custom_matchers.remove(matcher)


def _values(shell: Any, notebook: Notebook) -> Values:
    def pilots(_: list[str]) -> list[str]:
        session = notebook.living_session()
        if session is None or session.waits_for:
            return []
        try:
            return [status.name for status in session.pilot_statuses()]
        except PilotError:
            return []

    def tasks(_: list[str]) -> list[str]:
        if notebook.living_session() is None:
            return []
        named: dict[str, list[str]] = {}
        for task in notebook.tasks():
            named.setdefault(task.name, []).append(task.key)
        keys = [key for same in named.values() if len(same) > 1 for key in same]
        return [*named, *keys]  # a name alone stands for the newest task that has it

    def subjects(words: list[str]) -> list[str]:
        verb = words[0] if words else ""
        if verb in _OF_AGENTS:
            return [entry.id for entry in registry.entries()]
        if verb in _OF_URLS:
            return urls()
        return pilots(words) if verb in _OF_PILOTS else []

    def variables(_: list[str]) -> list[str]:
        hidden = shell.user_ns_hidden
        return [name for name in shell.user_ns if name[0] != "_" and name not in hidden]

    return {
        "on": lambda words: [*_KINDS, *pilots(words)],
        "fallback": lambda words: [*_KINDS, *pilots(words)],
        "mitigation": lambda _: _MITIGATIONS,
        "inputs": variables,
        "task": tasks,
        "what": subjects,
        "inside": lambda _: urls(),
        "cut": lambda _: ["auto"],
    }
