"""The cell magics: `%%ctask` and `%%qtask`. They parse and delegate to `cell/submit.py`."""

# mypy: disable-error-code="untyped-decorator"

import argparse
import math
import re
import sys
from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import (
    Magics,
    cell_magic,
    magics_class,
    no_var_expand,
    output_can_be_silenced,
)
from IPython.core.magic_arguments import argument, magic_arguments

from pilot_kernel.jupyter.cell import submit
from pilot_kernel.jupyter.cell.cell_task import CellTask
from pilot_kernel.jupyter.cell.device_wishes import PREFERENCES, DeviceWishes
from pilot_kernel.jupyter.cell.kept_names import KeptNames, kept_names
from pilot_kernel.jupyter.cell.notebook import Notebook
from pilot_kernel.jupyter.cell.python_source import Cell, read_cell
from pilot_kernel.jupyter.cell.qasm_source import parse_qasm
from pilot_kernel.jupyter.cell.submit import CellInputs
from pilot_kernel.jupyter.magics.parsed_line import parsed_line
from pilot_kernel.jupyter.magics.pilot_options import memory_bytes, unquoted
from pilot_kernel.jupyter.magics.pilot_options import names as words
from pilot_kernel.jupyter.magics.wait import wait
from pilot_kernel.jupyter.show.publishing import in_notebook
from pilot_kernel.jupyter.show.result_view import remember_observables
from pilot_kernel.task.notebook.options import TaskOptions

__all__ = ["CellMagics"]


_INPUTS = "variables to send, a,b (default: those that the cell reads)"
_OUTPUTS = "names to keep, a,b: variables of the cell, and at most one new name for its result"


def _amount(text: str) -> float:
    """The value of an option: a finite number, zero or more."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: zero or more, and finite")
    return value


def _count(text: str) -> int:
    """The value of an option: a whole number, zero or more."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text}: a whole number, zero or more")
    return int(text)


def _shots(text: str) -> int:
    """The value of an option: a whole number of at least 1."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text}: a whole number of at least 1, such as 1024")
    return int(text)


def _whole(text: str) -> int:
    """The value of an option: a whole number."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise argparse.ArgumentTypeError(f"{text}: a whole number")
    return int(text)


def _shared(magic: Callable[..., Any]) -> Callable[..., Any]:
    """The options that both magics have."""
    for option in (
        argument("--on", help="kind of worker (cpu, gpu, qpu) or name of a pilot"),
        argument("-o", "--out", nargs="+", help=_OUTPUTS),
        argument("-i", "--in", dest="inputs", nargs="+", help=_INPUTS),
        argument("--limit", type=_amount, default=256.0, help="most MB of variables to send (256)"),
        argument("--block", dest="block", action="store_true", default=True, help="wait (default)"),
        argument("--noblock", dest="block", action="store_false", help="do not wait"),
        argument("--timeout", type=_amount, help="seconds that the task may run"),
        argument("--name", help="what to call the task"),
        argument(
            "--retries", type=_count, help="workers that may die running it before it fails (2)"
        ),
        argument(
            "--cores",
            type=_count,
            help="cores that it needs, of one worker or of several on a node",
        ),
        argument("--memory", type=memory_bytes, help="memory that it needs, such as 4GB"),
        argument("--gpus", type=_count, help="1 for a worker with a GPU"),
        argument("--tags", type=words, default=(), help="tags that its pilot must have, as a,b"),
        argument(
            "--priority", type=_whole, default=0, help="tasks of higher priority start first (0)"
        ),
        argument(
            "--workload",
            type=unquoted,
            help="workload that it belongs to; these share workers fairly",
        ),
        argument(
            "--progress-after",
            type=_amount,
            default=1.0,
            help="seconds before progress is shown (1)",
        ),
    ):
        magic = option(magic)
    return magic


