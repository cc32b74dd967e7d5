"""An MPI task in its task process: ranks are started and watched, and one value comes of it."""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil

from pilot_kernel.errors import MpiError
from pilot_kernel.resource import worker_environment
from pilot_kernel.task.mpi import rank
from pilot_kernel.task.mpi.envelope import ANSWER, CALL, write
from pilot_kernel.task.mpi.launcher import Launcher, check_mpi4py, find, has_mpi4py
from pilot_kernel.task.mpi.outcome import Outcome, StrangersError
from pilot_kernel.task.mpi.pump import Pump
from pilot_kernel.task.mpi.world import in_world
from pilot_kernel.task.process.streams import emit
from pilot_kernel.task.wire.packing import pack_call

__all__ = ["ScriptResult", "run_function", "run_script"]

_T = TypeVar("_T")
_GRACE_S = 0.4  # of the second that a task has to end by itself

_POLL_S = 0.002

_fit: set[tuple[Launcher, int]] = set()  # with how many ranks they found each other
_unfit: set[tuple[Launcher, int]] = set()  # or did not


@dataclass(frozen=True)
class ScriptResult:
    """What a program left behind that ran in several ranks and ended well.

    Attributes:
        command: The program and its arguments.
        ranks: How many ranks it had.
        stdout: What rank 0 wrote to its standard output.
        returncode: Its exit code: 0, since anything else is an error.
    """

    command: tuple[str, ...]
    ranks: int
    stdout: str = field(repr=False)
    returncode: int = 0


def run_function(
    fn: Callable[..., Any], ranks: int, launcher: str | None, /, *args: Any, **kwargs: Any
) -> Any:
    """Call `fn(MPI.COMM_WORLD, *args, **kwargs)` in several ranks.

    Args:
        fn: What to call.
        ranks: How many ranks.
        launcher: `srun` or `mpirun`; None for what there is.
        *args: Its arguments.
        **kwargs: Its keyword arguments.

    Returns:
        What rank 0 returned.

    Raises:
        MpiError: Ranks cannot be started, or one was killed.
        Exception: What the first rank raised that failed.
    """
    usable = find(launcher)
    check_mpi4py()
    call = _ranks_call(fn, args, kwargs, ranks)
    return _first_that_fits(usable, ranks, lambda each: _run(each, ranks, (), call).value())


def _ranks_call(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], ranks: int
) -> Callable[[Path], None]:
    """What leaves a call for ranks in their folder."""
    packed = pack_call(in_world, (fn, args, kwargs), {})
    order = {"buffers": [len(packed.buffers)], "inputs": [], "keep": None}
    parts = [json.dumps(order).encode(), packed.header, *packed.buffers]
    head = {"path": sys.path, "ranks": ranks}

    def prepare(folder: Path) -> None:
        write(folder / CALL, head, parts)

    return prepare


def run_script(command: Sequence[str], ranks: int, launcher: str | None) -> ScriptResult:
    """Run a program in several ranks.

    Args:
        command: The program and its arguments; a file that ends with `.py` is run by Python.
        ranks: How many ranks.
        launcher: `srun` or `mpirun`; None for what there is.

    Raises:
        MpiError: There is no such program, it cannot be started, or it ended badly.
    """
    usable = find(launcher)
    program = _program(list(command))
    if usable[0].name == "srun" and has_mpi4py():
        usable = [_tried(usable, ranks)]

    def said(launcher: Launcher) -> str:
        outcome = _run(launcher, ranks, program, lambda folder: None)
        outcome.check()
        return "".join(outcome.said)

    return ScriptResult(tuple(command), ranks, _first_that_fits(usable, ranks, said))


def _tried(usable: list[Launcher], ranks: int) -> Launcher:
    """The first launcher whose ranks find each other.

    Those of a program that did not would each do the whole work, and nobody would know.
    """
    call = _ranks_call(_nothing, (), {}, ranks)

    def run(launcher: Launcher) -> Launcher:
        if (launcher, ranks) not in _fit:
            _run(launcher, ranks, (), call).value()
        return launcher

    return _first_that_fits(usable, ranks, run)


def _nothing(world: Any) -> None:
    """What ranks call that are only to find each other."""


