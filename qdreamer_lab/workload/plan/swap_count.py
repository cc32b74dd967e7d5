"""How many swaps a fragment needs on a coupling map: laid out and routed by Qiskit, at fixed seeds.

None where its interactions are part of the map (a subgraph, by VF2); else as many as SABRE needs
(Li, Ding and Xie, arXiv:1809.02573), the best of a few trials, which is no proof that fewer will
not do. It must not know what a swap is worth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.cut.coupling_map import Couplings

__all__ = ["SwapCounter"]

_TRIALS = 8
"""Of layout and of routing. Qiskit's default goes by the machine's cores, and so would plans."""

_ITERATIONS = 3

_CALLS = 100_000
"""Of VF2, after which a fragment counts as no part of the map."""

Pairs = tuple[tuple[int, int], ...]
"""Blocks of a fragment in order of time: local qubits."""


class SwapCounter:
    """Counts swaps on one coupling map, and remembers them.

    Args:
        couplings: The map.
    """

    def __init__(self, couplings: Couplings) -> None:
        # Imported late: plans that no coupling map was given for need neither.
        import rustworkx
        from qiskit.transpiler import CouplingMap
        from qiskit.transpiler.passes import SabreLayout

        self._map = CouplingMap([list(edge) for edge in couplings.edges])
        self._map.make_symmetric()
        self._graph = rustworkx.PyGraph(multigraph=False)
        self._graph.add_nodes_from(range(couplings.num_qubits))
        self._graph.add_edges_from_no_data(list(couplings.edges))
        self._pass = SabreLayout
        self._known: dict[Pairs, int] = {}
        self._part: dict[Pairs, bool] = {}

    def each(
        self, segments: NDArray[np.int64], labels: NDArray[np.int64], count: int, most: float
    ) -> tuple[int, ...] | None:
        """Swaps of every fragment of a plan; None if they are more than `most` together.

        Args:
            segments: (m, 2) segment of each end of each block.
            labels: (m, 2) fragment of each end of each block.
            count: How many fragments there are.
            most: Stop counting there.
        """
        whole = labels[:, 0] == labels[:, 1]
        keys = [_renumbered(segments[whole & (labels[:, 0] == k)]) for k in range(count)]
        # Each that is no part of the map needs one at least, and small ones are routed soon.
        left = sorted(
            (k for k in range(count) if not self._embeds(keys[k])), key=lambda k: len(keys[k])
        )
        found, total = [0] * count, len(left)
        for fragment in left:
            if total > most:
                return None
            found[fragment] = self._swaps(keys[fragment])
            total += found[fragment] - 1
        return tuple(found) if total <= most else None

    def swaps(self, pairs: NDArray[np.int64]) -> int:
        """Swaps that blocks (k, 2) on any numbers of qubits need, in order of time."""
        return self._swaps(_renumbered(pairs))

    def _swaps(self, key: Pairs) -> int:
        if self._embeds(key):
            return 0
        if key not in self._known:
            self._known[key] = self._routed(key, 0)[0]
        return self._known[key]

    def embeds(self, pairs: NDArray[np.int64]) -> bool:
        """Whether blocks (k, 2) on any numbers of qubits are known to need no swaps."""
        return self._embeds(_renumbered(pairs))

    def distances(
        self, segments: NDArray[np.int64], labels: NDArray[np.int64], seed: int
    ) -> NDArray[np.int64]:
        """(m,) how many swaps the ends of each block are away from each other at the beginning.

        Those of blocks that are cut, and where a fragment needs no swaps, are 0.

        Args:
            segments: (m, 2) as for `each`.
            labels: (m, 2) as for `each`.
            seed: Of the layout; that of 0 is the one that swaps are counted with.
        """
        found = np.zeros(len(labels), np.int64)
        far = np.asarray(self._map.distance_matrix, np.int64)
        whole = labels[:, 0] == labels[:, 1]
        for fragment in range(int(labels.max(initial=-1)) + 1):
            mine = whole & (labels[:, 0] == fragment)
            key = _renumbered(segments[mine])
            if not self._embeds(key):
                ends = np.array(self._routed(key, seed)[1])[np.array(key)]
                found[mine] = far[ends[:, 0], ends[:, 1]] - 1
        return found

    def _embeds(self, pairs: Pairs) -> bool:
        """Whether all that interact can be neighbours at the same time."""
        if pairs not in self._part:
            self._part[pairs] = self._is_part(pairs)
        return self._part[pairs]

    def _is_part(self, pairs: Pairs) -> bool:
        import rustworkx

        wanted = rustworkx.PyGraph(multigraph=False)
        wanted.add_nodes_from(range(1 + max((max(pair) for pair in pairs), default=-1)))
        wanted.add_edges_from_no_data([(low, high) for low, high in pairs])
        return bool(
            rustworkx.is_subgraph_isomorphic(
                self._graph, wanted, id_order=False, induced=False, call_limit=_CALLS
            )
        )

    def _routed(self, pairs: Pairs, seed: int) -> tuple[int, list[int]]:
        """Swaps, and where on the map each qubit begins."""
        from qiskit.transpiler import PassManager

        passes = self._pass(
            self._map,
            seed=seed,
            max_iterations=_ITERATIONS,
            swap_trials=_TRIALS,
            layout_trials=_TRIALS,
        )
        circuit = _stand_in(pairs)
        written = PassManager([passes]).run(circuit)
        places = written.layout.initial_index_layout(filter_ancillas=True)
        return int(written.count_ops().get("swap", 0)), list(places)


def _stand_in(pairs: Pairs) -> QuantumCircuit:
    """A circuit with the same interactions: whatever a block does, it needs its qubits together."""
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(1 + max(max(pair) for pair in pairs))
    for low, high in pairs:
        circuit.cz(low, high)
    return circuit


def _renumbered(pairs: NDArray[np.int64]) -> Pairs:
    """The same blocks on qubits numbered by first appearance, so that like fragments are one."""
    names: dict[int, int] = {}
    return tuple(
        (names.setdefault(low, len(names)), names.setdefault(high, len(names)))
        for low, high in pairs.tolist()
    )
