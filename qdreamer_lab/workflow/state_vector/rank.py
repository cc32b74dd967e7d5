"""What each rank runs: stages of local work and exchanges, then what is wanted of the state.

It takes a communicator with mpi4py's methods. Ranks import this module, so it imports no Qiskit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.engine.program import Step
from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.state_vector.exchange import exchange
from qdreamer_lab.workflow.state_vector.holder import Holder, holder
from qdreamer_lab.workflow.state_vector.line import Line
from qdreamer_lab.workflow.state_vector.pauli_values import PlacedString, pauli_values
from qdreamer_lab.workflow.state_vector.wires import WireGate, rank_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workflow.state_vector.stages import Stage

__all__ = ["RankAccount", "RankOutcome", "RankProgram", "run_rank"]

_ONE = np.eye(2, dtype=np.complex128)


@dataclass(frozen=True, eq=False)
class RankProgram:
    """What all ranks are given.

    Attributes:
        num_wires: Of the whole state.
        local: How many places are local; 2**(num_wires - local) ranks are needed.
        gates: On wires.
        stages: Which of them are applied when, and where wires are then.
        strings: On the places of the last stage.
        chunk: Most amplitudes in a message.
        dtype: Of the amplitudes.
        device: "CPU" or "GPU".
        cores: Threads of each rank.
        whole_state: Whether rank 0 returns the state, in the order of places.
    """

    num_wires: int
    local: int
    gates: tuple[WireGate, ...]
    stages: tuple[Stage, ...]
    strings: tuple[PlacedString, ...]
    chunk: int = 1 << 20
    dtype: str = "complex128"
    device: str = "CPU"
    cores: int = 1
    whole_state: bool = False


@dataclass(frozen=True)
class RankAccount:
    """What a rank has done.

    Attributes:
        rank: Its number.
        messages: How many it sent.
        sent_bytes: What was in them.
        local_s: Seconds of applying gates.
        exchange_s: Seconds of exchanges: sending, receiving, waiting for the others, and copying
            into messages.
        values_s: Seconds of expectation values, their messages included.
        line_s: Seconds of all that, in which it sent, received, or waited for others.
    """

    rank: int
    messages: int
    sent_bytes: int
    local_s: float
    exchange_s: float
    values_s: float
    line_s: float


@dataclass(frozen=True, eq=False)
class RankOutcome:
    """What rank 0 returns.

    Attributes:
        values: (strings,) Expectation values.
        norm: Squared norm of the state.
        accounts: Of all ranks.
        state: (2**num_wires,) in the order of places; None unless it is wanted.
    """

    values: NDArray[np.float64]
    norm: float
    accounts: tuple[RankAccount, ...]
    state: NDArray[np.complexfloating] | None = None


def run_rank(comm: Any, program: RankProgram) -> RankOutcome | None:
    """Be one rank of a state.

    Returns:
        On rank 0 the outcome, None on others.

    Raises:
        MotifError: There are not as many ranks as the program is for.
        GpuError: The state is to be on a GPU, and this rank has none that can be used.
    """
    line, local = Line(comm, program.chunk), program.local
    if line.ranks != 1 << (program.num_wires - local):
        raise MotifError(
            f"a state of {program.num_wires} qubits of which {local} are local takes "
            f"{1 << (program.num_wires - local)} ranks, and there are {line.ranks}"
        )
    state = holder(program.device, local, program.dtype, program.cores, rank=line.rank)
    clock = _Clock()
    for stage in program.stages:
        if stage.swaps:
            exchange(line, state, local, stage.swaps)
            clock.add("exchange")
        state.apply(_steps(program, stage, line.rank))
        clock.add("local")
    strings = (PlacedString(0, 0), *program.strings)
    values = pauli_values(line, state, local, strings, program.cores)
    clock.add("values")
    account = RankAccount(
        line.rank,
        line.messages,
        line.sent_bytes,
        clock.spent["local"],
        clock.spent["exchange"],
        clock.spent["values"],
        line.seconds,
    )
    accounts = comm.gather(account)
    whole = _whole(comm, state) if program.whole_state else None
    if line.rank:
        return None
    return RankOutcome(values[1:], float(values[0]), tuple(accounts), whole)


class _Clock:
    """Seconds by what they went into."""

    def __init__(self) -> None:
        self.spent = dict.fromkeys(("local", "exchange", "values"), 0.0)
        self._since = time.perf_counter()

    def add(self, name: str) -> None:
        now = time.perf_counter()
        self.spent[name] += now - self._since
        self._since = now


def _steps(program: RankProgram, stage: Stage, rank: int) -> list[Step]:
    """The stage's gates as this rank applies them: blocks that its bits choose, and a phase."""
    found, phase = [], complex(1)
    for number in stage.gates:
        gate = program.gates[number]
        places = [stage.places[wire] for wire in gate.wires]
        bits = tuple(
            None if place < program.local else rank >> (place - program.local) & 1
            for place in places
        )
        inside = tuple(place for place in places if place < program.local)
        block = rank_block(gate.matrix, bits)
        if not inside:
            phase *= complex(block[0, 0])
        elif len(inside) > 1 or not np.array_equal(block, _ONE):
            found.append(Step(inside, block[None]))
    if phase != 1:
        found.append(Step((0,), np.diag([phase, phase])[None]))
    return found


def _whole(comm: Any, state: Holder) -> NDArray[np.complexfloating] | None:
    """All parts, one after the other; on rank 0 alone."""
    parts = comm.gather(state.fetch(state.array))
    return None if parts is None else np.concatenate(parts)
