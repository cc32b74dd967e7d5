"""Stand-ins for SLURM's programs, for what can be told without its daemons; a registry apart."""

import os
import stat

import pytest

from pilot_kernel.resource import slurm_job


class Programs:
    """A folder with `squeue`, `scancel` and `sbatch`, first on PATH."""

    def __init__(self, folder):
        self.folder = folder
        self.tell()
        self.script("squeue", 'echo "$@" >> asked; cat told')
        self.script("scancel", 'echo "$@" >> cancelled')
        self.script("sbatch", "cat > submitted; echo '12;cluster'")

    def script(self, name, body):
        """Have a program of that name do something."""
        self._put(name, f"#!/bin/sh\ncd {self.folder}\n{body}\n")
        slurm_job._asked.clear()

    def tell(self, *lines):
        """Have squeue say that."""
        self._put("told", "".join(f"{line}\n" for line in lines))
        slurm_job._asked.clear()

    def _put(self, name, text):
        """Write a file at one stroke: some thread may be running or reading it right now."""
        draft = self.folder / f"{name}.draft"
        draft.write_text(text)
        draft.chmod(draft.stat().st_mode | stat.S_IXUSR)
        os.replace(draft, self.folder / name)

    def read(self, name):
        """What a program has left: `asked`, `cancelled` or `submitted`."""
        path = self.folder / name
        return path.read_text() if path.exists() else ""


@pytest.fixture
def slurm_programs(tmp_path, monkeypatch):
    """SLURM's programs, made up."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    yield Programs(folder)
    slurm_job._asked.clear()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A registry of the test's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("PILOT_KERNEL_HOME", str(folder))
    return folder