def _first_that_fits(usable: list[Launcher], ranks: int, run: Callable[[Launcher], _T]) -> _T:
    """Run with the first launcher whose ranks find each other; others have run nothing."""
    usable = [each for each in usable if (each, ranks) not in _unfit] or usable
    for each, following in itertools.zip_longest(usable, usable[1:]):
        try:
            result = run(each)
        except StrangersError as error:
            if following is None:
                raise
            _unfit.add((each, ranks))
            why = str(error).partition("; ")[0]
            emit("stderr", f"[{why}; trying {following}]\n")
        else:
            _fit.add((each, ranks))
            return result
    raise AssertionError("there is at least one launcher")


def _program(command: list[str]) -> list[str]:
    first = command[0]
    if first.endswith(".py"):
        if not os.path.isfile(first):
            raise MpiError(f"{first}: there is no such file on the worker, in {os.getcwd()}")
        return [sys.executable, *command]
    found = shutil.which(first) or (shutil.which(os.path.join(".", first)))
    if found is None:
        raise MpiError(
            f"{first}: no program of this name that can be run on the worker, neither on its PATH "
            f"nor in {os.getcwd()}"
        )
    return [os.path.abspath(found), *command[1:]]


def _run(
    launcher: Launcher, ranks: int, program: Sequence[str], prepare: Callable[[Path], None]
) -> Outcome:
    """Start ranks, pass on what they write, and see how it ended; nothing is left of them."""
    with _folder() as folder:
        prepare(folder)
        words: list[str] = []
        said: list[str] = []
        with _pipes(folder, ranks, said if program else None) as pump:
            status = _launch(launcher, ranks, program, folder, pump, words)
        return Outcome.read(folder, launcher, ranks, status, "".join(words), said)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder closed to others, for the call, the answers and the pipes."""
    folder = Path(tempfile.mkdtemp(prefix="pilot-mpi-", dir=worker_environment.worker_folder()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _pipes(folder: Path, ranks: int, said: list[str] | None) -> Iterator[Pump]:
    """The pipes that ranks write to, by name, and what reads them."""
    pump = Pump(emit)
    try:
        for number, stream in itertools.product(range(ranks), ("stdout", "stderr")):
            path = folder / rank.stream_name(number, stream)
            os.mkfifo(path, 0o600)
            pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            copy = said if number == 0 and stream == "stdout" else None
            pump.add(pipe, stream, f"[rank {number}] ", copy)
        yield pump
    finally:
        pump.close()


def _launch(
    launcher: Launcher,
    ranks: int,
    program: Sequence[str],
    folder: Path,
    pump: Pump,
    words: list[str],
) -> int:
    """Run the launcher to its end, and return its exit status."""

    def shown() -> bool:
        """Whether what the launcher says is news: it also tells at length of ranks that failed."""
        return not any(folder.glob(f"{ANSWER}.*"))

    cores = worker_environment.usable_cores()
    os.mkfifo(folder / rank.LIFELINE, 0o600)
    lifeline = os.open(folder / rank.LIFELINE, os.O_RDWR)
    each = [sys.executable, "-P", rank.__file__, str(folder), *program]
    environment = launcher.environment(os.environ, ranks, cores)
    if program:
        environment.setdefault("PYTHONUNBUFFERED", "1")  # else it writes when it ends
    process = None
    try:
        process = subprocess.Popen(  # noqa: S603 found by us
            launcher.command(ranks, cores, each),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pump.add(os.dup(pipe.fileno()), "stderr", f"[{launcher.name}] ", words, shown)
            pipe.close()
        pump.run(process)
        return int(process.returncode)
    finally:
        if process is not None and process.returncode is None:
            _end(process)
        os.close(lifeline)  # whatever rank is left dies of that
        _bury(folder)


def _bury(folder: Path) -> None:
    """Wait for what this process has inherited from the launcher, so that no zombies stay."""
    left = [int(path.suffix[1:]) for path in folder.glob(f"{rank.PROCESS}.*")]
    deadline = time.monotonic() + _GRACE_S
    while left and time.monotonic() < deadline:
        left = [pid for pid in left if _lives(pid)]
        if left:
            time.sleep(_POLL_S)


def _lives(pid: int) -> bool:
    """Whether a child of this process has not ended yet."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == 0
    except ChildProcessError:  # somebody else's, or waited for
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a launcher with its ranks: it is asked to, then all are killed."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
        for each in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        process.kill()
        process.wait()
        psutil.wait_procs(family, timeout=_GRACE_S)
