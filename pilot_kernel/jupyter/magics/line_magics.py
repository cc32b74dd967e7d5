"""The line magics: `%pilot`, `%motif`, `%tasks`, `%qresult`, `%cancel`. They parse, delegate."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from pilot_kernel.jupyter.cell.notebook import Notebook
from pilot_kernel.jupyter.magics import pilot_commands
from pilot_kernel.jupyter.magics.motifs import MotifRequest, run_motif
from pilot_kernel.jupyter.magics.parsed_line import parsed_line
from pilot_kernel.jupyter.magics.pilot_options import memory_bytes, names, pilot_keys, unquoted
from pilot_kernel.jupyter.magics.wait import wait
from pilot_kernel.jupyter.show.agents_table import Table
from pilot_kernel.jupyter.show.overviews import SessionView, TasksView
from pilot_kernel.jupyter.worker.run import CellOutcome
from pilot_kernel.sessions.batch_script import agent_job_script
from pilot_kernel.sessions.reports.logs import Logs
from pilot_kernel.sessions.reports.report import Report

__all__ = ["PilotMagics"]

_VERBS = (
    "status",
    "start",
    "add",
    "script",
    "scale",
    "drain",
    "stop",
    "list",
    "attach",
    "reap",
    "dashboard",
    "report",
    "logs",
)

_WRITTEN = {"inside": "in"}


@magics_class
class PilotMagics(Magics):  # type: ignore[misc]
    """Magics about pilots and tasks."""

    def __init__(self, shell: Any, notebook: Notebook) -> None:
        super().__init__(shell)
        self.notebook = notebook

    @magic_arguments()
    @argument("verb", nargs="?", default="status", choices=_VERBS, help="what to do")
    @argument("what", nargs="*", help="URL, NAME, COUNT or ID, as shown above")
    @argument("--name", help="what to call the pilot")
    @argument("--cores", type=int, help="cores on each node")
    @argument("--nodes", type=int, help="how many nodes")
    @argument("--gpus", type=int, help="GPUs on each node")
    @argument("--cores-per-worker", type=int, help="cores that one task may use (1)")
    @argument("--memory", type=memory_bytes, help="memory on each node, such as 4GB")
    @argument("--queue", type=unquoted, help="batch queue or partition")
    @argument("--walltime", type=unquoted, help="time limit of a batch job, as 1:00:00")
    @argument("--project", type=unquoted, help="account to charge")
    @argument("--interface", type=unquoted, help="network interface that nodes can reach, as ib0")
    @argument("--directory", type=unquoted, help="where workers keep their files")
    @argument(
        "--lines",
        action="append",
        type=unquoted,
        metavar="'LINE'",
        help="batch directive, or shell command to run before the workers; may be repeated",
    )
    @argument(
        "--start-within",
        type=int,
        help="seconds that a job may wait in the queue before this is reported",
    )
    @argument("--qpu", type=names, help="QPUs to ask the batch system for, as a,b")
    @argument("--tags", type=names, help="tags that tasks can ask for, as a,b")
    @argument(
        "--in",
        dest="inside",
        type=unquoted,
        metavar="URL",
        help="start, script: run the agent itself in a batch job, slurm://",
    )
    @argument("--all", action="store_true", help="reap: all agents but this notebook's")
    @line_magic
    @no_var_expand
    def pilot(self, line: str) -> Any:
        """Show and change the pilots behind this notebook.

        %pilot                            show their status
        %pilot start                      start a session, if none is open
        %pilot start --in slurm:// ...    start one with its agent in a batch job
        %pilot add local:// --cores 2     ask for workers
        %pilot add qpu://fake_manila      a QPU, for --on qpu or --on fake_manila
        %pilot add slurm:// --nodes 2 --cores 16 --memory 64GB --interface ib0 ...
                                          batch jobs, one for each node
        %pilot script slurm:// ...        show the batch script; nothing is submitted
        %pilot script --in slurm:// ...   show the script of the agent's own job
        %pilot scale NAME 4               grow or shrink a pilot; running tasks finish first
        %pilot scale NAME 1:8             scale it automatically within these limits
        %pilot drain NAME                 let its running tasks finish, then stop it
        %pilot stop [NAME]                stop a pilot, or the whole session
        %pilot list                       list your agents, here and in batch jobs
        %pilot attach ID                  switch to another agent
        %pilot reap [ID | --all]          end agents, and clean up after dead ones
        %pilot report [ID]                show what happened: a table, and a timeline of all workers
        %pilot logs [NAME]                show log files: all, a pilot's, a worker's, or the agent's
        %pilot dashboard                  open Dask's dashboard

        Options that name no command are those of add, script and start --in.
        """
        args = parsed_line(self.pilot, line)
        _check_options(args)
        return getattr(self, f"_{args.verb}")(args)

    def _status(self, args: Any) -> SessionView | Table:
        _words(args, 0, 0, "status, without a name: it shows all")
        return pilot_commands.status(self.notebook.open_session())

    def _start(self, args: Any) -> SessionView | Table:
        _words(args, 0, 0, "start, or start --in URL; %pilot add URL adds a pilot")
        keys = pilot_keys(args)
        if args.inside is not None:
            return pilot_commands.status(self.notebook.start_inside(args.inside, keys))
        if keys:
            raise UsageError("%pilot start takes these options with --in URL only; see %pilot add")
        session = self.notebook.start()
        if not session.waits_for and not session.pilots:
            session.add_pilot()
        return pilot_commands.status(session)

    def _add(self, args: Any) -> SessionView | Table:
        url = _words(args, 0, 1, "add [URL]") or ["local://"]
        session = self.notebook.session()
        session.add_pilot(url[0], **pilot_keys(args))
        return pilot_commands.status(session)

    def _script(self, args: Any) -> None:
        if args.inside is not None:
            _words(args, 0, 0, "script --in URL")
            print(agent_job_script(args.inside, **pilot_keys(args)))
            return
        [url] = _words(args, 1, 1, "script URL")
        print(pilot_commands.script(self.notebook.open_session(), url, pilot_keys(args)))

    def _scale(self, args: Any) -> SessionView | Table:
        name, count = _words(args, 2, 2, "scale NAME COUNT, or scale NAME FEWEST:MOST")
        session = self.notebook.session()
        pilot_commands.scale(session, name, count)
        return pilot_commands.status(session)

    def _drain(self, args: Any) -> SessionView | Table:
        [name] = _words(args, 1, 1, "drain NAME")
        session = self.notebook.session()
        pilot_commands.pilot_called(session, name).drain()
        return pilot_commands.status(session)

    def _stop(self, args: Any) -> None:
        name = _words(args, 0, 1, "stop [NAME]")
        print(pilot_commands.stop(self.notebook.open_session(), name[0] if name else None))

    def _list(self, args: Any) -> Table:
        _words(args, 0, 0, "list")
        return pilot_commands.agents(self.notebook.open_session())

    def _attach(self, args: Any) -> SessionView | Table:
        [wanted] = _words(args, 1, 1, "attach ID")
        return pilot_commands.status(pilot_commands.attach(self.notebook.open_session(), wanted))

    def _reap(self, args: Any) -> None:
        wanted = _words(args, 0, 1, "reap [ID | --all]")
        session = self.notebook.open_session()
        print(pilot_commands.reap(session, wanted[0] if wanted else None, everything=args.all))

    def _report(self, args: Any) -> Report:
        wanted = _words(args, 0, 1, "report [ID]")
        return pilot_commands.report(self.notebook.open_session(), wanted[0] if wanted else None)

    def _logs(self, args: Any) -> Logs:
        name = _words(args, 0, 1, "logs [NAME]")
        return pilot_commands.logs(self.notebook.open_session(), name[0] if name else None)

    def _dashboard(self, args: Any) -> None:
        _words(args, 0, 0, "dashboard")
        session = self.notebook.session()
        print(session.dashboard)
        if session.place:
            print(
                f"on the agent's machine; reach it through a tunnel with ssh -L ({session.place})"
            )

    @magic_arguments()
    @argument("name", nargs="?", help="the motif; without a name, all are listed")
    @argument("--preset", default="small", help="set of parameters: small (default) or paper")
    @argument(
        *("--set", "-s"),
        dest="settings",
        action="append",
        default=[],
        type=unquoted,
        metavar="KEY=VALUE",
        help="set one parameter; may be repeated",
    )
    @argument(
        "--help", dest="help", action="store_true", help="explain the motif and its parameters"
    )
    @line_magic
    @no_var_expand
    def motif(self, line: str) -> Any:
        """Run an execution motif on the pilots, and report where its time goes.

        %motif                                       list the motifs and their parameters
        %motif circuit-execution --help              explain one motif and its parameters
        %motif circuit-execution --set qubits=16     run one; its report is the cell's value
        """
        args = parsed_line(self.motif, line)
        return run_motif(
            MotifRequest(
                *(self.notebook.session, args.name, args.preset, tuple(args.settings), print),
                help=args.help,
            )
        )

    @line_magic
    @no_var_expand
    def tasks(self, line: str) -> TasksView:
        """Show the tasks of this notebook, the newest first: state, place, times, progress."""
        if line.strip():
            raise UsageError("%tasks takes nothing and shows all; %qresult NAME waits for one task")
        return TasksView(self.notebook)

    @magic_arguments()
    @argument("task", nargs="?", help="key, name or start of a key (default: the last task)")
    @argument(
        "--task", dest="itself", action="store_true", help="return the task instead of its result"
    )
    @line_magic
    @no_var_expand
    def qresult(self, line: str) -> Any:
        """Return the result of a task, once it is done: `counts = %qresult bell`."""
        args = parsed_line(self.qresult, line)
        task = self.notebook.find(args.task)
        if args.itself:
            return task
        result = wait(task)
        if isinstance(result, CellOutcome):  # sent by the kernel that ran here before
            result, outputs = result.open()
            self.shell.user_ns.update(outputs)
        return result

    @magic_arguments()
    @argument("task", nargs="*", help="as for %%qresult (default: the last unfinished task)")
    @line_magic
    @no_var_expand
    def cancel(self, line: str) -> None:
        """Cancel tasks, also those that run."""
        args = parsed_line(self.cancel, line)
        unfinished = [task for task in self.notebook.tasks() if not task.done()]
        chosen = [self.notebook.find(wanted) for wanted in args.task] or unfinished[-1:]
        if not chosen:
            print("there are no unfinished tasks")
        for task in chosen:
            print(f"{'canceled' if task.cancel() else 'already done'}: {task.key}")


def _check_options(args: Any) -> None:
    """Refuse options that a verb has no use for: `stop --name x` is not to stop everything."""
    of_pilots = {*vars(args)} - {"verb", "what", "all", "inside"}
    allowed = {
        "start": {"inside", *of_pilots},
        "add": of_pilots,
        "script": {"inside", *of_pilots},
        "reap": {"all"},
    }.get(args.verb, set())
    values = {option: getattr(args, option) for option in (*of_pilots, "inside", "all")}
    given = {option for option, value in values.items() if not (value is None or value is False)}
    if needless := sorted(given - allowed):
        options = ", ".join(f"--{_WRITTEN.get(name, name).replace('_', '-')}" for name in needless)
        raise UsageError(f"%pilot {args.verb} does not take {options}; see %pilot?")


def _words(args: Any, least: int, most: int, usage: str) -> list[str]:
    words: list[str] = [word.strip("'\"") for word in args.what]
    if not least <= len(words) <= most:
        raise UsageError(f"%pilot {usage}")
    return words
