"""A word before a run that will take hours. It only estimates and tells; nothing runs here.

Rough on purpose: what matters is hours against minutes. How long a run takes is Q-Dreamer's to say,
who knows the machine.
"""

from __future__ import annotations

import warnings

from qdreamer_lab.errors import LongRunWarning

__all__ = ["EXACT_S", "ROUGH_S", "warn_if_long"]

EXACT_S = 1.5e-10
"""Of an operation of exact mode on one core: fragments are simulated in blocks."""

ROUGH_S = 1e-9
"""Of an operation elsewhere: shots, and decompositions of matrix product states."""

_LONG_S = 3600.0


def warn_if_long(seconds: float) -> None:
    """Warn before a run that takes so many seconds, if these are hours."""
    hours = seconds / _LONG_S
    if hours > 1:
        about = f"{hours:,.0f}" if hours < 1e6 else f"{hours:.0e}"
        warnings.warn(
            f"this run is likely to take about {about} hours or more. QDreamer().recommend says "
            "which way is fastest; interrupting result(), or cancel(), stops the run",
            LongRunWarning,
            stacklevel=2,
        )
