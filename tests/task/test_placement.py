"""What a task may ask of its worker, and what is said when nobody has that."""

import pytest

from pilot_kernel.errors import PilotError, PlacementError
from pilot_kernel.resource.pilot import PilotState, PilotStatus
from pilot_kernel.task.notebook.options import TaskOptions
from pilot_kernel.task.notebook.placement import Needs, candidates, on_gpu, requirement


def pilot(name, *, cores=1, memory=10**9, offers=("CPU",), tags=(), walltime_s=None, **more):
    return PilotStatus(
        name=name,
        resource="local://",
        state=more.pop("state", PilotState.ACTIVE),
        workers=1,
        wanted=1,
        running=0,
        cores_per_worker=cores,
        offers=offers,
        memory_per_worker_bytes=memory,
        tags=tags,
        walltime_s=walltime_s,
        **more,
    )


SMALL = pilot("small")
LARGE = pilot("large", cores=8, memory=64 * 10**9, tags=("fast", "local"), state=PilotState.PENDING)
CARDS = pilot("cards", offers=("CPU", "GPU"), tags=("fast",))
SHORT = pilot("short", walltime_s=3600)
ALL = [SMALL, LARGE, CARDS, SHORT]


@pytest.mark.parametrize(
    ("on", "needs", "names"),
    [
        (None, {}, ["small", "large", "cards", "short"]),
        (None, {"cores": 2}, ["large"]),
        (None, {"memory_bytes": 10**9}, ["small", "large", "cards", "short"]),
        (None, {"memory_bytes": 10**9 + 1}, ["large"]),
        (None, {"gpus": 1}, ["cards"]),
        ("cards", {"gpus": 1}, ["cards"]),
        ("gpu", {"gpus": 1, "tags": ["fast"]}, ["cards"]),
        (None, {"gpus": 0}, ["small", "large", "cards", "short"]),
        (None, {"tags": "fast"}, ["large", "cards"]),
        (None, {"tags": ("fast", "local"), "cores": 8}, ["large"]),
        (None, {"timeout_s": 3601}, ["small", "large", "cards"]),
        ("short", {"timeout_s": 3600}, ["short"]),
    ],
)
def test_pilots_that_have_what_a_task_needs(on, needs, names):
    assert [each.name for each in candidates(on, ALL, Needs(**needs))] == names


@pytest.mark.parametrize("on", [5, ["cpu"], b"cpu", True])
def test_on_is_a_word(on):
    for asked in (lambda: candidates(on, ALL), lambda: requirement(on)):
        with pytest.raises(PlacementError, match=r"^on=.*: a kind of worker"):
            asked()


JOINT = pilot("joint", most_cores=4, offers=("CPU", "GPU"))


@pytest.mark.parametrize(
    ("on", "needs", "names"),
    [
        (None, {"cores": 3}, ["large", "joint"]),
        (None, {"cores": 4, "memory_bytes": 4 * 10**9}, ["large", "joint"]),
        (None, {"cores": 3, "memory_bytes": 3 * 10**9 + 1}, ["large"]),
        (None, {"cores": 5}, ["large"]),
        ("joint", {"cores": 4}, ["joint"]),
        ("gpu", {"cores": 1}, ["joint"]),
    ],
)
def test_cores_of_several_workers_count_with_their_memory(on, needs, names):
    assert [each.name for each in candidates(on, [LARGE, JOINT], Needs(**needs))] == names


@pytest.mark.parametrize(
    ("on", "needs", "words"),
    [
        ("gpu", {"cores": 2}, "at most 1 core and"),
        (None, {"cores": 2, "gpus": 1}, "at most 1 core"),
        ("joint", {"cores": 5}, r"at most 1 core \(4 together on a node\)"),
    ],
)
def test_workers_with_a_gpu_lend_nothing(on, needs, words):
    with pytest.raises(PlacementError, match=words):
        candidates(on, [JOINT], Needs(**needs))
    assert not Needs(cores=2).of_worker(JOINT)


