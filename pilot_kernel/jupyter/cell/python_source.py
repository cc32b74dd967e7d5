"""A cell of Python, parsed in the notebook, so that mistakes are shown before anything is sent."""

import ast
from dataclasses import dataclass

from pilot_kernel.errors import CellError
from pilot_kernel.jupyter.worker.run import code_of

__all__ = ["Cell", "read_cell"]


@dataclass(frozen=True)
class Cell:
    """A cell that can run.

    Attributes:
        source: Its text. The magic's line stands above it as a comment, so that line numbers are
            those of the notebook.
        filename: What tracebacks call it.
        tree: Its syntax tree.
    """

    source: str
    filename: str
    tree: ast.Module

    @property
    def ends_with_value(self) -> bool:
        """Whether its last statement is an expression."""
        return isinstance(self.tree.body[-1], ast.Expr)


def read_cell(body: str, header: str, filename: str = "<cell>") -> Cell:
    """Parse a cell.

    Args:
        body: The cell below its magic line.
        header: The magic line.
        filename: What tracebacks call it.

    Raises:
        CellError: It is empty, is not Python, or uses syntax that only notebooks know.
    """
    source = f"# {header}\n{body}"
    try:
        tree = ast.parse(source, filename)
        code_of(tree, filename)  # some errors, such as a stray return, show only here
    except SyntaxError as error:
        raise CellError(_notebook_syntax(source) or _shown(error)) from None
    except ValueError as error:  # a null byte
        raise CellError(f"the cell is not Python: {error}") from None
    if not tree.body:
        raise CellError("the cell is empty: write what is to run below the line of the magic")
    return Cell(source, filename, tree)


def _shown(error: SyntaxError) -> str:
    shown = f"line {error.lineno} of the cell: {error.msg}"
    if error.text is None:
        return shown
    text = error.text.rstrip("\n")
    mark = " " * (max(error.offset or 1, 1) - 1) + "^"
    return f"{shown}\n    {text}\n    {mark}"


def _notebook_syntax(source: str) -> str | None:
    """The message for a cell with a magic or a shell command in it; None if it has none."""
    from IPython.core.inputtransformer2 import TransformerManager

    lines = source.splitlines()
    for number, line in enumerate(lines[1:], start=2):
        stripped = line.strip()
        if stripped.startswith("%%"):
            return f"line {number} of the cell: {stripped!r}: a cell takes only one cell magic"
        if not stripped or stripped.startswith("#"):
            continue
        if "get_ipython()" in TransformerManager().transform_cell(stripped) and not _python(line):
            return (
                f"line {number} of the cell: {stripped!r} is notebook syntax; a worker runs plain "
                "Python (for a command: subprocess.run)"
            )
    return None


def _python(line: str) -> bool:
    try:
        ast.parse(line.strip())
    except SyntaxError:
        return False
    return True
