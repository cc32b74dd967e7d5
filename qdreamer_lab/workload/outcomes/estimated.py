"""Distributions estimated from shots of fragments: quasi-probabilities with their standard errors.

A quasi-probability is linear in each fragment's tensor. Its variance is taken from the groups of
shots that the tensors keep apart, as that of expectation values is; errors of several fragments
that multiply are taken off once, because derivatives with errors of their own count them twice.
What shots cannot tell because an outcome is rare (`unseen`) is added.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import opt_einsum

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.outcomes.exact import arranged
from qdreamer_lab.workload.outcomes.nearest import nearest_counts, nearest_distribution
from qdreamer_lab.workload.sampled.schedule import error_bars
from qdreamer_lab.workload.sampled.work_sizes import REPLICAS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["EstimatedOutcomes", "Part", "check_table"]


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """A fragment's tensor, or what is known of a qubit that no block touches.

    Attributes:
        qubits: Measured here; the first is an outcome's least significant bit.
        legs: Number of the glue of each axis after the outcome; glue is multiplied in.
        mean: (2**len(qubits), *dims) float64.
        deviations: (groups, 2**len(qubits), *dims); no groups where the mean is exact.
        unseen: (groups, 1, *dims): deviations of every outcome that no scatter of shots tells of,
            independent for each; of several outcomes together they are the same.
    """

    qubits: tuple[int, ...]
    legs: tuple[int, ...]
    mean: NDArray[np.float64]
    deviations: NDArray[np.float64]
    unseen: NDArray[np.float64]

    def marginal(self, qubits: Sequence[int]) -> Part:
        """Of those of its qubits that are among `qubits`, summed over the others."""
        gone = [k for k, qubit in enumerate(self.qubits) if qubit not in qubits]
        if not gone:
            return self
        count = len(self.qubits)
        split = (2,) * count
        axes = tuple(count - 1 - k for k in gone)
        kept, dims = 1 << count - len(gone), self.mean.shape[1:]
        groups = len(self.deviations)
        return replace(
            self,
            qubits=tuple(qubit for qubit in self.qubits if qubit in qubits),
            mean=self.mean.reshape(*split, *dims).sum(axis=axes).reshape(kept, *dims),
            deviations=self.deviations.reshape(groups, *split, *dims)
            .sum(axis=tuple(1 + axis for axis in axes))
            .reshape(groups, kept, *dims),
        )


class EstimatedOutcomes:
    """What the measured qubits of one bound circuit read, from shots; as `Outcomes` describes it.

    Args:
        parts: Of the circuit.
        seed: Of the draws from which second-order errors are estimated.
    """

    exact = False

    def __init__(self, parts: Sequence[Part], seed: tuple[int, ...]) -> None:
        self._parts = tuple(parts)
        self._seed = seed

    def quasi(self, qubits: Sequence[int], limit_bytes: int) -> NDArray[np.float64]:
        """(2**len(qubits),) unbiased estimates, some of them negative."""
        parts = self._marginal(qubits, limit_bytes)
        return _arranged(_joined(parts, [part.mean for part in parts]), parts, qubits)

    def stds(self, qubits: Sequence[int], limit_bytes: int) -> NDArray[np.float64]:
        """(2**len(qubits),) standard errors of `quasi`."""
        parts = self._marginal(qubits, limit_bytes)
        others = (8 * part.mean[0].size << len(qubits) - len(part.qubits) for part in parts)
        check_table(len(qubits), limit_bytes, sum(others))
        rests = [_rest(parts, place) for place in range(len(parts))]
        first = np.zeros_like(_joined(parts, [part.mean for part in parts]))
        for place, part in enumerate(parts):
            for away in part.deviations:
                first += np.square(_with_rest(parts, place, away, rests[place]))
        stds, _ = error_bars(first, self._beyond(parts, rests, [p.deviations for p in parts]))
        total = np.square(stds)
        del first, stds  # tables of all outcomes
        for place, part in enumerate(parts):
            for away in part.unseen:
                total += np.square(_with_rest(parts, place, away, rests[place]))
        total += self._beyond(parts, rests, [part.unseen for part in parts])
        return _arranged(np.sqrt(total), parts, qubits)

    def heaviest(
        self, qubits: Sequence[int], count: int, limit_bytes: int
    ) -> tuple[list[tuple[Mapping[int, int], float]], float]:
        """The heaviest outcomes of the nearest distribution, and what no other one exceeds."""
        table = nearest_distribution(self.quasi(qubits, limit_bytes))
        order = np.argsort(-table, kind="stable")
        listed: list[tuple[Mapping[int, int], float]] = [
            ({qubit: outcome >> k & 1 for k, qubit in enumerate(qubits)}, float(table[outcome]))
            for outcome in order[:count].tolist()
            if table[outcome] > 0
        ]
        return listed, float(table[order[count]]) if len(table) > count else 0.0

    def draw(
        self, qubits: Sequence[int], shots: int, rng: np.random.Generator, limit_bytes: int
    ) -> NDArray[np.bool_]:
        """(shots, len(qubits)) bits in the proportions of the nearest distribution, in any order.

        They are not drawn from it: that would add noise to what is an estimate already.
        """
        table = nearest_distribution(self.quasi(qubits, limit_bytes))
        outcomes = np.repeat(np.arange(len(table)), nearest_counts(table, shots))
        outcomes = rng.permutation(outcomes)
        return np.asarray((outcomes[:, None] >> np.arange(len(qubits)) & 1).astype(np.bool_))

    def _marginal(self, qubits: Sequence[int], limit_bytes: int) -> list[Part]:
        check_table(len(qubits), limit_bytes)
        return [part.marginal(qubits) for part in self._parts]

    def _beyond(
        self,
        parts: Sequence[Part],
        rests: Sequence[NDArray[np.float64]],
        spreads: Sequence[NDArray[np.float64]],
    ) -> NDArray[np.float64]:
        """Variance from several fragments erring together, each by its deviations."""
        middle = _joined(parts, [part.mean for part in parts])
        total = np.zeros_like(middle)
        noisy = [place for place, spread in enumerate(spreads) if len(spread)]
        if len(noisy) < 2:
            return total
        rng = np.random.default_rng(self._seed)
        for _ in range(REPLICAS):
            moved = [part.mean for part in parts]
            straight = middle.copy()
            for place in noisy:
                away = np.tensordot(rng.normal(size=len(spreads[place])), spreads[place], 1)
                moved[place] = parts[place].mean + away
                straight += _with_rest(parts, place, away, rests[place])
            total += np.square(_joined(parts, moved) - straight)
        return total / REPLICAS


def check_table(num_bits: int, limit_bytes: int, besides_bytes: int = 0) -> None:
    """Refuse a table of estimates that does not fit.

    Args:
        num_bits: Of an outcome.
        limit_bytes: Most memory.
        besides_bytes: What it takes besides, in proportion to the table.

    Raises:
        MemoryLimitError: With the sizes, and what to do instead.
    """
    needed = (48 << num_bits) + besides_bytes
    if needed > limit_bytes:
        most = max(0, (limit_bytes * (1 << num_bits) // needed).bit_length() - 1)
        raise MemoryLimitError(
            f"estimates of the probabilities of all outcomes of {num_bits} bits need "
            f"{readable(needed)}, but {readable(limit_bytes)} may be used, which is enough for "
            f"{most} bits: measure fewer qubits, or use mode='exact', which gives marginals, the "
            "heaviest outcomes with top(16), and samples of any number of bits"
        )


def _ids(parts: Sequence[Part], place: int) -> list[int]:
    """Indices of a part for contractions: its outcome's, then its glues'."""
    return [place, *(len(parts) + glue for glue in parts[place].legs)]


def _joined(parts: Sequence[Part], tensors: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Quasi-probabilities, one axis per part, the last part's first."""
    if not parts:
        return np.ones(())
    operands: list[object] = []
    for place, tensor in enumerate(tensors):
        operands += [tensor, _ids(parts, place)]
    return np.asarray(opt_einsum.contract(*operands, list(range(len(parts)))[::-1]))