@pytest.mark.parametrize(
    ("on", "needs", "words"),
    [
        (None, {"cores": 9}, r"cores=9.*at most 8 cores"),
        (None, {"memory_bytes": 10**12}, r"memory_bytes=1000000000000.*64,000,000,000 bytes"),
        ("small", {"cores": 2}, r"on='small', cores=2.*at most 1 core "),
        ("small", {"gpus": 1}, r"gpus=1.*no GPU"),
        (None, {"tags": ["slow"]}, r"tags=\('slow',\).*tags are: fast, local"),
        ("cpu", {"gpus": 1}, r"on='cpu', gpus=1.*on='gpu'"),
        ("short", {"timeout_s": 4000.0}, r"timeout_s=4000.*after 3,600 s"),
    ],
)
def test_what_nobody_has_is_said_with_the_most_that_there_is(on, needs, words):
    with pytest.raises(PlacementError, match=words):
        candidates(on, ALL, Needs(**needs))


def test_pilots_that_failed_or_drain_are_not_counted_on():
    gone = [pilot("a", draining=True), pilot("b", state=PilotState.FAILED)]
    with pytest.raises(PlacementError, match="a \\(local://, draining\\)"):
        candidates(None, gone)
    assert candidates(None, [*gone, SMALL]) == [SMALL]


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        ({"cores": 0}, "cores=0"),
        ({"cores": 1.5}, "cores=1.5"),
        ({"cores": True}, "cores=True"),
        ({"memory_bytes": "4GB"}, "memory_bytes='4GB'"),
        ({"gpus": -1}, "gpus=-1"),
        ({"gpus": 2}, "gpus=2.*one GPU"),
        ({"tags": [3]}, r"tags=\[3\]"),
        ({"tags": {"a": 1}}, "tags="),
    ],
)
def test_impossible_needs_are_named(needs, words):
    with pytest.raises(PlacementError, match=words):
        TaskOptions(**needs)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"priority": "high"}, "priority='high'"),
        ({"priority": 1.5}, "priority=1.5"),
        ({"priority": True}, "priority=True"),
        ({"workload": ""}, "workload=''"),
        ({"workload": 3}, "workload=3"),
    ],
)
def test_impossible_orders_are_named(options, words):
    with pytest.raises(PilotError, match=words):
        TaskOptions(**options)


@pytest.mark.parametrize(
    ("on", "needs", "asked"),
    [
        (None, {}, {"CPU": 1}),
        ("mine", {"gpus": 1}, {"pilot:mine": 1, "GPU": 1}),
        (None, {"gpus": 1}, {"GPU": 1}),
        ("QPU", {"tags": ["a", "a"]}, {"QPU": 1, "tag:a": 1}),
        (None, {"cores": 4, "memory_bytes": 7}, {"CPU": 1, "cores": 4, "memory": 7}),
    ],
)
def test_what_is_asked_of_a_worker(on, needs, asked):
    assert requirement(on, Needs(**needs)) == asked


@pytest.mark.parametrize(
    ("on", "needs", "pilots", "wanted"),
    [
        (None, {}, [SMALL], False),
        (None, {}, [pilot("all", offers=("GPU", "tag:a"))], False),  # it goes to CPUs
        ("cpu", {}, [CARDS], False),
        ("GPU", {}, [CARDS], True),
        ("gpu", {}, [], True),
        (None, {"gpus": 1}, [CARDS], True),
        ("cards", {"gpus": 1}, [CARDS], True),
        ("cards", {}, [CARDS], False),  # it may meet a CPU worker of that pilot
        ("all", {}, [pilot("all", offers=("GPU",))], True),
        ("none", {}, [], False),
    ],
)
def test_whether_a_task_is_for_a_gpu(on, needs, pilots, wanted):
    assert on_gpu(on, pilots, Needs(**needs)) is wanted


def test_why_there_is_less_memory_than_there_was():
    shared = pilot("shared", note="shares this machine's memory with a script")
    with pytest.raises(PlacementError, match=r"1,000,000,000 bytes .* \(shares this machine's mem"):
        candidates(None, [shared], Needs(memory_bytes=10**10))
    with pytest.raises(PlacementError) as refused:
        candidates(None, [shared], Needs(cores=9))
    assert "shares" not in str(refused.value)
