"""Tasks that want more cores than a worker has, among others that do not, with a real agent."""

import os
import time

import pytest

import pilot_kernel
from pilot_kernel.errors import PlacementError
from pilot_kernel.resource import worker_environment
from pilot_kernel.task.notebook.options import TaskOptions
from tests.conftest import PATIENCE_S, wait_until

WIDTH = 3


@pytest.fixture(scope="module")
def narrow(registry_home):
    """A session with one pilot of three workers with a core each."""
    with pilot_kernel.Session() as opened:
        pilot = opened.add_pilot(
            "local://", cores_per_node=WIDTH, memory_per_node_bytes=WIDTH * 10**9, name="narrow"
        )
        wait_until(lambda: pilot.status.workers == WIDTH)
        yield opened


def look(seconds=0.0):
    """When it ran, and what it was told that it has."""
    from threadpoolctl import threadpool_info

    began = time.time()
    time.sleep(seconds)
    threads = max(pool["num_threads"] for pool in threadpool_info())
    told = worker_environment.cores(), worker_environment.memory_bytes()
    return began, time.time(), (*told, os.environ["OMP_NUM_THREADS"], threads)


def most_at_once(spans):
    """The most cores in use at any moment, from when tasks ran and how many each had."""
    events = sorted((at, sign * cores) for b, e, cores in spans for at, sign in ((b, 1), (e, -1)))
    most = now = 0
    for _, change in events:
        now += change
        most = max(most, now)
    return most


def test_a_wide_task_has_the_cores_and_memory_of_others_and_the_next_one_its_own(narrow):
    whole, part, own = (narrow.submit(look, cores=c).result(PATIENCE_S)[2] for c in (3, 2, 1))
    assert whole == (3, 3 * 10**9, "3", 3)
    assert part == (2, 2 * 10**9, "2", 2)
    assert own == (1, 10**9, "1", 1)
    needs = {"cores": 2, "memory_bytes": 2 * 10**9}
    assert narrow.submit(look, **needs).result(PATIENCE_S)[2][0] == 2


def test_wide_and_narrow_tasks_share_a_node_and_none_is_left_waiting(narrow):
    wanted = [1, 1, 3, 1, 1, 2, 1, 3, 1, 2, 2, 1] * 2
    tasks = [narrow.submit(look, 0.05, cores=each) for each in wanted]
    ran = [(*task.result(PATIENCE_S)[:2], cores) for task, cores in zip(tasks, wanted, strict=True)]
    assert most_at_once(ran) <= WIDTH


def test_a_wide_task_waits_for_those_before_it_and_not_for_those_after_it(narrow):
    before = [narrow.submit(look, 0.2) for _ in range(2 * WIDTH)]
    wide = narrow.submit(look, 0.1, cores=WIDTH)
    after = [narrow.submit(look, 0.2) for _ in range(4 * WIDTH)]
    began, ended, _ = wide.result(PATIENCE_S)
    assert all(task.result(PATIENCE_S)[1] <= began for task in before)
    assert all(task.result(PATIENCE_S)[0] >= ended for task in after)


def test_more_than_a_node_has_is_refused_and_so_are_workers_of_other_kinds(narrow):
    with pytest.raises(PlacementError, match=r"cores=4.*1 core \(3 together on a node\)"):
        narrow.submit(look, cores=4)
    with pytest.raises(PlacementError, match=r"memory_bytes=2000000001"):
        narrow.submit(look, cores=2, memory_bytes=2 * 10**9 + 1)
    with pytest.raises(PlacementError, match=r"cores=2: no worker has that by itself"):
        narrow.broadcast_call(look, (), {}, TaskOptions(cores=2))


def test_a_wide_task_that_kills_its_process_frees_the_cores(narrow):
    def end():
        os._exit(3)

    lost = narrow.submit(end, cores=WIDTH, retries=0)
    with pytest.raises(pilot_kernel.errors.WorkerDiedError):
        lost.result(PATIENCE_S)
    for task in [narrow.submit(look, cores=cores) for cores in (1, 1, 1, WIDTH)]:
        task.result(PATIENCE_S)


def test_a_pilot_that_grows_by_itself_grows_for_a_wide_task(registry_home):
    with pilot_kernel.Session() as own:
        pilot = own.add_pilot("local://", cores_per_node=2, name="grows")
        pilot.scale(minimum=0, maximum=2)
        assert own.submit(look, cores=2).result(PATIENCE_S)[2][0] == 2
        assert pilot.status.most_cores == 2
        pilot.scale(1)
        with pytest.raises(PlacementError, match="cores=2"):
            own.submit(look, cores=2)
