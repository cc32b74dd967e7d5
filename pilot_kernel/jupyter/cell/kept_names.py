"""What `-o` means, in every cell magic: the names that the notebook has after a cell.

A name of the cell's own is that variable; the one name that the cell does not know is its result's.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pilot_kernel.errors import CellError
from pilot_kernel.jupyter.cell.free_variables import bound_names, read_names
from pilot_kernel.jupyter.cell.python_source import Cell

__all__ = ["KeptNames", "kept_names"]


@dataclass(frozen=True)
class KeptNames:
    """What the notebook keeps of a cell.

    Attributes:
        variables: Those of the cell that are brought back.
        result: What its result is to be called, if anything.
    """

    variables: tuple[str, ...] = ()
    result: str | None = None


def kept_names(cell: Cell, names: Iterable[str], *, circuits: bool = False) -> KeptNames:
    """Tell the cell's own variables from the name for its result.

    Args:
        cell: The cell.
        names: Those that `-o` names.
        circuits: Whether its result is that of the circuits it ends with: then names without one
            for the result are most likely meant for it.

    Raises:
        CellError: Several names are no variables of the cell, or one is and it has no result; or
            all are, where the result is what is wanted.
    """
    names = tuple(names)
    bound, read = bound_names(cell.tree), read_names(cell.tree)
    if bound is None and not circuits:  # `import *` may bring any name
        return KeptNames(names)
    own = tuple(name for name in names if name in (bound or ()) or name in read)
    others = [name for name in names if name not in own]
    if len(others) > 1 or (others and not cell.ends_with_value):
        also = ", and it has one result" if cell.ends_with_value else ""
        raise CellError(f"-o {','.join(others)}: the cell never defines {others[-1]}{also}")
    if circuits and own and not others:
        raise CellError(
            f"-o {','.join(own)}: the cell has a variable of this name, so its result needs "
            f"another one, such as -o {own[0]}_result; -o {own[0]}_result,{own[0]} keeps both"
        )
    return KeptNames(own, others[0] if others else None)
