"""A function over many inputs, a task each: the results in order, and how far it is."""

import concurrent.futures
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, cast

from pilot_kernel.errors import PilotError
from pilot_kernel.task.notebook.handle import Task
from pilot_kernel.task.notebook.options import DEFAULT_OPTIONS, TaskOptions

__all__ = ["Mapping"]

_LINE_EVERY_S = 0.1


class Mapping:
    """Part of a `Session`, which has all that is declared here."""

    def submit_call(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: TaskOptions = DEFAULT_OPTIONS,
    ) -> Task:
        """Submit a call with options."""
        raise NotImplementedError

    def map(
        self,
        fn: Callable[..., Any],
        /,
        *iterables: Iterable[Any],
        progress: bool | Callable[[int, int], None] = False,
        **options: Any,
    ) -> list[Any]:
        """Call `fn` on workers for each input, as the built-in `map` does, and wait for all.

        Args:
            fn: What to call.
            *iterables: Its arguments, one of each for each call; the shortest says how many.
            progress: True prints a line that counts; a function is called with how many calls are
                done and how many there are.
            **options: As `submit` takes them, for each task: on, name, retries, timeout_s, cores,
                memory_bytes, gpus, tags, priority, workload.

        Returns:
            The results, in the order of the inputs.

        Raises:
            PilotError: An option is unknown, or there is nothing to call it for.
            Exception: What the first call to fail raised; the others are canceled then, as they are
                when this is interrupted.
        """
        known = DEFAULT_OPTIONS.keywords()
        if unknown := sorted(options.keys() - known.keys()):
            raise PilotError(f"map takes no {unknown[0]}=; it takes progress, {', '.join(known)}")
        if not iterables:
            raise PilotError("map takes a function and its inputs: map(fn, [1, 2, 3])")
        chosen = TaskOptions(**options)
        tasks: list[Task] = []
        try:
            for args in zip(*iterables, strict=False):
                tasks.append(self.submit_call(fn, args, {}, chosen))  # noqa: PERF401 all are known
            _wait(tasks, _teller(progress))
            return [task.result() for task in tasks]
        except BaseException:
            for task in tasks:
                task.cancel()
            raise


def _wait(tasks: list[Task], tell: Callable[[int, int], None]) -> None:
    """Wait for all, or until one fails, which is raised."""
    tell(0, len(tasks))
    futures = cast("list[concurrent.futures.Future[Any]]", tasks)
    for done, task in enumerate(concurrent.futures.as_completed(futures), 1):
        task.result()
        tell(done, len(tasks))


def _teller(progress: bool | Callable[[int, int], None]) -> Callable[[int, int], None]:
    if callable(progress):
        return progress
    return _Line() if progress else lambda done, total: None


class _Line:
    """One line of text that is written over, and ends when all is done."""

    def __init__(self) -> None:
        self._due = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and now < self._due:
            return
        self._due = now + _LINE_EVERY_S
        sys.stdout.write(f"\r{done:,} of {total:,} done{chr(10) if done == total else ''}")
        sys.stdout.flush()
