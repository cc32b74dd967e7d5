"""Which terms are wanted of each binding, and how values of observables are made of theirs.

It must not know circuits, and evaluates nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.request import Request

__all__ = ["WantedTerms", "summed_terms", "wanted_terms"]


@dataclass(frozen=True, eq=False, slots=True)
class WantedTerms:
    """What is wanted of a binding; bindings of which the same is wanted share it.

    Attributes:
        terms: Distinct terms.
        sums: Per observable, which of the terms it adds up, and their coefficients.
    """

    terms: tuple[Factors, ...]
    sums: dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]


def wanted_terms(request: Request) -> list[WantedTerms]:
    """What is wanted of each binding."""
    if len(request.circuits) == 1:
        each = [request.pairs[:, 1]]
    else:
        binding, observable = request.pairs[np.argsort(request.pairs[:, 0])].T
        ends = np.searchsorted(binding, np.arange(1, len(request.circuits)))
        each = np.split(observable, ends)[: len(request.circuits)]
    known: dict[tuple[int, ...], WantedTerms] = {}
    wanted = []
    for mine in each:
        key = tuple(sorted(set(mine.tolist())))
        if key not in known:
            known[key] = _collected(request, key)
        wanted.append(known[key])
    return wanted


def _collected(request: Request, observables: tuple[int, ...]) -> WantedTerms:
    place: dict[Factors, int] = {}
    sums = {}
    for number in observables:
        terms = request.observables[number]
        which = [place.setdefault(term.factors, len(place)) for term in terms]
        coefficients = np.array([term.coefficient for term in terms])
        sums[number] = (np.array(which, dtype=np.int64), coefficients)
    return WantedTerms(tuple(place), sums)


def summed_terms(
    request: Request, wanted: list[WantedTerms], values: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Put the terms of every observable together."""
    evs = np.zeros(len(request.pairs))
    for k, (binding, observable) in enumerate(request.pairs.tolist()):
        which, coefficients = wanted[binding].sums[observable]
        evs[k] = coefficients @ values[binding][which]
    return evs