@magics_class
class CellMagics(Magics):  # type: ignore[misc]
    """Magics that run cells on the pilot."""

    def __init__(self, shell: Any, notebook: Notebook) -> None:
        super().__init__(shell)
        self.notebook = notebook

    @magic_arguments("%ctask")
    @argument(
        "--all",
        dest="everywhere",
        action="store_true",
        help="run on every worker; the result is a list",
    )
    @_shared
    @cell_magic
    @no_var_expand
    @output_can_be_silenced
    def ctask(self, line: str, cell: str) -> Any:
        """Run this cell on a worker of the pilot.

        It runs in a fresh namespace with the variables it reads. The value of its last expression
        is the result.

        -o a,b keeps variables of the cell under their names in the notebook; a name that is not a
        variable of the cell keeps its result (with --noblock, its task).

        --all runs it once on every worker that is up, or on those of one kind or pilot with --on.
        Its result and the variables of -o are then lists, in the order of the workers' names.
        """
        args = parsed_line(self.ctask, line)
        read = self._read("ctask", line, cell)
        kept = kept_names(read, _names(args.out))
        task = submit.ctask(
            self.notebook.session(),
            read,
            self._inputs(args),
            outputs=kept.variables,
            deliver=self.shell.user_ns.update,
            everywhere=args.everywhere,
            options=_options(args),
        )
        result = self._finish(task, args, kept.result)
        if args.everywhere and args.block and all(value is None for value in result):
            return None  # as a cell that only prints shows no value
        return result

    @magic_arguments("%qtask")
    @argument("--shots", type=_shots, help="shots of each circuit (1024)")
    @argument(
        "--precision",
        type=_amount,
        help="standard error of each expectation value (default: exact)",
    )
    @argument("--seed", type=_count, help="seed of the random numbers")
    @argument("--cut", help="most qubits of a fragment, or auto; wider circuits are cut")
    @argument("--dry-run", action="store_true", help="count circuits, jobs and shots; send nothing")
    @argument(
        "--prefer", choices=PREFERENCES, default="time", help="how to choose between QPUs (time)"
    )
    @argument("--fallback", help="kind of worker or name of a pilot to use if QPUs fail")
    @argument("--mitigation", type=words, default=(), help="error mitigation: readout,twirling,zne")
    @argument("--mid-circuit", choices=("yes", "no"), help="whether QPUs may measure mid-circuit")
    @argument("--qasm", action="store_true", help="the cell is OpenQASM 2 or 3")
    @_shared
    @cell_magic
    @no_var_expand
    def qtask(self, line: str, cell: str) -> Any:
        """Build circuits in this cell, on a worker, and run them on the pilot.

        Its last expression is a circuit, a PUB (circuit, observables[, parameters]), or a list of
        them. Measured circuits are sampled; for observables, expectation values are estimated in
        the state before the circuit's final measurements.

        -o result keeps their results under this name (with --noblock, the task); -o result,qc
        keeps the cell's variable qc as well.

        --cut 12 cuts circuits into fragments of at most 12 qubits, and reconstructs the expectation
        values, or the distribution of the measured bits. --cut auto chooses the width, or leaves
        the circuit uncut: for expectation values whichever is predicted to finish first, with the
        reason; a circuit that is sampled is cut only if it does not fit into memory or on the
        device. --cut needs qdreamer-lab.

        --on one,other runs them on the better of two QPUs, and on the other if that fails; with
        --cut 12 both share the fragments. --prefer fidelity chooses by the error rates that QPUs
        report instead of by time, and --fallback cpu uses simulators if QPUs fail.

        --mitigation readout,twirling,zne mitigates errors of QPUs that run fragments, and
        --mid-circuit no has them measure only at the end of circuits.

        --dry-run sends nothing to a QPU and reports what would be sent: circuits, jobs, shots,
        seconds, and the jobs that wait there; with --cut also fragments and variants.
        """
        args = parsed_line(self.qtask, line)
        names = _names(args.out)
        if not args.qasm:
            read = self._read("qtask", line, cell)
            kept = kept_names(read, names, circuits=True)
            return self._finish(self._circuits(args, read, kept), args, kept.result)
        if len(names) > 1:
            raise UsageError("%%qtask --qasm -o takes one name: a program has no variables to keep")
        return self._finish(self._circuit(args, cell), args, *names)

    def _circuits(self, args: Any, read: Cell, kept: KeptNames) -> CellTask:
        return submit.qtask(
            self.notebook.session(),
            read,
            self._inputs(args),
            shots=args.shots,
            precision=args.precision,
            seed=args.seed,
            cut=args.cut,
            dry_run=args.dry_run,
            wishes=_wishes(args),
            outputs=kept.variables,
            deliver=self.shell.user_ns.update,
            options=_options(args),
            on_result=remember_observables,
        )

    def _circuit(self, args: Any, cell: str) -> CellTask:
        if args.precision is not None:
            raise UsageError("%%qtask --qasm samples: it takes --shots, not --precision")
        circuit = parse_qasm(cell, lines_above=1)
        return submit.run_circuit(
            self.notebook.session(),
            circuit,
            shots=args.shots,
            seed=args.seed,
            cut=args.cut,
            dry_run=args.dry_run,
            wishes=_wishes(args),
            options=_options(args),
        )

    def _read(self, magic: str, line: str, body: str) -> Cell:
        header = f"%%{magic} {line}".strip()
        source = f"# {header}\n{body}"
        filename = self.shell.compile.cache(source, _cell_number(self.shell), raw_code=source)
        return read_cell(body, header, filename)

    def _inputs(self, args: Any) -> CellInputs:
        return CellInputs(
            self.shell.user_ns,
            self.shell.user_ns_hidden,
            None if args.inputs is None else _names(args.inputs),
            int(args.limit * 10**6),
        )

    def _finish(self, task: CellTask, args: Any, name: str | None = None) -> Any:
        """Wait, if that is wanted, and keep what there is then under a name, if there is one."""
        self.notebook.keep(task)
        found: Any = task
        if args.block:
            live = in_notebook(self.shell)
            found = wait(task, live=live, progress_after_s=args.progress_after)
        if name is not None:
            self.shell.user_ns[name] = found
        return found


def _cell_number(shell: Any) -> int:
    """The number of the cell that runs; the shell has already counted up to the next."""
    frame: Any = sys._getframe()
    while frame is not None:
        name = shell.compile.format_code_name(frame.f_code.co_filename)
        if name and (found := re.fullmatch(r"In\[(\d+)\]", name[1])):
            return int(found[1])
        frame = frame.f_back
    return int(shell.execution_count)


def _options(args: Any) -> TaskOptions:
    name = args.name.strip("'\"") if args.name else None
    needs = (args.cores, args.memory, args.gpus, args.tags)
    return TaskOptions(
        args.on, name, args.retries, args.timeout, *needs, args.priority, args.workload
    )


def _wishes(args: Any) -> DeviceWishes:
    midway = None if args.mid_circuit is None else args.mid_circuit == "yes"
    return DeviceWishes(args.prefer, args.fallback, args.mitigation, midway)


def _names(words: list[str] | None) -> tuple[str, ...]:
    listed = ",".join(word.strip("'\"") for word in words or ())
    names = tuple(name.strip() for name in listed.split(",") if name.strip())
    for name in names:
        if not name.isidentifier():
            raise UsageError(f"{name!r} is not the name of a variable; several are written a,b")
    return names
