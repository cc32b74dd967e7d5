"""Circuits with values in place of their parameters, refused where an angle is not finite."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from qdreamer_lab.errors import PubError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qiskit import QuantumCircuit
    from qiskit.primitives.containers.bindings_array import BindingsArray

__all__ = ["all_bound", "first_bound"]


def all_bound(circuit: QuantumCircuit, values: BindingsArray) -> tuple[QuantumCircuit, ...]:
    """A circuit with each set of values.

    Raises:
        PubError: If an angle has no finite value.
    """
    with _finite_angles():
        return tuple(values.bind_all(circuit).ravel())


def first_bound(circuit: QuantumCircuit, values: BindingsArray) -> QuantumCircuit:
    """A circuit with the first of some sets of values; itself if it has no parameters.

    Args:
        circuit: With parameters or without.
        values: One set at least.

    Raises:
        PubError: If an angle has no finite value.
    """
    if not circuit.parameters:
        return circuit
    with _finite_angles():
        return values.bind(circuit, (0,) * values.ndim)


@contextmanager
def _finite_angles() -> Iterator[None]:
    """Qiskit divides by zero where an expression of finite values has no finite value."""
    try:
        yield
    except (ZeroDivisionError, OverflowError) as error:
        raise PubError("parameter values give an angle that is no finite number") from error
