"""Planning that takes a millisecond, so that what is recommended does not depend on the moment."""

import pytest

__all__ = ["steady"]


def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planning takes a millisecond, whatever else this machine does meanwhile."""
    for home in ("exact.case", "sampled.case", "uncut.case"):
        monkeypatch.setattr(
            f"qdreamer_lab.dreamer.{home}.timed_twice", lambda function: (function(), 1e-3)
        )
