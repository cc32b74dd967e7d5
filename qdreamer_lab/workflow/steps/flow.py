"""A graph of steps on a session: what is kept is taken up, the rest runs as tasks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilot_kernel.task.wire.packing import unpack
from qdreamer_lab.errors import StepError
from qdreamer_lab.workflow.run import Run
from qdreamer_lab.workflow.steps.device import device_of
from qdreamer_lab.workflow.steps.differences import differences, shown
from qdreamer_lab.workflow.steps.identity import content_key, function_key
from qdreamer_lab.workflow.steps.perform import perform_step
from qdreamer_lab.workflow.steps.step import Input, Node, in_order, with_inputs

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.run import Work
    from qdreamer_lab.workflow.steps.store import Store

__all__ = ["FlowResult", "run_flow", "run_steps"]


@dataclass(frozen=True)
class FlowResult:
    """How a graph of steps went.

    Attributes:
        values: The results that were asked for, in their order.
        ran: How many calls of each step ran, by its name.
        reused: How many were taken from the store.
    """

    values: tuple[Any, ...]
    ran: dict[str, int]
    reused: dict[str, int]

    def text(self) -> str:
        """What ran and what was reused, a line each."""
        names = dict.fromkeys([*self.reused, *self.ran])
        return "\n".join(
            f"{name}: {self.ran.get(name, 0)} ran, {self.reused.get(name, 0)} reused"
            for name in names
        )


def run_steps(
    session: Session,
    *ends: Node,
    store: Store | None = None,
    name: str | None = None,
    resume: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> FlowResult:
    """Run all that some nodes need, and them.

    Finished steps are kept in the store; what is there already, from whatever run, does not run.

    Args:
        session: Where steps run.
        *ends: The nodes whose results are wanted.
        store: Where results are kept; None keeps nothing.
        name: Of the graph, under which the store notes how it was configured.
        resume: Whether it must be the same graph as the last of that name.
        progress: Takes a step's name, how many of its calls are over, and how many there are.
        say: Takes what was reused, as a line.
        stop: Set from elsewhere to give up.

    Raises:
        StepError: Steps wait for each other, or the graph differs from the one to be resumed.
        Exception: Whatever a step raised; what was finished is kept.
    """
    run = Run(session, say or (lambda _: None), stop)
    try:
        return run_flow(run, ends, store=store, name=name, resume=resume, progress=progress)
    finally:
        run.cancel()


def run_flow(
    run: Run,
    ends: Sequence[Node],
    *,
    store: Store | None = None,
    name: str | None = None,
    resume: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> FlowResult:
    """What `run_steps` does, as a part of a motif's run."""
    if resume and (store is None or name is None):
        raise StepError("resume=True: pass the store and the name of the graph, too")
    nodes = in_order(list(ends))
    with run.doing("communication"):
        keys = _keys(nodes, run.session) if store is not None else {}
    if store is not None and name is not None:
        _compare(store, name, nodes, keys, resume)
    flow = _Flow(run, store, keys, progress, Counter(node.step.name for node in nodes))
    flow.take_up(ends)
    flow.submit(nodes)
    return flow.finish(ends)


