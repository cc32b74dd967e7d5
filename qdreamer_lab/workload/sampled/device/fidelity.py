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
from qdreamer_lab.workload.sampled.telling import telling_legs

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
    outcomes at its cuts that tell anything of it.

    Args:
        program: Fragments and observables.
        written: Each of its fragments; None for those that have no errors.
    """
    terms, weights = program.gluing.operator_of, np.abs(program.gluing.coefficients)
    chosen = np.unique(np.linspace(0, len(terms) - 1, _MOST_TERMS).astype(int))
    found = np.ones(len(chosen))
    known: dict[_Read, float] = {}
    for row, term in enumerate(terms[chosen].tolist()):
        masks = [_mask(*each) for each in zip(program.fragments, term, strict=True)]
        telling = telling_legs(program.fragments, [mask == 0 for mask in masks])
        for place, each in enumerate(written):
            if each is not None:
                read = place, term[place], telling[place]
                if read not in known:
                    known[read] = _operator_success(*each, *read[1:])
                found[row] *= known[read]
    weights = weights[:, chosen]
    total = weights.sum(axis=1)
    counted = total > 0
    if not counted.any():
        return 1.0
    return float(np.mean(weights[counted] @ found / total[counted]))


_Read = tuple[int, int, frozenset[int]]
"""A fragment's number, an operator of it, and the legs whose outcomes matter."""


def _basis_of(fragment: ShotFragment, operator: int) -> int:
    """The number of a basis in which an operator is read."""
    return next(k for k, basis in enumerate(fragment.bases) if operator in basis.operators)


def _mask(fragment: ShotFragment, operator: int) -> int:
    """The bits that an operator is read from."""
    basis = fragment.bases[_basis_of(fragment, operator)]
    row = int(np.flatnonzero(basis.operators == operator)[0])
    return int(basis.parity[row] | basis.care[row])


def _operator_success(
    fragment: ShotFragment,
    forms: Forms,
    backend: BackendV2,
    operator: int,
    telling: frozenset[int],
) -> float:
    """Of what reaches an operator's qubits and outcomes at cuts, on average over variants.

    Args:
        fragment: The fragment.
        forms: Its circuits for this backend, with all parameters bound.
        backend: The device.
        operator: Which of the fragment's.
        telling: The places of the legs whose outcomes matter.
    """
    number, mask = _basis_of(fragment, operator), _mask(fragment, operator)
    count = fragment.num_variants // len(fragment.bases)
    found = []
    for variant in _evenly(count):
        made = splice(fragment, forms, number * count + variant)
        operations = enumerate(fragment.operations(number * count + variant))
        measuring = [place for place, each in operations if len(each.kraus) > 1]
        bits = [k for k, place in enumerate(measuring) if place in telling]
        read = [k for k, qubit in enumerate(made.measured) if mask >> qubit & 1]
        bits += [made.num_outcome_bits + k for k in read]
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
