"""When a task has the cores of several workers, against all ways to deal them out."""

import itertools
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.workload.execution.chunk import Chunk
from qdreamer_lab.workload.execution.wide_tasks import Node, cores_each, cores_for, nodes_of


def pilot(workers, cores=1, most=0):
    return SimpleNamespace(workers=workers, cores_per_worker=cores, most_cores=most)


def chunk(width=24, work=1e9, threads=True):
    return Chunk(0, 0, width, 1, work, print, (), threads=threads)


@pytest.mark.parametrize(
    ("pilots", "nodes"),
    [
        ([], []),
        ([pilot(4, 1, 4)], [Node(4, 1)]),
        ([pilot(6, 2, 4)], [Node(2, 2), Node(2, 2), Node(2, 2)]),
        ([pilot(5, 1, 2)], [Node(2, 1), Node(2, 1), Node(1, 1)]),
        ([pilot(3, 4), pilot(0, 1, 8)], [Node(1, 4)] * 3),
        ([SimpleNamespace(workers=2)], [Node(1, 1)] * 2),
    ],
)
def test_nodes_as_statuses_tell(pilots, nodes):
    assert list(nodes_of(pilots)) == nodes


@given(
    st.lists(st.builds(Node, st.integers(1, 5), st.integers(1, 3)), min_size=1, max_size=3),
    st.integers(1, 12),
)
def test_all_run_at_once_and_none_could_have_more(nodes, tasks):
    cores = cores_each(nodes, tasks)

    def fit(cores):
        """Whether so many fit, by putting them down one after the other."""
        free = [node.workers for node in nodes]
        for _ in range(tasks):
            for at, node in enumerate(nodes):
                needed = next(k for k in itertools.count(1) if k * node.cores >= cores)
                if needed <= free[at]:
                    free[at] -= needed
                    break
            else:
                return False
        return True

    most = max(node.workers * node.cores for node in nodes)
    fitting = [c for c in range(1, most + 1) if fit(c)]
    assert cores == max(fitting, default=1)


@pytest.mark.parametrize(
    ("what", "tasks", "cores"),
    [
        (chunk(), 1, 16),
        (chunk(), 3, 5),
        (chunk(), 16, None),
        (chunk(), 100, None),
        (chunk(width=17), 1, None),
        (chunk(work=1e7), 1, None),
        (chunk(threads=False), 1, None),
    ],
)
def test_few_large_tasks_are_wide_and_all_others_are_not(what, tasks, cores):
    assert cores_for(what, nodes_of([pilot(16, 1, 16)]), tasks, 1e-9) == cores


def test_workers_that_have_as_many_are_not_asked_for_them():
    assert cores_for(chunk(), nodes_of([pilot(2, 4, 8)]), 2, 1e-9) is None
    assert cores_for(chunk(), nodes_of([pilot(2, 4, 8)]), 1, 1e-9) == 8
    assert cores_for(chunk(), (), 1, 1e-9) is None
