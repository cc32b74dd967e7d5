"""`python -m pilot_kernel`: install the kernel, list this user's agents."""

import argparse
import json
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

__all__ = ["main"]

_DISPLAY_NAME = "Python 3 (pilot)"


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit status."""
    args = _parser().parse_args(argv)
    status: int = args.run(args)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pilot_kernel",
        description="Install the Jupyter kernel with the pilot; list your agents.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    install = commands.add_parser(
        "install",
        help="install the Jupyter kernel",
        description="Install the Jupyter kernel 'Python 3 (pilot)' for this user or below another "
        "folder. `pip install` has already installed it in its own environment.",
    )
    where = install.add_mutually_exclusive_group()
    where.add_argument("--user", action="store_true", help="for this user (the default)")
    where.add_argument("--sys-prefix", action="store_true", help="into this Python environment")
    where.add_argument("--prefix", metavar="FOLDER", help="below this folder")
    install.add_argument(
        "--name", default="pilot", metavar="NAME", help="name of the kernelspec (default: pilot)"
    )
    install.add_argument(
        "--display-name",
        default=_DISPLAY_NAME,
        metavar="TEXT",
        help=f"what Jupyter shows (default: {_DISPLAY_NAME})",
    )
    install.set_defaults(run=_install)
    uninstall = commands.add_parser(
        "uninstall",
        help="remove the Jupyter kernel",
        description="Remove the Jupyter kernel, wherever Jupyter finds it first.",
    )
    uninstall.add_argument(
        "--name", default="pilot", metavar="NAME", help="name of the kernelspec (default: pilot)"
    )
    uninstall.set_defaults(run=_uninstall)
    agents = commands.add_parser(
        "agents",
        help="list this user's agents",
        description="List this user's agents, of whichever notebook. In a notebook, %%pilot list "
        "does the same, and %%pilot reap ends them.",
    )
    agents.set_defaults(run=_agents)
    return parser


def kernelspec(display_name: str) -> dict[str, object]:
    """Stock ipykernel with the extension loaded, run by this Python.

    An installation brings the same in `share/jupyter`, run by the Python that Jupyter runs in.
    """
    spec = json.loads(files("pilot_kernel.jupyter").joinpath("kernel.json").read_text("utf-8"))
    argv = [sys.executable, *spec["argv"][1:]]
    return {**spec, "argv": argv, "display_name": display_name}


def _install(args: argparse.Namespace) -> int:
    from jupyter_client.kernelspec import KernelSpecManager

    prefix = sys.prefix if args.sys_prefix else args.prefix
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "kernel.json").write_text(
            json.dumps(kernelspec(args.display_name), indent=1), encoding="utf-8"
        )
        Path(folder).chmod(0o755)  # the folder is copied with its mode
        try:
            place = KernelSpecManager().install_kernel_spec(
                folder, args.name, user=prefix is None, prefix=prefix
            )
        except (OSError, ValueError) as error:
            print(f"the kernel could not be installed: {error}", file=sys.stderr)
            return 1
    print(f"installed kernel {args.name!r} in {place}")
    return 0


def _uninstall(args: argparse.Namespace) -> int:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        print(f"removed {KernelSpecManager().remove_kernel_spec(args.name)}")
    except (KeyError, NoSuchKernel):
        print(f"there is no kernel {args.name!r}", file=sys.stderr)
        return 1
    return 0


def _agents(args: argparse.Namespace) -> int:
    from pilot_kernel.jupyter.magics.pilot_commands import agents

    print(agents(None))
    return 0


if __name__ == "__main__":
    sys.exit(main())
