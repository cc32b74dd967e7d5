"""What a task says to people who ask it for what its result has.

It knows nothing of tasks; whatever waits for a result can be one of these. A person sees one
sentence more in Python's own error, which stays an `AttributeError` for `hasattr` and others.
"""

from typing import TYPE_CHECKING, NoReturn

__all__ = ["ValueInside"]


class ValueInside:
    """Something whose value comes from `.result()`: an attribute that it lacks may be the value's.

    `session.run(circuit).data` is what people write who expect the result at once. Names that begin
    with an underscore are asked for by machines, which want no advice.
    """

    if not TYPE_CHECKING:  # else every attribute would count as there

        def __getattr__(self, name: str) -> NoReturn:
            told = f"{type(self).__name__!r} object has no attribute {name!r}"
            if not name.startswith("_"):
                told += f"; if you mean that of its result: .result().{name} waits until it is done"
            raise AttributeError(told, name=name, obj=self)
