"""Mini-app 2, tight classical coupling: one state vector over MPI ranks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from qiskit import transpile
from qiskit.quantum_info import PauliList, SparsePauliOp, Statevector
from qiskit_aer import AerSimulator

from pilot_kernel.errors import PlacementError
from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.motif import Motif
from qdreamer_lab.workflow.outcome import Curve, Outcome
from qdreamer_lab.workflow.state_vector.circuits import FAMILIES, circuit_of
from qdreamer_lab.workflow.state_vector.on_worker import state_in_ranks, warm_up
from qdreamer_lab.workflow.state_vector.program import FEWEST_LOCAL, PlannedState, planned_state
from qdreamer_lab.workflow.state_vector.stages import PLANNERS, exchanged_share

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from qiskit import QuantumCircuit

    from pilot_kernel.resource.pilot import PilotStatus
    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.run import Run
    from qdreamer_lab.workflow.state_vector.rank import RankAccount, RankOutcome
    from qdreamer_lab.workflow.state_vector.stages import Stage

__all__ = ["StateVector"]

_DEVICES = ("CPU", "GPU")
_MOST_CHECKED = 20
"""Qubits up to which a dense state is quick to have in this process."""

_ON_GPU = (
    "ranks on GPUs were tried on one GPU that they shared: go by the largest error against a "
    f"dense vector, which a run of up to {_MOST_CHECKED} qubits has"
)

_RANK_BYTES = 160 << 20
"""What Python, NumPy and numba take in each rank."""


@dataclass(frozen=True, kw_only=True)
class StateVector(Motif):
    """One state over the ranks of MPI, whose exchanges are planned and measured.

    Attributes:
        qubits: Of the circuit.
        ranks: MPI ranks, a power of two; as many bits of them are qubits. 0 for as many as a task
            can have cores where it runs.
        circuit: The circuit's family.
        layers: How often its layer is repeated.
        planner: `look_ahead`, or `swap_each_gate` for what it is compared with.
        chunk_bytes: Largest message.
        device: `CPU` or `GPU`: where each rank keeps its part. Ranks share the GPUs of their host.
            That was tried with ranks that share one GPU, never with several.
        oversubscribe: Allow more ranks than the worker has cores.
        check: Compare with the dense vector, up to 20 qubits.
    """

    name: ClassVar[str] = "state-vector"
    title: ClassVar[str] = "Distributed state vector"
    presets: ClassVar[dict[str, dict[str, Any]]] = {"paper": {"qubits": 30, "ranks": 16}}

    qubits: int = 18
    ranks: int = 0
    circuit: str = "random"
    layers: int = 8
    planner: str = "look_ahead"
    chunk_bytes: int = 16 << 20
    device: str = "CPU"
    oversubscribe: bool = False
    check: bool = True

    def __post_init__(self) -> None:
        self.at_least(qubits=2, ranks=0, layers=1, chunk_bytes=16, seed=0)
        self.one_of(circuit=FAMILIES, planner=PLANNERS, device=_DEVICES)
        if self.ranks & (self.ranks - 1):
            raise MotifError(f"{self.name}: ranks={self.ranks}: a power of two")
        if self.ranks << 2 > 1 << self.qubits:
            raise MotifError(
                f"{self.name}: qubits={self.qubits}, ranks={self.ranks}: each rank needs two "
                f"qubits of its own, so at most {1 << self.qubits - 2} ranks"
            )

    def places(self) -> tuple[str | None, ...]:
        """Where ranks run."""
        return ("gpu" if self.on is None and self.device == "GPU" else self.on,)

    def grown(self, times: int) -> Self | None:
        """Twice the amplitudes for each qubit more, and as many more gates; powers of two only."""
        if times & (times - 1):
            return None
        return replace(self, qubits=self.qubits + times.bit_length() - 1)

    def cores(self) -> int:
        """One for each rank."""
        return 1 if self.oversubscribe else max(1, self.ranks)

    def memory_bytes(self) -> int:
        """The state, the messages under way, and what each rank's Python takes."""
        state = 0 if self.device == "GPU" else 16 << self.qubits
        return state + max(1, self.ranks) * (2 * self.chunk_bytes + _RANK_BYTES)

    def warm_up(self) -> Callable[[], Any]:
        """Compiles what ranks load, and sees that there is MPI."""
        return warm_up

    def work(self, run: Run) -> Outcome:
        """Plan, run in ranks, compare."""
        if not self.ranks:
            return replace(self, ranks=self._fitting(run)).work(run)
        with run.doing("classical"):
            circuit = circuit_of(self.circuit, self.qubits, self.layers, self.seed)
            observable = observables(self.qubits)
            planned = self.planned(circuit, observable.paulis)
        run.say(f"{self.qubits} qubits on {self.ranks} ranks: {_exchanges(planned)} exchanges")
        work = run.submit_ranks(
            "quantum",
            state_in_ranks,
            planned.program,
            ranks=self.ranks,
            options={
                "on": self.places()[0],
                "name": self.name,
                "oversubscribe": self.oversubscribe,
                "memory_bytes": self.memory_bytes(),
            },
        )
        outcome: RankOutcome = work.result()
        run.between_ranks(
            sum(account.messages for account in outcome.accounts),
            sum(account.sent_bytes for account in outcome.accounts),
        )
        with run.doing("classical"):
            return self._told(circuit, observable, planned, outcome)

    def _ready(self, session: Session, stop: threading.Event | None) -> list[PilotStatus]:
        try:
            return super()._ready(session, stop)
        except PlacementError as error:
            if self.device == "GPU" and self.on is None:
                raise MotifError(
                    f"{self.name}: device=GPU: no pilot here has a GPU; add one with "
                    "gpus_per_node=1, or take device=CPU"
                ) from error
            raise

    def _fitting(self, run: Run) -> int:
        """As many ranks as a task can have cores, and as there are parts of the state."""
        found = run.session.candidates(self.places()[0])
        cores = max(max(pilot.cores_per_worker, pilot.most_cores) for pilot in found)
        return 1 << min(cores.bit_length() - 1, self.qubits - FEWEST_LOCAL)

    def planned(self, circuit: QuantumCircuit, paulis: PauliList) -> PlannedState:
        """What ranks run."""
        return planned_state(
            circuit,
            paulis,
            self.ranks,
            self.planner,
            chunk=max(1, self.chunk_bytes // 16),
            device=self.device,
        )

    def _told(
        self,
        circuit: QuantumCircuit,
        observable: SparsePauliOp,
        planned: PlannedState,
        outcome: RankOutcome,
    ) -> Outcome:
        program, accounts = planned.program, outcome.accounts
        other = next(name for name in PLANNERS if name != self.planner)
        others = self._with(other).planned(circuit, observable.paulis).program.stages
        state_bytes = 16 << self.qubits
        values: dict[str, float | int | str] = {
            "ranks": self.ranks,
            "mean of Z": float(outcome.values[: self.qubits].mean()),
            "norm": outcome.norm,
            "exchanges": _exchanges(planned),
            "exchanged bytes": round(exchanged_share(program.stages) * state_bytes),
            f"exchanges with {other}": sum(bool(stage.swaps) for stage in others),
            f"exchanged bytes with {other}": round(exchanged_share(others) * state_bytes),
            "messages": sum(account.messages for account in accounts),
            "sent bytes": sum(account.sent_bytes for account in accounts),
            "slowest rank's gates, s": max(account.local_s for account in accounts),
            "slowest rank's exchanges, s": max(account.exchange_s for account in accounts),
            "slowest rank's values, s": max(account.values_s for account in accounts),
        }
        notes = [_ON_GPU] if self.device == "GPU" else []
        if self.check and self.qubits <= _MOST_CHECKED:
            values["largest error of a value"] = largest_error(circuit, observable, outcome)
        elif self.check:
            notes.append(f"not compared with a dense vector: more than {_MOST_CHECKED} qubits")
        curves = [
            _curve(self.planner, program.stages, state_bytes),
            _curve(other, others, state_bytes),
        ]
        return Outcome(
            values=values,
            rows=tuple(map(_row, accounts)),
            curves=tuple(curves),
            notes=tuple(notes),
            data=outcome,
        )

    def _with(self, planner: str) -> StateVector:
        return replace(self, planner=planner)


def observables(qubits: int) -> SparsePauliOp:
    """What is looked at: Z on each qubit, then X X and Y Y across the chain."""
    first, last = 0, qubits - 1
    terms: list[tuple[str, list[int], float]] = [("Z", [qubit], 1.0) for qubit in range(qubits)]
    terms += [("XX", [first, last], 1.0), ("YY", [first, last], 1.0), ("X", [last], 1.0)]
    return SparsePauliOp.from_sparse_list(terms, qubits)


def largest_error(
    circuit: QuantumCircuit, observable: SparsePauliOp, outcome: RankOutcome
) -> float:
    """How far values are from those of Aer's dense vector, at most."""
    written = circuit.copy()
    written.save_statevector()
    simulator = AerSimulator(method="statevector")
    basis = transpile(written, simulator, optimization_level=0)
    state = Statevector(simulator.run(basis).result().get_statevector())
    expected = [state.expectation_value(pauli).real for pauli in observable.paulis]
    return float(np.abs(outcome.values - expected).max())


def _exchanges(planned: PlannedState) -> int:
    return sum(bool(stage.swaps) for stage in planned.program.stages)


def _row(account: RankAccount) -> dict[str, float | int | str]:
    return {
        "rank": account.rank,
        "messages": account.messages,
        "sent bytes": account.sent_bytes,
        "gates s": account.local_s,
        "exchanges s": account.exchange_s,
        "values s": account.values_s,
        "in messages s": account.line_s,
    }


def _curve(planner: str, stages: Sequence[Stage], state_bytes: int) -> Curve:
    """Bytes that have crossed ranks, by gates that have been applied."""
    gates = accumulate(len(stage.gates) for stage in stages)
    crossed = accumulate(exchanged_share([stage]) * state_bytes for stage in stages)
    return Curve(
        name=planner.replace("_", " "),
        x=tuple(map(float, gates)),
        y=tuple(crossed),
        x_title="gates applied",
        y_title="bytes exchanged",
    )
