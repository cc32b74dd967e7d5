"""How large sampled mode's work is: groups of shots, circuits, bytes and operations.

Runs and predictions both go by these. Arithmetic on plain data only; it must not know fragments.
"""

from __future__ import annotations

__all__ = [
    "GROUPS",
    "MOST_VARIANTS",
    "REPLICAS",
    "SAMPLE_GROUPS",
    "batch_operations",
    "is_drawn",
    "num_circuits",
    "states_bytes",
    "tensor_bytes",
    "variant_operations",
]

GROUPS = 64
"""Groups of shots in a fragment's tensor; the error bar is itself uncertain by about
1/sqrt(2 · 64), 9 %, and less where several fragments share the error."""

SAMPLE_GROUPS = 16
"""Groups in which a variant's own shots are told apart, to see how much they vary."""

MOST_VARIANTS = 4096
"""A fragment with more variants than this runs a random selection of them."""

REPLICAS = 32
"""Draws from which second-order errors are estimated."""


def is_drawn(num_variants: int) -> bool:
    """Whether a fragment with so many variants runs a random selection of them."""
    return num_variants > MOST_VARIANTS


def num_circuits(num_variants: int) -> int:
    """Different circuits that a fragment with so many variants runs in a round, at most."""
    return min(num_variants, MOST_VARIANTS)


def states_bytes(legs: int, amplitudes: float) -> float:
    """Memory of the states that a task on a simulator holds at most.

    Args:
        legs: Cuts of the fragment.
        amplitudes: Of its whole batch of states.
    """
    return (legs + 4) * 16 * amplitudes


def tensor_bytes(operators: int, coordinates: int) -> int:
    """Memory of a fragment's tensor, all groups of shots included."""
    return 8 * (GROUPS + 1) * operators * coordinates


def batch_operations(amplitudes: float, steps: int) -> float:
    """Rough floating-point operations of a task before its first variant."""
    return amplitudes * steps


def variant_operations(amplitudes: float, shots: float) -> float:
    """Rough floating-point operations of one variant with so many shots."""
    return 16 * amplitudes + 50 * shots
