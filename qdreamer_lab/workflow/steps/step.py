"""Steps before anything runs: a call of a step is a node of a graph."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, overload

from qdreamer_lab.errors import StepError
from qdreamer_lab.workflow.spent import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qdreamer_lab.workflow.spent import Kind

__all__ = ["Input", "Node", "Step", "in_order", "step", "with_inputs"]


@dataclass(frozen=True, eq=False)
class Step:
    """A function whose calls are nodes; `step` makes these.

    Attributes:
        function: The function itself, to be called right away.
        on: A kind of worker or a pilot's name.
        retries: How often a call is tried again that raised, or whose worker died.
        kind: What work it is, for reports.
        keep: Whether its results are kept on disk.
        name: What to call it.
    """

    function: Callable[..., Any]
    on: str | None
    retries: int
    kind: Kind
    keep: bool
    name: str

    def __call__(self, *args: Any, **kwargs: Any) -> Node:
        """A node: this call, which runs when `run_steps` gets to it."""
        return Node(self, args, kwargs)

    def at(self, on: str | None) -> Step:
        """The same step at another place."""
        return replace(self, on=on)


@dataclass(eq=False)
class Node:
    """One call of a step; as an argument of another it stands for its result.

    Attributes:
        step: What is called.
        args: Its arguments; nodes may be in them, also within lists, tuples and dictionaries.
        kwargs: Its keyword arguments, likewise.
    """

    step: Step
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    _after: list[Node] = field(default_factory=list)

    def after(self, *others: Node) -> Node:
        """Have it wait for others, too, whose results it does not take."""
        self._after += others
        return self

    @property
    def inputs(self) -> list[Node]:
        """The nodes whose results it takes, each once."""
        return list(dict.fromkeys(_nodes([self.args, self.kwargs])))

    @property
    def needs(self) -> list[Node]:
        """The nodes that must be over before."""
        return list(dict.fromkeys([*self.inputs, *self._after]))

    def __repr__(self) -> str:
        return f"<Node {self.step.name}>"


@dataclass(frozen=True)
class Input:
    """Stands in a call for the result of another, by its place among them."""

    index: int


@overload
def step(function: Callable[..., Any], /) -> Step: ...


@overload
def step(
    *,
    on: str | None = None,
    retries: int = 0,
    kind: Kind = "classical",
    keep: bool = True,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Step]: ...


def step(
    function: Callable[..., Any] | None = None,
    /,
    *,
    on: str | None = None,
    retries: int = 0,
    kind: Kind = "classical",
    keep: bool = True,
    name: str | None = None,
) -> Step | Callable[[Callable[..., Any]], Step]:
    """Make a function a step: `@step`, or `@step(on="gpu", retries=2)`.

    A step's result may depend on its arguments only, since a kept one stands for all calls that are
    alike: random numbers come from a seed among them.

    Args:
        function: The function.
        on: A kind of worker or a pilot's name.
        retries: How often a call is tried again that raised, or whose worker died.
        kind: What work it is, for reports.
        keep: Whether its results are kept on disk.
        name: What to call it; the function's name by default.

    Raises:
        StepError: `function` is no function, or an option is none of those that there are.
    """
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise StepError(f"retries={retries!r}: a whole number, zero or more")
    if kind not in KINDS:
        raise StepError(f"kind={kind!r}: one of {', '.join(map(repr, KINDS))}")
    if not isinstance(keep, bool):
        raise StepError(f"keep={keep!r}: True or False")
    for key, value in (("on", on), ("name", name)):
        if value is not None and not (isinstance(value, str) and value):
            raise StepError(f"{key}={value!r}: some text, or None")
    if function is None:
        return functools.partial(_made, on=on, retries=retries, kind=kind, keep=keep, name=name)
    return _made(function, on, retries, kind, keep, name)


def _made(
    function: Callable[..., Any],
    on: str | None,
    retries: int,
    kind: Kind,
    keep: bool,
    name: str | None,
) -> Step:
    if not callable(function) or isinstance(function, Step):
        raise StepError(f"a step is made of a function, not of {function!r}")
    label = name or str(getattr(function, "__name__", "step"))
    return Step(function, on, retries, kind, keep, label)


def in_order(ends: list[Node]) -> list[Node]:
    """All nodes that these need, each after what it needs.

    Raises:
        StepError: Some wait for each other; they are named.
    """
    graph: dict[Node, list[Node]] = {}
    coming = list(ends)
    while coming:
        node = coming.pop()
        if node not in graph:
            graph[node] = node.needs
            coming += graph[node]
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " -> ".join(node.step.name for node in reversed(error.args[1]))
        raise StepError(f"these steps wait for each other: {circle}") from None


def with_inputs(value: Any, instead: Callable[[Node], Any]) -> Any:
    """A value with something else in place of nodes, also within containers."""
    if isinstance(value, Node):
        return instead(value)
    if type(value) in (list, tuple):
        return type(value)(with_inputs(each, instead) for each in value)
    if type(value) is dict:
        return {key: with_inputs(each, instead) for key, each in value.items()}
    return value


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif type(value) in (list, tuple):
        for each in value:
            yield from _nodes(each)
    elif type(value) is dict:
        yield from _nodes(list(value.values()))
