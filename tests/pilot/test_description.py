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
        ({"name": "two words"}, "two words"),
        ({"name": "gpu"}, "kind of worker"),
        ({"cores": 4}, "no key 'cores'; it has resource, name"),
    ],
)
def test_a_wrong_value_is_named(keys, complaint):
    with pytest.raises(DescriptionError, match=complaint):
        PilotDescription.coerce(None, **keys)


def test_a_url_with_keys_and_a_description_with_changes():
    described = PilotDescription.coerce("local://", cores_per_node=2)
    assert described == PilotDescription(resource="local://", cores_per_node=2)
    changed = PilotDescription.coerce(described, name="mine")
    assert (changed.name, changed.cores_per_node, changed.scheme) == ("mine", 2, "local")


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"description": "mars://"}, "'mars://' is unknown; there is local://"),
        ({"cores_per_node": 2, "cores_per_worker": 3}, "more than the 2 cores"),
        ({"number_of_nodes": 2}, "one node"),
        ({"gpus_per_node": 99}, "GPUs"),
    ],
)
def test_what_the_resource_cannot_give_is_refused(session, keys, complaint):
    before = len(session.pilots)
    with pytest.raises(DescriptionError, match=complaint):
        session.add_pilot(**keys)
    assert len(session.pilots) == before
