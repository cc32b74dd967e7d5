"""Putting sampled fragments together: values, and how they depend on every fragment's tensor.

A value is linear in each fragment's tensor, so its derivative by one of them is the contraction of
all the others. This module sees tensors and numbers only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import opt_einsum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.glue import Glue
    from qdreamer_lab.workload.variants import ShotFragment

__all__ = ["Gluing"]


class Gluing:
    """Contractions planned once for some fragments.

    Args:
        fragments: in the order in which their tensors will be given.
        glues: as the fragments' legs number them.
        operator_of: (terms, fragments) int64; which of a fragment's operators each term uses.
        coefficients: (observables, terms) float64; factor of each term in each observable, what
            is known without the fragments included.
    """

    def __init__(
        self,
        fragments: Sequence[ShotFragment],
        glues: Sequence[Glue],
        operator_of: NDArray[np.int64],
        coefficients: NDArray[np.float64],
    ) -> None:
        self._fragments = tuple(fragments)
        self._glues = tuple(glues)
        self.operator_of = operator_of
        self._coefficients = coefficients
        self._legs = ["".join(_symbol(leg.glue) for leg in f.legs) for f in fragments]
        batch = opt_einsum.get_symbol(len(glues))
        self._equation = ",".join(batch + legs for legs in self._legs) + "->" + batch
        self._path: Any = "auto"
        self._without = [self._expression(k) for k in range(len(fragments))]

    @property
    def num_observables(self) -> int:
        """How many values there are."""
        return len(self._coefficients)

    def prior_variance(self) -> float:
        """Variance of the worst observable's one shot, were all terms independent and balanced."""
        return float(np.square(self._coefficients).sum(axis=1).max(initial=0.0))

    def values(self, tensors: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """(observables,) from one (operators, Π dims) tensor per fragment."""
        return np.asarray(self.replicas([tensor[None] for tensor in tensors])[0])

    def replicas(self, tensors: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """(replicas, observables) from one (replicas, operators, Π dims) array per fragment."""
        if not self._fragments:
            return np.asarray(self._coefficients.sum(axis=1)[None])
        glued = self._glued(tensors)
        terms = np.empty((len(tensors[0]), len(self.operator_of)))
        for row, operators in enumerate(self.operator_of.tolist()):
            chosen = [tensor[:, k] for tensor, k in zip(glued, operators, strict=True)]
            terms[:, row] = opt_einsum.contract(self._equation, *chosen, optimize=self._path)
        return np.asarray(terms @ self._coefficients.T)

    def gradients(self, tensors: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        """Per fragment, (observables, operators, Π dims): derivative of every value."""
        glued = [tensor[0] for tensor in self._glued([tensor[None] for tensor in tensors])]
        return [self._gradient(k, glued) for k in range(len(self._fragments))]

    def _gradient(self, place: int, glued: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        fragment = self._fragments[place]
        out = np.zeros((len(self._coefficients), fragment.num_operators, *fragment.dims))
        others = np.delete(self.operator_of, place, axis=1)
        rest = [tensor for k, tensor in enumerate(glued) if k != place]
        combinations, which = np.unique(others, axis=0, return_inverse=True)
        for number, operators in enumerate(combinations.tolist()):
            chosen = [tensor[k] for tensor, k in zip(rest, operators, strict=True)]
            derivative = self._without[place](*chosen) if chosen else np.ones(())
            for row in np.flatnonzero(which.ravel() == number).tolist():
                factor = self._coefficients[:, row].reshape(-1, *[1] * derivative.ndim)
                out[:, self.operator_of[row, place]] += factor * derivative
        for axis, leg in enumerate(fragment.legs):
            if leg.end == 0:
                matrix = self._glues[leg.glue].matrix
                out = np.moveaxis(np.tensordot(out, matrix, axes=(axis + 2, 1)), -1, axis + 2)
        return out.reshape(len(out), fragment.num_operators, -1)

    def _glued(self, tensors: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        """Give each tensor its axes, and multiply every glue into the side that comes first."""
        found = []
        for fragment, flat in zip(self._fragments, tensors, strict=True):
            tensor = flat.reshape(*flat.shape[:2], *fragment.dims)
            for axis, leg in enumerate(fragment.legs):
                if leg.end == 0:
                    matrix = self._glues[leg.glue].matrix
                    tensor = np.moveaxis(np.tensordot(tensor, matrix, (axis + 2, 0)), -1, axis + 2)
            found.append(tensor)
        return found

    def _expression(self, without: int) -> Any:
        kept = [k for k in range(len(self._fragments)) if k != without]
        if not kept:
            return None
        equation = ",".join(self._legs[k] for k in kept) + "->" + self._legs[without]
        shapes = [self._fragments[k].dims for k in kept]
        return opt_einsum.contract_expression(equation, *shapes)


def _symbol(glue: int) -> str:
    return str(opt_einsum.get_symbol(glue))
