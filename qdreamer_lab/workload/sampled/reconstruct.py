"""Putting sampled fragments together: values, and how they depend on every fragment's tensor.

A value is linear in each fragment's tensor, so its derivative by one of them is the contraction of
all the others. This module sees tensors and numbers only.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np
import opt_einsum
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from opt_einsum.contract import ContractExpression

    from qdreamer_lab.workload.sampled.glue import Glue
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["Gluing", "glued"]

_MOST_ELEMENTS = 1 << 22
"""Numbers that one contraction holds, at most: 32 MB."""


class Gluing:
    """Contractions planned once for some fragments.

    Args:
        fragments: In the order in which their tensors will be given.
        glues: As the fragments' legs number them.
        operator_of: (terms, fragments) int64; which of a fragment's operators each term uses.
        coefficients: (observables, terms) float64; factor of each term in each observable, what
            is known without the fragments included.

    Attributes:
        operator_of: As given.
        coefficients: As given.
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
        self.coefficients = coefficients
        self._symbols = [_symbol(k) for k in range(len(glues))]
        self._legs = ["".join(_symbol(leg.glue) for leg in f.legs) for f in fragments]
        replica, term = (opt_einsum.get_symbol(len(glues) + k) for k in range(2))
        operands = ",".join(replica + term + legs for legs in self._legs)
        self._equation = f"{operands}->{replica}{term}"
        self._without = [self._rest(k, term) for k in range(len(fragments))]
        self._others = [
            np.unique(np.delete(operator_of, k, axis=1), axis=0, return_inverse=True)
            for k in range(len(fragments))
        ]

    @property
    def num_observables(self) -> int:
        """How many values there are."""
        return len(self.coefficients)

    def prior_variance(self) -> float:
        """Variance of the worst observable's one shot, were all terms independent and balanced."""
        return float(np.square(self.coefficients).sum(axis=1).max(initial=0.0))

    def values(self, tensors: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """(observables,) from one (operators, Π dims) tensor per fragment."""
        return np.asarray(self.replicas([tensor[None] for tensor in tensors])[0])

    def replicas(self, tensors: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """(replicas, observables) from one (replicas, operators, Π dims) array per fragment."""
        if not self._fragments:
            return np.asarray(self.coefficients.sum(axis=1)[None])
        glued = self.glued(tensors)
        shapes = tuple((1, 1, *fragment.dims) for fragment in self._fragments)
        contract, size = _planned(self._equation, shapes)
        terms = np.empty((len(tensors[0]), len(self.operator_of)))
        for some in _parts(len(self.operator_of), len(terms) * size):
            chosen = [tensor[:, self.operator_of[some, k]] for k, tensor in enumerate(glued)]
            terms[:, some] = contract(*chosen)
        return np.asarray(terms @ self.coefficients.T)

    def gradients(self, tensors: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        """Per fragment, (observables, operators, Π dims): derivative of every value."""
        glued = [tensor[0] for tensor in self.glued([tensor[None] for tensor in tensors])]
        return [self._gradient(k, glued) for k in range(len(self._fragments))]

    def term_gradients(self, tensors: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        """Per fragment, (terms, Π dims): derivative of every term by the operator that it uses."""
        glued = [tensor[0] for tensor in self.glued([tensor[None] for tensor in tensors])]
        found = []
        for place in range(len(self._fragments)):
            derivatives = self._derivatives(place, glued)[:, None]
            which = self._others[place][1].ravel()
            found.append(self._back(place, derivatives).reshape(len(derivatives), -1)[which])
        return found

    def _gradient(self, place: int, glued: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        fragment = self._fragments[place]
        derivatives = self._derivatives(place, glued)
        out = self._spreads[place] @ derivatives.reshape(len(derivatives), -1)
        out = out.reshape(len(self.coefficients), fragment.num_operators, *fragment.dims)
        return self._back(place, out).reshape(len(out), fragment.num_operators, -1)

    def _derivatives(self, place: int, glued: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        """(combinations, *dims): all others' tensors contracted, for each of their operators."""
        combinations, _ = self._others[place]
        rest = [tensor for k, tensor in enumerate(glued) if k != place]
        derivatives = np.ones((len(combinations), *self._fragments[place].dims))
        if rest:
            equation = self._without[place]
            contract, size = _planned(equation, tuple((1, *tensor.shape[1:]) for tensor in rest))
            for some in _parts(len(combinations), size):
                chosen = [tensor[combinations[some, k]] for k, tensor in enumerate(rest)]
                derivatives[some] = contract(*chosen)
        return derivatives

    def _back(self, place: int, derivatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """From derivatives by what `glued` gives to those by a tensor, (…, …, *dims)."""
        for axis, leg in enumerate(self._fragments[place].legs):
            if leg.end == 0:
                matrix = self._glues[leg.glue].matrix
                turned = np.tensordot(derivatives, matrix, axes=(axis + 2, 1))
                derivatives = np.moveaxis(turned, -1, axis + 2)
        return derivatives

    def glued(self, tensors: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        """Give each tensor its axes, and multiply every glue into the side that comes first.

        Args:
            tensors: Per fragment, (replicas, operators, Π dims).

        Returns:
            Per fragment, (replicas, operators, *dims), with which gluing is a plain contraction.
        """
        pairs = zip(self._fragments, tensors, strict=True)
        return [glued(fragment, self._glues, tensor) for fragment, tensor in pairs]

    @functools.cached_property
    def _spreads(self) -> list[sparse.csr_array]:
        """Per fragment, where each derivative by it counts, and how much.

        Each is (observables times its operators, combinations of the others' operators).
        """
        observable, term = np.nonzero(self.coefficients)
        factors = self.coefficients[observable, term]
        found = []
        for place, (combinations, which) in enumerate(self._others):
            operators = self._fragments[place].num_operators
            rows = observable * operators + self.operator_of[term, place]
            shape = (len(self.coefficients) * operators, len(combinations))
            columns = which.ravel()[term]
            found.append(sparse.csr_array((factors, (rows, columns)), shape=shape))
        return found

    def _rest(self, without: int, term: str) -> str:
        kept = ",".join(term + legs for k, legs in enumerate(self._legs) if k != without)
        return f"{kept}->{term}{self._legs[without]}"


def glued(
    fragment: ShotFragment, glues: Sequence[Glue], flat: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give a tensor its axes, and multiply the glue into it at every leg that is a first side.

    Args:
        fragment: Whose tensor it is.
        glues: As its legs number them.
        flat: (replicas, operators, Π dims).

    Returns:
        (replicas, operators, *dims), with which gluing is a plain contraction.
    """
    tensor = flat.reshape(*flat.shape[:2], *fragment.dims)
    for axis, leg in enumerate(fragment.legs):
        if leg.end == 0:
            matrix = glues[leg.glue].matrix
            tensor = np.moveaxis(np.tensordot(tensor, matrix, (axis + 2, 0)), -1, axis + 2)
    return tensor


def _symbol(glue: int) -> str:
    return str(opt_einsum.get_symbol(glue))


@functools.lru_cache(maxsize=256)
def _planned(equation: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[ContractExpression, int]:
    """A contraction, and how many numbers it holds for one replica and term.

    It takes any number of replicas and terms: those are in all of its operands alike, so that the
    order in which it goes does not depend on them.
    """
    path, info = opt_einsum.contract_path(equation, *shapes, shapes=True)
    held = int(info.largest_intermediate) + sum(map(math.prod, shapes))
    return opt_einsum.contract_expression(equation, *shapes, optimize=path), held


def _parts(count: int, size_each: int) -> list[slice]:
    """Slices of so many contractions, each of which `_MOST_ELEMENTS` hold."""
    step = max(1, _MOST_ELEMENTS // size_each)
    return [slice(start, start + step) for start in range(0, count, step)]
