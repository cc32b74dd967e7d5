"""A row of the benchmark, which is one way to run a job, measured; rows as JSON lines."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One way to run a job, measured.

    Attributes:
        job: Name of the job.
        family: Its family.
        n: Number of qubits.
        depth: Number of layers.
        strings: Number of observables.
        precision: Standard error wanted.
        seed: Seed of circuit, observables and shots.
        width: Greatest width of a fragment.
        mode: "exact" or "sampled".
        workers: Number of workers that shared the work.
        cores: Of each worker.
        runs_s: Wall seconds of each run after the warm-up, in their order; each took other shots.
        seconds: Their median.
        phases: Wall seconds by phase, in the run of that median.
        cuts: Cuts of the plan of the greatest part.
        n_sub: Qubits of the widest fragment.
        variants: State vectors or circuits run, as so many `tasks`.
        shots: Shots taken.
        stds: Greatest standard error reported.
        worker_bytes: Growth of a worker's resident memory, at most; `process_bytes` of this one's.
    """

    job: str
    family: str
    n: int
    depth: int
    strings: int
    precision: float
    seed: int
    width: int
    mode: str
    workers: int
    runs_s: list[float]
    seconds: float
    phases: dict[str, float]
    cuts: int
    n_sub: int
    variants: int
    tasks: int
    shots: int
    stds: float
    worker_bytes: int
    process_bytes: int
    cores: int = 1

    @property
    def uncut(self) -> bool:
        """Whether nothing was cut."""
        return self.width >= self.n


def save(path: Path, head: dict[str, Any], rows: list[Row], skipped: list[str]) -> None:
    """Write the machine, the rows and what was skipped, a JSON line each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [{"machine": head}, *map(asdict, rows), *({"skipped": text} for text in skipped)]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def load(path: Path) -> tuple[list[Row], list[str]]:
    """Read what `save` wrote."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    skipped = [line["skipped"] for line in lines if "skipped" in line]
    return [Row(**line) for line in lines if "job" in line], skipped
