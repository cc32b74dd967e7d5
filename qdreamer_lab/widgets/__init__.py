"""What a person sees: figures of plans, predictions and runs, and the controls around them.

Nothing is planned, priced or run here but through `workload` and `dreamer`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qdreamer_lab.widgets import figures
    from qdreamer_lab.widgets.explorer import CutExplorer

__all__ = ["CutExplorer", "figures"]


def __getattr__(name: str) -> Any:
    if name == "CutExplorer":
        return import_module("qdreamer_lab.widgets.explorer").CutExplorer
    if name == "figures":
        return import_module("qdreamer_lab.widgets.figures")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
