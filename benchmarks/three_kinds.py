"""Mixed work on three kinds of pilot at once: how busy their workers were while work remained.

    python -m benchmarks.three_kinds [--tasks 500] [--pad 0.15] [--out FOLDER]

This machine, batch jobs of a private SLURM cluster (needs root and its packages, see `.ci/run`),
and a QPU with noise, two workers each. Classical pieces are padded by some sleep, so that workers
are more than this machine's cores.
"""

import argparse
import time
import warnings
from pathlib import Path

from tests.real import slurm
from tests.real.mixed_work import Mixture
from tests.real.test_three_kinds import JOBS


def main() -> None:
    """Run, print a table, and save a picture."""
    import pilot_kernel

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--pad", type=float, default=0.15)
    parser.add_argument("--out", default="artifacts", help="folder for the picture")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    if what := slurm.missing():
        raise SystemExit(what)

    with slurm.slurm_cluster(2), pilot_kernel.Session() as session:
        session.add_pilot("slurm://", name="cluster", **JOBS)
        session.add_pilot("local://", name="here", cores_per_node=2)
        session.add_pilot("qpu://fake_manila?slots=2", name="device")
        while [pilot.workers for pilot in session.pilot_statuses()] != [2, 2, 2]:
            time.sleep(0.1)
        for on in ("here", "cluster", "device"):
            session.submit(abs, -1, on=on).result()
        begin = time.time()
        mixture = Mixture(session, seed=13, pad_s=args.pad)
        pieces = [mixture.submit() for _ in range(args.tasks)]
        submitted = time.time() - begin
        answers = [piece.task.result() for piece in pieces]
        end = time.time()
        wrong = [p.wrong(answer) for p, answer in zip(pieces, answers, strict=True)]
        report = session.report().between(begin, end)
    print(report.table)
    least = min(worker.use.under_load or 0.0 for worker in report.workers)
    print(f"\n{args.tasks} tasks, submitted in {submitted:.1f} s, done in {end - begin:.1f} s")
    print(f"wrong results                         {sum(map(bool, wrong))}        wanted 0")
    print(f"least busy worker while tasks waited  {100 * least:.0f} %     wanted >= 85 %")
    folder = Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "three_kinds.html").write_text(
        f"<!DOCTYPE html><meta charset='utf-8'><title>Three kinds</title>{report._repr_html_()}"
    )
    print(f"picture: {folder / 'three_kinds.html'}")


if __name__ == "__main__":
    main()
