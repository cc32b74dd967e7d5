"""Workers of this machine: what it has not got is refused."""

from pathlib import Path

import pytest

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource import allowance
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind.kind import Site
from pilot_kernel.resource.kind.local import worker_specs

SITE = Site(agent="a", pilot="p", security=None, scheduler="", host="", directory=Path("nowhere"))


def specs(**keys):
    return worker_specs(PilotDescription(resource="local://", **keys), SITE)


def test_a_worker_larger_than_the_machine_is_refused_with_its_size():
    more = allowance.cores() + 1
    with pytest.raises(
        DescriptionError,
        match=rf"cores_per_worker={more} is more than what this machine has: {more - 1};",
    ):
        specs(cores_per_worker=more)
    with pytest.raises(
        DescriptionError, match=r"cores_per_worker=3 is more than cores_per_node=2;"
    ):
        specs(cores_per_node=2, cores_per_worker=3)


def test_cores_are_dealt_out_to_workers():
    assert [spec.cores for spec in specs(cores_per_node=7, cores_per_worker=3)] == [3, 3]


@pytest.mark.parametrize(("mib", "tasks"), [(500, 250), (1024, 640), (4096, 4096), (9000, 9000)])
def test_on_a_small_machine_memory_is_left_for_the_notebook(monkeypatch, mib, tasks):
    monkeypatch.setattr(allowance, "memory_bytes", lambda: mib * 2**20)
    assert [spec.memory_bytes for spec in specs(cores_per_node=2)] == [tasks * 2**19] * 2
    asked = specs(cores_per_node=1, memory_per_node_bytes=mib * 2**20)
    assert asked[0].memory_bytes == mib * 2**20
