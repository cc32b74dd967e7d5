"""Workers of this machine: what it has not got is refused."""

from pathlib import Path

import pytest
from dask.system import CPU_COUNT

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind.kind import Site
from pilot_kernel.resource.kind.local import worker_specs

SITE = Site(agent="a", pilot="p", security=None, scheduler="", host="", directory=Path("nowhere"))


def specs(**keys):
    return worker_specs(PilotDescription(resource="local://", **keys), SITE)


def test_a_worker_larger_than_the_machine_is_refused_with_its_size():
    with pytest.raises(
        DescriptionError,
        match=rf"cores_per_worker={CPU_COUNT + 1} is more than what this machine has: {CPU_COUNT};",
    ):
        specs(cores_per_worker=CPU_COUNT + 1)
    with pytest.raises(
        DescriptionError, match=r"cores_per_worker=3 is more than cores_per_node=2;"
    ):
        specs(cores_per_node=2, cores_per_worker=3)


def test_cores_are_dealt_out_to_workers():
    assert [spec.cores for spec in specs(cores_per_node=7, cores_per_worker=3)] == [3, 3]
