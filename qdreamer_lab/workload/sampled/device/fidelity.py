"""How likely a fragment's shots on a device are free of errors, and how long they take.

By what the device says of itself. Of a value counts only what can reach the bits that it is read
from. Nothing runs here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilot_kernel.primitive.device.shot_success import success
from pilot_kernel.primitive.device.shot_time import seconds_per_shot
from qdreamer_lab.workload.sampled.device.splice import splice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.sampled.device.transpile import Forms
    from qdreamer_lab.workload.sampled.lower import SampledProgram
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["fragment_seconds", "fragment_success", "value_success"]

Written = tuple["ShotFragment", "Forms", "BackendV2"]
"""A fragment, its circuits for a device with all parameters bound, and the device."""

_MOST_LOOKED_AT = 8
"""Variants of a fragment that are looked at; they differ in a few gates at the cuts only."""

_MOST_TERMS = 64
"""Terms of all observables that are looked at."""


def fragment_success(fragment: ShotFragment, forms: Forms, backend: BackendV2) -> float:
    """`success` of a fragment's variants, on average over some of them.

    Args:
        fragment: The fragment, for the binding in question.
        forms: Its circuits for this backend, with all parameters bound.
        backend: The device.
    """
    found = [
        success(splice(fragment, forms, k).circuit, backend.target) for k in _looked_at(fragment)
    ]
    return float(np.mean(found))


def value_success(program: SampledProgram, written: Sequence[Written | None]) -> float:
    """Probability that nothing goes wrong that reaches a value; the mean over all observables.

    Values shrink by about as much. A term is read from some qubits of each fragment, and from the
    outcomes at its cuts.

    Args:
        program: Fragments and observables.
        written: Each of its fragments; None for those that have no errors.
    """
    terms, weights = program.gluing.operator_of, np.abs(program.gluing.coefficients)
    chosen = np.unique(np.linspace(0, len(terms) - 1, _MOST_TERMS).astype(int))
    found = np.ones(len(chosen))
    for place, each in enumerate(written):
        if each is not None:
            operators, which = np.unique(terms[chosen, place], return_inverse=True)
            mine = [_operator_success(*each, operator) for operator in operators.tolist()]
            found *= np.array(mine)[which.ravel()]
    weights = weights[:, chosen]
    total = weights.sum(axis=1)
    known = total > 0
    return float(np.mean(weights[known] @ found / total[known])) if known.any() else 1.0


def _operator_success(
    fragment: ShotFragment, forms: Forms, backend: BackendV2, operator: int
) -> float:
    """Of what reaches an operator's qubits and the outcomes at cuts, on average over variants."""
    number = next(k for k, basis in enumerate(fragment.bases) if operator in basis.operators)
    basis = fragment.bases[number]
    row = int(np.flatnonzero(basis.operators == operator)[0])
    mask = int(basis.parity[row] | basis.care[row])
    count = fragment.num_variants // len(fragment.bases)
    found = []
    for variant in _evenly(count):
        made = splice(fragment, forms, number * count + variant)
        read = [k for k, qubit in enumerate(made.measured) if mask >> qubit & 1]
        bits = [*range(made.num_outcome_bits), *(made.num_outcome_bits + k for k in read)]
        found.append(success(made.circuit, backend.target, bits))
    return float(np.mean(found))


def fragment_seconds(fragment: ShotFragment, forms: Forms, backend: BackendV2) -> float | None:
    """`seconds_per_shot` of a fragment's variants, on average over some of them.

    Args:
        fragment: As for `fragment_success`.
        forms: As there.
        backend: The device.
    """
    found = []
    for variant in _looked_at(fragment):
        each = seconds_per_shot(splice(fragment, forms, variant).circuit, backend)
        if each is None:
            return None
        found.append(each)
    return float(np.mean(found))


def _looked_at(fragment: ShotFragment) -> list[int]:
    """Some variants, evenly among all."""
    return _evenly(fragment.num_variants)


def _evenly(count: int) -> list[int]:
    """Some of so many numbers."""
    return [int(each) for each in np.linspace(0, count - 1, min(count, _MOST_LOOKED_AT))]
