"""Commands in an environment made for them, with nothing of whoever calls them."""

import json
import os
import subprocess
import time

__all__ = ["FreshError", "environment", "execute", "no_warnings", "run", "since"]

_LAST_LINES = 60
_USUAL = ("Kernel is running over TCP without encryption", "loading QPU")
"""What ipykernel says of any kernel that nbconvert starts, and what takes a while."""


class FreshError(Exception):
    """Something that whoever begins with the project would stumble over."""


def environment(venv, home):
    """The variables of a user whose home is `home`, and who has nothing but an environment."""
    kept = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "SSL_"))}
    path = f"{venv / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    quiet = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # else old debuggers warn in every kernel
    own = {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "SHELL": "/bin/bash"}
    return {**kept, **quiet, **own}


def run(command, folder, env):
    """Run a command; raises with what it said last if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        told = "\n".join([*done.stdout.splitlines(), *done.stderr.splitlines()][-_LAST_LINES:])
        raise FreshError(f"{' '.join(words)}\nended with {done.returncode}:\n{told}")
    return done


def no_warnings(what, done, told=()):
    """Raise if a command has warned of something.

    Args:
        what: What errors call it.
        done: The command.
        told: What else was said there.
    """
    said = [line for line in done.stderr.splitlines() if "warn" in line.lower()]
    said += [line for text in told for line in text.splitlines() if line.strip()]
    if said := [line for line in said if not any(words in line for words in _USUAL)]:
        raise FreshError("\n".join([f"{what} warned:", *said]))


def execute(notebook, env, within=()):
    """Run a notebook where it lies; raises on an error, and on anything said on stderr."""
    start = time.monotonic()
    out = notebook.with_suffix(".done.ipynb")
    command = ["jupyter", "nbconvert", "--to", "notebook", "--execute", "--log-level", "WARN"]
    done = run([*within, *command, "--output", out.name, notebook], notebook.parent, env)
    outputs = [x for cell in json.loads(out.read_text())["cells"] for x in cell.get("outputs", ())]
    told = ["".join(each["text"]) for each in outputs if each.get("name") == "stderr"]
    out.unlink()
    no_warnings(notebook.name, done, told)
    print(f"{notebook.name}: {since(start)}", flush=True)


def since(start):
    """The time since then, in words."""
    return f"{time.monotonic() - start:.0f} s"
