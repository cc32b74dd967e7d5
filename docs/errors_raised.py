"""The page of all errors: each class with what it says of itself, and every message raised with it.

Messages are read from the source, so that the page cannot fall behind; what is filled in when an
error is raised shows as `…`. Nothing is imported but the two modules of error classes.
"""

import ast
import inspect
import re
from collections import defaultdict
from pathlib import Path

import pilot_kernel.errors
import qdreamer_lab.errors

__all__ = ["errors_page", "messages_raised"]

_ROOT = Path(__file__).parents[1]
_FEWEST_WORDS = 3
"""Less is a name, and nobody searches for it."""


def errors_page() -> str:
    """The page below its introduction, as Markdown."""
    raised = messages_raised()
    parts = []
    for title, module in (("The pilot", pilot_kernel.errors), ("Cutting", qdreamer_lab.errors)):
        parts.append(f"## {title}\n")
        for name in module.__all__:
            said = _first_lines(getattr(module, name))
            parts.append(f"### {name}\n\n`{module.__name__}.{name}`: {said}\n")
            parts += [f"- {_escaped(text)}" for text in raised.get((module.__name__, name), ())]
            parts.append("")
    return "\n".join(parts)


def messages_raised() -> dict[tuple[str, str], list[str]]:
    """Messages by the module of their class and its name, in alphabetical order, each once."""
    found = defaultdict(set)
    for package in ("pilot_kernel", "qdreamer_lab"):
        for path in sorted((_ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text())
            homes = _homes(tree)
            for node in ast.walk(tree):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                    continue
                name = node.func.id
                if name in homes and node.args:
                    text = _text(node.args[-1 if name == "DeviceError" else 0])
                    if len(text.replace("…", "").split()) >= _FEWEST_WORDS:
                        found[homes[name], name].add(text)
    return {key: sorted(texts, key=str.lower) for key, texts in found.items()}


def _homes(tree: ast.Module) -> dict[str, str]:
    """The error classes that a file imports, with their modules."""
    return {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module in ("pilot_kernel.errors", "qdreamer_lab.errors")
        for alias in node.names
    }


def _text(node: ast.expr) -> str:
    """A message as it stands in the source, `…` for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr):
        text = "".join(
            _text(part) if isinstance(part, ast.Constant) else "…" for part in node.values
        )
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        text = _text(node.left) + _text(node.right)
    else:
        text = "…"
    return re.sub(r"…+", "…", text)


def _first_lines(kind: type) -> str:
    """The first paragraph of a class's docstring, in one line."""
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def _escaped(text: str) -> str:
    """A message as inline code, whatever backticks it has itself."""
    line = " ".join(text.split())
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}" if longest else f"`{line}`"
