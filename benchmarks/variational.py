"""What the middleware adds to an iteration of a variational loop: the same loop, here and there.

    python -m benchmarks.variational [--rounds 5] [--qubits 4]

One start goes the same way, to the last bit, once with its points evaluated in this process and
once as tasks on a pilot of two workers, in turns. The difference of their wall times, per
evaluation, is the overhead; at most 10 ms is wanted. The machine should be idle otherwise.
"""

import argparse
import contextlib
import statistics
import time

import pilot_kernel
from qdreamer_lab.workflow.run import Run
from qdreamer_lab.workflow.variational.app import VariationalAlgorithm
from qdreamer_lab.workflow.variational.descent import Evaluate
from qdreamer_lab.workflow.variational.evaluators import Here, OnWorkers
from qdreamer_lab.workflow.variational.on_worker import warm_up
from qdreamer_lab.workflow.variational.shift import ShiftedCircuit, shifted_circuit


def timed(
    app: VariationalAlgorithm, circuit: ShiftedCircuit, evaluate: Evaluate
) -> tuple[float, list[float]]:
    """Milliseconds an evaluation, and what each gave."""
    with app.journal() as journal:
        began = time.perf_counter()
        (way,) = app.ways(circuit, evaluate, journal, contextlib.nullcontext)
        took = time.perf_counter() - began
    return 1e3 * took / len(way.values), way.values


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="a variational loop's overhead")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--qubits", type=int, default=4)
    args = parser.parse_args()
    app = VariationalAlgorithm(qubits=args.qubits, starts=1, review=0, iterations=20)
    problem = app.made_problem()
    circuit = shifted_circuit(problem.ansatz)
    pub = (circuit.circuit, problem.hamiltonian)
    warm_up()
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=2)
        session.broadcast(warm_up).result()
        rows = []
        for number in range(args.rounds + 1):
            here, values = timed(app, circuit, Here(*pub))
            run = Run(session, lambda _: None)
            on_workers = OnWorkers(run, *pub, shots=0, tasks=1, device="CPU", on=None)
            there, again = timed(app, circuit, on_workers)
            assert values == again
            rows += [(here, there)] if number else []  # the first round loads what is needed
    for name, column in zip(("in process", "on workers"), zip(*rows, strict=True), strict=True):
        print(f"{name:12} {statistics.median(column):6.1f} ms an evaluation")
    over = [there - here for here, there in rows]
    spread = ", ".join(f"{each:+.1f}" for each in over)
    median = statistics.median(over)
    print(f"{'overhead':12} {median:6.1f} ms, the median of {spread}; at most 10 ms is wanted")


if __name__ == "__main__":
    main()
