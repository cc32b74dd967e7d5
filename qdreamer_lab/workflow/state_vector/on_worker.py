"""What runs on a worker and in its ranks; it imports no Qiskit."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pilot_kernel.resource.worker_environment import usable_cores
from pilot_kernel.task.mpi.launcher import check_mpi4py, find
from qdreamer_lab.engine.cpu.run import apply
from qdreamer_lab.engine.program import Step
from qdreamer_lab.workflow.state_vector.holder import Holder
from qdreamer_lab.workflow.state_vector.line import Line
from qdreamer_lab.workflow.state_vector.pauli_values import PlacedString, pauli_values
from qdreamer_lab.workflow.state_vector.rank import run_rank
from qdreamer_lab.workflow.timed_call import Split

if TYPE_CHECKING:
    from qdreamer_lab.workflow.state_vector.rank import RankProgram

__all__ = ["state_in_ranks", "warm_up"]


def state_in_ranks(comm: Any, program: RankProgram) -> Any:
    """Be a rank with as many threads as there are cores for it.

    Returns:
        On rank 0 the outcome, and what loading kernels and talking to others took.
    """
    began = time.perf_counter()
    if program.device == "CPU":
        _load()
    comm.barrier()
    loaded = time.perf_counter() - began
    outcome = run_rank(comm, replace(program, cores=usable_cores()))
    if outcome is None:
        return None
    return Split(outcome, {"classical": loaded, "communication": outcome.accounts[0].line_s})


def warm_up() -> None:
    """See that ranks can be started here, and compile what they will load.

    Raises:
        MpiError: There is no MPI, or no mpi4py; it says what to install.
    """
    find(None)
    check_mpi4py()
    _load()


def _load() -> None:
    """Run all kernels once: they come from numba's cache, or are compiled into it."""
    state = Holder(8, "complex128", 1, rank=0)
    turn = np.array([[1, -1j], [-1j, 1]]) / np.sqrt(2)
    dense = np.kron(turn, turn)
    apply(
        state.array,
        [
            Step((0,), turn[None]),
            Step((7,), np.diag([1, 1j])[None]),
            Step((0, 7), dense[None]),
        ],
    )
    pauli_values(Line(_Alone(), 16), state, 8, [PlacedString(0, 0), PlacedString(3, 6)], 1)


class _Alone:
    """A communicator of one rank."""

    def Get_rank(self) -> int:  # noqa: N802 as mpi4py calls it
        return 0

    def Get_size(self) -> int:  # noqa: N802
        return 1

    def allreduce(self, value: Any) -> Any:
        return value
