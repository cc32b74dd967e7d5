"""A kind of pilot uses the keys that it names, and refuses the others before anything starts."""

import dataclasses
from pathlib import Path

import pytest

from pilot_kernel import PilotDescription
from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.kind import by_scheme, local, qpu
from pilot_kernel.resource.kind.kind import Kind, Site, check

SITE = Site(
    agent="agent-1",
    pilot="mine",
    security=None,
    scheduler="tls://127.0.0.1:1",
    host="127.0.0.1",
    directory=Path("/nowhere"),
)

GIVEN = {
    "number_of_nodes": 2,
    "cores_per_node": 2,
    "gpus_per_node": 1,
    "cores_per_worker": 2,
    "memory_per_node_bytes": 10**9,
    "queue": "short",
    "walltime": "1:00:00",
    "project": "abc",
    "working_directory": "/tmp",
    "scheduler_script_commands": ("module load gcc",),
    "interface": "lo",
    "start_within_s": 60,
    "qpu": ("ibm_one",),
}
"""Every key but `resource`, `name` and `tags`, with a value that is not its default."""


def _batch(uses=frozenset()):
    return Kind(scheme="batch", uses=frozenset(uses), worker_specs=lambda *_: [])


def test_every_key_is_tried_here():
    keys = {field.name for field in dataclasses.fields(PilotDescription)}
    assert keys == {"resource", "name", "tags", *GIVEN}


@pytest.mark.parametrize("key", GIVEN)
def test_a_key_is_refused_by_its_name_unless_the_kind_uses_it(key):
    described = PilotDescription(resource="batch://here", name="mine", **{key: GIVEN[key]})
    with pytest.raises(DescriptionError, match=f"^{key}=.*: a batch:// pilot has no use"):
        check(_batch(), described)
    check(_batch({key}), described)


def test_every_kind_takes_tags():
    check(_batch(), PilotDescription(resource="batch://here", tags=("fast",)))


def test_keys_with_their_defaults_are_never_refused():
    check(_batch(), PilotDescription(resource="batch://here", walltime=None, gpus_per_node=0))


@pytest.mark.parametrize("kind", [local.KIND, qpu.KIND])
def test_a_kind_names_keys_that_there_are(kind):
    assert kind.uses <= set(GIVEN)
    assert kind.uses.isdisjoint({"queue", "walltime", "project", "scheduler_script_commands"})


def test_a_new_kind_is_one_more_entry(monkeypatch):
    seen = []
    kind = Kind(
        scheme="batch",
        uses=frozenset({"walltime"}),
        worker_specs=lambda *asked: [{"asked": asked}],
        check=seen.append,
    )
    monkeypatch.setitem(by_scheme._KINDS, "batch", kind)
    described = PilotDescription(resource="batch://here", walltime=30)
    by_scheme.check_description(described)
    assert seen == [described]
    assert by_scheme.device_name(described) is None
    assert by_scheme.usual_name(described) == "batch"
    assert by_scheme.worker_specs(described, SITE) == [{"asked": (described, SITE)}]
    with pytest.raises(DescriptionError, match=r"batch:// pilot has no batch script"):
        by_scheme.job_script(described, SITE)
    with pytest.raises(DescriptionError, match=r"'mars://' is unknown; there is .*batch://"):
        by_scheme.check_description(PilotDescription(resource="mars://"))
