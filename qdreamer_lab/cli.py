"""The console script `qdreamer-lab`: arguments in, exit code out."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilot_kernel.errors import PilotError
from qdreamer_lab import __version__
from qdreamer_lab.errors import QDreamerError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 if all went well, 1 if the demo's values are wrong, 2 on bad input, 130 if interrupted.
    """
    arguments = _parser().parse_args(argv)
    try:
        return _COMMANDS[arguments.command](arguments)
    except (QDreamerError, PilotError) as error:
        print(f"qdreamer-lab: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nqdreamer-lab: interrupted", file=sys.stderr)
        return 130


def _warm(arguments: argparse.Namespace) -> int:
    # Imported late, so that --help and typing errors do not wait for Qiskit.
    from qdreamer_lab.warm import left_out, warm_up

    start = time.perf_counter()
    warm_up(lambda line: print(line, flush=True), demo=arguments.demo)
    which = "the demo's" if arguments.demo else "all"
    print(f"{which} kernels are compiled, in {time.perf_counter() - start:.1f} s")
    if not arguments.demo and (missing := left_out()):
        print(f"but for {', '.join(missing)}: their first calls will take longer")
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    from qdreamer_lab.demo import DemoOptions, run_demo

    options = DemoOptions(
        circuit=arguments.circuit,
        observables=tuple(arguments.observable),
        max_qubits=arguments.max_qubits,
        workers=arguments.workers,
        in_process=arguments.in_process,
        check=arguments.check,
    )
    return run_demo(options, sys.stdout)


def _motif(arguments: argparse.Namespace) -> int:
    from qdreamer_lab.workflow.command import chosen, listing

    if arguments.name is None:
        print(listing())
        return 0
    made = chosen(arguments.name, arguments.preset, arguments.settings)
    made.load()  # what is missing here is said before a pilot starts
    import pilot_kernel

    with pilot_kernel.Session() as session:
        keys = {"cores_per_node": arguments.workers} if arguments.workers else {}
        session.add_pilot(arguments.pilot, **keys)
        report = made.run(session, say=lambda line: print(line, flush=True))
    print(report.text())
    if arguments.json:
        arguments.json.write_text(report.to_json())
    if arguments.html:
        arguments.html.write_text(report.figure().to_html(include_plotlyjs=True))
    return 0


def _characterise(arguments: argparse.Namespace) -> int:
    import pilot_kernel
    from qdreamer_lab.workflow.characterise.measure import characterise
    from qdreamer_lab.workflow.characterise.page import page
    from qdreamer_lab.workflow.characterise.portrait import Portrait

    others = [Portrait.from_json(_read(path)) for path in arguments.compare]
    if len(others) < 2:
        if arguments.json.resolve() in [path.resolve() for path in arguments.compare]:
            raise QDreamerError(
                f"--compare {arguments.json}: the new portrait would take its place; name another "
                "file with --json"
            )
        with pilot_kernel.Session() as session:
            made = characterise(
                session,
                arguments.workers,
                names=arguments.motif or None,
                url=arguments.pilot,
                times=arguments.times,
                simulate=arguments.simulate,
                say=lambda line: print(line, flush=True),
            )
        print(made.text())
        arguments.json.write_text(made.to_json())
        portraits, titles = [made, *others], ["this machine", *map(str, arguments.compare)]
    else:
        portraits, titles = others, [str(path) for path in arguments.compare]
    arguments.html.write_text(page(portraits, titles))
    print(f"written: {arguments.html}")
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise QDreamerError(f"{path}: {error}") from None


def _reproduce(arguments: argparse.Namespace) -> int:
    import pilot_kernel
    from qdreamer_lab.workflow.reproduce.measure import reproduce

    with pilot_kernel.Session() as session:
        made = reproduce(session, say=lambda line: print(line, flush=True))
    print(made.text())
    if arguments.json:
        arguments.json.write_text(made.to_json())
    return 0


def _store(arguments: argparse.Namespace) -> int:
    from qdreamer_lab.workflow.steps.store import default_store

    store = default_store()
    print(f"{store.clear()} results removed" if arguments.clear else store.text())
    return 0


