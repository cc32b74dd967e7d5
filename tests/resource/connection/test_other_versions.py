"""A notebook does not attach to an agent of other versions."""

import dataclasses

import pytest

import pilot_kernel
from pilot_kernel.errors import PilotError
from pilot_kernel.resource import registry
from pilot_kernel.resource.versions import here


@pytest.fixture
def named(registry_home):
    """A session that others can attach to."""
    with pilot_kernel.Session("of other versions") as session:
        assert session.pilots == []
        yield session


@pytest.mark.parametrize("theirs", [{**here(), "python": "3.9"}, {}])
def test_both_sides_are_named(named, theirs):
    entry = registry.read(named._link.entry.directory)
    assert entry.versions == here()
    registry.write(dataclasses.replace(entry, versions=theirs))
    late = pilot_kernel.Session("of other versions")
    there = theirs.get("python", "missing")
    with pytest.raises(PilotError, match=rf"python is {here()['python']} here and {there} there"):
        late.submit(pow, 2, 2)
    late.detach()
    registry.write(entry)
    with pilot_kernel.Session("of other versions") as other:
        assert other.attached
        assert other.pilots == []
