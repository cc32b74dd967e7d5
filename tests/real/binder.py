"""`make binder-check`: what Binder does with `binder/`, and its visitors on a small machine.

In a fresh environment: the packages of Binder's image, those of `binder/requirements.txt`, then
`postBuild`. On one core with 1.5 GB: all notebooks, how long starting takes, and the browser tests.
"""

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.real.fresh_environment import FreshError, environment, execute, no_warnings, run, since
from tests.real.lab import WITHIN, missing
from tests.real.small_machine import small_machine

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".binder"
MEMORY_BYTES = 1_500_000_000
BROWSER_TESTS = ("test_browser.py", "test_explorer_browser.py")
FOR_TESTS = ("hypothesis", "pytest", "playwright")


def main():
    """Do all of it; raises what is wrong."""
    if what := missing():
        raise FreshError(what)
    with tempfile.TemporaryDirectory(prefix="binder-") as folder:
        home = Path(folder, "home")
        _checkout(home)
        env = environment(VENV, home)
        _image(home)
        start = time.monotonic()
        no_warnings("postBuild", run([home / "binder" / "postBuild"], home, env))
        print(f"postBuild: {since(start)}", flush=True)
        with small_machine(MEMORY_BYTES) as machine:
            if not machine.groups:
                print("memory is not limited: that takes root and control groups", flush=True)
            within = (*machine.within, str(home / "binder" / "start"))
            for notebook in sorted((home / "notebooks").glob("*.ipynb")):
                execute(notebook, env, within)
                print(f"  {machine.most_bytes() / 2**20:.0f} MiB at most", flush=True)
            _browser(home, Path(folder), env, within)
            print(f"  {machine.most_bytes() / 2**20:.0f} MiB at most", flush=True)
            if machine.killed() != "0":
                raise FreshError(f"killed for want of memory: {machine.killed()} processes")
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


def _image(home):
    wanted = (home / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    if sys.version_info[:2] != tuple(map(int, wanted.split("."))):
        raise FreshError(f"binder/runtime.txt says Python {wanted}; run this with it")
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    env = environment(VENV, home)
    pip = [VENV / "bin" / "pip", "install", "--quiet"]
    run([*pip, "-r", home / "binder" / "base.txt"], home, env)
    before = _versions(home, env)
    start = time.monotonic()
    run([*pip, "-r", home / "binder" / "requirements.txt"], home, env)
    run([VENV / "bin" / "pip", "check"], home, env)
    after = _versions(home, env)
    print(f"requirements: {len(after) - len(before)} packages more, {since(start)}", flush=True)
    replaced = {name for name, version in before.items() if after.get(name) != version}
    if replaced:
        raise FreshError(f"packages of the image are replaced: {', '.join(sorted(replaced))}")


def _versions(home, env):
    listed = run([VENV / "bin" / "pip", "list", "--format=json"], home, env)
    return {each["name"]: each["version"] for each in json.loads(listed.stdout)}


def _browser(home, folder, env, within):
    shutil.rmtree(home / "qdreamer_lab")  # what is installed is to be tested
    shutil.rmtree(home / "pilot_kernel")
    run([VENV / "bin" / "pip", "install", "--quiet", *FOR_TESTS], home, env)
    told = {**env, WITHIN: shlex.join(within), "TMPDIR": str(folder)}
    print(run([VENV / "bin" / "python", "-m", "tests.real.start_up"], home, told).stdout, end="")
    start = time.monotonic()
    tests = [f"tests/real/{name}" for name in BROWSER_TESTS]
    command = [VENV / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    run([*command, *tests], home, told)
    print(f"browser tests: {since(start)}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except FreshError as error:
        sys.exit(f"Binder: {error}")
