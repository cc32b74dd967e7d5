"""What surrounds every search: errors in the user's words, and a word when kernels compile.

It must not search.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from qdreamer_lab.errors import InfeasiblePlanError
from qdreamer_lab.search.problem import InfeasibleError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["searching"]

_NOTICE = (
    "qdreamer-lab: compiling kernels, once per installation; this can take a minute "
    "(`qdreamer-lab warm` does it ahead of time) …"
)

_said = threading.Event()
"""Whether this process has given notice."""


@contextmanager
def searching() -> Iterator[None]:
    """Run a search; say so on standard error, once in a process, if it has to compile anything.

    Raises:
        InfeasiblePlanError: Where the search finds that no plan keeps the limits.
    """
    from numba.core import event

    with event.install_listener("numba:compile", _listener()):
        try:
            yield
        except InfeasibleError as error:
            raise InfeasiblePlanError(str(error), error.smallest_max_qubits) from None


def _listener() -> Any:
    from numba.core import event

    class Announcer(event.Listener):  # type: ignore[misc]  # numba has no types
        """Prints the notice at the first compilation; loading from disk is none."""

        def on_start(self, event: Any) -> None:
            if not _said.is_set():
                _said.set()
                print(_NOTICE, file=sys.stderr, flush=True)

        def on_end(self, event: Any) -> None:
            pass

    return Announcer()
