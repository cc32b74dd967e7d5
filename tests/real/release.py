"""`make release-check`: the wheel as others get it, in an environment of its own, tried.

With `oldest`, in one that has the oldest versions that pyproject.toml allows.
"""

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.real.fresh_environment import FreshError, environment, execute, run, since

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ("01_quickstart.ipynb", "02_cut_explorer.ipynb")
EXTRAS = ("hpc", "learn")


def main(which):
    """Install the wheel in `dist`, and use what it brings; raises what is wrong."""
    (wheel,) = (ROOT / "dist").glob("*.whl")
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        venv, home = Path(folder, "venv"), Path(folder, "home")
        home.mkdir()
        env = environment(venv, home)
        uv = Path(sys.executable).with_name("uv")
        start = time.monotonic()
        run([uv, "venv", "--quiet", "--python", sys.executable, venv], home, env)
        chosen = ["--constraint", _oldest(uv, home, env)] if which == "oldest" else []
        told = {**env, "VIRTUAL_ENV": str(venv)}
        run([uv, "pip", "install", "--quiet", *chosen, f"{wheel}[{','.join(EXTRAS)}]"], home, told)
        print(f"{wheel.name} installed ({which} versions): {since(start)}", flush=True)
        _look(venv, home, env, wheel)
        start = time.monotonic()
        run(["qdreamer-lab", "warm"], home, env)
        run(["qdreamer-lab", "demo"], home, env)
        print(f"kernels compiled, demo right: {since(start)}", flush=True)
        for name in NOTEBOOKS:
            execute(Path(shutil.copy(ROOT / "notebooks" / name, home)), env)
    print(f"release: all well with the {which} versions", flush=True)


def _oldest(uv, home, env):
    """A file with the oldest versions of what pyproject.toml names, and what fits these."""
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    command = [
        uv,
        "pip",
        "compile",
        "--quiet",
        "--no-build",
        "--resolution",
        "lowest-direct",
        *extras,
    ]
    python = ["--python", sys.executable]
    run(
        [*command, *python, "--output-file", home / "oldest.txt", ROOT / "pyproject.toml"],
        home,
        env,
    )
    return home / "oldest.txt"


def _look(venv, home, env, wheel):
    listed = json.loads(run(["jupyter", "kernelspec", "list", "--json"], home, env).stdout)
    if str(venv) not in listed["kernelspecs"].get("pilot", {}).get("resource_dir", ""):
        raise FreshError("the kernel did not come with the installation")
    for package in ("pilot_kernel", "qdreamer_lab"):
        code = f"import {package} as p, pathlib; print(pathlib.Path(p.__file__).parent)"
        where = Path(run(["python", "-c", code], home, env).stdout.strip())
        if not (where / "py.typed").is_file() or venv not in where.parents:
            raise FreshError(f"{package} is not typed, or not from the wheel: {where}")
    told = run(["qdreamer-lab", "--version"], home, env).stdout.split()[-1]
    if told != wheel.name.split("-")[1]:
        raise FreshError(f"--version says {told}, the wheel {wheel.name}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except FreshError as error:
        sys.exit(f"release: {error}")
