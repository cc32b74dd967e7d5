"""A fresh parameter for every angle of a circuit, and the values of these for a whole sweep.

Aer binds plain parameters correctly, but not expressions. They are evaluated here, for all points
of a sweep at once where they are linear.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from qiskit.circuit import Parameter, ParameterExpression
from qiskit.primitives.containers.bindings_array import BindingsArray

from pilot_kernel.errors import PubError

__all__ = ["Angles", "is_free"]


def is_free(value: Any) -> bool:
    """Whether a gate's parameter still waits for a value."""
    return isinstance(value, ParameterExpression) and bool(value.parameters)


class Angles:
    """Collects the angles of a circuit while it is rewritten."""

    def __init__(self) -> None:
        self._plain: dict[Parameter, Parameter] = {}
        self._found: list[tuple[Parameter, ParameterExpression]] = []

    def stand_in(self, angle: ParameterExpression) -> Parameter:
        """The parameter to write in the place of an angle."""
        if isinstance(angle, Parameter) and angle in self._plain:
            return self._plain[angle]
        fresh = Parameter(f"angle{len(self._found)}")
        self._found.append((fresh, angle))
        if isinstance(angle, Parameter):
            self._plain[angle] = fresh
        return fresh

    def values(
        self, given: BindingsArray, parameters: Iterable[Parameter], number: int
    ) -> BindingsArray:
        """Values of the stand-ins.

        Args:
            given: Values of the circuit's own parameters.
            parameters: These parameters.
            number: The PUB's number.

        Returns:
            Values of the same shape, one for each stand-in.

        Raises:
            PubError: An expression has no finite real value somewhere.
        """
        if not self._found:
            return BindingsArray(shape=given.shape)
        own = tuple(parameters)
        table = given.as_array(own).reshape(given.size, len(own))
        columns = {parameter: table[:, place] for place, parameter in enumerate(own)}
        found = np.empty((given.size, len(self._found)))
        for place, (_, angle) in enumerate(self._found):
            column = _evaluate(angle, columns, given.size)
            if not np.all(np.isfinite(column)) or not np.all(np.isreal(column)):
                raise PubError(f"PUB {number}: the angle {angle} has no finite real value")
            found[:, place] = np.real(column)
        names = tuple(fresh for fresh, _ in self._found)
        return BindingsArray({names: found.reshape(*given.shape, len(names))})


def _evaluate(angle: ParameterExpression, columns: dict[Parameter, Any], size: int) -> Any:
    """An angle for every parameter set; NaN where it has no value."""
    if isinstance(angle, Parameter):
        return columns[angle]
    used = sorted(angle.parameters, key=lambda parameter: parameter.name)
    rows = np.stack([columns[parameter] for parameter in used], axis=1)
    slopes = _slopes(angle, used) if size > 1 else None
    if slopes is not None:
        return _at(angle, used, np.zeros(len(used))) + rows @ slopes
    return np.asarray([_at(angle, used, row) for row in rows])


def _slopes(angle: ParameterExpression, used: list[Parameter]) -> Any:
    """The derivatives, if all are numbers: then the angle is linear."""
    try:
        slopes = [angle.gradient(parameter) for parameter in used]
    except RuntimeError:  # Qiskit knows no derivative of sign()
        return None
    numbers = all(isinstance(slope, (int, float)) for slope in slopes)
    return np.asarray(slopes, dtype=float) if numbers else None


def _at(angle: ParameterExpression, used: list[Parameter], row: Any) -> complex:
    try:
        return complex(angle.bind_all(dict(zip(used, row.tolist(), strict=True))))
    except ZeroDivisionError:
        return complex("nan")
