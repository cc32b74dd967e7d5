"""`make binder-check`: what Binder does with `binder/`, and its visitors on a small machine.

In a fresh environment: the packages of Binder's image, those of `binder/requirements.txt`, then
`postBuild`. On one core with 1.5 GB: all notebooks, and the browser tests.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.real.lab import WITHIN, missing
from tests.real.small_machine import small_machine

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".binder"
MEMORY_BYTES = 1_500_000_000
BROWSER_TESTS = ("test_browser.py", "test_explorer_browser.py")
_LAST_LINES = 60
FOR_TESTS = ("hypothesis", "pytest", "playwright")


class BinderError(Exception):
    """Something that a visitor would stumble over."""


def main():
    """Do all of it; raises what is wrong."""
    with tempfile.TemporaryDirectory(prefix="binder-") as folder:
        home = Path(folder, "home")
        _checkout(home)
        environment = _environment(home)
        _image(home)
        said("postBuild", _run([home / "binder" / "postBuild"], home, environment))
        with small_machine(MEMORY_BYTES) as machine:
            if not machine.groups:
                print("memory is not limited: that takes root and control groups", flush=True)
            within = (*machine.within, str(home / "binder" / "start"))
            for notebook in sorted((home / "notebooks").glob("*.ipynb")):
                _notebook(notebook, home, environment, within)
                print(f"  {machine.most_bytes() / 2**20:.0f} MiB at most", flush=True)
            _browser(home, Path(folder), environment, within)
            print(f"  {machine.most_bytes() / 2**20:.0f} MiB at most", flush=True)
            if machine.killed() != "0":
                raise BinderError(f"killed for want of memory: {machine.killed()} processes")
    print("Binder: all well", flush=True)


def _checkout(home):
    """The repository as it is now, which is the home directory on Binder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, home / name)


def _environment(home):
    """What Binder's user has; none of what whoever calls this has."""
    kept = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "SSL_"))}
    path = f"{VENV / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    return {**kept, "HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "SHELL": "/bin/bash"}


def _image(home):
    wanted = (home / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    if sys.version_info[:2] != tuple(map(int, wanted.split("."))):
        raise BinderError(f"binder/runtime.txt says Python {wanted}; run this with it")
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    environment = _environment(home)
    pip = [VENV / "bin" / "pip", "install", "--quiet"]
    _run([*pip, "-r", home / "binder" / "base.txt"], home, environment)
    before = _versions(home, environment)
    start = time.monotonic()
    _run([*pip, "-r", home / "binder" / "requirements.txt"], home, environment)
    _run([VENV / "bin" / "pip", "check"], home, environment)
    after = _versions(home, environment)
    print(f"requirements: {len(after) - len(before)} packages more, {_since(start)}", flush=True)
    replaced = {name for name, version in before.items() if after.get(name) != version}
    if replaced:
        raise BinderError(f"packages of the image are replaced: {', '.join(sorted(replaced))}")


def _versions(home, environment):
    listed = _run([VENV / "bin" / "pip", "list", "--format=json"], home, environment)
    return {each["name"]: each["version"] for each in json.loads(listed.stdout)}


def _notebook(notebook, home, environment, within):
    start = time.monotonic()
    done = notebook.with_suffix(".done.ipynb")
    command = ["jupyter", "nbconvert", "--to", "notebook", "--execute", "--log-level", "WARN"]
    said(
        notebook.name,
        _run([*within, *command, "--output", done.name, notebook], notebook.parent, environment),
        start,
    )
    for cell in json.loads(done.read_text())["cells"]:
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                raise BinderError(f"{notebook.name}: {''.join(output['text'])}")
    done.unlink()


def _browser(home, folder, environment, within):
    if what := missing():
        raise BinderError(what)
    shutil.rmtree(home / "qdreamer_lab")  # what is installed is to be tested
    shutil.rmtree(home / "pilot_kernel")
    _run([VENV / "bin" / "pip", "install", "--quiet", *FOR_TESTS], home, environment)
    start = time.monotonic()
    tests = [f"tests/real/{name}" for name in BROWSER_TESTS]
    command = [VENV / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    told = {**environment, WITHIN: shlex.join(within), "TMPDIR": str(folder)}
    said("browser tests", _run([*command, *tests], home, told), start)


def said(what, done, start=None):
    """Tell that a step is done; raises on what it warned of."""
    print(f"{what}: done{'' if start is None else f', {_since(start)}'}", flush=True)
    warned = [line for line in done.stderr.splitlines() if "warn" in line.lower()]
    if warned:
        raise BinderError("\n".join([f"{what} warned:", *warned]))


def _since(start):
    return f"{time.monotonic() - start:.0f} s"


def _run(command, folder, environment):
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = " ".join(map(str, command))
        told = "\n".join([*done.stdout.splitlines(), *done.stderr.splitlines()][-_LAST_LINES:])
        raise BinderError(f"{words}\nended with {done.returncode}:\n{told}")
    return done


if __name__ == "__main__":
    try:
        main()
    except BinderError as error:
        sys.exit(f"Binder: {error}")