class _Flow:
    """One run of a graph: what is known of its nodes."""

    def __init__(
        self,
        run: Run,
        store: Store | None,
        keys: dict[Node, str],
        progress: Callable[[str, int, int], None] | None,
        totals: Counter[str],
    ) -> None:
        self._run = run
        self._store = store
        self._keys = keys
        self._progress = progress
        self._totals = totals
        self._over: Counter[str] = Counter()
        self._kept: dict[Node, Any] = {}
        self._works: dict[Node, Work] = {}

    def take_up(self, ends: Sequence[Node]) -> None:
        """Look for kept results, from the ends backwards: what nobody needs is not looked at."""
        self._wanted: dict[Node, bool] = {}
        coming = list(ends)
        while coming:
            node = coming.pop()
            if node in self._wanted:
                continue
            found = self._look(node)
            self._wanted[node] = found is None
            if found is not None:
                with self._run.doing("communication"):
                    self._kept[node] = unpack(found)
                self._tell(node)
            else:
                coming += node.needs
        reused = Counter(node.step.name for node in self._kept)
        if reused:
            words = ", ".join(f"{count} of {name}" for name, count in reused.items())
            self._run.say(f"reused from the store: {words}")

    def _look(self, node: Node) -> Any:
        if self._store is None or node not in self._keys:
            return None
        return self._store.get(self._keys[node])

    def submit(self, nodes: Sequence[Node]) -> None:
        """Submit what is needed; the engine sees to it that each waits for its inputs."""
        for node in nodes:
            if self._wanted.get(node):
                self._works[node] = self._submit(node)

    def _submit(self, node: Node) -> Work:
        inputs = node.inputs
        places = {each: Input(k) for k, each in enumerate(inputs)}
        args, kwargs = with_inputs((node.args, node.kwargs), places.__getitem__)
        values = [self._works.get(each, self._kept.get(each)) for each in inputs]
        after = [self._works[each] for each in node.needs if each in self._works]
        call = (node.step.function, node.step.retries, args, kwargs)
        return self._run.submit(
            node.step.kind,
            perform_step,
            *(call, values, [each for each in after if each not in values]),
            options={"on": node.step.on, "name": node.step.name, "retries": node.step.retries},
        )

    def finish(self, ends: Sequence[Node]) -> FlowResult:
        """Wait for everything; results are kept as they come."""
        nodes = {id(work): node for node, work in self._works.items()}
        left = dict.fromkeys(self._works.values())
        try:
            for work in self._run.as_completed(list(left)):
                del left[work]
                self._keep(nodes[id(work)], work, ends)
        except Exception:
            for work in left:  # what was over at the same moment is not lost either
                if work.done() and not work.task.cancelled() and work.task.exception() is None:
                    self._keep(nodes[id(work)], work, ends)
            raise
        values = tuple(
            self._kept[node] if node in self._kept else self._works[node].result() for node in ends
        )
        return FlowResult(
            values,
            dict(Counter(node.step.name for node in self._works)),
            dict(Counter(node.step.name for node in self._kept)),
        )

    def _keep(self, node: Node, work: Work, ends: Sequence[Node]) -> None:
        """Keep a result that is there, or raise what its step raised."""
        if self._store is not None and node in self._keys:
            self._store.put(self._keys[node], node.step.name, self._run.answer(work).packed)
        elif node in ends:
            self._run.answer(work)
        elif work.task.exception() is not None:
            work.result()
        self._tell(node)

    def _tell(self, node: Node) -> None:
        name = node.step.name
        self._over[name] += 1
        if self._progress is not None:
            self._progress(name, self._over[name], self._totals[name])


def _keys(nodes: Sequence[Node], session: Session) -> dict[Node, str]:
    """The keys of nodes whose results are kept; what has no key for sure runs every time."""
    keys: dict[Node, str] = {}
    devices: dict[str | None, str] = {}
    for node in nodes:
        try:
            args = with_inputs((node.args, node.kwargs), lambda each: Input(0))
            before = [_input_key(each, keys) for each in node.inputs]
            order = [node.inputs.index(each) for each in _flat(node)]
            place = node.step.on
            if place not in devices:
                devices[place] = content_key(device_of(session, place))
            code = function_key(node.step.function)
            keys[node] = content_key(code, args, before, order, devices[place])
        except StepError:
            continue
    return {node: key for node, key in keys.items() if node.step.keep}


def _input_key(node: Node, keys: dict[Node, str]) -> str:
    if node not in keys:
        raise StepError("an input has no key")
    return keys[node]


def _flat(node: Node) -> list[Node]:
    """The nodes among a call's arguments, as often as they stand there."""
    found: list[Node] = []

    def note(each: Node) -> Node:
        found.append(each)
        return each

    with_inputs((node.args, node.kwargs), note)
    return found


def _compare(
    store: Store, name: str, nodes: Sequence[Node], keys: dict[Node, str], resume: bool
) -> None:
    """Note how a graph is configured, and refuse to resume another one."""
    numbers: Counter[str] = Counter()
    told: dict[str, Any] = {}
    for node in nodes:
        label = f"{node.step.name}#{numbers[node.step.name]}"
        numbers[node.step.name] += 1
        args = [shown(each) for each in node.args]
        named = {key: shown(each) for key, each in node.kwargs.items()}
        told[label] = {"args": args, "kwargs": named, "key": keys.get(node, "")}
    before = store.noted(f"flow {name}")
    if resume:
        if before is None:
            raise StepError(f"there is no run {name!r} to be resumed; run it without resume=True")
        if found := differences(before, told):
            raise StepError(f"{name!r} is not what it was: " + "; ".join(found))
    store.note(f"flow {name}", told)