def _rest(parts: Sequence[Part], without: int) -> NDArray[np.float64]:
    """All parts but one: the outcomes of those after it, of those before it, and its glues."""
    operands: list[object] = []
    for place, part in enumerate(parts):
        if place != without:
            operands += [part.mean, _ids(parts, place)]
    out = [*range(len(parts) - 1, without, -1), *range(without - 1, -1, -1)]
    if not operands:
        return np.ones(())
    return np.asarray(opt_einsum.contract(*operands, [*out, *_ids(parts, without)[1:]]))


def _with_rest(
    parts: Sequence[Part], place: int, tensor: NDArray[np.float64], rest: NDArray[np.float64]
) -> NDArray[np.float64]:
    """As `_joined`, of one part's tensor and what `_rest` gave for the others."""
    legs = len(parts[place].legs)
    outcomes = rest.ndim - legs
    product = np.tensordot(
        rest, tensor, (tuple(range(outcomes, rest.ndim)), tuple(range(1, 1 + legs)))
    )
    return np.moveaxis(product, -1, len(parts) - 1 - place)


def _arranged(
    table: NDArray[np.float64], parts: Sequence[Part], qubits: Sequence[int]
) -> NDArray[np.float64]:
    have = [qubit for part in parts for qubit in part.qubits]
    return arranged(table.ravel(), have, qubits)
