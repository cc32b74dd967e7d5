"""What a pilot may be asked to be: every key right, or refused by its name."""

import contextlib
import dataclasses
import math

import numpy as np
import pytest

from pilot_kernel import PilotDescription
from pilot_kernel.errors import DescriptionError


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"resource": "localhost"}, "not a URL"),
        ({"cores_per_node": 0}, "cores_per_node=0"),
        ({"cores_per_node": -2}, "cores_per_node=-2"),
        ({"cores_per_node": 1.5}, "cores_per_node=1.5"),
        ({"number_of_nodes": True}, "number_of_nodes=True"),
        ({"gpus_per_node": -1}, "gpus_per_node=-1"),
        ({"memory_per_node_bytes": 4}, "memory_per_node_bytes=4: .* at least 1000000"),
        ({"name": "two words"}, "two words"),
        ({"name": "gpu"}, "kind of worker"),
        ({"cores": 4}, "no key 'cores'; it has resource, name"),
        ({"resource": "local://[::1"}, "not a URL: Invalid IPv6"),
        ({"resource": ["local://"]}, "not a URL"),
        ({"resource": {"resource": "local://"}}, "not a URL"),
        ({"scheduler_script_commands": 5}, "scheduler_script_commands=5: a list of lines"),
        ({"scheduler_script_commands": "module load gcc"}, "a list of lines"),
        ({"scheduler_script_commands": [1]}, "a list of lines"),
        ({"walltime": "soon"}, "walltime='soon': 'HH:MM:SS'"),
        ({"walltime": 0}, "walltime=0"),
        ({"queue": 5}, "queue=5: some text"),
        ({"project": ""}, "project='': some text"),
        ({"working_directory": "a\0b"}, "working_directory=.*: some text"),
    ],
)
def test_a_wrong_value_is_named(keys, complaint):
    with pytest.raises(DescriptionError, match=complaint):
        PilotDescription.coerce(None, **keys)


@pytest.mark.parametrize("key", [field.name for field in dataclasses.fields(PilotDescription)])
def test_no_key_ends_in_somebody_elses_error(key):
    odd = [
        -1,
        1.5,
        True,
        "",
        b"x",
        [1],
        {"a": 1},
        {},
        object(),
        math.nan,
        1j,
        np.arange(2),
        "\ud800",
    ]
    for value in odd:
        with contextlib.suppress(DescriptionError):
            kept = getattr(PilotDescription.coerce(None, **{key: value}), key)
            pytest.fail(f"{key}={value!r} became {kept!r}")


def test_what_is_meant_is_taken(tmp_path):
    described = PilotDescription(
        cores_per_node=np.int64(2), working_directory=tmp_path, scheduler_script_commands=["a"]
    )
    assert type(described.cores_per_node) is int
    assert described.working_directory == str(tmp_path)
    assert described.scheduler_script_commands == ("a",)
    for walltime in (30, "30", "1:00", "48:00:00", "2-00:00:00"):
        assert PilotDescription(walltime=walltime).walltime == walltime


def test_a_url_with_keys_and_a_description_with_changes():
    described = PilotDescription.coerce("local://", cores_per_node=2)
    assert described == PilotDescription(resource="local://", cores_per_node=2)
    changed = PilotDescription.coerce(described, name="mine")
    assert (changed.name, changed.cores_per_node, changed.scheme) == ("mine", 2, "local")


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"description": "mars://"}, "'mars://' is unknown; there is local://"),
        ({"cores_per_node": 2, "cores_per_worker": 3}, "is more than cores_per_node=2"),
        ({"number_of_nodes": 2}, "one node"),
        ({"gpus_per_node": 99}, "GPUs"),
        ({"cores_per_node": 10**7}, "more than 1024 processes"),
        ({"queue": "short"}, "queue='short': a local:// pilot has no use for this key; leave it"),
        ({"walltime": "1:00:00"}, "walltime='1:00:00': a local:// pilot has no use"),
        ({"project": "abc"}, "project='abc': .* It uses resource, name, number_of_nodes"),
        ({"scheduler_script_commands": ["module load gcc"]}, "scheduler_script_commands=.*no use"),
        ({"description": "qpu://aer_simulator", "walltime": 30}, "walltime=30: a qpu:// pilot has"),
    ],
)
def test_what_the_resource_cannot_give_is_refused(session, keys, complaint):
    before = len(session.pilots)
    with pytest.raises(DescriptionError, match=complaint):
        session.add_pilot(**keys)
    assert len(session.pilots) == before
