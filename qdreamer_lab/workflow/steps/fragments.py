"""A session for cut runs whose fragments are timed, and kept in a store across runs."""

from __future__ import annotations

import functools
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from pilot_kernel.task.notebook.options import TaskOptions
from pilot_kernel.task.wire.packing import unpack
from qdreamer_lab.errors import StepError
from qdreamer_lab.workflow.run import Run
from qdreamer_lab.workflow.steps.device import device_of
from qdreamer_lab.workflow.steps.identity import content_key, function_key
from qdreamer_lab.workload.fragment.simulate import FragmentResults, run_fragments

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.run import Work
    from qdreamer_lab.workflow.steps.store import Store
    from qdreamer_lab.workload.fragment.simulate import FragmentCall

__all__ = ["FragmentSession", "keeping"]


def keeping(session: Session, store: Store) -> FragmentSession:
    """A session for `CutEstimator` that finds finished fragments in a store.

    A fragment is found if the same function is called with the same lowered program, observables,
    shots and seed, and on a QPU if the device and its calibration are the same, too. So a sampled
    run has to have a seed for that. Exact fragments are kept one by one, and found however they are
    spread over tasks; shots are kept by tasks, and found as far as they are divided alike.

    Args:
        session: Where the others run.
        store: Where they are kept.
    """
    return FragmentSession(Run(session, lambda _: None), store)


class FragmentSession:
    """What a `CutEstimator` needs of a session, with a store before it; `keeping` makes these.

    Args:
        run: Times the tasks.
        store: Where results are kept; None keeps nothing.

    Attributes:
        reused: How many fragments came from the store: exact ones, or tasks with shots.
        ran: How many ran.
    """

    def __init__(self, run: Run, store: Store | None) -> None:
        self._run = run
        self._store = store
        self.reused = 0
        self.ran = 0

    def submit(
        self,
        fn: Callable[..., Any],
        /,
        *args: Any,
        name: str,
        on: str | None = None,
        cores: int | None = None,
    ) -> Future[Any]:
        """A future of a fragment's result: done if it is in the store, else that of a task."""
        options = TaskOptions(on=on, name=name, cores=cores)
        if self._store is None:
            self.ran += 1
            return _Fragment(self._run.submit_call("quantum", fn, args, {}, options))
        if fn is run_fragments:
            return self._exact(self._store, *args, options=options)
        key = self._key(fn, args, on)
        found = None if key is None else self._store.get(key)
        if found is not None:
            self.reused += 1
            return _known(unpack(found))
        self.ran += 1
        work = self._run.submit_call("quantum", fn, args, {}, options)
        return _Fragment(work, functools.partial(_kept, self._store, key, name))

    def _exact(
        self,
        store: Store,
        calls: tuple[FragmentCall, ...],
        limit: int | None,
        dtype: str,
        device: str = "CPU",
        *,
        options: TaskOptions,
    ) -> Future[Any]:
        """Several exact fragments: those that are not in the store run."""
        keys = [self._key(run_fragments, (call, dtype, device), options.on) for call in calls]
        found = [None if key is None else store.get(key) for key in keys]
        known = {k: unpack(one) for k, one in enumerate(found) if one is not None}
        missing = [k for k in range(len(calls)) if k not in known]
        self.reused += len(known)
        self.ran += len(missing)

        def together(result: FragmentResults | None) -> FragmentResults:
            if result is not None:
                share = result.seconds / len(missing)
                for k, tensor in zip(missing, result.tensors, strict=True):
                    known[k] = _kept(store, keys[k], str(options.name), (tensor, share))
            tensors = tuple(known[k][0] for k in range(len(calls)))
            return FragmentResults(tensors, sum(seconds for _, seconds in known.values()))

        if not missing:
            return _known(together(None))
        args = (tuple(calls[k] for k in missing), limit, dtype, device)
        work = self._run.submit_call("quantum", run_fragments, args, {}, options)
        return _Fragment(work, together)

    def _key(self, fn: Callable[..., Any], args: tuple[Any, ...], on: str | None) -> str | None:
        """None if a result cannot be told from others for sure."""
        try:
            return content_key("fragment", function_key(fn), list(args), device_of(self, on))
        except StepError:
            return None

    def backend(self, on: str | None = None) -> Any:
        """The Qiskit backend of the QPU that `on` names; None where workers simulate."""
        return self._run.session.backend(on)

    def candidates(self, on: str | None = None) -> list[Any]:
        """The pilots that could run a task."""
        return self._run.session.candidates(on)

    def pilots_for(self, on: str | None = None) -> list[Any]:
        """The same as they stand now, at little cost."""
        return self._run.session.pilots_for(on)


def _kept(store: Store, key: str | None, name: str, value: Any) -> Any:
    """A value, which is in the store from now on if it has a key."""
    if key is not None:
        store.keep(key, name, value)
    return value


def _known(value: Any) -> Future[Any]:
    """A future that is over."""
    done: Future[Any] = Future()
    done.set_result(value)
    return done


class _Fragment(Future[Any]):
    """A fragment that runs as a timed task; its value is made of what that returns."""

    def __init__(self, work: Work, made: Callable[[Any], Any] = lambda value: value) -> None:
        super().__init__()
        self._work = work
        self._made = made
        work.task.add_done_callback(self._settle)

    def _settle(self, task: Any) -> None:
        """Be over as the task is; the result is fetched when it is asked for."""
        if self.done():
            return
        if task.cancelled():
            if super().cancel():
                self.set_running_or_notify_cancel()
        elif (error := task.exception()) is not None:
            self.set_exception(error)
        else:
            self.set_result(None)

    def result(self, timeout: float | None = None) -> Any:
        """The fragment's result, which is kept from now on."""
        super().result(timeout)
        return self._made(self._work.result())

    def running(self) -> bool:
        """Whether a worker is at it."""
        return bool(self._work.task.running())

    def cancel(self) -> bool:
        """Give it up."""
        return bool(self._work.task.cancel())

    @property
    def record(self) -> Any:
        """When and where it ran."""
        return self._work.task.record

    def release(self) -> None:
        """Let go of the value."""
        self._work.release()
