"""Mini-app 4, a tight loop: an optimiser here, and circuits on workers in every iteration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pilot_kernel.task.notebook.placement import on_gpu
from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.motif import Motif
from qdreamer_lab.workflow.outcome import Curve, Outcome
from qdreamer_lab.workflow.variational.descent import OPTIMIZERS, Descent, descend_all
from qdreamer_lab.workflow.variational.evaluators import Cut, OnWorkers
from qdreamer_lab.workflow.variational.journal import Journal
from qdreamer_lab.workflow.variational.on_worker import warm_up
from qdreamer_lab.workflow.variational.problems import (
    H2_REPULSION,
    Problem,
    cut_sizes,
    h2,
    ising_chain,
    max_cut,
    random_graph,
)
from qdreamer_lab.workflow.variational.race import Race
from qdreamer_lab.workflow.variational.shift import ShiftedCircuit, shifted_circuit

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from qdreamer_lab.workflow.run import Run
    from qdreamer_lab.workflow.variational.descent import Evaluate, Way

__all__ = ["VariationalAlgorithm"]

_PROBLEMS = ("ising", "h2", "maxcut")
_MOST_STARTS = 64
_MOST_NODES = 24
"""Nodes up to which the true greatest cut is found by trying all."""

_DRAWS = 1024
_CLOSE = 1e-3


@dataclass(frozen=True, kw_only=True)
class VariationalAlgorithm(Motif):
    """The least energy of a Hamiltonian, or the greatest cut of a graph, by a variational circuit.

    Attributes:
        problem: `ising`, a chain in a transverse field; `h2`, the molecule; `maxcut`, by QAOA.
        qubits: Of a chain, or nodes of a graph; H2 has two.
        field: The transverse field.
        layers: Of the circuit.
        optimizer: One of SciPy's: with gradients (`L-BFGS-B`, `BFGS`, `CG`, `SLSQP`), for which
            each evaluation is a batch of shifted points, or without (`COBYLA`, `Nelder-Mead`,
            `Powell`).
        iterations: Most iterations of a start.
        starts: Random first points, from which it goes down at the same time.
        review: Evaluations after which starts are compared, the worse half being stopped, and then
            after twice, four times … as many; 0 stops none.
        shots: Of each point; 0 for exact values.
        max_qubits: Cut circuits into fragments of this width; none leaves them whole.
        tasks: In how many tasks an evaluation's points are run, where circuits are whole.
        checkpoint: A file that keeps all evaluations: a run that was killed goes on from there,
            and ends as if it had not been.
    """

    name: ClassVar[str] = "variational"
    title: ClassVar[str] = "Variational algorithm"
    grows: ClassVar[tuple[str, ...]] = ("starts",)
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"qubits": 16, "layers": 8, "starts": 8, "iterations": 200}
    }

    problem: str = "ising"
    qubits: int = 4
    field: float = 1.0
    layers: int = 4
    optimizer: str = "L-BFGS-B"
    iterations: int = 60
    starts: int = 4
    review: int = 10
    shots: int = 0
    max_qubits: int | None = None
    tasks: int = 1
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        self.at_least(
            qubits=2, layers=1, iterations=1, starts=1, review=0, shots=0, tasks=1, seed=0
        )
        self.one_of(problem=_PROBLEMS, optimizer=OPTIMIZERS)
        if not np.isfinite(self.field):
            raise MotifError(f"{self.name}: field={self.field}: a finite number")
        if self.starts > _MOST_STARTS:
            raise MotifError(f"{self.name}: starts={self.starts}: at most {_MOST_STARTS}")
        if self.problem == "maxcut" and self.qubits > _MOST_NODES:
            raise MotifError(
                f"{self.name}: qubits={self.qubits}: at most {_MOST_NODES} for maxcut, whose true "
                "greatest cut is found by trying all"
            )
        if self.max_qubits is not None:
            self.at_least(max_qubits=1)
            if self.shots or self.tasks > 1:
                raise MotifError(
                    f"{self.name}: max_qubits={self.max_qubits} cuts circuits and gives exact "
                    "values: no shots, and tasks come of the fragments"
                )

    def unused(self) -> dict[str, str]:
        """What does not change the problem, or how it is solved."""
        found: dict[str, str] = {}
        if self.problem == "h2":
            found |= dict.fromkeys(("qubits", "layers", "field"), "problem=h2")
        if self.problem == "maxcut":
            found["field"] = "problem=maxcut"
        if self.starts == 1:
            found["review"] = "starts=1"
        return found

    def memory_bytes(self) -> int:
        """A state and what it takes to measure it."""
        width = 2 if self.problem == "h2" else self.qubits
        if self.max_qubits is not None:
            width = min(width, self.max_qubits)
        return 2 * 16 << width

    def warm_up(self) -> Callable[[], Any]:
        """Loads what runs circuits."""
        return warm_up

    def load(self) -> None:
        """Sees whether the file of evaluations can be used."""
        self.journal().close()

    def made_problem(self) -> Problem:
        """What is minimised."""
        if self.problem == "h2":
            return h2()
        if self.problem == "ising":
            return ising_chain(self.qubits, self.field, self.layers)
        return max_cut(self.qubits, random_graph(self.qubits, self.seed), self.layers)

    def work(self, run: Run) -> Outcome:
        """Go down from all starts."""
        with run.doing("classical"):
            problem = self.made_problem()
            circuit = shifted_circuit(problem.ansatz)
            evaluate = self._evaluator(run, problem, circuit)
        with self.journal() as journal:
            ways = self.ways(circuit, evaluate, journal, lambda: run.doing("classical"), run.stop)
        with run.doing("classical"):
            outcome = _told(self, problem, ways, journal)
        if problem.edges and self.max_qubits is None:
            return self._with_cut(run, problem, outcome)
        return outcome

    def journal(self) -> Journal:
        """The file of evaluations, if there is to be one."""
        path = None if self.checkpoint is None else Path(self.checkpoint)
        configuration = self.parameters()
        del configuration["checkpoint"]
        return Journal(path, configuration)

    def ways(
        self,
        circuit: ShiftedCircuit,
        evaluate: Evaluate,
        journal: Journal,
        thinking: Callable[[], AbstractContextManager[None]],
        stop: threading.Event | None = None,
    ) -> list[Way]:
        """How all starts go, wherever points are evaluated.

        Args:
            circuit: The ansatz.
            evaluate: Gives values.
            journal: Of evaluations.
            thinking: What to be in while the optimiser is at work.
            stop: Set to give up.
        """
        descent = Descent(circuit, evaluate, self.optimizer, self.iterations, self.seed, thinking)
        race = Race(self.starts, self.review, _CLOSE, stop)
        return descend_all(descent, self.starts, journal, race)

    def _evaluator(self, run: Run, problem: Problem, circuit: ShiftedCircuit) -> Evaluate:
        whole = (run, circuit.circuit, problem.hamiltonian)
        if self.max_qubits is not None:
            return Cut(*whole, max_qubits=self.max_qubits, seed=self.seed, on=self.on)
        device = "GPU" if on_gpu(self.on, run.session.candidates(self.on)) else "CPU"
        return OnWorkers(*whole, shots=self.shots, tasks=self.tasks, device=device, on=self.on)

    def _with_cut(self, run: Run, problem: Problem, outcome: Outcome) -> Outcome:
        """Draw bit strings from the best state; the best of them is the answer."""
        best: Way = outcome.data
        circuit = problem.ansatz.assign_parameters(best.x)
        circuit.measure_all()
        work = run.circuits([circuit], shots=_DRAWS, seed=self.seed, on=self.on, name="draws")
        counts = work.result()[0].data.meas.get_int_counts()
        with run.doing("classical"):
            sizes = cut_sizes(self.qubits, problem.edges)
            found = max(counts, key=lambda string: (sizes[string], -string))
            values = {
                **outcome.values,
                "greatest cut drawn": float(sizes[found]),
                "its nodes": f"{found:0{self.qubits}b}",
                "share of draws": counts[found] / _DRAWS,
            }
        return Outcome(
            values=values,
            rows=outcome.rows,
            curves=outcome.curves,
            notes=outcome.notes,
            data=best,
        )


def _told(
    app: VariationalAlgorithm, problem: Problem, ways: list[Way], journal: Journal
) -> Outcome:
    best = min(ways, key=lambda way: (way.best, way.start))
    evaluations = sum(len(way.values) for way in ways)
    values: dict[str, float | int | str] = {
        "problem": problem.name,
        "lowest value": best.best,
        "true minimum": problem.minimum,
        "above it": best.best - problem.minimum,
        "evaluations": evaluations,
        "of them from the journal": journal.reused,
        "starts stopped early": sum(way.early for way in ways),
    }
    if app.problem == "h2":
        values["with nuclei, hartree"] = best.best + H2_REPULSION
    notes = []
    if problem.edges and app.max_qubits is not None:
        notes.append("no bit strings were drawn: circuits that are cut give expectation values")
    return Outcome(
        values=values,
        rows=tuple(
            {
                "start": way.start,
                "evaluations": len(way.values),
                "lowest value": way.best,
                "ended": way.ended,
            }
            for way in ways
        ),
        curves=tuple(
            Curve(
                name=f"start {way.start}",
                x=tuple(range(1, len(way.values) + 1)),
                y=tuple(np.minimum.accumulate(way.values).tolist()),
                x_title="evaluations",
                y_title="lowest value",
            )
            for way in ways
        ),
        notes=tuple(notes),
        data=best,
    )