_COMMANDS = {
    "characterise": _characterise,
    "demo": _demo,
    "motif": _motif,
    "reproduce": _reproduce,
    "store": _store,
    "warm": _warm,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qdreamer-lab", description="Cut quantum circuits that are too wide, and run them."
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {__version__}", help="show the version"
    )
    commands = parser.add_subparsers(required=True, metavar="command", dest="command")
    demo = commands.add_parser(
        "demo",
        help="cut a wide circuit, run it on a pilot, and check the values",
        description="Cut a circuit, run its fragments as tasks on a pilot, reconstruct the values "
        "and check them. Without options: a 36-qubit EfficientSU2 circuit.",
    )
    demo.add_argument("--circuit", type=Path, metavar="FILE", help="OpenQASM 2 or 3 file")
    demo.add_argument(
        "--observable",
        action="append",
        default=[],
        metavar="TEXT",
        help="Pauli products by qubit, such as 'Z0 Z17' or '0.5*Z0 Z1 - X3'; may be repeated "
        "(default: Z on the first qubit, Z on the last, ZZ on the middle pair)",
    )
    demo.add_argument(
        "--max-qubits", type=int, default=12, metavar="N", help="widest fragment (default: 12)"
    )
    demo.add_argument("--workers", type=_positive, metavar="N", help="workers of the local pilot")
    demo.add_argument(
        "--in-process", action="store_true", help="run the fragments here, without a pilot"
    )
    demo.add_argument(
        "--check",
        action=argparse.BooleanOptionalAction,
        help="compare with Aer's simulator, or do not (default: unless that may take minutes)",
    )
    _add_motif(commands)
    _add_characterise(commands)
    again = commands.add_parser(
        "reproduce",
        help="compare published figures of the reference group with ours",
        description="Measure what the reference group published and show both figures side by "
        "side, with the differences between the two set-ups; this takes minutes.",
    )
    again.add_argument("--json", type=_output, metavar="FILE", help="write the rows as JSON, too")
    store = commands.add_parser(
        "store",
        help="list the results of steps and fragments that are kept on disk, or remove them",
        description="List the results of finished steps and fragments that are kept on disk for "
        "later runs, the last used first.",
    )
    store.add_argument("--clear", action="store_true", help="remove all of it")
    warm = commands.add_parser(
        "warm",
        help="compile all numba kernels now, so that later runs need not",
        description="Compile the numba kernels of the cut finder and of exact mode, and keep them "
        "on disk. This takes a minute or two after an installation, and seconds later on.",
    )
    warm.add_argument(
        "--demo", action="store_true", help="only those that `qdreamer-lab demo` needs"
    )
    return parser


def _add_motif(commands: Any) -> None:
    motif = commands.add_parser(
        "motif",
        help="run an execution motif, and report where its time goes",
        description="Run an execution motif on a pilot and report where its time went. Without a "
        "name: list the motifs and their parameters.",
        add_help=False,
    )
    motif.add_argument("-h", "--help", action=_MotifHelp)
    motif.add_argument("name", nargs="?", metavar="NAME", help="the motif; NAME --help explains it")
    motif.add_argument(
        "--preset", default="small", help="set of parameters: small (default) or paper"
    )
    motif.add_argument(
        *("--set", "-s"),
        dest="settings",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set one parameter; may be repeated",
    )
    motif.add_argument(
        "--pilot", default="local://", metavar="URL", help="where to run (default: local://)"
    )
    motif.add_argument("--workers", type=_positive, metavar="N", help="cores of that pilot")
    motif.add_argument("--json", type=_output, metavar="FILE", help="write the report as JSON, too")
    motif.add_argument("--html", type=_output, metavar="FILE", help="write its picture, too")


def _add_characterise(commands: Any) -> None:
    portrait = commands.add_parser(
        "characterise",
        help="run all motifs over sizes and numbers of workers, and write a report of this machine",
        description="Run all motifs over sizes and numbers of workers, and report where their time "
        "went, how tightly tasks are coupled, and how they scale, as an HTML page and JSON.",
    )
    portrait.add_argument(
        "--workers",
        type=_counts,
        default=(1, 2),
        metavar="N,M",
        help="numbers of workers (default: 1,2)",
    )
    portrait.add_argument(
        "--motif", action="append", metavar="NAME", help="only this motif; may be repeated"
    )
    portrait.add_argument(
        "--pilot", default="local://", metavar="URL", help="where to run (default: local://)"
    )
    portrait.add_argument(
        "--times",
        type=_positive,
        default=1,
        metavar="N",
        help="runs of each, of which the best counts (default: 1)",
    )
    portrait.add_argument(
        "--simulate",
        type=_counts,
        default=(1, 2, 4, 10, 30, 100, 300, 1000),
        metavar="N,M",
        help="numbers of workers for which scaling is simulated (default: 1,2,4,10,...,1000)",
    )
    portrait.add_argument(
        "--json",
        type=_output,
        default="portrait.json",
        metavar="FILE",
        help="where to write the JSON (default: %(default)s)",
    )
    portrait.add_argument(
        "--html",
        type=_output,
        default="portrait.html",
        metavar="FILE",
        help="where to write the page (default: %(default)s)",
    )
    portrait.add_argument(
        "--compare",
        action="append",
        default=[],
        type=Path,
        metavar="JSON",
        help="compare with this report; given twice, the two are compared and nothing runs",
    )


def _counts(text: str) -> tuple[int, ...]:
    return tuple(sorted(_positive(word) for word in text.split(",")))


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def _output(text: str) -> Path:
    """A file to write when all is done: that it cannot be is said before anything runs."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text}: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text}: you may not write there")
    return path


class _MotifHelp(argparse.Action):
    """`motif NAME --help` has what each parameter of that motif means, too."""

    def __init__(self, option_strings: Sequence[str], dest: str, **_: Any) -> None:
        told = "show this help message, with the motif's parameters behind its name, and exit"
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0, help=told)

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        from qdreamer_lab.workflow.command import described

        parser.print_help()
        if getattr(namespace, "name", None) is not None:
            try:
                print(f"\n{described(namespace.name)}")
            except QDreamerError as error:
                parser.error(str(error))
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
