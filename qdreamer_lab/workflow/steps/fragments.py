"""A session for cut runs whose fragments are timed, and kept in a store across runs."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from pilot_kernel.task.notebook.options import TaskOptions
from pilot_kernel.task.wire.packing import unpack
from qdreamer_lab.errors import StepError
from qdreamer_lab.workflow.run import Run
from qdreamer_lab.workflow.steps.device import device_of
from qdreamer_lab.workflow.steps.identity import content_key, function_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.run import Work
    from qdreamer_lab.workflow.steps.store import Store

__all__ = ["FragmentSession", "keeping"]


def keeping(session: Session, store: Store) -> FragmentSession:
    """A session for `CutEstimator` that finds finished fragments in a store.

    A fragment is found if the same function is called with the same lowered program, observables,
    shots and seed, and on a QPU if the device and its calibration are the same, too. So a sampled
    run has to have a seed for that.

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
        reused: How many tasks' results came from the store.
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
        key = self._key(fn, args, on)
        found = self._store.get(key) if self._store is not None and key is not None else None
        if found is not None:
            done: Future[Any] = Future()
            done.set_result(unpack(found))
            self.reused += 1
            return done
        self.ran += 1
        options = TaskOptions(on=on, name=name, cores=cores)
        work = self._run.submit_call("quantum", fn, args, {}, options)
        return _Fragment(work, self._store, key)

    def _key(self, fn: Callable[..., Any], args: tuple[Any, ...], on: str | None) -> str | None:
        """None if a result cannot be told from others for sure."""
        if self._store is None:
            return None
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


class _Fragment(Future[Any]):
    """A fragment that runs as a timed task."""

    def __init__(self, work: Work, store: Store | None, key: str | None) -> None:
        super().__init__()
        self._work = work
        self._store = store
        self._key = key
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
        value = self._work.result()
        if self._store is not None and self._key is not None:
            self._store.keep(self._key, self._work.task.name, value)
        return value

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
