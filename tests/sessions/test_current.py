"""The current session: one for each process, whichever way it was opened."""

import pytest

import pilot_kernel
from pilot_kernel.errors import PilotError
from pilot_kernel.sessions import current


@pytest.fixture
def nobody(monkeypatch):
    """No session is open in this process, as far as `current` knows."""
    monkeypatch.setattr(current, "_current", None)


def test_the_session_in_use_is_given_until_it_is_closed(nobody, registry_home):
    with pilot_kernel.Session() as first:
        current.use(first)
        assert pilot_kernel.session() is first
        assert current.current() is first
        with pytest.raises(PilotError, match="is open; close it"):
            pilot_kernel.session("another")
        pilot = first.add_pilot("local://", cores_per_node=1)
        assert repr(first) == "<Session 0 unfinished tasks>"
    assert current.current() is None
    assert repr(first) == "<Session closed>"
    for late in (first.add_pilot, first.pilot_statuses, pilot.drain, lambda: first.submit(pow)):
        with pytest.raises(PilotError, match=r"^this session is closed; pilot_kernel.session\(\)"):
            late()


def test_programs_find_use_where_it_was():
    from pilot_kernel.sessions.current import use

    assert use is current.use
    assert callable(pilot_kernel.session)
