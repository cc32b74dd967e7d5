"""A cut plan, with the forms in which it can be written, read and shown.

What a plan is, is said by `Partition`; every form is written where it is imported from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from qdreamer_lab.workload.cut.partition import Partition
from qdreamer_lab.workload.picture.drawings import drawer
from qdreamer_lab.workload.picture.html import plan_html
from qdreamer_lab.workload.plan.file import load_partition, save_partition

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from pathlib import Path

    from qiskit import QuantumCircuit

__all__ = ["CutPlan"]


class CutPlan(Partition):
    """Where a circuit is cut so that no fragment is wider than `max_qubits`.

    Attributes:
        blocks: The circuit in normal form.
        labels: (m, 2) int64; the fragment that each end of each block lies in, ids 0, 1, 2, …
        lone_labels: (l,) int64; the fragment of each qubit in `blocks.lone`, in its order, or -1
            if it need not run at all.
        max_qubits: The width the plan keeps to; that of the widest device, if there are devices.
        cost: The cost model it was made for.
        log2_lower_bound: No plan has a `log2_total` below this.
        proven_optimal: Whether no plan has a smaller `log2_total`.
        devices: Widths of the devices, widest first, each of which runs one fragment at most; None
            for any number of `max_qubits`.
        swaps: What its fragments need on a coupling map; None if it was made without one.

    Raises:
        PlanError: If these do not fit together; `Partition` says when.
    """

    @classmethod
    def of(cls, partition: Partition) -> CutPlan:
        """The plan that splits a circuit like this."""
        if isinstance(partition, cls):
            return partition
        plan = cls.__new__(cls)
        vars(plan).update(vars(partition))  # checked already, and what follows from it is kept
        return plan

    def to_circuit(self, *, moves: bool = False) -> QuantumCircuit:
        """The plan as a cut circuit of qiskit-addon-cutting, one `UnitaryGate` per block.

        Args:
            moves: Write wire cuts as cut `Move` gates to extra qubits instead of `CutWire`
                markers: what the addon's `cut_wires` makes of the markers, and right also where a
                wire is cut several times, with cuts of other wires between.

        Raises:
            CircuitError: If the addon cannot decompose a block.
        """
        from qdreamer_lab.workload.addon.circuits import write_cut_circuit

        return write_cut_circuit(self, moves=moves)

    @classmethod
    def from_circuit(cls, cut_circuit: QuantumCircuit, max_qubits: int | None = None) -> CutPlan:
        """Read a cut circuit with `TwoQubitQPDGate` and `CutWire` instructions.

        What no cut separates becomes one fragment; cuts that separate nothing are dropped. Every
        two-qubit gate is a block of its own, up to a global phase.

        Args:
            cut_circuit: As `to_circuit` or `find_cuts` make it, or the addon.
            max_qubits: The width to keep to; by default that of the widest fragment.

        Raises:
            CircuitError: If the circuit holds something else that is not unitary.
            PlanError: If a fragment is wider than `max_qubits`.
        """
        from qdreamer_lab.workload.addon.circuits import read_cut_circuit

        return cls.of(read_cut_circuit(cut_circuit, max_qubits))

    @classmethod
    def from_subcircuits(
        cls, subcircuits: Mapping[Hashable, QuantumCircuit], max_qubits: int | None = None
    ) -> CutPlan:
        """Read the subcircuits of the addon's `partition_problem`; the reverse of `expand`.

        Wires are numbered subcircuit by subcircuit, by the qubit on which each begins.

        Args:
            subcircuits: Their `SingleQubitQPDGate` have labels that end in the number of the cut.
            max_qubits: The width to keep to; by default that of the widest fragment.

        Raises:
            CircuitError: If the halves of the cuts do not fit together, or an instruction cannot
                be read.
            PlanError: If a fragment is wider than `max_qubits`.
        """
        from qdreamer_lab.workload.addon.subcircuits import read_subcircuits

        return cls.of(read_subcircuits(subcircuits, max_qubits))

    def save(self, path: str | Path) -> None:
        """Write the plan to a JSON file, exactly."""
        save_partition(self, path)

    @classmethod
    def load(cls, path: str | Path) -> CutPlan:
        """Read a file that `save` wrote.

        Raises:
            PlanError: If it is no such file, of another version, or broken.
            OSError: If it cannot be read.
        """
        return cls.of(load_partition(path))

    @overload
    def draw(self, output: Literal["text", "svg"] = "text") -> str: ...
    @overload
    def draw(self, output: str) -> Any: ...
    def draw(self, output: str = "text") -> Any:
        """A picture of the plan.

        Args:
            output: "text" for terminals, "svg" for the source of a figure, both without any
                plotting library; "plotly" for an interactive `plotly.graph_objects.Figure`; "mpl"
                for a `matplotlib.figure.Figure`, where matplotlib is installed. Wide circuits are
                shown by fragment, or, with plotly, as a graph of qubits.

        Raises:
            PlanError: If `output` is none of these, nor one that an installed package adds (entry
                point group `qdreamer_lab.drawings`), or needs what is not installed.
        """
        return drawer(output)(self)

    def _repr_html_(self) -> str:
        return plan_html(self)
